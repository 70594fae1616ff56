//! Snowflake over the interface that its connectors speak (`superset.db_engine_specs.snowflake` over
//! snowflake-connector-python).
//!
//! Somebody logs in and gets a token; a statement is posted with a number of ours, by which it can be ended. What takes
//! long is asked for again until it has ended. We ask for rows in JSON, of which the first come with the answer and
//! the others lie at addresses that it names. There are no transactions that only read: what may not write is judged
//! before it is sent, and runs in a session that commits nothing.

mod arrow;
mod introspect;
mod key_pair;
mod protocol;
mod rows;
mod session;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    QueryOptions, SERVER_POOL_SIZE, Session as Several, Source, Statements,
    batch::{Batcher, Sink},
    column::{ColumnInfo, ResultSet},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
    http::{self, Backoff, Cancel, Endpoint, Fetch},
};
use crate::engine_specs::Dialect;
use protocol::{Answer, Found};
use session::{EXPIRED, Server, Session, proof};
use source::Target;

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that an answer may have at least.
const PAGE: usize = 64 << 20;
/// Between questions to a server that is busy.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest time between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// How often a server that is busy is asked again.
const TRIES: u32 = 6;
/// The statement runs: the server was asked to wait no longer.
const IN_PROGRESS: [i64; 2] = [333_333, 333_334];
/// What statements begin with that leave a session as it was.
const READS: [&str; 5] = ["SELECT", "WITH", "SHOW", "DESC", "DESCRIBE"];

/// Prepares a client of an account.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    Ok(Box::new(Database::new(source)?))
}

/// A database of an account.
pub(super) struct Database {
    server: Arc<Server>,
    turns: Semaphore,
    dialect: Dialect,
}

impl Drop for Database {
    fn drop(&mut self) {
        let sessions = self.server.drain();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let server = self.server.clone();
        runtime.spawn(async move {
            for session in sessions {
                server.close(&session).await;
            }
        });
    }
}

fn raised(class: &str, message: &str) -> EngineError {
    EngineError::Statement {
        class: format!("snowflake.connector.errors.{class}"),
        message: http::told(message),
    }
}

/// The text of an error, with its number and the statement's (`Error.__init__` of the connector).
fn worded(code: i64, state: Option<&str>, query: Option<&str>, message: &str) -> String {
    let (first, rest) = message.split_once([' ', ':']).unwrap_or_default();
    if first.len() >= 6
        && first.bytes().all(|b| b.is_ascii_digit())
        && (rest.contains(':') || rest.is_empty())
    {
        return message.to_owned();
    }
    match state {
        Some(state) => format!("{code:06} ({state}): {}: {message}", query.unwrap_or("None")),
        None => format!("{code:06}: {code}: {message}"),
    }
}

/// A session, and the number of the request in it that has not ended.
pub(super) struct Busy {
    session: Session,
    request: Option<String>,
}

/// A session with the statement that it runs. Dropped, the statement is ended, and the session with it.
struct Running(http::Running<Server>);

#[async_trait]
impl Cancel for Server {
    type Statement = Busy;

    async fn cancel(&self, busy: Busy) -> Result<(), EngineError> {
        let aborted = match &busy.request {
            Some(request) => self.abort(&busy.session, request).await,
            None => Ok(()),
        };
        self.close(&busy.session).await;
        aborted
    }
}

impl Running {
    fn of(server: &Arc<Server>, session: Session) -> Self {
        let mut running = http::Running::new(server);
        running.begun(Busy { session, request: None });
        Self(running)
    }

    async fn begin(server: &Arc<Server>, options: &QueryOptions) -> Result<Self, EngineError> {
        let session = server.session(options.schema.as_deref(), options.allow_write).await?;
        Ok(Self::of(server, session))
    }

    fn session(&mut self) -> Option<&mut Session> {
        self.0.statement_mut().map(|busy| &mut busy.session)
    }

    fn set_request(&mut self, request: Option<String>) {
        if let Some(busy) = self.0.statement_mut() {
            busy.request = request;
        }
    }

    fn reused(&self) -> bool {
        self.0.statement().is_some_and(|busy| busy.session.reused)
    }

    /// Keeps the session for another statement.
    fn keep(mut self) {
        let Some(busy) = self.0.over() else { return };
        // one that gives way is ended as this goes
        if let Some(session) = self.0.server().keep(busy.session) {
            self.0.begun(Busy { session, request: None });
        }
    }

    /// An answer about a statement; a token that is no longer good is renewed once.
    async fn ask(
        &mut self,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
        options: &QueryOptions,
    ) -> Result<Answer<Found>, EngineError> {
        let server = self.0.server().clone();
        let limit = options.max_bytes.max(PAGE);
        let mut renewed = false;
        loop {
            let session = self.session().ok_or_else(|| server.protocol())?;
            let ask = || {
                let request = server.request(method.clone(), path);
                let request = request.header("authorization", proof(&session.token));
                match body {
                    Some(body) => request.json(body),
                    None => request,
                }
            };
            let answer = server.ask::<Found>(ask, limit, options.timeout).await?;
            let code = answer.code.as_ref().and_then(protocol::Code::number);
            if code != Some(EXPIRED) || renewed {
                return Ok(answer);
            }
            server.renew(session).await?;
            renewed = true;
        }
    }

    /// Executes a statement and waits until it has ended.
    async fn execute(&mut self, sql: &str, options: &QueryOptions) -> Result<Found, EngineError> {
        let request = Uuid::new_v4().to_string();
        let path = format!("/queries/v1/query-request?requestId={request}");
        // one statement, whatever the account's administrator allows
        let parameters = json!({"PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "JSON", "MULTI_STATEMENT_COUNT": 1});
        let body = json!({
            "sqlText": sql,
            "asyncExec": false,
            "sequenceId": 1,
            "querySubmissionTime": chrono::Utc::now().timestamp_millis(),
            "parameters": parameters,
        });
        self.set_request(Some(request));
        let mut answer = self.ask(&Method::POST, &path, Some(&body), options).await?;
        let mut backoff = Backoff::endless(PAUSE, LONGEST_PAUSE);
        loop {
            let code = answer.code.as_ref().and_then(protocol::Code::number);
            if !code.is_some_and(|code| IN_PROGRESS.contains(&code)) {
                break;
            }
            let next =
                answer.data.and_then(|data| data.get_result_url).ok_or_else(|| self.0.server().protocol())?;
            backoff.again(None).await;
            answer = self.ask(&Method::GET, &next, None, options).await?;
        }
        self.set_request(None);
        if !answer.success {
            let data = answer.data.as_ref();
            let (state, query) =
                (data.and_then(|d| d.sql_state.as_deref()), data.and_then(|d| d.query_id.as_deref()));
            return Err(self.0.server().statement_error(&answer, state, query));
        }
        answer.data.ok_or_else(|| self.0.server().protocol())
    }

    /// The number by which another session can end what this one runs, for whoever wants to know it.
    async fn tell_number(&mut self, options: &QueryOptions) -> Result<(), EngineError> {
        if options.progress.is_none() {
            return Ok(());
        }
        let number = match self.session().and_then(|session| session.number.clone()) {
            Some(number) => Some(number),
            None => {
                let own = QueryOptions { timeout: TIMEOUT, ..QueryOptions::default() };
                let mut sink = Sink::Whole(ResultSet::default());
                self.read("SELECT CURRENT_SESSION()", &own, usize::MAX, &mut sink).await?;
                sink.whole().data.first().and_then(rows::text)
            }
        };
        if let Some(session) = self.session() {
            session.number.clone_from(&number);
        }
        options.report_progress(number.as_deref(), 0.0);
        Ok(())
    }

    /// Executes a statement and hands its rows over.
    async fn read(
        &mut self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError> {
        let mut found = self.execute(sql, options).await?;
        let wrong = || self.0.server().protocol();
        let zone = found.zone().map(str::to_owned);
        let kinds: Vec<value::Kind> =
            found.rowtype.iter().map(|column| value::Kind::of(column, zone.as_deref())).collect();
        let info = std::mem::take(&mut found.rowtype).into_iter();
        let info = info.map(|column| ColumnInfo { name: column.name, sql_type: column.kind.to_uppercase() });
        let mut batcher = Batcher::new(options, info.collect(), cells);
        for batch in rows::first(&found, &kinds, &mut batcher).ok_or_else(wrong)?? {
            sink.put(batch).await?;
        }
        let mut chunks = rows::Chunks::new(self.0.server(), &found);
        for chunk in std::mem::take(&mut found.chunks) {
            if !batcher.wants_more() {
                break;
            }
            let body = chunks.body(&chunk, options).await?;
            for batch in rows::more(&body, &found, &kinds, &mut batcher).ok_or_else(wrong)?? {
                sink.put(batch).await?;
            }
        }
        match batcher.rest() {
            Some(rest) => sink.put(rest).await,
            None => Ok(()),
        }
    }
}

/// The statement leaves its session as it was.
fn only_reads(sql: &str) -> bool {
    let word: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    READS.contains(&word.to_ascii_uppercase().as_str())
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        "snowflake.connector.errors.OperationalError"
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

    /// Logs in with a check of database, schema, warehouse and role (`mutate_db_for_connection_test`), which needs no
    /// warehouse that runs.
    async fn ping(&self) -> Result<(), EngineError> {
        let session = self.server.log_in(None, false, true).await?;
        let options = QueryOptions { timeout: TIMEOUT, ..QueryOptions::default() };
        let mut running = Running::of(&self.server, session);
        let answered = tokio::time::timeout(TIMEOUT, running.execute("SELECT 1", &options)).await;
        answered.unwrap_or(Err(EngineError::Timeout(TIMEOUT))).map(drop)
    }

    /// All statements in one session: there is one log-in.
    async fn execute_all(&self, mut statements: Statements) -> Result<(), EngineError> {
        let options = QueryOptions { allow_write: true, ..QueryOptions::default() };
        let mut running = Running::begin(&self.server, &options).await?;
        while let Some(sql) = statements.next().await {
            running.execute(&sql?, &options).await?;
        }
        Ok(())
    }

    async fn session(&self, options: &QueryOptions) -> Result<Option<Box<dyn Several>>, EngineError> {
        let running = Running::begin(&self.server, options).await?;
        let kept = !options.allow_write;
        Ok(Some(Box::new(Conversation { running, options: options.clone(), kept, told: false })))
    }

    /// `SnowflakeEngineSpec.cancel_query`: ends whatever the session runs.
    async fn cancel(&self, number: &str) -> Result<bool, EngineError> {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(false);
        }
        let options = QueryOptions { timeout: TIMEOUT, ..QueryOptions::default() };
        self.query(&format!("SELECT SYSTEM$CANCEL_ALL_QUERIES({number})"), &options).await.map(|_| true)
    }
}

/// Statements of SQL Lab, one after the other in one session.
struct Conversation {
    running: Running,
    options: QueryOptions,
    /// The session is as it was: another statement may have it.
    kept: bool,
    /// Whoever runs it knows its number.
    told: bool,
}

#[async_trait]
impl Several for Conversation {
    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        self.kept &= only_reads(sql);
        let mut sink = Sink::Whole(ResultSet::default());
        let work = async {
            if !self.told {
                self.running.tell_number(&self.options).await?;
                self.told = true;
            }
            self.running.read(sql, &self.options, usize::MAX, &mut sink).await
        };
        let done = tokio::time::timeout(self.options.timeout, work).await;
        done.unwrap_or(Err(EngineError::Timeout(self.options.timeout)))?;
        Ok(sink.whole())
    }

    async fn finish(self: Box<Self>, _commit: bool) -> Result<(), EngineError> {
        // what writes commits each statement
        if self.kept {
            self.running.keep();
        }
        Ok(())
    }
}

impl Database {
    fn new(source: &Source) -> Result<Self, EngineError> {
        let target = Target::from_source(source)?;
        let endpoint = Endpoint::new(target.access.clone())?;
        Ok(Self {
            server: Arc::new(Server::new(endpoint, target)),
            turns: Semaphore::new(SERVER_POOL_SIZE),
            dialect: Dialect::for_engine(source.spec()),
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
        loop {
            let mut running = Running::begin(&self.server, options).await?;
            running.tell_number(options).await?;
            let done = running.read(sql, options, cells, sink).await;
            match done {
                // the service has forgotten a session that has waited: nothing was executed
                Err(EngineError::Unauthorized(_)) if running.reused() => {}
                done => {
                    let known = matches!(done, Ok(()) | Err(EngineError::Statement { .. }));
                    if known && !options.allow_write && only_reads(sql) {
                        running.keep();
                    }
                    return done;
                }
            }
        }
    }
}
