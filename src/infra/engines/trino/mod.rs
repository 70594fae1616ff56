//! Trino and Presto over their HTTP protocol (`superset.db_engine_specs.trino` over trino-python-client,
//! `superset.db_engine_specs.presto` over PyHive).
//!
//! A statement is posted; each answer names the address of the next until there is none. What may not write runs in a
//! transaction that the server was told is for reading only.

mod error;
mod introspect;
mod protocol;
mod source;
#[cfg(test)]
mod tests;
mod types;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Method, Response, Url, header::HeaderMap};
use tokio::sync::Semaphore;

use super::{
    QueryOptions, SERVER_POOL_SIZE, Source,
    batch::{Batcher, Sink},
    column::{ColumnInfo, ResultSet},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    http::{self, Endpoint, Failure, Fetch},
};
use protocol::Page;
use source::Target;
use types::Type;

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that an answer may have at least.
const PAGE: usize = 64 << 20;
/// Between questions to a server that is busy or has nothing new.
const PAUSE: Duration = Duration::from_millis(50);

/// Which of the two is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Trino,
    Presto,
}

impl Flavour {
    /// What the protocol's headers begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Trino => "X-Trino-",
            Self::Presto => "X-Presto-",
        }
    }
}

/// Prepares a client of Trino.
pub(super) fn open_trino(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, Flavour::Trino, SERVER_POOL_SIZE)?))
}

/// Prepares a client of Presto.
pub(super) fn open_presto(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, Flavour::Presto, SERVER_POOL_SIZE)?))
}

/// A catalog on a server.
pub(super) struct Database {
    server: Arc<Server>,
    turns: Semaphore,
}

struct Server {
    endpoint: Endpoint,
    flavour: Flavour,
    headers: HeaderMap,
    catalog: Option<String>,
    schema: Option<String>,
}

/// What a statement leaves behind in the server; it is cleaned up when this is dropped, whatever has happened.
struct Running {
    server: Arc<Server>,
    /// Where the statement is cancelled, as long as it runs.
    next: Option<Url>,
    /// The transaction it runs in.
    transaction: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let (server, next, transaction) = (self.server.clone(), self.next.take(), self.transaction.take());
        if next.is_none() && transaction.is_none() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Some(next) = next {
                let cancel = server.endpoint.request(Method::DELETE, &next).headers(server.headers.clone());
                if let Err(failure) = http::send(cancel, TIMEOUT).await {
                    tracing::warn!(?failure, "statement could not be cancelled");
                }
            }
            if let Some(transaction) = transaction {
                let end = server.finish("ROLLBACK", &transaction);
                if let Ok(Err(error)) = tokio::time::timeout(TIMEOUT, end).await {
                    tracing::debug!(%error, "transaction could not be ended");
                }
            }
        });
    }
}

impl Server {
    fn failed(&self, failure: &Failure) -> EngineError {
        self.flavour.failure(failure, self.endpoint.access())
    }

    fn protocol(&self) -> EngineError {
        self.failed(&Failure::Protocol("the server does not speak the protocol of Trino".to_owned()))
    }

    fn header(&self, name: &str) -> String {
        format!("{}{name}", self.flavour.prefix())
    }

    async fn post(
        &self,
        sql: &str,
        schema: Option<&str>,
        transaction: &str,
    ) -> Result<Response, EngineError> {
        let mut url = self.endpoint.base().clone();
        url.set_path("/v1/statement");
        loop {
            let mut request = self.endpoint.request(Method::POST, &url).headers(self.headers.clone());
            request = request.header(self.header("Transaction-Id"), transaction);
            if let Some(catalog) = &self.catalog {
                request = request.header(self.header("Catalog"), catalog.as_bytes());
            }
            if let Some(schema) = schema.or(self.schema.as_deref()) {
                request = request.header(self.header("Schema"), schema.as_bytes());
            }
            let request = request.header("Content-Type", "text/plain; charset=utf-8").body(sql.to_owned());
            if let Some(answer) = self.answered(request).await? {
                return Ok(answer);
            }
        }
    }

    async fn get(&self, next: &Url) -> Result<Response, EngineError> {
        loop {
            let request = self.endpoint.request(Method::GET, next).headers(self.headers.clone());
            if let Some(answer) = self.answered(request).await? {
                return Ok(answer);
            }
        }
    }

    /// The answer; none when the server is busy and wants to be asked again.
    async fn answered(&self, request: reqwest::RequestBuilder) -> Result<Option<Response>, EngineError> {
        // whoever asks has a clock of their own for the whole statement
        let answer = http::send(request, Duration::from_secs(3600)).await.map_err(|e| self.failed(&e))?;
        let status = answer.status().as_u16();
        match status {
            200 => Ok(Some(answer)),
            502..=504 => {
                tokio::time::sleep(PAUSE).await;
                Ok(None)
            }
            _ => Err(self.flavour.refused(status)),
        }
    }

    /// Executes a statement of our own in a transaction, or one that begins it; the transaction that was begun.
    async fn finish(&self, sql: &str, transaction: &str) -> Result<Option<String>, EngineError> {
        let name = self.header("Started-Transaction-Id");
        let mut answer = self.post(sql, None, transaction).await?;
        let mut begun = None;
        loop {
            let header = answer.headers().get(&name).and_then(|v| v.to_str().ok());
            begun = header.map(str::to_owned).or(begun);
            let body = http::body(answer, PAGE, TIMEOUT).await.map_err(|e| self.failed(&e))?;
            let page = Page::read(&body).ok_or_else(|| self.protocol())?;
            if let Some(error) = &page.error {
                return Err(self.flavour.raised(error, page.id.as_deref().unwrap_or("None")));
            }
            let Some(next) = page.next_uri.as_deref() else { return Ok(begun) };
            answer = self.get(&next.parse().map_err(|_| self.protocol())?).await?;
        }
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        self.server.flavour.connect_class()
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

    /// `TrinoEngineSpec.cancel_query`.
    async fn cancel(&self, number: &str) -> Result<bool, EngineError> {
        let sql = format!(
            "CALL system.runtime.kill_query(query_id => {}, message => 'Query cancelled by Superset')",
            introspect::literal(number)
        );
        let options = QueryOptions { allow_write: true, ..QueryOptions::default() };
        self.query(&sql, &options).await.map(|_| true)
    }
}

impl Database {
    /// Prepares a client; connections are made when they are needed.
    pub fn new(source: &Source, flavour: Flavour, statements: usize) -> Result<Self, EngineError> {
        let target = Target::from_source(source, flavour)?;
        let server = Server {
            endpoint: Endpoint::new(target.access)?,
            flavour,
            headers: target.headers,
            catalog: target.catalog,
            schema: target.schema,
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
        let server = &self.server;
        let mut running = Running { server: server.clone(), next: None, transaction: None };
        if !options.allow_write {
            let begun = server.finish("START TRANSACTION READ ONLY", "NONE").await?;
            running.transaction = Some(begun.ok_or_else(|| server.protocol())?);
        }
        let transaction = running.transaction.clone().unwrap_or_else(|| "NONE".to_owned());
        let mut answer = server.post(sql, options.schema.as_deref(), &transaction).await?;
        let mut rows = Rows { server, options, cells, types: Vec::new(), batcher: None };
        let limit = options.max_bytes.max(PAGE);
        loop {
            let body = http::body(answer, limit, options.timeout).await.map_err(|e| match e {
                Failure::TooLarge => EngineError::TooLarge(options.max_bytes >> 20),
                Failure::TimedOut(_) => EngineError::Timeout(options.timeout),
                e => server.failed(&e),
            })?;
            let page = Page::read(&body).ok_or_else(|| server.protocol())?;
            let next = match page.next_uri.as_deref() {
                Some(next) => Some(next.parse::<Url>().map_err(|_| server.protocol())?),
                None => None,
            };
            running.next.clone_from(&next);
            options.report_progress(page.id.as_deref(), page.progress());
            if let Some(error) = &page.error {
                running.next = None;
                if error.is_timeout() {
                    return Err(EngineError::Timeout(options.timeout));
                }
                return Err(server.flavour.raised(error, page.id.as_deref().unwrap_or("None")));
            }
            let empty = page.data.is_none();
            for batch in rows.read(&page)? {
                sink.put(batch).await?;
            }
            let enough = rows.batcher.as_ref().is_some_and(|b| !b.wants_more());
            let Some(next) = next.filter(|_| !enough) else { break };
            if empty {
                tokio::time::sleep(PAUSE).await;
            }
            answer = server.get(&next).await?;
        }
        match rows.batcher {
            Some(batcher) => match batcher.rest() {
                Some(rest) => sink.put(rest).await,
                None => Ok(()),
            },
            None => sink.put(ResultSet::default()).await,
        }
    }
}

/// A result as it is read.
struct Rows<'a> {
    server: &'a Server,
    options: &'a QueryOptions,
    cells: usize,
    types: Vec<Type>,
    batcher: Option<Batcher<'a>>,
}

impl Rows<'_> {
    /// The batches that a page has filled.
    fn read(&mut self, page: &Page<'_>) -> Result<Vec<ResultSet>, EngineError> {
        if let (None, Some(columns)) = (&self.batcher, &page.columns) {
            let pyhive = self.server.flavour == Flavour::Presto;
            let read = |name: &str| {
                let ty = Type::parse(name);
                if pyhive { value::as_pyhive(ty) } else { ty }
            };
            self.types = columns.iter().map(|c| read(&c.kind)).collect();
            let info =
                columns.iter().map(|c| ColumnInfo { name: c.name.to_string(), sql_type: c.kind.to_string() });
            self.batcher = Some(Batcher::new(self.options, info.collect(), self.cells));
        }
        let mut batches = Vec::new();
        let Some(batcher) = &mut self.batcher else { return Ok(batches) };
        for row in page.rows().ok_or_else(|| self.server.protocol())? {
            if !batcher.wants_more() {
                break;
            }
            if row.len() != self.types.len() {
                return Err(self.server.protocol());
            }
            let mut bytes = 0;
            for ((raw, ty), out) in row.iter().zip(&self.types).zip(batcher.builders()) {
                bytes += raw.get().len();
                value::push(raw, ty, out);
            }
            batches.extend(batcher.row(bytes)?);
        }
        Ok(batches)
    }
}
