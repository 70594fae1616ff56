//! The metadata database: one path over SQLite and PostgreSQL.
//!
//! SQL is written once as [`Sql`] with `?` placeholders and executed through [`Executor`], which both the pool
//! ([`Db`]) and an open transaction ([`Tx`]) are. What differs between backends is in [`Dialect`].

mod dialect;
pub mod migrate;
mod postgres;
mod sqlite;
mod uri;
mod value;

use std::{future::Future, pin::Pin, sync::Arc, sync::atomic::AtomicU64, sync::atomic::Ordering};

pub use dialect::Dialect;
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
    /// A stored value is not of the type that its column promises.
    #[error("{0}")]
    Decode(String),
}

impl From<DbError> for crate::Error {
    fn from(e: DbError) -> Self {
        Self::Internal(e.to_string())
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
    /// `INSERT` that returns the new row's `id`; `RETURNING id` is appended.
    pub async fn insert(&self, mut sql: Sql) -> Result<i64, DbError> {
        sql.push(" RETURNING id");
        let row = self.first(sql).await?.ok_or_else(|| DbError::Query("insert returned nothing".into()))?;
        row.at(0)
    }
    /// `INSERT INTO table (columns…) VALUES (…)`, returning the new `id`.
    pub async fn insert_row(&self, table: &str, values: Vec<(&str, Value)>) -> Result<i64, DbError> {
        self.insert(insert_sql(self.dialect(), table, values)).await
    }
    /// `UPDATE table SET … WHERE id = ?`.
    pub async fn update_row(&self, table: &str, id: i64, values: Vec<(&str, Value)>) -> Result<u64, DbError> {
        if values.is_empty() {
            return Ok(0);
        }
        let mut sql = Sql::new(format!("UPDATE {table} SET "));
        for (i, (column, value)) in values.into_iter().enumerate() {
            sql.push(if i > 0 { ", " } else { "" }).push(column).push(" = ").push_bind(value);
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
        return Sql::new(format!("INSERT INTO {table} DEFAULT VALUES"));
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
}

/// The pool of connections; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    statements: Arc<AtomicU64>,
}

impl Db {
    /// Opens the pool and makes one connection to prove that it works.
    pub async fn connect(uri: &DbUri, pool_size: usize) -> Result<Self, DbError> {
        let pool = match uri {
            DbUri::Sqlite { path, .. } => Pool::Sqlite(sqlite::Pool::open(path, pool_size).await?),
            DbUri::Postgres(config) => Pool::Postgres(postgres::Pool::open(config, pool_size).await?),
        };
        Ok(Self { pool, statements: Arc::default() })
    }

    /// Begins a transaction; dropping it without [`Tx::commit`] rolls back.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let conn = match &self.pool {
            Pool::Sqlite(p) => TxConn::Sqlite(p.begin().await?),
            Pool::Postgres(p) => TxConn::Postgres(p.begin().await?),
        };
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
        Box::pin(async move {
            match &self.pool {
                Pool::Sqlite(p) => p.query(sql).await,
                Pool::Postgres(p) => p.query(sql).await,
            }
        })
    }
    fn execute(&self, sql: Sql) -> BoxFuture<'_, Result<u64, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match &self.pool {
                Pool::Sqlite(p) => p.execute(sql).await,
                Pool::Postgres(p) => p.execute(sql).await,
            }
        })
    }
    fn dialect(&self) -> Dialect {
        match &self.pool {
            Pool::Sqlite(_) => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }
}

enum TxConn {
    Sqlite(sqlite::Tx),
    Postgres(postgres::Tx),
}

/// An open transaction.
pub struct Tx {
    conn: TxConn,
    statements: Arc<AtomicU64>,
}

impl Tx {
    /// Makes the changes permanent.
    pub async fn commit(self) -> Result<(), DbError> {
        match self.conn {
            TxConn::Sqlite(t) => t.commit().await,
            TxConn::Postgres(t) => t.commit().await,
        }
    }
    /// Several statements without parameters.
    pub async fn batch(&self, text: &'static str) -> Result<(), DbError> {
        match &self.conn {
            TxConn::Sqlite(t) => t.batch(text).await,
            TxConn::Postgres(t) => t.batch(text).await,
        }
    }
    /// This transaction as an executor.
    pub fn exec(&self) -> &dyn Executor {
        self
    }
}

impl Executor for Tx {
    fn query(&self, sql: Sql) -> BoxFuture<'_, Result<Vec<Row>, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match &self.conn {
                TxConn::Sqlite(t) => t.query(sql).await,
                TxConn::Postgres(t) => t.query(sql).await,
            }
        })
    }
    fn execute(&self, sql: Sql) -> BoxFuture<'_, Result<u64, DbError>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match &self.conn {
                TxConn::Sqlite(t) => t.execute(sql).await,
                TxConn::Postgres(t) => t.execute(sql).await,
            }
        })
    }
    fn dialect(&self) -> Dialect {
        match &self.conn {
            TxConn::Sqlite(_) => Dialect::Sqlite,
            TxConn::Postgres(_) => Dialect::Postgres,
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
