//! SQLite (`superset.db_engine_specs.sqlite` over Python's `sqlite3`): few connections per file, on blocking threads.

mod guard;
mod introspect;
mod session;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use deadpool::managed::{Manager, Metrics, RecycleResult};
use rusqlite::{Connection, OpenFlags, limits::Limit, types::ValueRef};

use super::{
    FILE_POOL_SIZE, QueryOptions, Session, Source, Statements,
    builder::ColumnBuilder,
    column::{ColumnInfo, ResultSet, Scalar},
    connections::Connections,
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    postgres::Size,
};
pub(super) use guard::Metadata;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 2_000;

/// Bytes of one value, also of one that only exists on the way: SQLite itself would make gigabytes.
const MAX_VALUE: usize = 64 << 20;

/// Bytes of a pattern of LIKE or GLOB: matching takes time that no step of the machine interrupts.
const MAX_PATTERN: i32 = 5_000;

/// Prepares a file.
pub(super) fn open(source: &Source, files: &Files) -> Result<Box<dyn Driver>, EngineError> {
    let metadata = files.metadata.as_deref().map(Metadata::new);
    let path = source.url.database.as_deref().unwrap_or_default();
    let path = match path {
        "" | ":memory:" => None,
        named => Some(PathBuf::from(named.strip_prefix("file:").unwrap_or(named))),
    };
    Ok(Box::new(Database::new(path, metadata, FILE_POOL_SIZE)?))
}

/// A file, or a database in memory.
pub(super) struct Database {
    file: Arc<File>,
    places: Connections<Places>,
}

struct File {
    /// None: in memory, every connection its own.
    path: Option<PathBuf>,
    /// The metadata database, which is never opened.
    metadata: Option<Metadata>,
}

/// The right to a connection, with one for reading if it was made already.
type Place = Option<Connection>;

struct Places;

impl Manager for Places {
    type Type = Place;
    type Error = EngineError;

    async fn create(&self) -> Result<Place, EngineError> {
        Ok(None)
    }

    async fn recycle(&self, _: &mut Place, _: &Metrics) -> RecycleResult<EngineError> {
        Ok(())
    }
}

/// Stops the statement when the one who waits for it goes away.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        "sqlite3.OperationalError"
    }

    async fn ping(&self) -> Result<(), EngineError> {
        self.on_thread(|file, _| file.open(false).map(|_| ())).await
    }

    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stop.clone());
        let (sql, options) = (sql.to_owned(), options.clone());
        let result = self.on_thread(move |file, place| file.query(place, &sql, &options, &stop)).await;
        drop(guard);
        result
    }

    async fn execute_all(&self, statements: Statements) -> Result<(), EngineError> {
        self.on_thread(move |file, _| {
            let connection = file.open(true)?;
            let one = |sql: &str| connection.execute_batch(sql).map_err(error);
            one("BEGIN IMMEDIATE")?;
            let mut statements = statements;
            // a connection that goes away takes its transaction with it
            while let Some(sql) = statements.next_blocking() {
                one(&sql?)?;
            }
            one("COMMIT")
        })
        .await
    }

    async fn session(&self, options: &QueryOptions) -> Result<Option<Box<dyn Session>>, EngineError> {
        Ok(Some(Box::new(self.begin(options).await?)))
    }

    async fn batches(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        self.send(sql, options, cells, out).await
    }
}

impl Database {
    pub fn new(
        path: Option<PathBuf>,
        metadata: Option<Metadata>,
        connections: usize,
    ) -> Result<Self, EngineError> {
        let places = Connections::without_wait_limit(Places, connections)?;
        Ok(Self { file: Arc::new(File { path, metadata }), places })
    }

    /// Works with a connection of the pool on a thread that may wait.
    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File, &mut Place) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let gone = |_| EngineError::Connect("the worker is gone".to_owned());
        let mut place = self.places.get().await?;
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || work(&file, &mut place)).await.map_err(gone)?
    }
}

impl File {
    fn is_metadata(&self) -> bool {
        self.path.as_deref().is_some_and(|p| self.metadata.as_ref().is_some_and(|m| m.covers(p)))
    }

    fn open(&self, write: bool) -> Result<Connection, EngineError> {
        let connect = |e: rusqlite::Error| EngineError::Connect(error_text(e));
        let Some(path) = &self.path else {
            let connection = Connection::open_in_memory().map_err(connect)?;
            guard::protect(&connection).map_err(connect)?;
            return Ok(connection);
        };
        if self.is_metadata() {
            return Err(EngineError::Connect("the metadata database cannot be queried".to_owned()));
        }
        // SQLite takes a name that begins with "file:" for an address, which may name another file
        let path = &std::path::absolute(path).map_err(|e| EngineError::Connect(e.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = if write || !path.exists() {
            // as Python's driver, which makes the file with the first connection
            let create = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            Connection::open_with_flags(path, flags | create)
        } else {
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)
        };
        let connection =
            opened.map_err(|_| EngineError::Connect("unable to open database file".to_owned()))?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(connect)?;
        if !write {
            connection.pragma_update(None, "query_only", true).map_err(connect)?;
        }
        guard::protect(&connection).map_err(connect)?;
        Ok(connection)
    }

    /// Works with the place's connection for reading, which is made if it is not there.
    fn reading<T>(
        &self,
        place: &mut Place,
        work: impl FnOnce(&Connection) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let connection = match place.take() {
            Some(connection) => connection,
            None => self.open(false)?,
        };
        let result = work(&connection);
        if self.path.is_some() {
            *place = Some(connection);
        }
        result
    }

    fn query(
        &self,
        place: &mut Place,
        sql: &str,
        options: &QueryOptions,
        stop: &Arc<AtomicBool>,
    ) -> Result<ResultSet, EngineError> {
        let run = |connection: &Connection| watched(connection, options, stop, |c| fetch(c, sql, options));
        if options.allow_write { run(&self.open(true)?) } else { self.reading(place, run) }
    }
}

/// Works on a connection until the time is over or nobody waits any more.
fn watched<T>(
    connection: &Connection,
    options: &QueryOptions,
    stop: &Arc<AtomicBool>,
    work: impl FnOnce(&Connection) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let longest = i32::try_from(options.max_bytes.min(MAX_VALUE)).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest).map_err(error)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN).map_err(error)?;
    let (stop, end) = (stop.clone(), Instant::now() + options.timeout);
    let timed_out = Arc::new(AtomicBool::new(false));
    let late = timed_out.clone();
    let watch = move || {
        if Instant::now() >= end {
            late.store(true, Ordering::Relaxed);
        }
        late.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed)
    };
    // a connection that we own accepts the handler
    let _ = connection.progress_handler(STEPS, Some(watch));
    let result = work(connection);
    let _ = connection.progress_handler(0, None::<fn() -> bool>);
    if timed_out.load(Ordering::Relaxed) { Err(EngineError::Timeout(options.timeout)) } else { result }
}

fn fetch(connection: &Connection, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
    let mut statement = connection.prepare(sql).map_err(error)?;
    let columns = columns_of(&statement);
    let mut builders: Vec<ColumnBuilder> = columns.iter().map(|_| ColumnBuilder::new()).collect();
    let mut size = Size::new(options, columns.len());
    let mut rows = statement.query([]).map_err(error)?;
    while let Some(row) = rows.next().map_err(error)? {
        if size.add(push_row(row, &mut builders)?)? {
            break;
        }
    }
    drop(rows);
    drop(statement);
    Ok(ResultSet { columns, data: builders.into_iter().map(ColumnBuilder::finish).collect() })
}

fn columns_of(statement: &rusqlite::Statement<'_>) -> Vec<ColumnInfo> {
    let name = |n: &&str| ColumnInfo { name: (*n).to_owned(), sql_type: String::new() };
    statement.column_names().iter().map(name).collect()
}

/// Adds a row to the columns; returns its size.
fn push_row(row: &rusqlite::Row<'_>, builders: &mut [ColumnBuilder]) -> Result<usize, EngineError> {
    let mut bytes = 0;
    for (i, out) in builders.iter_mut().enumerate() {
        match row.get_ref(i).map_err(error)? {
            ValueRef::Null => out.null(),
            ValueRef::Integer(n) => out.int(n),
            ValueRef::Real(f) => out.float(f),
            ValueRef::Text(t) => {
                bytes += t.len();
                out.text(String::from_utf8_lossy(t).into());
            }
            ValueRef::Blob(b) => {
                bytes += b.len();
                out.push_object(Scalar::Bytes(b.to_vec()));
            }
        }
    }
    Ok(bytes)
}

fn error(e: rusqlite::Error) -> EngineError {
    let class = match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => "sqlite3.IntegrityError",
        Some(rusqlite::ErrorCode::AuthorizationForStatementDenied | rusqlite::ErrorCode::TypeMismatch) => {
            "sqlite3.DatabaseError"
        }
        _ => "sqlite3.OperationalError",
    };
    EngineError::Statement { class: class.to_owned(), message: error_text(e) }
}

/// SQLite's own sentence, as Python shows it.
fn error_text(e: rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message,
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        rusqlite::Error::MultipleStatement => "You can only execute one statement at a time.".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engines::column::ColumnData;

    fn options() -> QueryOptions {
        QueryOptions { timeout: Duration::from_secs(5), ..QueryOptions::default() }
    }

    #[tokio::test]
    async fn values_and_errors() {
        let db = Database::new(None, None, 2).unwrap();
        let found =
            db.query("SELECT 1 AS a, 'x' AS b, NULL AS c UNION ALL SELECT 2.5, 'y', NULL", &options()).await;
        let found = found.unwrap();
        assert_eq!(found.data[0], ColumnData::Object(vec![Scalar::Int(1), Scalar::Float(2.5)]));
        assert_eq!(found.data[2], ColumnData::Null(2));
        let error = db.query("SELECT nope", &options()).await.unwrap_err();
        assert_eq!(error.to_string(), "no such column: nope");
        let error = db.query("ATTACH '/tmp/x.db' AS x", &options()).await.unwrap_err();
        assert_eq!(error.to_string(), "not authorized");
    }

    #[tokio::test]
    async fn limits() {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        let db = Database::new(None, None, 2).unwrap();
        let few = db.query(endless, &QueryOptions { max_rows: Some(3), ..options() }).await.unwrap();
        assert_eq!(few.row_count(), 3);
        let size = QueryOptions { max_bytes: 1 << 20, ..options() };
        assert_eq!(db.query(endless, &size).await.unwrap_err(), EngineError::TooLarge(1));
        let short = Duration::from_millis(50);
        let count = endless.replace("SELECT i FROM n", "SELECT COUNT(*) FROM n");
        let error = db.query(&count, &QueryOptions { timeout: short, ..options() }).await.unwrap_err();
        assert_eq!(error, EngineError::Timeout(short));
    }

    #[tokio::test]
    async fn values_are_refused_before_they_exist() {
        let db = Database::new(None, None, 2).unwrap();
        let small = QueryOptions { max_bytes: 1 << 20, ..options() };
        // the sum of an endless row is never told; its memory is bounded all the same, and its time as well
        let grown = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
                     SELECT LENGTH(GROUP_CONCAT(i)) FROM n";
        for sql in [
            "SELECT LENGTH(ZEROBLOB(1000000000))",
            "SELECT LENGTH(RANDOMBLOB(1000000000))",
            "SELECT LENGTH(PRINTF('%.*c', 1000000000, 'x'))",
            "SELECT LENGTH(HEX(ZEROBLOB(900000)))",
            "SELECT LENGTH(REPLACE(HEX(ZEROBLOB(100000)), '0', 'xxxxxxxxxxxx'))",
            grown,
        ] {
            for (limits, is_small) in [(&small, true), (&options(), false)] {
                if !is_small && !sql.contains("1000000000") {
                    continue;
                }
                let error = db.query(sql, limits).await.unwrap_err();
                assert_eq!(error.to_string(), "string or blob too big", "{sql}");
            }
        }
        let found = db.query("SELECT LENGTH(ZEROBLOB(1000000))", &small).await.unwrap();
        assert_eq!(found.data[0], ColumnData::Int(vec![Some(1_000_000)]));
        let pattern = "%a".repeat(5_000);
        let error = db.query(&format!("SELECT 'a' LIKE '{pattern}'"), &options()).await.unwrap_err();
        assert_eq!(error.to_string(), "LIKE or GLOB pattern too complex");
    }

    #[tokio::test]
    async fn a_waiter_who_leaves_frees_the_connection() {
        let db = Database::new(None, None, 1).unwrap();
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
        let long = QueryOptions { timeout: Duration::from_secs(600), ..options() };
        assert!(tokio::time::timeout(Duration::from_millis(50), db.query(sql, &long)).await.is_err());
        let next = tokio::time::timeout(Duration::from_secs(5), db.query("SELECT 1", &options())).await;
        assert!(next.unwrap().is_ok());
    }

    #[tokio::test]
    async fn the_metadata_file_is_refused_by_any_name() {
        let dir = std::env::temp_dir().join(format!("liteset-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (file, link) = (dir.join("meta.db"), dir.join("link.db"));
        std::fs::write(&file, b"").unwrap();
        let _ = std::fs::remove_file(&link);
        std::fs::hard_link(&file, &link).unwrap();
        for path in [
            &file,
            &link,
            &dir.join("meta.db-wal"),
            &dir.join("../").join(dir.file_name().unwrap()).join("meta.db"),
        ] {
            let db = Database::new(Some(path.clone()), Some(Metadata::new(&file)), 1).unwrap();
            let error = db.query("SELECT 1", &options()).await.unwrap_err();
            assert_eq!(error.to_string(), "the metadata database cannot be queried", "{}", path.display());
        }
        let other = Database::new(Some(dir.join("other.db")), Some(Metadata::new(&file)), 1).unwrap();
        let write = QueryOptions { allow_write: true, ..options() };
        other.query("CREATE TABLE t (a)", &write).await.unwrap();
        let into = format!("VACUUM INTO '{}'", dir.join("copy.db").display());
        assert!(other.query(&into, &write).await.is_err());
        assert!(!dir.join("copy.db").exists());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
