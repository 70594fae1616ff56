//! BigQuery over its REST interface (`superset.db_engine_specs.bigquery` over sqlalchemy-bigquery and
//! google-cloud-bigquery).
//!
//! A statement is a job, which bears a number of ours from the start: a request whose answer was lost can be sent
//! again, and what is given up can be cancelled whenever that happens. Results come as JSON in pages. The interface has
//! no sessions that only read: what may not write is judged before it is sent.

mod account;
mod guard;
mod introspect;
mod protocol;
mod server;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Method;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    QueryOptions, SERVER_POOL_SIZE, Source,
    batch::{Batcher, Sink},
    column::{ColumnInfo, ResultSet},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    http::{self, Backoff, Fetch, Running},
};
use protocol::{Fault, Field, Page, Row, is_passing};
use server::{Place, Server, Trouble};
use source::Environment;

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that an answer may have at least; the service ends a page at 20 MB, unless its first row is larger.
const PAGE: usize = 128 << 20;
/// Rows of a page, at most.
const PAGE_ROWS: usize = 50_000;
/// How often a query is begun that fails for reasons which pass.
const TRIES: u32 = 3;
/// Before it is begun again.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest time before that.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Prepares a client of a project.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source, &Environment::read())?))
}

/// A project.
pub(super) struct Database {
    server: Arc<Server>,
    turns: Semaphore,
}

fn raised(message: &str) -> EngineError {
    EngineError::Statement {
        class: "google.cloud.bigquery.dbapi.exceptions.DatabaseError".to_owned(),
        message: http::told(message),
    }
}

/// A failed job as Google's client words it (`_error_result_to_exception`).
fn job_failed(fault: &Fault, place: &Place) -> EngineError {
    let Fault { reason, location, message } = fault;
    let at = location.as_ref().map(|at| format!(", location: {at}")).unwrap_or_default();
    let region = place.location.as_deref().unwrap_or("None");
    raised(&format!(
        "{} {message}; reason: {reason}{at}, message: {message}\n\nLocation: {region}\nJob ID: {}\n",
        protocol::status_of(reason),
        place.id
    ))
}

/// Why a job has no result.
struct Fall {
    error: EngineError,
    /// Another one may have a result.
    passes: bool,
    /// The service itself has ended it, or never begun it.
    over: bool,
}

impl From<EngineError> for Fall {
    fn from(error: EngineError) -> Self {
        Self { error, passes: false, over: false }
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        "google.cloud.bigquery.dbapi.exceptions.DatabaseError"
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

    async fn bytes_to_read(&self, sql: &str, options: &QueryOptions) -> Result<Option<u64>, EngineError> {
        let _turn = http::turn(&self.turns).await?;
        let place = self.place();
        let asked = self.server.insert(sql, &place, true, options.timeout);
        let job = tokio::time::timeout(options.timeout, asked).await;
        let job = job
            .map_err(|_| EngineError::Timeout(options.timeout))?
            .map_err(|trouble| self.server.not_begun(trouble))?;
        let statistics = job.and_then(|job| job.statistics).ok_or_else(|| self.server.protocol())?;
        let bytes = statistics
            .total_bytes_processed
            .or_else(|| statistics.query.and_then(|query| query.total_bytes_processed));
        let bytes = bytes.and_then(|text| text.parse().ok());
        bytes.map(Some).ok_or_else(|| self.server.protocol())
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
        let mut backoff = Backoff::new(PAUSE, LONGEST_PAUSE, TRIES);
        let first = loop {
            match self.first_page(sql, options, &mut running).await {
                Ok(page) => break page,
                Err(Fall { error, passes, over }) => {
                    // what writes may have done a part of it
                    let again = passes && !options.allow_write && backoff.again(None).await;
                    if over || again {
                        running.over();
                    }
                    if !again {
                        return Err(error);
                    }
                }
            }
        };
        let place = running.statement().cloned().ok_or_else(|| server.protocol())?;
        let fields = first.schema.map(|schema| schema.fields).unwrap_or_default();
        let info = fields.iter().map(|f| ColumnInfo { name: f.name.clone(), sql_type: f.type_.clone() });
        let mut batcher = Batcher::new(options, info.collect(), cells);
        let (mut page_rows, mut token) = (first.rows, first.page_token);
        loop {
            for batch in rows(page_rows, &fields, &mut batcher).ok_or_else(|| server.protocol())?? {
                sink.put(batch).await?;
            }
            let next = token.filter(|token| batcher.wants_more() && !token.is_empty());
            let Some(next) = next else { break };
            let page = server.page(&place, Some(&next), self.page_rows(options), bounds(options)).await;
            let page = page.map_err(|trouble| self.page_error(&place, trouble).error)?;
            (page_rows, token) = (page.rows, page.page_token);
        }
        running.over();
        match batcher.rest() {
            Some(rest) => sink.put(rest).await,
            None => Ok(()),
        }
    }
}

impl Database {
    fn new(source: &Source, environment: &Environment) -> Result<Self, EngineError> {
        let server = Arc::new(Server::new(source, environment)?);
        Ok(Self { server, turns: Semaphore::new(SERVER_POOL_SIZE) })
    }

    /// A number for a new job.
    fn place(&self) -> Place {
        Place { id: Uuid::new_v4().to_string(), location: self.server.target.location.clone() }
    }

    fn page_rows(&self, options: &QueryOptions) -> usize {
        let most = self.server.target.page.unwrap_or(PAGE_ROWS).min(PAGE_ROWS);
        options.max_rows.map_or(most, |rows| rows.clamp(1, most))
    }

    fn page_error(&self, place: &Place, trouble: Trouble) -> Fall {
        match trouble {
            // the job itself has failed, for which the answer has its status
            Trouble::Refused(refusal) => {
                let (passes, over) = (is_passing(&refusal.reason), refusal.status < 500);
                let project = protocol::in_path(&self.server.target.billing);
                let path = format!("/projects/{project}/queries/{}", place.id);
                Fall { error: self.server.words(&Method::GET, &path, &refusal), passes, over }
            }
            Trouble::Failed(error) => error.into(),
        }
    }

    /// Starts a job and waits for the first page of its result.
    async fn first_page(
        &self,
        sql: &str,
        options: &QueryOptions,
        running: &mut Running<Server>,
    ) -> Result<Page, Fall> {
        let server = &self.server;
        let mut place = self.place();
        running.begun(place.clone());
        let begun = server.insert(sql, &place, false, options.timeout).await.map_err(|trouble| {
            let over = matches!(&trouble, Trouble::Refused(refusal) if refusal.status < 500);
            Fall { error: server.not_begun(trouble), passes: false, over }
        })?;
        if let Some(job) = begun {
            if let Some(location) = job.job_reference.and_then(|reference| reference.location) {
                place.location = Some(location);
                running.begun(place.clone());
            }
            if let Some(fault) = job.status.and_then(|status| status.error_result) {
                let passes = is_passing(&fault.reason);
                return Err(Fall { error: job_failed(&fault, &place), passes, over: true });
            }
        }
        loop {
            let page = server.page(&place, None, self.page_rows(options), bounds(options)).await;
            let page = page.map_err(|trouble| self.page_error(&place, trouble))?;
            if page.job_complete {
                return Ok(page);
            }
            if let Some(location) = page.job_reference.and_then(|reference| reference.location) {
                place.location = Some(location);
                running.begun(place.clone());
            }
            // the service has waited; one that has not must not be asked without end
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn bounds(options: &QueryOptions) -> (usize, Duration) {
    (options.max_bytes.max(PAGE), options.timeout)
}

/// The batches that rows have filled; none where they are not those of the columns.
fn rows(
    rows: Vec<Row>,
    fields: &[Field],
    batcher: &mut Batcher<'_>,
) -> Option<Result<Vec<ResultSet>, EngineError>> {
    let mut batches = Vec::new();
    for row in rows {
        if !batcher.wants_more() {
            break;
        }
        if row.f.len() != fields.len() {
            return None;
        }
        let mut bytes = 0;
        for ((cell, field), out) in row.f.into_iter().zip(fields).zip(batcher.builders()) {
            bytes += value::size(&cell.v);
            value::push(cell.v, field, out);
        }
        match batcher.row(bytes) {
            Ok(batch) => batches.extend(batch),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(batches))
}
