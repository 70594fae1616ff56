//! The metadata database: one path over SQLite, PostgreSQL and MySQL.
//!
//! SQL is written once as [`Sql`] with `?` placeholders and executed through [`Executor`], which both the pool
//! ([`Db`]) and an open transaction ([`Tx`]) are. What differs between backends is in [`Dialect`].

pub mod baseline;
mod bulk;
pub mod catalog;
mod dialect;
pub mod migrate;
mod mysql;
mod mysql_schema;
mod postgres;
pub mod revisions;
mod sqlite;
mod uri;
mod uri_postgres;
mod value;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{
    statement_log::{Statement, noted},
    telemetry::Database,
};

pub use bulk::Deferred;
pub use dialect::Dialect;
pub use migrate::SchemaState;
pub use uri::{DbUri, UriError};
pub use value::{FromValue, Row, Sql, Value, parse_datetime};

/// What can go wrong between us and the metadata database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had.
    #[error("metadata database unavailable: {0}")]
    Unavailable(String),
    /// A unique, foreign key or check constraint was violated; the text is the driver's.
    #[error("{0}")]
    Integrity(String),
    /// The statement failed.
    #[error("{0}")]
    Query(String),
    /// A number is larger than its column; the text is the driver's.
    #[error("{0}")]
    OutOfRange(String),
    /// A stored value is not of the type that its column promises.
    #[error("{0}")]
    Decode(String),
}

impl From<DbError> for crate::Error {
    fn from(e: DbError) -> Self {
        match e {
            // whoever sends such a number hears of it: nothing is broken here
            DbError::OutOfRange(text) => Self::unprocessable(text),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// A boxed future that borrows its connection.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that executes statements: the pool or a transaction.
pub trait Executor: Send + Sync {
    /// All rows.
    fn query(&self, sql: Sql) -> BoxFuture<'_, Result<Vec<Row>, DbError>>;
    /// Number of rows changed.
    fn execute(&self, sql: Sql) -> BoxFuture<'_, Result<u64, DbError>>;
    /// The backend.
    fn dialect(&self) -> Dialect;
}

impl dyn Executor + '_ {
    /// The first row, if any.
    pub async fn first(&self, sql: Sql) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql).await?.into_iter().next())
    }
    /// `INSERT INTO table (columns…) VALUES (…)`, returning the key of the new row.
    pub async fn insert_returning<T: FromValue>(
        &self,
        table: &str,
        pk: &str,
        values: Vec<(&str, Value)>,
    ) -> Result<T, DbError> {
        let given = values.iter().find(|(column, _)| *column == pk).map(|(_, value)| value.clone());
        let mut sql = insert_sql(self.dialect(), table, values);
        match self.dialect() {
            Dialect::Sqlite | Dialect::Postgres => drop(sql.push(&format!(" RETURNING {pk}"))),
            // the server tells the key that it drew, and no other
            Dialect::Mysql => {
                if let Some(given) = given {
                    self.execute(sql).await?;
                    let other = || DbError::Decode(format!("{table}.{pk} is of another type"));
                    return T::from_value(&given).ok_or_else(other);
                }
            }
        };
        let row = self.first(sql).await?.ok_or_else(|| DbError::Query("insert returned nothing".into()))?;
        row.at(0)
    }
    /// `INSERT INTO table (columns…) VALUES (…)`, returning the new `id`.
    pub async fn insert_row(&self, table: &str, values: Vec<(&str, Value)>) -> Result<i64, DbError> {
        self.insert_returning(table, "id", values).await
    }
    /// `UPDATE table SET … WHERE id = ?`.
    pub async fn update_row(&self, table: &str, id: i64, values: Vec<(&str, Value)>) -> Result<u64, DbError> {
        if values.is_empty() {
            return Ok(0);
        }
        let mut sql = Sql::new(format!("UPDATE {table} SET "));
        for (i, (column, value)) in values.into_iter().enumerate() {
            sql.push(if i > 0 { ", \"" } else { "\"" }).push(column).push("\" = ").push_bind(value);
        }
        sql.push(" WHERE id = ").push_bind(id);
        self.execute(sql).await
    }
}

/// `INSERT INTO table (columns…) VALUES (…)`.
///
/// Flask-AppBuilder's tables have sequences on PostgreSQL, but no column default that draws from them.
pub fn insert_sql(dialect: Dialect, table: &str, values: Vec<(&str, Value)>) -> Sql {
    let draws =
        dialect == Dialect::Postgres && table.starts_with("ab_") && !values.iter().any(|(c, _)| *c == "id");
    if values.is_empty() && !draws {
        let values = if dialect == Dialect::Mysql { "() VALUES ()" } else { "DEFAULT VALUES" };
        return Sql::new(format!("INSERT INTO {table} {values}"));
    }
    let names = draws.then(|| "id".to_owned());
    let names: Vec<String> =
        names.into_iter().chain(values.iter().map(|(c, _)| format!("\"{c}\""))).collect();
    let mut sql = Sql::new(format!("INSERT INTO {table} ({}) VALUES (", names.join(", ")));
    if draws {
        sql.push(&format!("nextval('{table}_id_seq')"));
    }
    for (i, (_, value)) in values.into_iter().enumerate() {
        sql.push(if i > 0 || draws { ", " } else { "" }).push_bind(value);
    }
    sql.push(")");
    sql
}

#[derive(Clone)]
enum Pool {
    Sqlite(sqlite::Pool),
    Postgres(postgres::Pool),
    Mysql(mysql::Pool),
}

/// The pool of connections; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    statements: Arc<AtomicU64>,
}

/// Connections to a server. A file of SQLite takes the size alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct PoolOptions {
    /// At most so many.
    pub size: usize,
    /// How long somebody waits for one; for ever without it.
    pub wait: Option<Duration>,
    /// Older ones are given up.
    pub max_age: Option<Duration>,
    /// Each is asked for an answer before it is used.
    pub ping: bool,
}

impl Db {
    /// Opens the pool and makes one connection to prove that it works.
    pub async fn connect(uri: &DbUri, pool_size: usize) -> Result<Self, DbError> {
        Self::connect_with(uri, PoolOptions { size: pool_size, ..PoolOptions::default() }).await
    }

    /// The same with more to say about the pool.
    pub async fn connect_with(uri: &DbUri, options: PoolOptions) -> Result<Self, DbError> {
        let pool = match uri {
            DbUri::Sqlite { path, .. } => Pool::Sqlite(sqlite::Pool::open(path, options.size).await?),
            DbUri::Postgres(config) => Pool::Postgres(postgres::Pool::open(config, options).await?),
            DbUri::Mysql(target) => Pool::Mysql(mysql::Pool::open(target, options).await?),
        };
        Ok(Self { pool, statements: Arc::default() })
    }

    /// Opens the pool for changes of the schema: SQLite keeps its journal mode, does not enforce foreign keys (a table
    /// that is rebuilt would take what refers to it along), and waits longer for other writers.
    pub async fn connect_for_schema(uri: &DbUri) -> Result<Self, DbError> {
        match uri {
            DbUri::Sqlite { path } => {
                let pool = Pool::Sqlite(sqlite::Pool::open_for_schema(path).await?);
                Ok(Self { pool, statements: Arc::default() })
            }
            DbUri::Postgres(_) | DbUri::Mysql(_) => Self::connect(uri, 2).await,
        }
    }

    /// Copies a SQLite database, as it is at one moment, into a new file.
    pub async fn copy_sqlite(from: &std::path::Path, to: &std::path::Path) -> Result<(), DbError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || sqlite::copy(&from, &to)).await;
        copied.map_err(|e| DbError::Unavailable(e.to_string()))?
    }

    /// Begins a transaction; dropping it without [`Tx::commit`] rolls back.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let work = async {
            match &self.pool {
                Pool::Sqlite(p) => p.begin().await.map(TxConn::Sqlite),
                Pool::Postgres(p) => p.begin().await.map(TxConn::Postgres),
                Pool::Mysql(p) => p.begin().await.map(TxConn::Mysql),
            }
        };
        let conn = noted(self.dialect().statement("BEGIN"), work, |_| None).await?;
        Ok(Tx { conn, statements: self.statements.clone() })
    }

    /// Statements executed since the start; tests count with it.
    pub fn statement_count(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// This pool as an executor.
    pub fn exec(&self) -> &dyn Executor {
        self
    }
}

impl Executor for Db {
    fn query(&self, sql: Sql) -> BoxFuture<'_, Result<Vec<Row>, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = self.dialect().statement(sql.text());
        let work = async move {
            match &self.pool {
                Pool::Sqlite(p) => p.query(sql).await,
                Pool::Postgres(p) => p.query(sql).await,
                Pool::Mysql(p) => p.query(sql).await,
            }
        };
        Box::pin(noted(statement, work, |rows| Some(rows.len())))
    }
    fn execute(&self, sql: Sql) -> BoxFuture<'_, Result<u64, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = self.dialect().statement(sql.text());
        let work = async move {
            match &self.pool {
                Pool::Sqlite(p) => p.execute(sql).await,
                Pool::Postgres(p) => p.execute(sql).await,
                Pool::Mysql(p) => p.execute(sql).await,
            }
        };
        Box::pin(noted(statement, work, |rows| usize::try_from(*rows).ok()))
    }
    fn dialect(&self) -> Dialect {
        match &self.pool {
            Pool::Sqlite(_) => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
            Pool::Mysql(_) => Dialect::Mysql,
        }
    }
}

impl Dialect {
    /// A statement that begins, for the log; its values are bound and not in the text.
    fn statement(self, text: &str) -> Statement {
        let engine = match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::Mysql => "mysql",
        };
        Statement::begin(Database::Metadata, engine, text, |text, _| text.to_owned())
    }
}

enum TxConn {
    Sqlite(sqlite::Tx),
    Postgres(postgres::Tx),
    Mysql(mysql::Tx),
}

/// An open transaction.
pub struct Tx {
    conn: TxConn,
    statements: Arc<AtomicU64>,
}

impl Tx {
    /// Makes the changes permanent.
    pub async fn commit(self) -> Result<(), DbError> {
        let statement = self.dialect().statement("COMMIT");
        let work = async {
            match self.conn {
                TxConn::Sqlite(t) => t.commit().await,
                TxConn::Postgres(t) => t.commit().await,
                TxConn::Mysql(t) => t.commit().await,
            }
        };
        noted(statement, work, |()| None).await
    }
    /// Several statements without parameters.
    pub async fn batch(&self, text: &'static str) -> Result<(), DbError> {
        let work = async {
            match &self.conn {
                TxConn::Sqlite(t) => t.batch(text).await,
                TxConn::Postgres(t) => t.batch(text).await,
                TxConn::Mysql(t) => t.batch(text).await,
            }
        };
        noted(self.dialect().statement(text), work, |()| None).await
    }
    /// This transaction as an executor.
    pub fn exec(&self) -> &dyn Executor {
        self
    }
}

impl Executor for Tx {
    fn query(&self, sql: Sql) -> BoxFuture<'_, Result<Vec<Row>, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = self.dialect().statement(sql.text());
        let work = async move {
            match &self.conn {
                TxConn::Sqlite(t) => t.query(sql).await,
                TxConn::Postgres(t) => t.query(sql).await,
                TxConn::Mysql(t) => t.query(sql).await,
            }
        };
        Box::pin(noted(statement, work, |rows| Some(rows.len())))
    }
    fn execute(&self, sql: Sql) -> BoxFuture<'_, Result<u64, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = self.dialect().statement(sql.text());
        let work = async move {
            match &self.conn {
                TxConn::Sqlite(t) => t.execute(sql).await,
                TxConn::Postgres(t) => t.execute(sql).await,
                TxConn::Mysql(t) => t.execute(sql).await,
            }
        };
        Box::pin(noted(statement, work, |rows| usize::try_from(*rows).ok()))
    }
    fn dialect(&self) -> Dialect {
        match &self.conn {
            TxConn::Sqlite(_) => Dialect::Sqlite,
            TxConn::Postgres(_) => Dialect::Postgres,
            TxConn::Mysql(_) => Dialect::Mysql,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fab_tables_draw_their_keys_on_postgresql() {
        let text = |dialect, table| insert_sql(dialect, table, vec![("limit", 1.into())]).text().to_owned();
        let drawn = "INSERT INTO ab_role (id, \"limit\") VALUES (nextval('ab_role_id_seq'), ?)";
        assert_eq!(text(Dialect::Postgres, "ab_role"), drawn);
        assert_eq!(text(Dialect::Sqlite, "ab_role"), "INSERT INTO ab_role (\"limit\") VALUES (?)");
        assert_eq!(text(Dialect::Postgres, "slices"), "INSERT INTO slices (\"limit\") VALUES (?)");
        let empty = |dialect| insert_sql(dialect, "ab_role", Vec::new()).text().to_owned();
        assert_eq!(empty(Dialect::Postgres), "INSERT INTO ab_role (id) VALUES (nextval('ab_role_id_seq'))");
        assert_eq!(empty(Dialect::Sqlite), "INSERT INTO ab_role DEFAULT VALUES");
        assert_eq!(empty(Dialect::Mysql), "INSERT INTO ab_role () VALUES ()");
    }

    #[tokio::test]
    async fn who_gives_up_before_a_transaction_began_leaves_no_lock() {
        let path = std::env::temp_dir().join(format!("liteset-begin-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let pool = Pool::Sqlite(sqlite::Pool::open(&path, 2).await.unwrap());
        let db = Db { pool, statements: Arc::default() };
        let first = db.begin().await.unwrap();
        let waiting = tokio::spawn({
            let db = db.clone();
            async move { db.begin().await.map(drop) }
        });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        first.commit().await.unwrap();
        let soon = std::time::Duration::from_secs(5);
        for _ in 0..4 {
            tokio::time::timeout(soon, db.begin()).await.unwrap().unwrap().commit().await.unwrap();
        }
        let _ = std::fs::remove_file(&path);
    }
}
