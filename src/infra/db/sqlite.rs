//! SQLite: rusqlite behind a deadpool, statements on its blocking threads. Reads that are known to be short are
//! answered where they are asked: the way to another thread and back costs more than they do.

mod connection;
mod short;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool::managed::{self, QueueMode};
use rusqlite::{CachedStatement, Connection, ErrorCode, limits::Limit, types::ToSqlOutput, types::ValueRef};

use self::{
    connection::{Manager, Object, SetUp},
    short::ShortReads,
};
use super::{DbError, Row, Sql, Value};
use crate::telemetry::{self, Database};

/// How long a writer waits for another process or thread.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Pool {
    connections: managed::Pool<Manager>,
    short: Arc<ShortReads>,
}

impl Pool {
    pub async fn open(path: &Path, size: usize) -> Result<Self, DbError> {
        Self::open_with(path, size, set_up).await
    }
    pub async fn open_for_schema(path: &Path) -> Result<Self, DbError> {
        Self::open_with(path, 2, set_up_for_schema).await
    }
    async fn open_with(path: &Path, size: usize, set_up: SetUp) -> Result<Self, DbError> {
        let unavailable =
            |e: &dyn std::fmt::Display| DbError::Unavailable(format!("{}: {e}", path.display()));
        let manager = Manager::new(path, set_up);
        // the one that was used last remembers most
        let pool = managed::Pool::builder(manager).queue_mode(QueueMode::Lifo);
        let pool = pool.max_size(size.max(2)).build();
        let pool = pool.map_err(|e| unavailable(&e))?;
        let pool = Self { connections: pool, short: Arc::default() };
        pool.query(Sql::new("SELECT 1")).await.map_err(|e| unavailable(&e))?;
        Ok(pool)
    }

    async fn get(&self) -> Result<Object, DbError> {
        let got = telemetry::connection(Database::Metadata, self.connections.get()).await;
        got.map_err(|e| DbError::Unavailable(e.to_string()))
    }
    pub async fn query(&self, sql: Sql) -> Result<Vec<Row>, DbError> {
        let conn = self.get().await?;
        if let Some(rows) = self.short.read(&conn, &sql) {
            return Ok(rows);
        }
        let short = self.short.clone();
        on(&conn, move |c| {
            let start = Instant::now();
            let rows = run_query(c, &sql);
            short.learn(&sql, start.elapsed());
            rows
        })
        .await
    }
    pub async fn execute(&self, sql: Sql) -> Result<u64, DbError> {
        on(&self.get().await?, move |c| run_execute(c, &sql)).await
    }
    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.begin_with("BEGIN IMMEDIATE").await
    }
    pub async fn begin_with(&self, begin: &'static str) -> Result<Tx, DbError> {
        // owned before it begins: who gives up while it waits for the lock must not leave it to the pool
        let tx = Tx { conn: Some(self.get().await?), unchecked: false };
        tx.batch(begin).await?;
        Ok(tx)
    }
    /// References are not checked, which cannot be said inside a transaction.
    pub async fn begin_unchecked(&self) -> Result<Tx, DbError> {
        let tx = Tx { conn: Some(self.get().await?), unchecked: true };
        tx.batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").await?;
        Ok(tx)
    }
}

/// Bytes of a value; the largest body of a request fits.
const MAX_VALUE: i32 = 128 << 20;

/// Kilobytes of pages that a connection holds, if there are so many: thousands of charts.
const CACHE_KIB: i64 = 16 << 10;

fn set_up(c: &mut Connection) -> rusqlite::Result<()> {
    c.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    c.busy_timeout(BUSY_TIMEOUT)?;
    c.set_prepared_statement_cache_capacity(128);
    // A read-only file cannot switch to WAL; it can still be read.
    let _ = c.pragma_update(None, "journal_mode", "WAL");
    c.pragma_update(None, "synchronous", "NORMAL")?;
    c.pragma_update(None, "cache_size", -CACHE_KIB)?;
    c.pragma_update(None, "foreign_keys", true)
}

/// How long a change of the schema waits for other writers.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(60);

fn set_up_for_schema(c: &mut Connection) -> rusqlite::Result<()> {
    c.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    c.busy_timeout(SCHEMA_TIMEOUT)?;
    c.set_prepared_statement_cache_capacity(0);
    c.pragma_update(None, "foreign_keys", false)
}

/// Copies a database, as it is at one moment, into a file that is complete once it has its name.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), DbError> {
    let unavailable = |e: &dyn std::fmt::Display| DbError::Unavailable(format!("{}: {e}", to.display()));
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    let _ = std::fs::remove_file(unfinished);
    let copied = || -> rusqlite::Result<()> {
        let source = Connection::open_with_flags(from, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        source.busy_timeout(SCHEMA_TIMEOUT)?;
        let mut target = Connection::open(unfinished)?;
        let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
        backup.run_to_completion(4096, Duration::ZERO, None)?;
        drop(backup);
        let verdict: String = target.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        match verdict.as_str() {
            "ok" => target.close().map_err(|(_, e)| e),
            other => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some(other.to_owned()),
            )),
        }
    };
    copied().map_err(|e| unavailable(&e))?;
    std::fs::File::open(unfinished).and_then(|file| file.sync_all()).map_err(|e| unavailable(&e))?;
    std::fs::rename(unfinished, to).map_err(|e| unavailable(&e))
}

async fn on<T: Send + 'static>(
    conn: &Object,
    f: impl FnOnce(&mut Connection) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let span = tracing::Span::current();
    conn.interact(move |c| span.in_scope(|| f(c))).await.map_err(|e| DbError::Unavailable(e.to_string()))?
}

pub(super) struct Tx {
    conn: Option<Object>,
    unchecked: bool,
}

/// What makes a connection check references again.
const CHECKED: &str = "PRAGMA foreign_keys = ON";

impl Tx {
    fn conn(&self) -> Result<&Object, DbError> {
        self.conn.as_ref().ok_or_else(|| DbError::Query("transaction is over".into()))
    }
    pub async fn query(&self, sql: Sql) -> Result<Vec<Row>, DbError> {
        on(self.conn()?, move |c| run_query(c, &sql)).await
    }
    pub async fn execute(&self, sql: Sql) -> Result<u64, DbError> {
        on(self.conn()?, move |c| run_execute(c, &sql)).await
    }
    pub async fn batch(&self, text: &'static str) -> Result<(), DbError> {
        on(self.conn()?, move |c| c.execute_batch(text).map_err(error)).await
    }
    pub async fn commit(mut self) -> Result<(), DbError> {
        // Taken only after the commit: a failed one is rolled back by `drop`.
        on(self.conn()?, |c| c.execute_batch("COMMIT").map_err(error)).await?;
        if self.unchecked {
            self.batch(CHECKED).await?;
        }
        self.conn = None;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        // The connection goes back to the pool only after the rollback.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let unchecked = self.unchecked;
            runtime.spawn(async move {
                let _ = conn.interact(|c| c.execute_batch("ROLLBACK")).await;
                if unchecked {
                    let _ = conn.interact(|c| c.execute_batch(CHECKED)).await;
                }
            });
        }
    }
}

fn error(e: rusqlite::Error) -> DbError {
    match e.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => DbError::Integrity(text(e)),
        Some(
            ErrorCode::CannotOpen | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::ReadOnly,
        ) => DbError::Unavailable(text(e)),
        _ => DbError::Query(text(e)),
    }
}

/// SQLite's own sentence without rusqlite's additions.
fn text(e: rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message,
        other => other.to_string(),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Owned(rusqlite::types::Value::Null),
            Value::Bool(b) => ToSqlOutput::Owned(i64::from(*b).into()),
            Value::Int(i) => ToSqlOutput::Owned((*i).into()),
            Value::Float(f) => ToSqlOutput::Owned((*f).into()),
            Value::Text(t) => ToSqlOutput::Borrowed(ValueRef::Text(t.as_bytes())),
            Value::Bytes(b) => ToSqlOutput::Borrowed(ValueRef::Blob(b)),
            // SQLAlchemy's storage format, always six digits
            Value::DateTime(t) => ToSqlOutput::Owned(t.format("%Y-%m-%d %H:%M:%S%.6f").to_string().into()),
            Value::Uuid(u) => ToSqlOutput::Owned(u.as_bytes().to_vec().into()),
        })
    }
}

fn run_query(c: &mut Connection, sql: &Sql) -> Result<Vec<Row>, DbError> {
    rows(&mut c.prepare_cached(&sql.text).map_err(error)?, sql).map_err(error)
}

fn rows(statement: &mut CachedStatement<'_>, sql: &Sql) -> rusqlite::Result<Vec<Row>> {
    let columns: Arc<[String]> = statement.column_names().iter().map(|n| (*n).to_owned()).collect();
    let mut rows = statement.query(rusqlite::params_from_iter(&sql.params))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns.len());
        for i in 0..columns.len() {
            values.push(match row.get_ref(i)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(i) => Value::Int(i),
                ValueRef::Real(f) => Value::Float(f),
                ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
                ValueRef::Blob(b) => Value::Bytes(b.to_vec()),
            });
        }
        out.push(Row { columns: columns.clone(), values });
    }
    Ok(out)
}

fn run_execute(c: &mut Connection, sql: &Sql) -> Result<u64, DbError> {
    let mut statement = c.prepare_cached(&sql.text).map_err(error)?;
    let n = statement.execute(rusqlite::params_from_iter(&sql.params)).map_err(error)?;
    Ok(n as u64)
}
