//! ClickHouse over its HTTP interface (`superset.db_engine_specs.clickhouse` over clickhouse-connect).
//!
//! `clickhouse+native` names the same server by its other port: 9000 and 9440 stand for 8123 and 8443.

mod error;
mod introspect;
mod row_binary;
mod source;
#[cfg(test)]
mod tests;
mod types;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono_tz::Tz;
use reqwest::{Method, Response, Url};
use tokio::sync::{OnceCell, Semaphore};
use uuid::Uuid;

use super::{
    QueryOptions, SERVER_POOL_SIZE, Source,
    batch::{Batcher, Sink},
    column::{ColumnInfo, ResultSet},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    http::{self, Endpoint, Failure, Fetch},
};
use error::Python;
use row_binary::{Bytes, Stop, head, row_length};
use types::Type;

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
const FORMAT: &str = "RowBinaryWithNamesAndTypes";
/// Bytes at the end of a result in which an error is looked for.
const TAIL: usize = 16 << 10;
/// Bytes of an error that are read.
const ERROR_BYTES: usize = 64 << 10;

/// Prepares a client of a source.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, SERVER_POOL_SIZE)?))
}

/// A database on a server.
pub(super) struct Database {
    server: Arc<Server>,
    turns: Semaphore,
}

struct Server {
    endpoint: Endpoint,
    python: Python,
    /// The database of unqualified names; the user's own when there is none.
    database: Option<String>,
    /// Settings of the connection string.
    settings: Vec<(String, String)>,
    facts: OnceCell<Facts>,
}

/// What the server lets us say.
#[derive(Default)]
struct Facts {
    /// The user is held to reading, and may not change settings.
    read_only: bool,
    /// Reading may be demanded.
    can_demand: bool,
    /// The longest time that may be asked for, in seconds.
    max_time: Option<u64>,
    /// Settings of ours that the server knows.
    extras: Vec<(&'static str, &'static str)>,
}

/// Settings that help where they are known: JSON arrives as text; whoever hangs up has ended the statement.
const EXTRAS: [(&str, &str); 2] = [
    ("output_format_binary_write_json_as_string", "1"),
    ("cancel_http_readonly_queries_on_client_close", "1"),
];

/// A statement in the server: given up, it is killed there.
struct Running {
    server: Arc<Server>,
    id: String,
    done: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (server, id) = (self.server.clone(), std::mem::take(&mut self.id));
        runtime.spawn(async move {
            let sql = format!("KILL QUERY WHERE query_id = '{id}' ASYNC");
            if let Err(error) = server.post(&sql, &[]).await {
                tracing::warn!(%error, "statement could not be cancelled");
            }
        });
    }
}

impl Server {
    fn failed(&self, failure: &Failure) -> EngineError {
        self.python.failure(failure, self.endpoint.access(), &self.endpoint.origin())
    }

    fn protocol(&self, words: &str) -> EngineError {
        self.failed(&Failure::Protocol(words.to_owned()))
    }

    fn address(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.endpoint.base().clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }

    /// A statement of our own without a result.
    async fn post(&self, sql: &str, parameters: &[(&str, &str)]) -> Result<(), EngineError> {
        let request = self.endpoint.request(Method::POST, &self.address(parameters)).body(sql.to_owned());
        let answer = http::send(request, TIMEOUT).await.map_err(|e| self.failed(&e))?;
        self.good(answer, TIMEOUT).await?;
        Ok(())
    }

    /// The answer, unless it is an error.
    async fn good(&self, answer: Response, limit: Duration) -> Result<Response, EngineError> {
        let code = answer.headers().get("x-clickhouse-exception-code");
        let code = code.and_then(|c| c.to_str().ok()).map(str::to_owned);
        let status = answer.status();
        if status.is_success() && code.is_none() {
            return Ok(answer);
        }
        if error::is_timeout(code.as_deref()) {
            return Err(EngineError::Timeout(limit));
        }
        let body = http::start_of_body(answer, ERROR_BYTES, TIMEOUT).await;
        let refused = self.python.refused(status.as_u16(), code.as_deref(), &body, &self.endpoint.origin());
        // a wrong password, an unknown user, a database that is not there
        match (code.as_deref(), refused) {
            (Some("516" | "192" | "193" | "194"), EngineError::Statement { message, .. }) => {
                Err(EngineError::Connect(message))
            }
            (_, other) => Err(other),
        }
    }

    /// What the server lets us say; asked once.
    async fn facts(&self) -> Result<&Facts, EngineError> {
        self.facts.get_or_try_init(|| self.ask_facts()).await
    }

    async fn ask_facts(&self) -> Result<Facts, EngineError> {
        let sql = "SELECT name, value, toUInt8(readonly), toString(ifNull(max, '')) FROM system.settings WHERE name IN \
                   ('readonly', 'max_execution_time', 'output_format_binary_write_json_as_string', \
                   'cancel_http_readonly_queries_on_client_close') FORMAT TabSeparated";
        let request = self.endpoint.request(Method::POST, &self.address(&[])).body(sql);
        let answer = http::send(request, TIMEOUT).await.map_err(|e| self.failed(&e))?;
        let answer = self.good(answer, TIMEOUT).await?;
        let body = http::body(answer, ERROR_BYTES, TIMEOUT).await.map_err(|e| self.failed(&e))?;
        let text = String::from_utf8_lossy(&body);
        let mut facts = Facts::default();
        let mut known = false;
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [name, value, fixed, max] = cells.as_slice() else { continue };
            let free = *fixed == "0";
            match *name {
                "readonly" => {
                    known = true;
                    facts.read_only = *value == "1";
                    facts.can_demand = free && *value == "0";
                }
                "max_execution_time" if free => {
                    facts.max_time = Some(max.parse::<f64>().ok().map_or(u64::MAX, |max| max as u64));
                }
                name if free => facts.extras.extend(EXTRAS.iter().filter(|(extra, _)| *extra == name)),
                _ => {}
            }
        }
        if known {
            Ok(facts)
        } else {
            Err(self.protocol("the server does not speak the protocol of ClickHouse"))
        }
    }

    /// The parameters of a statement.
    async fn parameters(
        &self,
        id: &str,
        sql: &str,
        options: &QueryOptions,
    ) -> Result<Vec<(String, String)>, EngineError> {
        let facts = self.facts().await?;
        let mut all = vec![("query_id".to_owned(), id.to_owned()), ("default_format".into(), FORMAT.into())];
        if let Some(database) = options.schema.as_ref().or(self.database.as_ref()) {
            all.push(("database".into(), database.clone()));
        }
        if facts.read_only {
            return Ok(all);
        }
        let own = self.settings.iter().filter(|(name, _)| name != "readonly" && name != "max_execution_time");
        all.extend(own.cloned());
        if facts.can_demand && !options.allow_write {
            // 2: reading, with settings of the statement's own, but never this one. It lets `INSERT INTO FUNCTION`
            // pass, which 1 does not; there is no other way to write that word
            let strict = sql.to_ascii_lowercase().contains("insert");
            all.push(("readonly".into(), if strict { "1" } else { "2" }.into()));
        }
        let seconds = options.timeout.as_secs_f64().ceil().max(1.0) as u64;
        if facts.max_time.is_some_and(|max| seconds <= max) {
            all.push(("max_execution_time".into(), seconds.to_string()));
        }
        all.extend(facts.extras.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(all)
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        self.server.python.operational()
    }

    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        http::whole(self, sql, options).await
    }

    async fn batches(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        http::pieces(self, sql, options, cells, out).await
    }
}

impl Database {
    /// Prepares a client; connections are made when they are needed.
    pub fn new(source: &Source, statements: usize) -> Result<Self, EngineError> {
        let server = Server {
            endpoint: Endpoint::new(source::access(source)?)?,
            python: Python::for_backend(source.url.backend()),
            database: source::database(source),
            settings: source::settings(source),
            facts: OnceCell::new(),
        };
        Ok(Self { server: Arc::new(server), turns: Semaphore::new(statements) })
    }
}

#[async_trait]
impl Fetch for Database {
    fn turns(&self) -> &Semaphore {
        &self.turns
    }

    async fn fetch(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError> {
        let id = Uuid::new_v4().to_string();
        let parameters = self.server.parameters(&id, sql, options).await?;
        let mut running = Running { server: self.server.clone(), id, done: false };
        let result = self.read(sql, &parameters, options, cells, sink).await;
        running.done = matches!(result, Ok(true) | Err(EngineError::Statement { .. }));
        result.map(drop)
    }
}

impl Database {
    /// Reads the rows; true when the server has no more to send.
    async fn read(
        &self,
        sql: &str,
        parameters: &[(String, String)],
        options: &QueryOptions,
        cells: usize,
        sink: &mut Sink<'_>,
    ) -> Result<bool, EngineError> {
        let server = &self.server;
        let mut url = server.endpoint.base().clone();
        url.query_pairs_mut().extend_pairs(parameters);
        let request = server.endpoint.request(Method::POST, &url).body(sql.to_owned());
        let answer = http::send(request, options.timeout).await.map_err(|e| match e {
            Failure::TimedOut(_) => EngineError::Timeout(options.timeout),
            e => server.failed(&e),
        })?;
        let mut answer = server.good(answer, options.timeout).await?;
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        if header("x-clickhouse-format").is_some_and(|format| format != FORMAT) {
            return Err(server
                .protocol("A FORMAT clause is not supported: results are read in a format of their own"));
        }
        let zone = header("x-clickhouse-timezone").and_then(|name| value::server_zone(&name));
        let tag = header("x-clickhouse-exception-tag");
        let mut rows = Rows { server, options, zone, cells, types: Vec::new(), batcher: None };
        let (mut buffer, mut tail, mut wanted) = (Vec::new(), Vec::new(), 1);
        loop {
            let chunk = match answer.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // rows of numbers take the words of an error for more of them: those are in the tail
                Err(error) => return Err(rows.cut(&tail, &Failure::from_error(&error))),
            };
            buffer.extend_from_slice(&chunk);
            tail.extend_from_slice(chunk.get(chunk.len().saturating_sub(TAIL)..).unwrap_or_default());
            tail.drain(..tail.len().saturating_sub(TAIL));
            // a value that has not come in full is not looked at with every piece of it
            if buffer.len() < wanted {
                continue;
            }
            let used = rows.read(&buffer, sink).await?;
            if rows.batcher.as_ref().is_some_and(|b| !b.wants_more()) {
                return rows.end(sink).await.map(|()| false);
            }
            buffer.drain(..used);
            if buffer.len() > options.max_bytes {
                return Err(EngineError::TooLarge(options.max_bytes >> 20));
            }
            wanted = buffer.len() + buffer.len() / 4 + 1;
        }
        let used = rows.read(&buffer, sink).await?;
        if used < buffer.len() || rows.may_end_in_an_error(&tail, tag.as_deref()) {
            return Err(rows.cut(&tail, &Failure::Broken));
        }
        rows.end(sink).await.map(|()| true)
    }
}

/// A result as it is read.
struct Rows<'a> {
    server: &'a Server,
    options: &'a QueryOptions,
    zone: Option<Tz>,
    cells: usize,
    types: Vec<Type>,
    batcher: Option<Batcher<'a>>,
}

impl Rows<'_> {
    /// Reads all rows that are there in full; how many bytes they took.
    async fn read(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<usize, EngineError> {
        let mut at = 0;
        if self.batcher.is_none() {
            if bytes.is_empty() {
                return Ok(0);
            }
            match head(bytes) {
                Ok((columns, length)) => {
                    at = length;
                    self.begin(columns)?;
                }
                Err(Stop::More) => return Ok(0),
                Err(Stop::Broken) => return Err(self.broken(bytes)),
            }
        }
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(batcher) = self.batcher.as_mut().filter(|b| b.wants_more() && !rest.is_empty()) else {
                return Ok(at);
            };
            let length = match row_length(rest, &self.types) {
                Ok(length) => length,
                Err(Stop::More) => return Ok(at),
                Err(Stop::Broken) => return Err(self.broken(bytes)),
            };
            let mut row = Bytes::new(rest);
            for (ty, out) in self.types.iter().zip(batcher.builders()) {
                if value::push(&mut row, ty, self.zone, out).is_err() {
                    return Err(self.broken(bytes));
                }
            }
            at += length;
            if let Some(batch) = batcher.row(length)? {
                sink.put(batch).await?;
            }
        }
    }

    fn begin(&mut self, columns: Vec<(String, String)>) -> Result<(), EngineError> {
        let mut info = Vec::with_capacity(columns.len());
        for (name, sql_type) in columns {
            let unknown = || {
                let words = format!("Values of the type {sql_type} (column {name}) cannot be read");
                self.server.protocol(&words)
            };
            self.types.push(Type::parse(&sql_type).ok_or_else(unknown)?);
            info.push(ColumnInfo { name, sql_type });
        }
        self.batcher = Some(Batcher::new(self.options, info, self.cells));
        Ok(())
    }

    async fn end(self, sink: &mut Sink<'_>) -> Result<(), EngineError> {
        // a statement without a result has no columns either
        let rest = match self.batcher {
            Some(batcher) => batcher.rest(),
            None => Some(ResultSet::default()),
        };
        match rest {
            Some(rest) => sink.put(rest).await,
            None => Ok(()),
        }
    }

    /// Bytes that are no rows: the server's error, or nonsense.
    fn broken(&self, bytes: &[u8]) -> EngineError {
        match error::in_the_middle(bytes) {
            Some(known) => self.raised(&known),
            None => self.server.protocol("the server does not speak the protocol of ClickHouse"),
        }
    }

    /// A result that ended too early: the server's words, if they are there.
    fn cut(&self, tail: &[u8], failure: &Failure) -> EngineError {
        match error::in_the_middle(tail) {
            Some(known) => self.raised(&known),
            None => self.server.failed(failure),
        }
    }

    /// Servers may end an answer in order and yet have their error for the last rows. New ones mark it; else only
    /// where the last column is no text can it be told from a value.
    fn may_end_in_an_error(&self, tail: &[u8], tag: Option<&str>) -> bool {
        let text = matches!(
            self.types.last(),
            Some(Type::String | Type::Json | Type::Nullable(_) | Type::Array(_) | Type::Map(..))
        );
        match tag {
            Some(tag) => {
                let mark = format!("__exception__\r\n{tag}");
                tail.windows(mark.len()).any(|w| w == mark.as_bytes())
            }
            None => !text && error::in_the_middle(tail).is_some(),
        }
    }

    fn raised(&self, (code, words): &(String, String)) -> EngineError {
        if error::is_timeout(Some(code)) {
            return EngineError::Timeout(self.options.timeout);
        }
        self.server.python.refused(200, Some(code), words, &self.server.endpoint.origin())
    }
}
