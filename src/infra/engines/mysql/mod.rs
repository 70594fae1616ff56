//! MySQL, MariaDB and what speaks their protocol (`superset.db_engine_specs.mysql`): a pool per database, over the
//! client of `crate::mysql`.

mod error;
mod introspect;
mod session;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};

use super::{
    QueryOptions, SERVER_POOL_SIZE, Session, Size, Source, Statements,
    builder::ColumnBuilder,
    column::{ColumnInfo, ResultSet},
    connections::{Connections, LastUse, discard},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
};
use crate::mysql::{
    Column, Entered, Failure, INIT_DB, PING, QUERY, Reader, TIMEOUT, Target, Tls, Wire, ask, columns, enter,
    in_time, read_row,
};
use error::Python;

/// Where the server of a database is and how to get in.
fn target_of(source: &Source) -> Target {
    let url = &source.url;
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let patience = source.option("connect_timeout").and_then(|t| t.parse().ok()).map(Duration::from_secs);
    let ssl = source.arguments.get("ssl").and_then(|s| s.as_object());
    let ssl = ssl.map(|s| s.get("ca").and_then(|ca| ca.as_str()));
    Target {
        host: url.host.clone().unwrap_or_else(|| "localhost".to_owned()),
        port: url.port.and_then(|p| u16::try_from(p).ok()).unwrap_or(3306),
        // a file of this machine is nothing that users of charts may name
        socket: None,
        user: text(&url.username),
        password: text(&url.password),
        database: url.database.clone().filter(|d| !d.is_empty()),
        tls: Tls::from_options(|key| source.option(key), ssl),
        patience: patience.unwrap_or(TIMEOUT).clamp(Duration::from_secs(1), Duration::from_secs(60)),
    }
}

/// Prepares the connections to a server.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, SERVER_POOL_SIZE)?))
}

/// A database on a server.
pub(super) struct Database {
    target: Arc<Target>,
    python: Python,
    connections: Connections<Manager>,
    /// The engine knows read-only transactions.
    read_only: bool,
}

struct Connection {
    wire: Wire,
    thread: u32,
    mariadb: bool,
    /// The database that unqualified names are looked up in.
    current: Option<String>,
    used: LastUse,
}

/// A connection on loan: one that is given up in the middle of a statement has the statement killed.
struct Lease {
    target: Arc<Target>,
    python: Python,
    connection: Option<Object<Manager>>,
    done: bool,
}

/// Makes connections.
struct Manager {
    target: Arc<Target>,
    python: Python,
    /// What a new connection is told first.
    setup: Vec<String>,
}

/// What a connection is told before anything else: `init_command` of both drivers, `sql_mode` of PyMySQL.
fn setup_of(source: &Source) -> Vec<String> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mode = source.option("sql_mode").map(|mode| format!("SET SESSION sql_mode = '{}'", quoted(&mode)));
    mode.into_iter().chain(source.option("init_command")).filter(|text| !text.trim().is_empty()).collect()
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = EngineError;

    async fn create(&self) -> Result<Connection, EngineError> {
        let target = &self.target;
        let failed = |e: Failure| error::connect_error(&e, &target.host, self.python);
        let Entered { mut wire, thread, version } = enter(target).await.map_err(failed)?;
        for text in &self.setup {
            in_time(target.patience, ask(&mut wire, QUERY, text)).await.map_err(failed)?;
        }
        let mariadb = version.contains("MariaDB");
        Ok(Connection { wire, thread, mariadb, current: target.database.clone(), used: LastUse::now() })
    }

    async fn recycle(&self, known: &mut Connection, _: &Metrics) -> RecycleResult<EngineError> {
        let alive = known.used.is_fresh()
            || in_time(self.target.patience, ask(&mut known.wire, PING, "")).await.is_ok();
        if alive { Ok(()) } else { Err(RecycleError::message("the connection is gone")) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.done {
            connection.used = LastUse::now();
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let connection = discard(connection);
        let (target, thread) = (self.target.clone(), connection.thread);
        runtime.spawn(async move {
            if let Err(error) = kill(&target, thread).await {
                tracing::warn!(?error, "statement could not be cancelled");
            }
            drop(connection);
        });
    }
}

/// Ends what another connection executes.
async fn kill(target: &Target, thread: u32) -> Result<(), Failure> {
    let mut other = enter(target).await?;
    in_time(target.patience, ask(&mut other.wire, QUERY, &format!("KILL QUERY {thread}"))).await
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        self.python.operational()
    }

    async fn ping(&self) -> Result<(), EngineError> {
        let mut lease = self.lease(None).await?;
        let answer = in_time(self.target.patience, ask(&mut lease.get()?.wire, PING, "")).await;
        lease.done = answer.is_ok();
        answer.map_err(|e| error::statement_error(&e, self.python))
    }

    /// Tables are made and dropped at once all the same.
    async fn execute_all(&self, mut statements: Statements) -> Result<(), EngineError> {
        let mut lease = self.lease(None).await?;
        let python = self.python;
        let wire = &mut lease.get()?.wire;
        let failed = |e: Failure| error::statement_error(&e, python);
        if self.read_only {
            ask(wire, QUERY, "SET SESSION TRANSACTION READ WRITE").await.map_err(failed)?;
        }
        ask(wire, QUERY, "START TRANSACTION").await.map_err(failed)?;
        let (mut result, mut broken) = (Ok(()), false);
        while let Some(sql) = statements.next().await {
            result = match sql {
                Ok(sql) => ask(wire, QUERY, &sql).await.map_err(|failure| {
                    broken = !matches!(failure, Failure::Server(..));
                    failed(failure)
                }),
                Err(error) => Err(error),
            };
            if result.is_err() {
                break;
            }
        }
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let end = if broken { Ok(()) } else { ask(wire, QUERY, end).await };
        lease.done = !broken && end.is_ok();
        result.and(end.map_err(failed))
    }

    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        let mut lease = self.lease(options.schema.as_deref()).await?;
        let run = self.run(lease.get()?, sql, options);
        let result = match tokio::time::timeout(options.timeout, run).await {
            Ok(result) => result,
            Err(_) => Err(EngineError::Timeout(options.timeout)),
        };
        // otherwise rows may be in flight: the lease kills the statement and the connection goes
        lease.done = matches!(result, Ok((_, true)) | Err(EngineError::Statement { .. }));
        result.map(|(found, _)| found)
    }

    /// `MySQLEngineSpec.cancel_query`.
    async fn cancel(&self, number: &str) -> Result<bool, EngineError> {
        let Ok(thread) = number.parse::<i64>() else { return Ok(false) };
        self.query(&format!("KILL CONNECTION {thread}"), &QueryOptions::default()).await.map(|_| true)
    }

    async fn session(&self, options: &QueryOptions) -> Result<Option<Box<dyn Session>>, EngineError> {
        Ok(Some(Box::new(self.begin_session(options).await?)))
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
    /// Prepares the pool; connections are made when they are needed.
    pub fn new(source: &Source, connections: usize) -> Result<Self, EngineError> {
        let (target, python) = (Arc::new(target_of(source)), Python::for_driver(source.url.driver()));
        let read_only = source.spec().connection.read_only_transactions;
        let manager = Manager { target: target.clone(), python, setup: setup_of(source) };
        let connections = Connections::new(manager, connections)?;
        Ok(Self { target, python, connections, read_only })
    }

    async fn lease(&self, schema: Option<&str>) -> Result<Lease, EngineError> {
        let wanted = schema.map(str::to_owned).or_else(|| self.target.database.clone());
        let mut connection = self.connections.get().await?;
        // a connection that has chosen a database cannot go back to none
        while wanted.is_none() && connection.current.is_some() {
            drop(discard(connection));
            connection = self.connections.get().await?;
        }
        let (target, python) = (self.target.clone(), self.python);
        let mut lease = Lease { target, python, connection: Some(connection), done: false };
        if let Some(wanted) = wanted
            && lease.get()?.current.as_ref() != Some(&wanted)
        {
            let connection = lease.get()?;
            let chosen = ask(&mut connection.wire, INIT_DB, &wanted);
            let chosen = in_time(self.target.patience, chosen).await;
            if chosen.is_ok() {
                connection.current = Some(wanted);
            }
            if let Err(failure) = chosen {
                lease.done = matches!(failure, Failure::Server(..));
                return Err(error::statement_error(&failure, self.python));
            }
        }
        Ok(lease)
    }

    async fn run(
        &self,
        connection: &mut Connection,
        sql: &str,
        options: &QueryOptions,
    ) -> Result<(ResultSet, bool), EngineError> {
        self.begin(connection, options).await?;
        let result = fetch(&mut connection.wire, sql, options, self.python).await;
        if !matches!(result, Ok((_, true)) | Err(EngineError::Statement { .. } | EngineError::Timeout(_))) {
            return result;
        }
        let commit = result.is_ok() && options.allow_write;
        end(&mut connection.wire, commit, self.python).await?;
        result
    }

    /// Begins the transaction in which a statement of such options runs.
    async fn begin(&self, connection: &mut Connection, options: &QueryOptions) -> Result<(), EngineError> {
        let failed = |e: Failure| error::statement_error(&e, self.python);
        let wire = &mut connection.wire;
        wire.limit = options.max_bytes.max(1 << 20);
        if self.read_only {
            // of the session, not of the transaction: MariaDB ends a read-only transaction before it makes a table
            let mode = if options.allow_write { "WRITE" } else { "ONLY" };
            let mode = format!("SET SESSION TRANSACTION READ {mode}");
            ask(wire, QUERY, &mode).await.map_err(failed)?;
        }
        ask(wire, QUERY, "START TRANSACTION").await.map_err(failed)?;
        if self.read_only {
            // the server's own clock; ours stands behind it
            let limit = if connection.mariadb {
                format!("SET max_statement_time = {}", options.timeout.as_secs_f64())
            } else {
                format!("SET max_execution_time = {}", options.timeout.as_millis())
            };
            ask(wire, QUERY, &limit).await.map_err(failed)?;
        }
        Ok(())
    }
}

/// Ends a transaction.
async fn end(wire: &mut Wire, commit: bool, python: Python) -> Result<(), EngineError> {
    let text = if commit { "COMMIT" } else { "ROLLBACK" };
    ask(wire, QUERY, text).await.map_err(|e| error::statement_error(&e, python))
}

/// The rows, and whether the server has no more to send.
async fn fetch(
    wire: &mut Wire,
    sql: &str,
    options: &QueryOptions,
    python: Python,
) -> Result<(ResultSet, bool), EngineError> {
    let mut rows = Rows::start(wire, sql, options, python).await?;
    let mut builders: Vec<ColumnBuilder> = rows.columns.iter().map(|_| ColumnBuilder::new()).collect();
    let mut size = Size::new(options, builders.len());
    let mut complete = true;
    while let Some(bytes) = rows.next(&mut builders).await? {
        if size.add(bytes)? {
            complete = rows.skip().await?;
            break;
        }
    }
    let data = builders.into_iter().map(ColumnBuilder::finish).collect();
    Ok((ResultSet { columns: rows.infos(), data }, complete))
}

/// The rows of a statement while they arrive.
struct Rows<'a> {
    wire: &'a mut Wire,
    columns: Vec<Column>,
    timeout: Duration,
    python: Python,
}

impl<'a> Rows<'a> {
    async fn start(
        wire: &'a mut Wire,
        sql: &str,
        options: &QueryOptions,
        python: Python,
    ) -> Result<Self, EngineError> {
        let mut rows = Self { wire, columns: Vec::new(), timeout: options.timeout, python };
        rows.columns = match rows.wire.command(QUERY, sql.as_bytes()).await {
            Ok(()) => columns(rows.wire).await,
            Err(failure) => Err(failure),
        }
        .map_err(|e| rows.failed(&e))?;
        Ok(rows)
    }

    fn failed(&self, failure: &Failure) -> EngineError {
        match failure {
            // MariaDB's and MySQL's number for a statement that ran out of time
            Failure::Server(1969 | 3024, _) => EngineError::Timeout(self.timeout),
            other => error::statement_error(other, self.python),
        }
    }

    fn infos(&self) -> Vec<ColumnInfo> {
        self.columns.iter().map(value::info).collect()
    }

    /// Adds the next row to the columns; its bytes, or nothing after the last one.
    async fn next(&mut self, builders: &mut [ColumnBuilder]) -> Result<Option<usize>, EngineError> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        let row = read_row(self.wire).await.map_err(|e| self.failed(&e))?;
        let Some(row) = row else { return Ok(None) };
        let mut reader = Reader(&row);
        for (column, out) in self.columns.iter().zip(builders) {
            match reader.value().ok_or_else(|| self.failed(&Failure::Protocol))? {
                Some(raw) => value::push(column, raw, out),
                None => out.null(),
            }
        }
        Ok(Some(row.len()))
    }

    /// Reads what is left of a result that is no longer wanted; false when it is too much.
    async fn skip(&mut self) -> Result<bool, EngineError> {
        let mut bytes = 0;
        while bytes < SKIPPED {
            match read_row(self.wire).await.map_err(|e| self.failed(&e))? {
                Some(row) => bytes += row.len(),
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}

/// Bytes of unwanted rows that are read for the sake of the connection.
const SKIPPED: usize = 4 << 20;

impl Lease {
    fn get(&mut self) -> Result<&mut Connection, EngineError> {
        self.connection.as_deref_mut().ok_or_else(|| EngineError::Connect("no connection".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine_specs::url::Url, pg::Verify};

    fn source(uri: &str) -> Source {
        Source { url: Url::parse(uri).unwrap(), ..Source::default() }
    }

    #[test]
    fn encryption_as_the_drivers_name_it() {
        for (query, want) in [
            ("", Tls::Preferred),
            ("?ssl=1", Tls::Required(Verify::Nothing)),
            ("?ssl_mode=DISABLED", Tls::Off),
            ("?ssl_ca=%2Fca.pem", Tls::Required(Verify::Full(Some("/ca.pem".into())))),
            ("?ssl_mode=VERIFY_IDENTITY", Tls::Required(Verify::Full(None))),
        ] {
            assert_eq!(target_of(&source(&format!("mysql://h/d{query}"))).tls, want, "{query}");
        }
    }

    /// The server of this machine, if it is there.
    pub(super) async fn server() -> Option<Database> {
        let db = Database::new(&source("mysql+pymysql://root:@127.0.0.1:3306/test"), 1).unwrap();
        match db.ping().await {
            Ok(()) => Some(db),
            Err(error) => {
                eprintln!("skipped: no MariaDB on 127.0.0.1:3306 ({error})");
                None
            }
        }
    }

    pub(super) fn options() -> QueryOptions {
        QueryOptions { timeout: Duration::from_secs(10), ..QueryOptions::default() }
    }

    #[tokio::test]
    async fn live_values_and_limits() {
        let Some(db) = server().await else { return };
        let sql = "SELECT 1 AS a, 'ü' AS b, NULL AS c, 1.50 AS d, DATE '2020-01-02' AS e, 18446744073709551615 AS f";
        let found = db.query(sql, &options()).await.unwrap();
        assert_eq!(found.row_count(), 1);
        assert_eq!(found.columns[0].sql_type, "LONG");
        let many = "SELECT seq FROM seq_1_to_100000";
        let few = db.query(many, &QueryOptions { max_rows: Some(5), ..options() }).await.unwrap();
        assert_eq!(few.row_count(), 5);
        let small = QueryOptions { max_bytes: 1 << 20, ..options() };
        assert_eq!(db.query(many, &small).await.unwrap_err(), EngineError::TooLarge(1));
        // the connection that was given up is replaced
        assert_eq!(db.query("SELECT 1", &options()).await.unwrap().row_count(), 1);
    }

    #[tokio::test]
    async fn live_writes_are_refused_by_the_server() {
        let Some(db) = server().await else { return };
        let error = db.query("CREATE TABLE liteset_no (a int)", &options()).await.unwrap_err();
        assert!(error.to_string().contains("READ ONLY"), "{error}");
        let error = db.query("SELECT 1; SELECT 2", &options()).await.unwrap_err();
        assert!(error.to_string().contains("error in your SQL syntax"), "{error}");
    }

    #[tokio::test]
    async fn live_time_and_cancelling() {
        let Some(db) = server().await else { return };
        let short = Duration::from_millis(300);
        let error =
            db.query("SELECT SLEEP(20)", &QueryOptions { timeout: short, ..options() }).await.unwrap_err();
        assert_eq!(error, EngineError::Timeout(short));
        let waiter = tokio::time::timeout(short, db.query("SELECT SLEEP(21)", &options())).await;
        assert!(waiter.is_err());
        let sql = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE '%SLEEP(2%' \
                   AND info NOT LIKE '%processlist%'";
        for _ in 0..50 {
            let left = db.query(sql, &options()).await.unwrap();
            if left.data[0].get(0) == crate::engines::column::Scalar::Int(0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the statement still runs");
    }

    #[tokio::test]
    async fn live_errors_of_connecting() {
        if server().await.is_none() {
            return;
        }
        for (uri, want) in [
            ("mysql+pymysql://nobody:x@127.0.0.1:3306/x", "Access denied for user 'nobody'"),
            ("mysql+pymysql://root:@127.0.0.1:3306/no_such_db", "(1049, \"Unknown database 'no_such_db'\")"),
            ("mysql+pymysql://root:@127.0.0.1:1/x", "Connection refused"),
            ("mysql+pymysql://root:@no-such-host.invalid/x", "Name or service not known"),
            ("mysql+pymysql://root:@127.0.0.1:5432/x", ""),
        ] {
            let error = Database::new(&source(uri), 1).unwrap().ping().await.unwrap_err();
            assert!(error.to_string().contains(want), "{uri}: {error}");
        }
    }
}
