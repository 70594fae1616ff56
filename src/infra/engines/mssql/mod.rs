//! Microsoft SQL Server and Azure Synapse (`superset.db_engine_specs.mssql` over `pymssql` and `pyodbc`): tiberius as
//! the client, with a pool per database.

mod error;
mod guard;
mod introspect;
mod meter;
mod session;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use futures_util::TryStreamExt as _;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, QueryItem, QueryStream};
use tokio::{net::TcpStream, time::timeout};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use super::{
    QueryOptions, SERVER_POOL_SIZE, Session, Size, Source, Statements,
    builder::ColumnBuilder,
    column::{ColumnInfo, ResultSet},
    connections::{Connections, LastUse, discard},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
};
use crate::net;
use error::{CONNECT_CLASS, connect_error, refused_connection, statement_error};
use meter::{Meter, Metered};
use value::Reader;

/// How long a connection may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may take to acknowledge that a statement was cancelled.
const FAREWELL: Duration = Duration::from_secs(5);

/// Bytes of unwanted rows that are read for the sake of the connection.
const SKIPPED: usize = 1 << 20;
/// How long they are waited for.
const PAUSE: Duration = Duration::from_secs(1);

type Tds = Client<Compat<Metered<TcpStream>>>;

/// Prepares the connections to a server.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, SERVER_POOL_SIZE)?))
}

/// A connection and the meter of what comes over it.
struct Stream {
    client: Tds,
    meter: Arc<Meter>,
    used: LastUse,
}

/// A database on a server.
pub(super) struct Database {
    target: Arc<Target>,
    connections: Connections<Manager>,
}

/// Where a server is and how to get in.
struct Target {
    host: String,
    port: u16,
    patience: Duration,
    config: Config,
}

impl Target {
    fn from_source(source: &Source) -> Self {
        let url = &source.url;
        let host = url.host.clone().unwrap_or_else(|| "localhost".to_owned());
        let port = source.port().and_then(|p| u16::try_from(p).ok()).unwrap_or(1433);
        let named = ["login_timeout", "timeout", "LoginTimeout", "Connection Timeout"];
        let patience = named.iter().find_map(|key| source.option(key)?.parse().ok()).map(Duration::from_secs);
        let patience = patience.unwrap_or(TIMEOUT).clamp(Duration::from_secs(1), Duration::from_secs(60));
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let mut config = Config::new();
        config.host(&host);
        config.port(port);
        config.authentication(AuthMethod::sql_server(text(&url.username), text(&url.password)));
        if let Some(database) = url.database.as_deref().filter(|d| !d.is_empty()) {
            config.database(database);
        }
        config.application_name(source.option("appname").unwrap_or_else(|| "Apache Superset".to_owned()));
        config.handshake_timeout(Some(patience));
        config.lossy_utf16_decoding(true);
        // no guarantee that nothing is written, but a replica may answer
        config.readonly(
            option(source, &["ApplicationIntent"]).is_some_and(|v| v.eq_ignore_ascii_case("readonly")),
        );
        encryption(source, &mut config);
        Self { host, port, patience, config }
    }
}

/// An option by any of its spellings; names of ODBC's options have no case.
fn option(source: &Source, names: &[&str]) -> Option<String> {
    let named = |key: &str| names.iter().any(|n| n.eq_ignore_ascii_case(key));
    let key = source.arguments.keys().find(|k| named(k)).cloned();
    source.option(&key.or_else(|| Some(source.url.query.iter().find(|(k, _)| named(k))?.0.clone()))?)
}

/// ODBC's `Encrypt` and `TrustServerCertificate`, pymssql's `encryption`. Without them the server decides, and nobody
/// is authenticated, as by FreeTDS.
fn encryption(source: &Source, config: &mut Config) {
    let yes = |v: &String| {
        matches!(v.to_lowercase().as_str(), "yes" | "true" | "1" | "mandatory" | "require" | "request")
    };
    let wanted = option(source, &["Encrypt", "encryption"]);
    let trusted = option(source, &["TrustServerCertificate"]);
    let level = match &wanted {
        Some(v) if v.eq_ignore_ascii_case("strict") => EncryptionLevel::Strict,
        Some(v) if yes(v) => EncryptionLevel::Required,
        Some(v) if v.eq_ignore_ascii_case("off") => EncryptionLevel::NotSupported,
        // the log-in is encrypted if the server can, the rest if it demands it
        Some(_) => EncryptionLevel::Off,
        None => EncryptionLevel::Off,
    };
    config.encryption(level);
    let checked = match &trusted {
        Some(v) => !yes(v),
        None => {
            matches!(level, EncryptionLevel::Strict)
                || source.url.driver() == Some("pyodbc") && wanted.as_ref().is_some_and(yes)
        }
    };
    match &source.server_cert {
        Some(pem) => config.trust_cert_ca_bundle(pem.clone().into_bytes()),
        None if checked => config.trust_webpki_roots(),
        None => config.trust_cert(),
    }
}

/// What a connection on loan is good for when it comes back.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// A statement runs, or its rows are in flight.
    Working,
    /// Nothing runs, but statements have left their traces.
    Used,
    /// As a new one.
    Clean,
}

/// A connection on loan: one that is given up in the middle of a statement has the statement cancelled.
struct Lease {
    stream: Option<Object<Manager>>,
    state: State,
}

/// Makes connections.
struct Manager {
    target: Arc<Target>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        match self.state {
            State::Clean => {
                stream.used = LastUse::now();
                return;
            }
            // the server undoes what was not committed
            State::Used => return drop(discard(stream)),
            State::Working => {}
        }
        let mut stream = discard(stream);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if timeout(FAREWELL, stream.client.cancel_query()).await.is_err() {
                tracing::warn!("a statement could not be cancelled");
            }
            drop(stream);
        });
    }
}

impl Lease {
    fn working(&mut self) {
        self.state = State::Working;
    }

    fn resting(&mut self) {
        self.state = State::Used;
    }

    fn get(&mut self) -> Result<&mut Tds, EngineError> {
        let gone = || EngineError::Connect("the connection is gone".to_owned());
        self.stream.as_mut().map(|s| &mut s.client).ok_or_else(gone)
    }

    /// The connection is good for nothing any more.
    fn give_up(&mut self) {
        self.stream.take().map(discard);
    }

    /// Lets a row of so many bytes come.
    fn allow(&self, row: usize) -> Arc<Meter> {
        let meter = self.stream.as_ref().map(|s| s.meter.clone()).unwrap_or_default();
        meter.allow(row);
        meter
    }

    /// A connection that ended with too large a row had a result that is too large.
    fn judged<T>(
        &mut self,
        result: Result<T, EngineError>,
        options: &QueryOptions,
    ) -> Result<T, EngineError> {
        if result.is_err() && self.stream.as_ref().is_some_and(|s| s.meter.exceeded()) {
            self.give_up();
            return Err(EngineError::TooLarge(options.max_bytes >> 20));
        }
        result
    }

    /// A statement of our own, whose rows nobody reads.
    async fn command(&mut self, sql: &str) -> Result<(), EngineError> {
        let gone = || EngineError::Connect("the connection is gone".to_owned());
        self.stream.as_mut().ok_or_else(gone)?.command(sql).await
    }
}

impl Stream {
    async fn command(&mut self, sql: &str) -> Result<(), EngineError> {
        self.meter.allow(0);
        let found = self.client.simple_query(sql).await.map_err(|e| statement_error(&e))?;
        found.into_results().await.map(drop).map_err(|e| statement_error(&e))
    }
}

impl managed::Manager for Manager {
    type Type = Stream;
    type Error = EngineError;

    async fn create(&self) -> Result<Stream, EngineError> {
        let target = &self.target;
        let address =
            net::address(&target.host).await.ok_or_else(|| refused_connection(&target.host, None))?;
        let refused = |e: std::io::Error| refused_connection(&target.host, Some(e.kind()));
        let late = |_| refused_connection(&target.host, Some(std::io::ErrorKind::TimedOut));
        let opened = timeout(target.patience, TcpStream::connect((address, target.port))).await;
        let tcp = opened.map_err(late)?.map_err(refused)?;
        tcp.set_nodelay(true).map_err(refused)?;
        let meter = Arc::new(Meter::default());
        let metered = Metered::new(tcp, meter.clone()).compat_write();
        // boxed, as the handshake of the library lies deep on the stack
        match timeout(target.patience, Box::pin(Client::connect(target.config.clone(), metered))).await {
            Ok(Ok(client)) => Ok(Stream { client, meter, used: LastUse::now() }),
            Ok(Err(e)) => Err(connect_error(&e, &target.host)),
            Err(_) => Err(refused_connection(&target.host, Some(std::io::ErrorKind::TimedOut))),
        }
    }

    async fn recycle(&self, stream: &mut Stream, _: &Metrics) -> RecycleResult<EngineError> {
        let alive = stream.used.is_fresh()
            || timeout(self.target.patience, stream.command("SELECT 1")).await.is_ok_and(|a| a.is_ok());
        if alive { Ok(()) } else { Err(RecycleError::message("the connection is gone")) }
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        CONNECT_CLASS
    }

    async fn ping(&self) -> Result<(), EngineError> {
        let mut lease = self.lease().await?;
        let late = |_| refused_connection(&self.target.host, Some(std::io::ErrorKind::TimedOut));
        timeout(self.target.patience, lease.command("SELECT 1")).await.map_err(late)??;
        lease.state = State::Clean;
        Ok(())
    }

    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        guard::check(sql, options.allow_write)?;
        let mut lease = self.lease().await?;
        let work = async {
            begin(&mut lease, options).await?;
            let result = fetch(&mut lease, sql, options).await;
            let result = lease.judged(result, options);
            // the server has undone what was done; only who meant to write has lost something
            if lease.stream.is_none() && (result.is_err() || !options.allow_write) {
                return result;
            }
            end(&mut lease, result.is_ok() && options.allow_write, result).await
        };
        let done = timeout(options.timeout, work).await;
        let result = done.map_err(|_| EngineError::Timeout(options.timeout))?;
        if matches!(result, Ok(_) | Err(EngineError::Statement { .. } | EngineError::TooLarge(_))) {
            lease.state = if options.allow_write { State::Used } else { State::Clean };
        }
        result
    }

    async fn execute_all(&self, mut statements: Statements) -> Result<(), EngineError> {
        let mut lease = self.lease().await?;
        let mut result = lease.command("BEGIN TRANSACTION").await;
        while result.is_ok()
            && let Some(sql) = statements.next().await
        {
            result = match sql {
                Ok(sql) => lease.command(&sql).await,
                Err(error) => Err(error),
            };
        }
        let commit = result.is_ok();
        let result = end(&mut lease, commit, result).await;
        if result.is_ok() {
            lease.resting();
        }
        result
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
    /// Prepares the pool; connections are made when they are needed.
    pub fn new(source: &Source, connections: usize) -> Result<Self, EngineError> {
        // tiberius asks for the provider of the process; one that is installed already stays
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = Arc::new(Target::from_source(source));
        let connections = Connections::new(Manager { target: target.clone() }, connections)?;
        Ok(Self { target, connections })
    }

    async fn lease(&self) -> Result<Lease, EngineError> {
        Ok(Lease { stream: Some(self.connections.get().await?), state: State::Working })
    }
}

/// Begins a transaction: one that only reads is always undone.
async fn begin(lease: &mut Lease, options: &QueryOptions) -> Result<(), EngineError> {
    // a longer value would have been refused after it had been read
    let most = options.max_bytes.clamp(1 << 16, i32::MAX as usize - 1) + 1;
    lease.command(&format!("SET TEXTSIZE {most}; BEGIN TRANSACTION")).await
}

/// Ends the transaction; the failure of the statement goes before that of its end.
async fn end<T>(lease: &mut Lease, commit: bool, result: Result<T, EngineError>) -> Result<T, EngineError> {
    if !matches!(result, Ok(_) | Err(EngineError::Statement { .. } | EngineError::TooLarge(_))) {
        return result;
    }
    let word = if commit { "COMMIT" } else { "ROLLBACK" };
    let ended = lease.command(&format!("IF @@TRANCOUNT > 0 {word} TRANSACTION")).await;
    result.and_then(|found| ended.map(|()| found))
}

/// A result as it arrives: its first set of rows.
struct Rows<'a> {
    columns: Vec<ColumnInfo>,
    readers: Vec<Reader>,
    stream: QueryStream<'a>,
    row: Option<tiberius::Row>,
    meter: Arc<Meter>,
    /// Bytes that a row may have.
    most: usize,
}

impl<'a> Rows<'a> {
    async fn start(lease: &'a mut Lease, sql: &str, most: usize) -> Result<Self, EngineError> {
        let meter = lease.allow(most);
        let mut stream = lease.get()?.simple_query(sql).await.map_err(|e| statement_error(&e))?;
        let found = stream.columns().await.map_err(|e| statement_error(&e))?.unwrap_or_default();
        let columns = found.iter().map(value::info).collect();
        let readers = found.iter().map(|c| Reader::for_type(c.column_type())).collect();
        Ok(Self { columns, readers, stream, row: None, meter, most })
    }

    fn builders(&self) -> Vec<ColumnBuilder> {
        self.columns.iter().map(|_| ColumnBuilder::new()).collect()
    }

    /// Goes to the next row; false after the last. Errors of later statements of the batch count, their rows do not.
    async fn next(&mut self) -> Result<bool, EngineError> {
        while let Some(item) = self.stream.try_next().await.map_err(|e| statement_error(&e))? {
            if let QueryItem::Row(row) = item
                && row.result_index() == 0
            {
                self.row = Some(row);
                self.meter.allow(self.most);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Passes over what is left; false when that is more than a few packets. A statement whose end has arrived cannot
    /// be cancelled any more.
    async fn ends_soon(&mut self) -> bool {
        let begun = self.meter.total();
        while self.meter.total() - begun < SKIPPED {
            match self.next().await {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => break,
            }
        }
        false
    }

    /// Adds the row to the columns; returns its size.
    fn push(&mut self, builders: &mut [ColumnBuilder]) -> usize {
        let mut bytes = 0;
        for ((value, reader), out) in self.row.take().into_iter().flatten().zip(&self.readers).zip(builders) {
            bytes += reader.push(value, out);
        }
        bytes
    }
}

/// The rows of a statement, as far as the limits allow.
async fn fetch(lease: &mut Lease, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
    let mut rows = Rows::start(lease, sql, options.max_bytes).await?;
    let mut builders = rows.builders();
    let mut size = Size::new(options, builders.len());
    let mut whole = true;
    let outcome = loop {
        match rows.next().await {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(e) => break Err(e),
        }
        match size.add(rows.push(&mut builders)) {
            Ok(false) => {}
            Ok(true) => {
                // a result that ends with the last row that is wanted has an end that is still to be read
                whole = timeout(PAUSE, rows.ends_soon()).await.unwrap_or(false);
                break Ok(());
            }
            Err(e) => {
                whole = false;
                break Err(e);
            }
        }
    };
    let columns = std::mem::take(&mut rows.columns);
    drop(rows);
    if !whole {
        // what is left of the result is not sent
        lease.allow(options.max_bytes);
        let cancelled = timeout(FAREWELL, lease.get()?.cancel_query()).await;
        if !matches!(cancelled, Ok(Ok(()))) {
            lease.give_up();
        }
    }
    outcome?;
    Ok(ResultSet { columns, data: builders.into_iter().map(ColumnBuilder::finish).collect() })
}

#[cfg(test)]
mod tests;
