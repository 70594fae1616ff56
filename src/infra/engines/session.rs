//! What SQL Lab asks of an engine: several statements on one connection, and results too large to be held at once.

use tokio::sync::mpsc;

#[cfg(feature = "duckdb")]
use super::duckdb;
use super::{
    QueryOptions,
    column::ResultSet,
    engine::{Driver, Engine},
    error::EngineError,
    mssql, mysql, postgres, sqlite,
};

/// Pieces of a result in their order; an error is the last of them. Dropping the receiver cancels the statement.
pub type Batches = mpsc::Receiver<Result<ResultSet, EngineError>>;

/// Batches that wait for a slow reader.
const WAITING: usize = 2;

/// One connection in one transaction: what a statement sets up, the next one finds. Dropping it cancels and undoes.
pub enum Session {
    /// PostgreSQL.
    Postgres(Box<postgres::Session>),
    /// DuckDB.
    #[cfg(feature = "duckdb")]
    Duckdb(Box<duckdb::Session>),
    /// Microsoft SQL Server.
    Mssql(Box<mssql::Session>),
    /// MySQL and MariaDB.
    Mysql(Box<mysql::Session>),
    /// SQLite.
    Sqlite(Box<sqlite::Session>),
    /// A driver without sessions: every statement stands alone.
    Single(Engine, Box<QueryOptions>),
}

impl Engine {
    /// Opens a session; the limits of the options hold for each of its statements.
    pub async fn session(&self, options: &QueryOptions) -> Result<Session, EngineError> {
        self.reach().await?;
        if let Driver::Postgres(database) = &self.driver {
            return Ok(Session::Postgres(Box::new(database.session(options).await?)));
        }
        if let Driver::Sqlite(database) = &self.driver {
            return Ok(Session::Sqlite(Box::new(database.session(options).await?)));
        }
        if let Driver::Mssql(database) = &self.driver {
            return Ok(Session::Mssql(Box::new(database.session(options).await?)));
        }
        if let Driver::Mysql(database) = &self.driver {
            return Ok(Session::Mysql(Box::new(database.session(options).await?)));
        }
        #[cfg(feature = "duckdb")]
        if let Driver::Duckdb(database) = &self.driver {
            return Ok(Session::Duckdb(Box::new(database.session(options).await?)));
        }
        Ok(Session::Single(self.clone(), Box::new(options.clone())))
    }

    /// Executes one statement and hands its rows out as they arrive, as many at a time as make up
    /// `cells` values; there is always a first batch,
    /// for the names of the columns. `max_bytes` of the options bounds a batch.
    pub fn batches(&self, sql: &str, options: &QueryOptions, cells: usize) -> Batches {
        let (out, batches) = mpsc::channel(WAITING);
        let (engine, sql, options) = (self.clone(), sql.to_owned(), options.clone());
        tokio::spawn(async move {
            if let Err(error) = engine.reach().await {
                let _ = out.send(Err(error)).await;
                return;
            }
            #[cfg(feature = "duckdb")]
            if let Driver::Duckdb(database) = &engine.driver {
                return database.batches(sql, options, cells, out).await;
            }
            if let Driver::Mssql(database) = &engine.driver {
                database.batches(&sql, &options, cells, &out).await;
            } else if let Driver::Mysql(database) = &engine.driver {
                database.batches(&sql, &options, cells, &out).await;
            } else if let Driver::Postgres(database) = &engine.driver {
                database.batches(&sql, &options, cells, &out).await;
            } else if let Driver::Sqlite(database) = &engine.driver {
                database.batches(sql, options, cells, out).await;
            } else if let Driver::Trino(database) = &engine.driver {
                if let Err(error) = database.batches(&sql, &options, cells, &out).await {
                    // nobody listens any more
                    let _ = out.send(Err(engine.invited(error))).await;
                }
            } else if let Driver::ClickHouse(database) = &engine.driver {
                database.batches(&sql, &options, cells, &out).await;
            } else {
                let _ = out.send(engine.query(&sql, &options).await).await;
            }
        });
        batches
    }
}

impl Session {
    /// What another process needs to cancel the session, as Superset notes it (`get_cancel_query_id`).
    pub fn cancel_id(&self) -> Option<i64> {
        match self {
            Self::Postgres(session) => session.backend_pid(),
            #[cfg(feature = "duckdb")]
            Self::Duckdb(_) => None,
            Self::Mysql(session) => session.thread(),
            Self::Mssql(_) | Self::Sqlite(_) | Self::Single(..) => None,
        }
    }

    /// Executes one statement.
    pub async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        match self {
            Self::Postgres(session) => session.query(sql).await,
            #[cfg(feature = "duckdb")]
            Self::Duckdb(session) => session.query(sql).await,
            Self::Mssql(session) => session.query(sql).await,
            Self::Mysql(session) => session.query(sql).await,
            Self::Sqlite(session) => session.query(sql).await,
            Self::Single(engine, options) => engine.query(sql, options).await,
        }
    }

    /// Ends the transaction.
    pub async fn finish(self, commit: bool) -> Result<(), EngineError> {
        match self {
            Self::Postgres(session) => session.finish(commit).await,
            #[cfg(feature = "duckdb")]
            Self::Duckdb(session) => session.finish(commit).await,
            Self::Mssql(session) => session.finish(commit).await,
            Self::Mysql(session) => session.finish(commit).await,
            Self::Sqlite(session) => session.finish(commit).await,
            Self::Single(..) => Ok(()),
        }
    }
}
