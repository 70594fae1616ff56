//! Databricks' SQL warehouses over the Statement Execution API (`superset.db_engine_specs.databricks` over
//! databricks-sql-connector, which speaks Thrift to the same warehouses).
//!
//! A statement is posted with a number of seconds to wait for it; what takes longer is asked for by its number until it
//! has ended. Results come as JSON in chunks, each of which names the next. The API has no transactions that only read:
//! what may not write is judged before it is sent.

mod introspect;
mod protocol;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::{
    QueryOptions, SERVER_POOL_SIZE, Source,
    batch::{Batcher, Sink},
    column::{ColumnInfo, ResultSet},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    http::{self, Backoff, Cancel, Endpoint, Failure, Fetch, Running},
};
use protocol::{Answer, Chunk, State};
use source::Target;

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that an answer may have at least; the API ends a result of JSON at 25 MiB.
const PAGE: usize = 64 << 20;
/// Seconds that the server waits for a statement before it tells its number only; it takes 5 to 50.
const WAIT: &str = "10s";
/// Between questions for a statement that runs.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest time between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a server that is busy is asked again.
const TRIES: u32 = 6;
/// Where statements are posted.
const STATEMENTS: &str = "/api/2.0/sql/statements";

/// Prepares a client of a warehouse.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source)?))
}

/// A catalog and schema of a warehouse.
pub(super) struct Database {
    server: Arc<Server>,
    turns: Semaphore,
}

struct Server {
    endpoint: Endpoint,
    warehouse: String,
    catalog: Option<String>,
    schema: Option<String>,
}

fn raised(class: &str, message: &str) -> EngineError {
    EngineError::Statement { class: format!("databricks.sql.exc.{class}"), message: http::told(message) }
}

impl Server {
    fn failed(&self, failure: &Failure) -> EngineError {
        let text = failure.text(self.endpoint.access(), STATEMENTS);
        match failure.is_connecting() {
            true => EngineError::Connect(text),
            false => raised("RequestError", &format!("Error during request to server: {text}")),
        }
    }

    fn protocol(&self) -> EngineError {
        let words = "the server does not speak Databricks' Statement Execution API";
        self.failed(&Failure::Protocol(words.to_owned()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.endpoint.base().clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        self.endpoint.request(method, &url)
    }

    /// The body of an answer. A server that is busy is asked again, later each time.
    async fn body(
        &self,
        request: impl Fn() -> RequestBuilder,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<u8>, EngineError> {
        let mut backoff = Backoff::new(PAUSE, LONGEST_PAUSE, TRIES);
        loop {
            let answer = http::send(request(), patience).await.map_err(|e| self.failed(&e))?;
            let status = answer.status();
            let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if busy && backoff.again(http::retry_after(&answer)).await {
                continue;
            }
            match status {
                StatusCode::OK => {
                    return http::body(answer, limit, patience)
                        .await
                        .map_err(|e| e.into_error(limit, patience, |e| self.failed(e)));
                }
                // what a server that is none of Databricks answers is nobody's (T33)
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    let words = "Error during request to server: Invalid access token.";
                    return Err(EngineError::Unauthorized(words.to_owned()));
                }
                StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
                    let body = http::body(answer, 1 << 20, patience).await.map_err(|e| self.failed(&e))?;
                    let refusal = protocol::refusal(&body).ok_or_else(|| self.protocol())?;
                    return Err(raised(
                        "RequestError",
                        &format!("Error during request to server: {refusal}"),
                    ));
                }
                status => {
                    let words = format!("Error during request to server: HTTP status {}", status.as_u16());
                    return Err(EngineError::Connect(words));
                }
            }
        }
    }

    fn statement(&self, sql: &str, options: &QueryOptions) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |key: &str, value: Option<&str>| {
            body.extend(value.map(|value| (key.to_owned(), Value::from(value))));
        };
        put("statement", Some(sql));
        put("warehouse_id", Some(&self.warehouse));
        put("catalog", self.catalog.as_deref());
        put("schema", options.schema.as_deref().or(self.schema.as_deref()));
        put("wait_timeout", Some(WAIT));
        put("on_wait_timeout", Some("CONTINUE"));
        put("format", Some("JSON_ARRAY"));
        put("disposition", Some("INLINE"));
        body
    }
}

#[async_trait]
impl Cancel for Server {
    type Statement = String;

    async fn cancel(&self, id: String) -> Result<(), EngineError> {
        let path = format!("{STATEMENTS}/{}/cancel", protocol::in_path(&id));
        self.body(|| self.request(Method::POST, &path).json(&Map::new()), PAGE, TIMEOUT).await.map(drop)
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        "databricks.sql.exc.RequestError"
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
    fn new(source: &Source) -> Result<Self, EngineError> {
        let target = Target::from_source(source)?;
        let server = Server {
            endpoint: Endpoint::new(target.access)?,
            warehouse: target.warehouse,
            catalog: target.catalog,
            schema: target.schema,
        };
        Ok(Self { server: Arc::new(server), turns: Semaphore::new(SERVER_POOL_SIZE) })
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
        let mut running = Running::new(server);
        let statement = server.statement(sql, options);
        let limit = options.max_bytes.max(PAGE);
        let post = || server.request(Method::POST, STATEMENTS).json(&statement);
        let mut body = server.body(post, limit, options.timeout).await?;
        let mut backoff = Backoff::endless(PAUSE, LONGEST_PAUSE);
        let answer = loop {
            let answer = Answer::read(&body).ok_or_else(|| server.protocol())?;
            if let Some(id) = &answer.statement_id {
                running.begun(id.clone());
            }
            match answer.status.state {
                State::Succeeded => break answer,
                State::Pending | State::Running => {
                    let id = answer.statement_id.as_deref().ok_or_else(|| server.protocol())?;
                    let path = format!("{STATEMENTS}/{}", protocol::in_path(id));
                    backoff.again(None).await;
                    body = server.body(|| server.request(Method::GET, &path), limit, options.timeout).await?;
                }
                State::Failed | State::Canceled | State::Closed | State::Unknown => {
                    running.over();
                    let words = answer.status.error.and_then(|error| error.message);
                    let words =
                        words.unwrap_or_else(|| "the statement has ended without a result".to_owned());
                    return Err(raised("ServerOperationError", &words));
                }
            }
        };
        let columns = answer.manifest.map(|manifest| manifest.schema.columns).unwrap_or_default();
        let kinds: Vec<value::Kind> = columns.iter().map(|c| value::Kind::parse(&c.type_text)).collect();
        let info =
            columns.into_iter().map(|c| ColumnInfo { name: c.name, sql_type: value::short(&c.type_text) });
        let mut batcher = Batcher::new(options, info.collect(), cells);
        let mut chunk = answer.result;
        while let Some(read) = chunk {
            for batch in rows(&read, &kinds, &mut batcher).ok_or_else(|| server.protocol())?? {
                sink.put(batch).await?;
            }
            let Some(next) = read.next_chunk_internal_link.filter(|_| batcher.wants_more()) else { break };
            let page = server.body(|| server.request(Method::GET, &next), limit, options.timeout).await?;
            chunk = Some(Chunk::read(&page).ok_or_else(|| server.protocol())?);
        }
        running.over();
        match batcher.rest() {
            Some(rest) => sink.put(rest).await,
            None => Ok(()),
        }
    }
}

/// The batches that the rows of a chunk have filled; none where they are not those of the columns.
fn rows(
    chunk: &Chunk,
    kinds: &[value::Kind],
    batcher: &mut Batcher<'_>,
) -> Option<Result<Vec<ResultSet>, EngineError>> {
    let mut batches = Vec::new();
    for row in &chunk.data_array {
        if !batcher.wants_more() {
            break;
        }
        if row.len() != kinds.len() {
            return None;
        }
        let mut bytes = 0;
        for ((text, kind), out) in row.iter().zip(kinds).zip(batcher.builders()) {
            bytes += text.as_ref().map_or(0, String::len);
            value::push(text.as_deref(), *kind, out);
        }
        match batcher.row(bytes) {
            Ok(batch) => batches.extend(batch),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(batches))
}
