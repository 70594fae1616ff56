//! One query object: SQL, database, frame (`SqlaTable.query`, `get_query_result`).

use crate::connect;
use std::{collections::HashSet, sync::Arc};

use infra::{
    compute::Lease,
    engines::{Engine, EngineError, QueryOptions, column::ResultSet},
    sql,
};
use query::{
    QueryError,
    build_sql::{Answers, BuildContext, BuiltQuery, Step, build, distinct_values},
    encode::json::write_scalar,
    frame::{DateColumn, Frame, finite_or_null, infer_metric_objects, normalize_datetimes, relabel},
    query_object::{Column, QueryObject},
    time_range::parse_human_timedelta,
};
use serde_json::Value;

use super::{LoadedDataset, TemplateScope, query_access::Place, time::Clock, unread};
use crate::{Caller, Services, state::functions};

/// Label of the time column of legacy charts.
const DTTM_ALIAS: &str = "__timestamp";

/// Questions that building one query may ask the database.
const MAX_QUESTIONS: usize = 64;

/// What it takes to answer query objects of a dataset.
#[derive(Clone)]
pub struct SqlContext {
    /// Who asks.
    pub caller: Caller,
    /// The dataset.
    pub dataset: LoadedDataset,
    /// The clock of the request.
    pub clock: Clock,
    /// What templates see.
    pub scope: Arc<TemplateScope>,
    /// Where the memory of results is counted; one for each statement when there is none.
    pub memory: Option<Arc<Lease>>,
}

/// The answer of the database.
pub struct Fetched {
    /// Rows; empty after a failure.
    pub frame: Frame,
    /// The SQL.
    pub built: BuiltQuery,
    /// The driver's words when the database refused.
    pub error: Option<String>,
}

impl SqlContext {
    async fn engine(&self) -> Result<Engine, QueryError> {
        let catalog = self.dataset.row.catalog.as_deref();
        Ok(connect::engine_as(&self.caller, &self.dataset.database, catalog).await?)
    }

    fn options(&self) -> QueryOptions {
        query_options(&self.caller.app, self.dataset.row.schema.as_deref())
    }

    /// SQL of a query object; asks the database where building depends on its answers.
    pub async fn build(&self, query: &QueryObject) -> Result<BuiltQuery, QueryError> {
        // boxed: the callers lie deep on the stack
        let resolved = Box::pin(self.resolved(Some(query))).await?;
        Ok(Box::pin(resolved.build_resolved(query)).await?.0)
    }

    /// The same, once the rules of the tables inside are known, with what templates say that it depends on.
    pub(crate) async fn build_resolved(
        &self,
        query: &QueryObject,
    ) -> Result<(BuiltQuery, Vec<Value>), QueryError> {
        super::bounds::bounds(&self.caller.app.config).over(&self.dataset.description).check_query(query)?;
        let mut answers = Answers::default();
        for _ in 0..MAX_QUESTIONS {
            let (step, keys) = self.templated(&answers, Some(query), |cx| build(query, cx)).await?;
            match step {
                Step::Ready(built) => return Ok((*built, keys)),
                Step::Probes(probes) => {
                    if answers.probes.len() + probes.len() > MAX_QUESTIONS {
                        let text = format!(
                            "A query may have at most {MAX_QUESTIONS} adhoc columns with a type to \
                         be found out."
                        );
                        return Err(QueryError::validation(text));
                    }
                    for probe in probes {
                        let temporal = self.probe(&probe).await?;
                        answers.probes.insert(probe, temporal);
                    }
                }
                Step::Prequery(built) => {
                    let fetched = self.rows(&built.sql).await?;
                    let found = fetched.map_err(|e| QueryError::validation(e.to_string()))?;
                    answers.prequeries.insert(built.sql.clone(), plain_columns(&built, &found));
                }
            }
        }
        Err(QueryError::generic("the query depends on too many others"))
    }

    /// SQL of the distinct values of a column; none when the dataset has no such column.
    pub async fn distinct_values(
        &self,
        column: &str,
        limit: Option<i64>,
    ) -> Result<Option<String>, QueryError> {
        let resolved = Box::pin(self.resolved(None)).await?;
        let work = |cx: &BuildContext<'_>| distinct_values(column, limit, cx);
        Ok(resolved.templated(&Answers::default(), None, work).await?.0)
    }

    /// Whether the single column of a statement is temporal, or the database's words when it refuses it.
    async fn probe(&self, sql: &str) -> Result<Result<bool, String>, QueryError> {
        match self.rows(sql).await? {
            Ok(found) => {
                let sql_type = found.columns.first().map(|c| c.sql_type.as_str()).unwrap_or_default();
                let temporal = [
                    "date",
                    "datetime",
                    "datetime2",
                    "datetimeoffset",
                    "interval",
                    "smalldatetime",
                    "time",
                    "timestamp",
                    "timestamptz",
                    "timetz",
                ];
                Ok(Ok(temporal.iter().any(|t| sql_type.eq_ignore_ascii_case(t))))
            }
            Err(EngineError::Statement { message, .. }) => Ok(Err(message)),
            Err(e) => Err(QueryError::validation(e.to_string())),
        }
    }

    /// The statements as they are executed: parsed, judged and printed again.
    async fn printed(&self, sql: &str) -> Result<Vec<String>, QueryError> {
        let engine = &self.dataset.description.engine.engine;
        let mut script = sql::parse_or_take_unread(sql, engine).map_err(infra::Error::from)?;
        let place = Place { database: &self.dataset.database, schema: None, catalog: None };
        if script.is_unread() && !unread::may_run(&self.caller, &place).await? {
            script = sql::parse(sql, engine).map_err(infra::Error::from)?;
        }
        self.check(&script).await?;
        script.statements_mut().iter_mut().for_each(sql::Statement::materialize_joins);
        Ok(script.statements().iter().map(sql::Statement::format).collect())
    }

    /// Executes statements as Superset prints them; the rows are those of the last one. The inner error is the
    /// database's own.
    pub async fn rows(&self, sql: &str) -> Result<Result<ResultSet, EngineError>, QueryError> {
        let engine = self.engine().await?;
        let statements = self.printed(sql).await?;
        let memory = match &self.memory {
            Some(memory) => memory.clone(),
            None => self.caller.lease().await?,
        };
        let options = QueryOptions { memory: Some(memory), ..self.options() };
        if functions::mutates_sql(&self.caller) {
            return self.mutated_rows(&engine, statements, &options).await;
        }
        let mut last = Ok(ResultSet::default());
        for statement in statements {
            last = match engine.query(&statement, &options).await {
                Ok(rows) => Ok(rows),
                // not an outcome of the query: the caller is sent to get a token
                Err(EngineError::OAuth2Redirect(redirect)) => {
                    return Err(infra::Error::sip40(500, *redirect).into());
                }
                Err(error) => {
                    last = Err(error);
                    break;
                }
            };
        }
        Ok(last)
    }

    /// The same with what `SQL_QUERY_MUTATOR` makes of the statements, on one connection: it may set a role.
    async fn mutated_rows(
        &self,
        engine: &Engine,
        statements: Vec<String>,
        options: &QueryOptions,
    ) -> Result<Result<ResultSet, EngineError>, QueryError> {
        let name = &self.dataset.description.engine.engine;
        let mut pieces = Vec::new();
        for statement in statements {
            let text = functions::mutate_sql(&self.caller, &self.dataset.database, statement)?;
            pieces.extend(functions::pieces(&text, name));
        }
        let work = async {
            let mut session = engine.session(options).await?;
            let mut last = ResultSet::default();
            for piece in &pieces {
                last = session.query(piece).await?;
            }
            session.finish(false).await?;
            Ok(last)
        };
        match work.await {
            Err(EngineError::OAuth2Redirect(redirect)) => Err(infra::Error::sip40(500, *redirect).into()),
            done => Ok(done),
        }
    }

    /// Rows of a query object, with the labels it expects, not yet normalised.
    pub async fn fetch(&self, query: &QueryObject) -> Result<Fetched, QueryError> {
        self.fetch_built(self.build(query).await?).await
    }

    /// The same of a query object whose SQL is there already.
    pub(crate) async fn fetch_built(&self, built: BuiltQuery) -> Result<Fetched, QueryError> {
        match self.rows(&built.sql).await? {
            Ok(found) => {
                let mut frame = Frame::from(found);
                match relabel(&mut frame, &built.labels_expected) {
                    Ok(()) => Ok(Fetched { frame, built, error: None }),
                    Err(e) => Ok(Fetched { frame: Frame::default(), built, error: Some(e.to_string()) }),
                }
            }
            Err(e) => Ok(Fetched { frame: Frame::default(), built, error: Some(e.to_string()) }),
        }
    }

    /// Timestamps, metrics and infinities made uniform (`normalize_df`).
    pub fn normalize(&self, frame: &mut Frame, query: &QueryObject) -> Result<(), QueryError> {
        let dataset = &self.dataset.description;
        let shift_micros = match &query.time_shift {
            Some(shift) => parse_human_timedelta(shift, None, self.clock.now)
                .map_err(|e| QueryError::generic(e.to_string()))?
                .num_microseconds()
                .unwrap_or_default(),
            None => 0,
        };
        let axes = query.columns.iter().filter(|c| c.is_base_axis()).filter_map(Column::label);
        let labels = axes.chain(query.granularity.clone());
        let spec = |label: String, format: Option<String>| DateColumn {
            label,
            format: format.filter(|f| !f.is_empty()),
            offset_hours: i64::from(dataset.offset),
            shift_micros,
        };
        let mut columns = Vec::new();
        for label in labels {
            if let Some(column) = dataset.column(&label).filter(|c| c.is_dttm == Some(true)) {
                columns.push(spec(label, column.python_date_format.clone()));
            }
        }
        if frame.has(DTTM_ALIAS) {
            let time_column = query.granularity.as_deref().and_then(|g| dataset.column(g));
            columns.push(spec(DTTM_ALIAS.to_owned(), time_column.and_then(|c| c.python_date_format.clone())));
        }
        normalize_datetimes(frame, &columns);
        let metrics: HashSet<String> = query.metric_names(Some(dataset)).into_iter().collect();
        infer_metric_objects(frame, |label| metrics.contains(label));
        finite_or_null(frame);
        Ok(())
    }
}

/// Limits of a statement on behalf of a chart.
pub(crate) fn query_options(app: &Services, schema: Option<&str>) -> QueryOptions {
    let seconds = app.config.int("SUPERSET_WEBSERVER_TIMEOUT").unwrap_or(60).clamp(1, 86_400);
    QueryOptions {
        schema: schema.filter(|s| !s.is_empty()).map(str::to_owned),
        timeout: std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(60)),
        ..connect::limits(app)
    }
}

fn plain_columns(built: &BuiltQuery, found: &ResultSet) -> Vec<(String, Vec<Value>)> {
    let labels = built.labels_expected.iter().cloned();
    labels
        .zip(&found.data)
        .map(|(label, data)| {
            let value = |row| {
                let mut text = Vec::new();
                write_scalar(&mut text, &data.get(row));
                serde_json::from_slice(&text).unwrap_or(Value::Null)
            };
            (label, (0..data.len()).map(value).collect())
        })
        .collect()
}
