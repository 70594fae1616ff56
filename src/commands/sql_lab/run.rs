//! Executing a query and settling its row (`get_sql_results`, `execute_sql_statements`).

use crate::connect;
use infra::error::ErrorType;
use std::{pin::pin, sync::Arc, time::Duration};

use daos::{
    database::Database,
    query::{self as queries, Query},
    write::Values,
};
use infra::{
    Result, clock,
    compute::{Lease, run_blocking},
    engine_specs::EngineSpec,
    engines::{EngineError, Progress, QueryOptions, Session, column::ResultSet},
    json::dumps,
};
use query::{encode::records_iso::records, frame::Frame};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    columns, describe,
    error::Refusal,
    now_ms,
    script::{self, NotPrepared, Prepared},
    status,
};
use crate::state::{RunningPlace, functions, jobs::JobKind};
use crate::{Caller, connect::describe as database_describe};

/// A query to be executed.
pub(super) struct Job {
    pub caller: Caller,
    pub database: Database,
    pub query: Query,
    pub rendered: String,
    /// Time that it may take.
    pub seconds: u64,
    pub is_async: bool,
    /// The limit of the dropdown, which alone counts under `SQLLAB_LIMIT_OF_DROPDOWN_ONLY`.
    pub dropdown_limit: i64,
    /// Where the memory of its result is counted.
    pub memory: Arc<Lease>,
}

/// How a query ended.
pub(super) enum Outcome {
    Success(Box<QueryResult>),
    Stopped,
    Failed(Refusal),
    TimedOut,
}

/// The result of a query with all that SQL Lab shows of it.
pub(super) struct QueryResult {
    query: Value,
    frame: Frame,
    columns: Value,
}

impl QueryResult {
    /// The payload; of more than `max_rows` rows only the first, and a note that there are more.
    pub fn json(&self, max_rows: Option<usize>) -> Vec<u8> {
        let rows = self.frame.row_count();
        let shown = max_rows.map_or(rows, |max| max.min(rows));
        let id = self.query.get("queryId").cloned().unwrap_or_default();
        let mut out = format!("{{\"query_id\": {id}, \"status\": \"success\", \"data\": [").into_bytes();
        for (i, record) in records(&self.frame, shown).enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(&record);
        }
        let columns = dumps(&self.columns);
        let rest = format!(
            "], \"columns\": {columns}, \"selected_columns\": {columns}, \"expanded_columns\": [], \"query\": {}",
            dumps(&self.query)
        );
        out.extend_from_slice(rest.as_bytes());
        if shown < rows {
            out.extend_from_slice(b", \"displayLimitReached\": true");
        }
        out.push(b'}');
        out
    }
}

/// What stops a query before its result.
enum Halt {
    Stopped,
    Failed(Refusal),
    TimedOut,
    Error(infra::Error),
}

impl<E: Into<infra::Error>> From<E> for Halt {
    fn from(e: E) -> Self {
        Self::Error(e.into())
    }
}

impl Job {
    /// Executes and settles the row, whatever happens.
    pub async fn run(mut self, mut place: RunningPlace) -> Result<Outcome> {
        let limit = Duration::from_secs(self.seconds);
        let about = format!("query {}", self.query.id);
        let job = self.is_async.then(|| self.caller.app.jobs.begin(JobKind::SqlLab, about));
        // whoever loses is dropped: the session with it, which cancels the statement in the database
        let done = tokio::select! {
            biased;
            () = place.stopped() => Err(Halt::Stopped),
            done = tokio::time::timeout(limit, self.work()) => done.unwrap_or(Err(Halt::TimedOut)),
        };
        if let Some(job) = job {
            match &done {
                Ok(_) => job.succeeded(),
                // ends as cancelled
                Err(Halt::Stopped) => drop(job),
                Err(Halt::TimedOut) => job.failed(format!("it took longer than {} seconds", self.seconds)),
                Err(Halt::Failed(_)) => job.failed("the query failed: its author is told why"),
                Err(Halt::Error(_)) => job.failed("liteset could not run the query: the log has the reason"),
            }
        }
        match done {
            Ok(result) => Ok(Outcome::Success(Box::new(result))),
            Err(Halt::Stopped) => {
                self.settle(vec![("status", status::STOPPED.into())]).await?;
                Ok(Outcome::Stopped)
            }
            Err(Halt::Failed(refusal)) => {
                self.fail(&refusal).await?;
                Ok(Outcome::Failed(refusal))
            }
            Err(Halt::TimedOut) => {
                let text = if self.is_async {
                    format!(
                        "The query was killed after {} seconds. It might be too complex, or the database might be \
                         under heavy load.",
                        self.seconds
                    )
                } else {
                    format!("The query exceeded the {} seconds timeout.", self.seconds)
                };
                self.fail(&Refusal::new(ErrorType::SqllabTimeoutError, text)).await?;
                Ok(Outcome::TimedOut)
            }
            Err(Halt::Error(error)) => {
                tracing::error!(%error, query = self.query.id, "query failed");
                self.fail(&Refusal::new(ErrorType::GenericBackendError, "Fatal error")).await?;
                Err(error)
            }
        }
    }

    /// Writes the end of the query, unless somebody has written it already.
    async fn settle(&self, mut values: Values) -> Result<bool> {
        values.push(("end_time", now_ms().into()));
        let open = [status::PENDING, status::RUNNING];
        Ok(queries::update_in_state(self.caller.app.db.exec(), self.query.id, &open, values).await?)
    }

    async fn fail(&self, refusal: &Refusal) -> Result<bool> {
        let mut extra = self.query.extra();
        let errors = refusal.errors.iter().map(infra::error::SupersetError::to_json).collect();
        extra.insert("errors".into(), Value::Array(errors));
        self.settle(vec![
            ("status", status::FAILED.into()),
            ("error_message", refusal.message.as_str().into()),
            ("tmp_table_name", infra::db::Value::Null),
            ("extra_json", dumps(&Value::Object(extra)).into()),
        ])
        .await
    }

    /// Changes the row of a query that is under way.
    async fn note(&mut self, mut values: Values, extra: Map<String, Value>) -> Result<(), Halt> {
        let text = dumps(&Value::Object(extra));
        values.push(("extra_json", text.as_str().into()));
        let open = [status::PENDING, status::RUNNING];
        if !queries::update_in_state(self.caller.app.db.exec(), self.query.id, &open, values).await? {
            return Err(Halt::Stopped);
        }
        self.query.extra_json = Some(text);
        Ok(())
    }

    async fn work(&mut self) -> Result<QueryResult, Halt> {
        let running: Values =
            vec![("status", status::RUNNING.into()), ("start_running_time", now_ms().into())];
        let extra = self.query.extra();
        self.note(running, extra).await?;
        let stored_limit = self.query.limit;
        if self.only_dropdown_limits() {
            self.query.limit = Some(self.dropdown_limit);
        }
        let prepared = script::prepare(&self.caller, &self.database, &self.query, &self.rendered).await;
        let prepared = prepared.map_err(|e| match e {
            NotPrepared::Refused(refusal) => Halt::Failed(refusal),
            NotPrepared::Error(error) => Halt::Error(error),
        })?;
        let prepared = self.mutated(prepared).map_err(Halt::Failed)?;
        let found = self.execute(&prepared).await?;
        self.finish(prepared, found, stored_limit).await
    }

    fn only_dropdown_limits(&self) -> bool {
        self.caller.app.config.bool("SQLLAB_LIMIT_OF_DROPDOWN_ONLY")
    }

    /// What `SQL_QUERY_MUTATOR` makes of the blocks.
    fn mutated(&self, mut prepared: Prepared) -> Result<Prepared, Refusal> {
        if !functions::mutates_sql(&self.caller) {
            return Ok(prepared);
        }
        let engine = &database_describe::engine(&self.database).engine;
        let mut blocks = Vec::new();
        for block in std::mem::take(&mut prepared.blocks) {
            let text = functions::mutate_sql(&self.caller, &self.database, block)
                .map_err(|error| Refusal::new(ErrorType::GenericBackendError, functions::words(&error)))?;
            blocks.extend(functions::pieces(&text, engine));
        }
        prepared.blocks = blocks;
        Ok(prepared)
    }

    /// Executes the blocks one after another; the result is that of the last.
    async fn execute(&mut self, prepared: &Prepared) -> Result<ResultSet, Halt> {
        let spec = database_describe::engine(&self.database);
        let limit = prepared.limit.and_then(|limit| usize::try_from(limit).ok());
        let (sender, mut steps) = watch::channel(Progress::default());
        let options = QueryOptions {
            schema: self.query.schema.clone().filter(|s| !s.is_empty() && spec.caps.supports_dynamic_schema),
            max_rows: limit.map(|limit| limit + 1),
            timeout: Duration::from_secs(self.seconds),
            allow_write: prepared.writes,
            progress: Some(sender),
            memory: Some(self.memory.clone()),
            ..connect::limits(&self.caller.app)
        };
        let catalog = self.query.catalog.as_deref();
        let opened = match connect::engine_as(&self.caller, &self.database, catalog).await {
            Ok(engine) => engine.session(&options).await.map_err(|e| failed(&e, spec, "", &self.database)),
            Err(infra::Error::Sip40 { errors, .. }) => {
                let message = errors.first().map(|e| e.message.clone()).unwrap_or_default();
                Err(Halt::Failed(Refusal { message, errors }))
            }
            Err(error) => Err(Halt::Error(error)),
        };
        let mut session = opened?;
        let mut extra = self.query.extra();
        if let Some(id) = session.cancel_id() {
            extra.insert("cancel_query".into(), json!(id));
        }
        let mut found = ResultSet::default();
        let count = prepared.blocks.len();
        for (i, block) in prepared.blocks.iter().enumerate() {
            let progress = format!("Running block {} out of {count}", i + 1);
            extra.insert("progress".into(), json!(progress));
            self.note(vec![("executed_sql", block.as_str().into())], extra.clone()).await?;
            self.query.executed_sql = Some(block.clone());
            let prefix = if count > 1 { format!("Block {} out of {count} ", i + 1) } else { String::new() };
            let mut statement = pin!(session.query(block));
            found = loop {
                tokio::select! {
                    biased;
                    done = &mut statement => {
                        break done.map_err(|e| failed(&e, spec, &prefix, &self.database))?;
                    }
                    Ok(()) = steps.changed() => {
                        let now = steps.borrow_and_update().clone();
                        self.note_progress(now, (i, count), &mut extra).await?;
                    }
                }
            };
            // a statement may end together with the news of its number
            let number = steps.borrow_and_update().query_id.clone();
            if let Some(number) = number.filter(|number| extra.get("cancel_query") != Some(&json!(number))) {
                extra.insert("cancel_query".into(), json!(number));
                self.note(Vec::new(), extra.clone()).await?;
            }
        }
        self.close(session, prepared.writes, spec).await?;
        Ok(found)
    }

    /// Notes how far a statement is and by which number it can be cancelled.
    async fn note_progress(
        &mut self,
        now: Progress,
        (block, count): (usize, usize),
        extra: &mut Map<String, Value>,
    ) -> Result<(), Halt> {
        if let Some(number) = now.query_id {
            extra.insert("cancel_query".into(), json!(number));
        }
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
        let percent = ((block as f64 * 100.0 + now.percent) / count.max(1) as f64) as i64;
        self.note(vec![("progress", percent.clamp(0, 100).into())], extra.clone()).await
    }

    async fn close(&self, session: Box<dyn Session>, commit: bool, spec: &EngineSpec) -> Result<(), Halt> {
        session.finish(commit).await.map_err(|e| failed(&e, spec, "", &self.database))
    }

    async fn finish(
        &mut self,
        prepared: Prepared,
        mut found: ResultSet,
        stored_limit: Option<i64>,
    ) -> Result<QueryResult, Halt> {
        let only_dropdown = self.only_dropdown_limits();
        let spec = database_describe::engine(&self.database);
        let native: Vec<String> = found.columns.iter().map(|c| c.sql_type.clone()).collect();
        let limit = prepared.limit.and_then(|limit| usize::try_from(limit).ok());
        let decided = self.query.limiting_factor.take();
        let over = limit.is_some_and(|limit| found.row_count() > limit);
        // the original reads the row before this is decided when only the dropdown counts
        let shown = if over {
            if only_dropdown { Some("UNKNOWN".to_owned()) } else { decided.clone() }
        } else {
            Some("NOT_LIMITED".to_owned())
        };
        let frame = run_blocking(move || {
            if let (true, Some(limit)) = (over, limit) {
                for column in &mut found.data {
                    column.truncate(limit);
                }
            }
            Frame::from(found)
        });
        let frame = frame.await?;
        let columns = columns::describe(&frame, &native, spec);
        let mut extra = self.query.extra();
        extra.insert("progress".into(), Value::Null);
        extra.insert("columns".into(), columns.clone());
        self.query.extra_json = Some(dumps(&Value::Object(extra)));
        let rows = i64::try_from(frame.row_count()).unwrap_or(i64::MAX);
        self.query.rows = Some(rows);
        self.query.progress = Some(100);
        self.query.limit = prepared.limit;
        self.query.limiting_factor = shown;
        self.query.status = Some(status::SUCCESS.to_owned());
        self.query.end_time = Some(now_ms());
        self.query.changed_on = Some(clock::utc_now());
        if let Some(created) = &prepared.created {
            self.query.tmp_table_name = Some(created.name.clone());
            self.query.select_sql = Some(created.select_sql.clone());
            self.query.select_as_cta_used = Some(true);
        }
        let mut result =
            QueryResult { query: describe(&self.caller.app.config, &self.query), frame, columns };
        let key =
            if prepared.created.is_none() && self.is_async { self.store(&mut result).await? } else { None };
        self.query.results_key.clone_from(&key);
        let (limit, factor) = match only_dropdown {
            true => (stored_limit, decided),
            false => (self.query.limit, self.query.limiting_factor.clone()),
        };
        let done = self
            .settle(vec![
                ("status", status::SUCCESS.into()),
                ("rows", rows.into()),
                ("progress", 100_i64.into()),
                ("limit", limit.into()),
                ("limiting_factor", factor.into()),
                ("tmp_table_name", self.query.tmp_table_name.clone().into()),
                ("select_sql", self.query.select_sql.clone().into()),
                ("select_as_cta_used", prepared.created.is_some().into()),
                ("results_key", key.into()),
                ("extra_json", self.query.extra_json.clone().into()),
            ])
            .await?;
        if done { Ok(result) } else { Err(Halt::Stopped) }
    }

    async fn store(&self, result: &mut QueryResult) -> Result<Option<String>, Halt> {
        let key = Uuid::new_v4().to_string();
        result.query["resultsKey"] = json!(key);
        let json = result.json(None);
        if let Some(max) =
            self.caller.app.config.get("SQLLAB_PAYLOAD_MAX_MB").as_f64().filter(|max| *max > 0.0)
        {
            let size = json.len() as f64 / 1_048_576.0;
            if size > max {
                let text = format!("Result size ({size:.2} MB) exceeds the allowed limit of {max} MB.");
                return Err(Halt::Failed(Refusal::new(ErrorType::ResultTooLargeError, text)));
            }
        }
        let seconds =
            self.database.cache_timeout.or_else(|| self.caller.app.config.int("CACHE_DEFAULT_TIMEOUT"));
        if self.caller.app.sql_lab.results.put(&key, json, seconds.unwrap_or(86_400)).await {
            return Ok(Some(key));
        }
        let text = "Failed to store query results. Please try again.";
        Err(Halt::Failed(Refusal::new(ErrorType::ResultsBackendError, text)))
    }
}

/// What the database said, explained where it is known.
fn failed(error: &EngineError, spec: &EngineSpec, prefix: &str, database: &Database) -> Halt {
    if let EngineError::OAuth2Redirect(redirect) = error {
        let message = format!("{prefix}{}", redirect.message);
        return Halt::Failed(Refusal { message, errors: vec![infra::error::SupersetError::clone(redirect)] });
    }
    if matches!(error, EngineError::Timeout(_)) {
        return Halt::TimedOut;
    }
    let text = format!("{} error: {error}", spec.engine);
    let context = [("database", database.database_name.as_str())];
    let message = format!("{prefix}{text}").trim().to_owned();
    Halt::Failed(Refusal { errors: spec.extract_errors(&text, &context), message })
}
