//! Amazon Athena over its API (`superset.db_engine_specs.athena` over PyAthena and botocore).
//!
//! A statement is begun, asked for until it has ended, and its rows are read in pages of JSON. Every request is signed.
//! The service has no sessions that only read: what may not write is judged before it is sent.

mod guard;
mod introspect;
mod protocol;
mod server;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    QueryOptions, SERVER_POOL_SIZE, Source,
    aws::Environment,
    batch::{Batcher, Sink},
    column::{ColumnInfo, ResultSet},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    http::{self, Backoff, Fetch, Running},
};
use protocol::{Column, Execution, Page, QueryExecution, Row, State};
use server::{Server, Statement};
use value::Kind;

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that an answer may have at least.
const PAGE: usize = 64 << 20;
/// Rows of a page, at most.
const PAGE_ROWS: usize = 1000;
/// Pages without rows that may follow one another.
const EMPTY_PAGES: u32 = 100;
/// Between questions for a statement that runs.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest time between two of them, unless the connection says otherwise.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Prepares a client of the service.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, &Environment::read())?))
}

/// A catalog of a region.
pub(super) struct Database {
    server: Arc<Server>,
    turns: Semaphore,
}

fn raised(class: &str, message: &str) -> EngineError {
    EngineError::Statement { class: format!("pyathena.error.{class}"), message: http::told(message) }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        "pyathena.error.DatabaseError"
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

    /// The driver connects with the first statement, whose errors nobody wraps in their class.
    async fn ping(&self) -> Result<(), EngineError> {
        let options = QueryOptions { timeout: TIMEOUT, ..QueryOptions::default() };
        self.query("SELECT 1", &options).await.map(drop).map_err(|error| match error {
            EngineError::Statement { message, .. } | EngineError::Connect(message) => {
                EngineError::Uri(message)
            }
            other => other,
        })
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
        guard::check(sql, options.allow_write)?;
        let server = &self.server;
        let mut running = Running::new(server);
        let statement = server.statement(sql);
        if !options.allow_write {
            running.begun(Statement::Asked(statement.clone()));
        }
        let id = match server.begin(&statement, options.timeout).await {
            Ok(id) => id,
            Err(trouble) => {
                if trouble.is_before() {
                    running.over();
                }
                return Err(trouble.error("DatabaseError"));
            }
        };
        running.begun(Statement::Begun(id.clone()));
        let ended = self.ended(&id, options).await?;
        running.over();
        if ended.status.state != State::Succeeded {
            let status = ended.status;
            let words =
                status.state_change_reason.or(status.athena_error.and_then(|error| error.error_message));
            let words = words.unwrap_or_else(|| match status.state {
                State::Cancelled => "Query cancelled".to_owned(),
                _ => "the statement has ended without a result".to_owned(),
            });
            return Err(raised("OperationalError", &words));
        }
        let strict = ended.statement_type.as_deref().is_none_or(|kind| kind == "DML");
        self.rows(&id, strict, options, cells, sink).await
    }
}

impl Database {
    fn new(source: &Source, environment: &Environment) -> Result<Self, EngineError> {
        let server = Arc::new(Server::new(source, environment)?);
        Ok(Self { server, turns: Semaphore::new(SERVER_POOL_SIZE) })
    }

    /// Waits for the end of a statement.
    async fn ended(&self, id: &str, options: &QueryOptions) -> Result<QueryExecution, EngineError> {
        let longest = self.server.target.longest_pause.unwrap_or(LONGEST_PAUSE);
        let mut backoff = Backoff::endless(PAUSE, longest);
        let body = json!({"QueryExecutionId": id});
        loop {
            let told: Result<Execution, _> =
                self.server.call("GetQueryExecution", &body, (PAGE, options.timeout)).await;
            let told = told.map_err(|trouble| trouble.error("OperationalError"))?.query_execution;
            if !matches!(told.status.state, State::Queued | State::Running) {
                return Ok(told);
            }
            backoff.again(None).await;
        }
    }

    /// Reads the pages of a result.
    async fn rows(
        &self,
        id: &str,
        strict: bool,
        options: &QueryOptions,
        cells: usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError> {
        let server = &self.server;
        let bounds = (options.max_bytes.max(PAGE), options.timeout);
        // one more, for the names of the columns
        let most = options.max_rows.map_or(PAGE_ROWS, |rows| rows.saturating_add(1).min(PAGE_ROWS));
        let mut body = json!({"QueryExecutionId": id, "MaxResults": most.max(1)});
        let mut reader: Option<Reader<'_>> = None;
        let (mut seen, mut empty) = (BTreeSet::new(), 0);
        loop {
            let page: Result<Page, _> = server.call("GetQueryResults", &body, bounds).await;
            let page = page.map_err(|trouble| trouble.error("OperationalError"))?;
            let mut rows = page.result_set.rows;
            let reader = match &mut reader {
                Some(reader) => reader,
                none => {
                    let columns =
                        page.result_set.result_set_metadata.ok_or_else(|| server.protocol())?.column_info;
                    if rows.first().is_some_and(|row| is_heading(row, &columns)) {
                        rows.remove(0);
                    }
                    none.insert(Reader::new(columns, strict, options, cells))
                }
            };
            empty = if rows.is_empty() { empty + 1 } else { 0 };
            for batch in reader.read(rows).ok_or_else(|| server.protocol())?? {
                sink.put(batch).await?;
            }
            let Some(next) = page.next_token.filter(|next| reader.batcher.wants_more() && !next.is_empty())
            else {
                break;
            };
            if empty > EMPTY_PAGES || !seen.insert(next.clone()) {
                return Err(raised("OperationalError", "the pages of the result repeat and do not end"));
            }
            body["NextToken"] = next.into();
        }
        match reader.and_then(|reader| reader.batcher.rest()) {
            Some(rest) => sink.put(rest).await,
            None => Ok(()),
        }
    }
}

/// The first row has the names of the columns, which results of queries begin with.
fn is_heading(row: &Row, columns: &[Column]) -> bool {
    let mut pairs = row.data.iter().zip(columns);
    let whole = !columns.is_empty() && row.data.len() == columns.len();
    whole && pairs.all(|(datum, column)| datum.text.as_deref() == Some(column.name.as_str()))
}

/// A result as it is read.
struct Reader<'a> {
    kinds: Vec<Kind>,
    /// Rows have a value for each column; those of other statements than queries may not.
    strict: bool,
    batcher: Batcher<'a>,
}

impl<'a> Reader<'a> {
    fn new(columns: Vec<Column>, strict: bool, options: &'a QueryOptions, cells: usize) -> Self {
        let kinds = columns.iter().map(|column| Kind::parse(&column.type_)).collect();
        let info = columns.into_iter().map(|column| ColumnInfo { name: column.name, sql_type: column.type_ });
        Self { kinds, strict, batcher: Batcher::new(options, info.collect(), cells) }
    }

    /// The batches that rows have filled; none where they are not those of the columns.
    fn read(&mut self, rows: Vec<Row>) -> Option<Result<Vec<ResultSet>, EngineError>> {
        let mut batches = Vec::new();
        for row in rows {
            if !self.batcher.wants_more() {
                break;
            }
            if self.strict && row.data.len() != self.kinds.len() {
                return None;
            }
            let mut bytes = 0;
            let mut values = row.data.iter().map(|datum| datum.text.as_deref());
            for (kind, out) in self.kinds.iter().zip(self.batcher.builders()) {
                let text = values.next().flatten();
                bytes += text.map_or(0, str::len);
                value::push(text, *kind, out);
            }
            match self.batcher.row(bytes) {
                Ok(batch) => batches.extend(batch),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(batches))
    }
}
