//! A chart data request from its body to its answer (`ChartDataCommand`).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use daos::chart;
use futures_util::future::join_all;
use infra::{
    Error, Result,
    compute::{Lease, run_blocking},
    config::Config,
    error::{ErrorType, SupersetError},
};
use query::{
    QueryError,
    build_sql::BuiltQuery,
    post_processing::post_process,
    query_object::{
        self, DTTM_ALIAS, Limits, QueryContext, QueryObject, RequestBody, ResultType, unknown_columns,
    },
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::annotations;
use crate::query_run::{
    Answer, ChartData, Clock, LoadedDataset, SqlContext, TemplateScope, bounds, key, offsets,
    payload::{QueryRun, Rows},
    totals,
};
use crate::{
    Caller,
    access::{guest, objects},
    query_run::cached_run::CachedRun,
};

/// Queries of one request that are under way at a time.
const AT_ONCE: usize = 16;

/// A request that may be answered.
pub struct Prepared {
    context: QueryContext,
    sql: SqlContext,
    chart_timeout: Option<i64>,
}

/// Checks a request body, its dataset and the caller's rights.
pub async fn prepare(caller: &Caller, body: &Value) -> Result<Prepared> {
    prepare_with(caller, body, &[]).await
}

/// The same with the query string of the request, which templates may read.
pub async fn prepare_with(caller: &Caller, body: &Value, url_args: &[(String, String)]) -> Result<Prepared> {
    prepare_body(caller, body, url_args, Check::Request).await
}

/// The same for the stored query of a chart that the caller may see.
pub async fn prepare_stored(
    caller: &Caller,
    body: &Value,
    url_args: &[(String, String)],
) -> Result<Prepared> {
    prepare_body(caller, body, url_args, Check::Dataset).await
}

/// What is left to be checked of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Access to the dataset, and that guests ask for no more than they are shown.
    Request,
    /// Access to the dataset.
    Dataset,
    /// Nothing: the caller has checked it.
    Nothing,
}

async fn prepare_body(
    caller: &Caller,
    body: &Value,
    url_args: &[(String, String)],
    check: Check,
) -> Result<Prepared> {
    let loaded = query_object::schema::load(body).map_err(QueryError::into_answer)?;
    let dataset = find_dataset(caller, &loaded).await?;
    let scope = TemplateScope::new(body, url_args);
    prepare_scoped(caller, loaded, dataset, scope, check).await
}

async fn find_dataset(caller: &Caller, body: &RequestBody) -> Result<LoadedDataset> {
    let id = body.datasource.id;
    let found = match body.datasource.type_.name() {
        "table" => LoadedDataset::find(caller, id).await?,
        "query" => LoadedDataset::of_query(caller, id).await?,
        "saved_query" => None,
        _ => {
            let text = "DAO datasource query source type is not supported";
            return Err(Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, text)));
        }
    };
    found.ok_or_else(Error::not_found)
}

/// The same for a body and a dataset that are at hand already.
pub async fn prepare_loaded(
    caller: &Caller,
    body: RequestBody,
    dataset: LoadedDataset,
    check: Check,
) -> Result<Prepared> {
    let scope = TemplateScope::new(&Value::Null, &[]);
    prepare_scoped(caller, body, dataset, scope, check).await
}

async fn prepare_scoped(
    caller: &Caller,
    body: RequestBody,
    dataset: LoadedDataset,
    scope: TemplateScope,
    check: Check,
) -> Result<Prepared> {
    let clock = Clock::new(&caller.app.config);
    let ranges = |range: Option<&str>, shift: Option<&str>, extras: &_| clock.resolve(range, shift, extras);
    let mut context =
        query_object::assemble(body, &dataset.description, &limits(&caller.app.config), &ranges)
            .map_err(QueryError::into_answer)?;
    if check == Check::Request {
        guest::raise_for_modified(caller, &dataset.description, &context).await?;
    }
    let date_ranges = caller.app.config.flag("DATE_RANGE_TIMESHIFTS_ENABLED");
    let mut sql = SqlContext { caller: caller.clone(), dataset, clock, scope: Arc::new(scope), memory: None };
    for query in &mut context.queries {
        sql.validate(query, date_ranges).await.map_err(QueryError::into_answer)?;
    }
    if !sql.dataset.is_query && check != Check::Nothing {
        objects::raise_for_dataset(caller, &sql.dataset.row, context.form_data.as_ref()).await?;
    }
    sql.dataset.add_rules_of(caller, &context.queries).await?;
    let chart_timeout = match context.slice_id() {
        Some(id) => chart::find(caller.app.db.exec(), id).await?.and_then(|c| c.cache_timeout),
        None => None,
    };
    Ok(Prepared { context, sql, chart_timeout })
}

fn limits(config: &Config) -> Limits {
    let default = Limits::default();
    Limits {
        row_limit: config.int("ROW_LIMIT").unwrap_or(default.row_limit),
        samples_row_limit: config.int("SAMPLES_ROW_LIMIT").unwrap_or(default.samples_row_limit),
        sql_max_row: config.int("SQL_MAX_ROW").unwrap_or(default.sql_max_row),
        table_viz_max_row_server: config
            .int("TABLE_VIZ_MAX_ROW_SERVER")
            .unwrap_or(default.table_viz_max_row_server),
        bounds: bounds::bounds(config),
    }
}

impl Prepared {
    /// The query context.
    pub fn context(&self) -> &QueryContext {
        &self.context
    }

    /// The query context, to be changed before it runs (overrides of annotations).
    pub fn context_mut(&mut self) -> &mut QueryContext {
        &mut self.context
    }

    /// What the queries are about.
    pub fn sql(&self) -> &SqlContext {
        &self.sql
    }

    /// Answers every query. A query that fails ends the request, unless only SQL was asked for.
    pub async fn run(self) -> Result<ChartData> {
        succeeded(self.run_all().await?)
    }

    /// Answers every query; failures stay in the answers.
    pub async fn run_all(mut self) -> Result<ChartData> {
        totals::provide(&self.sql, &mut self.context.queries).await.map_err(QueryError::into_answer)?;
        let queries = self.answers(&self.context.queries, &Source::Anywhere).await?;
        Ok(self.data(queries))
    }

    /// The answer, if the cache has all of it or nothing asks the cache (`force_cached`). What failed ends the request.
    pub async fn run_from_cache(&self) -> Result<Option<ChartData>> {
        let missed = AtomicBool::new(false);
        match self.run_shared(&Source::Cache(&missed)).await {
            Err(_) if missed.load(Relaxed) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Puts the answer into the cache, for [`Self::run_from_cache`] of whoever has the same rights.
    pub async fn run_into_cache(&self) -> Result<()> {
        self.run_shared(&Source::Anywhere).await.map(|_| ())
    }

    /// The totals are asked for as all queries are: with the cache, and once for all who ask.
    async fn run_shared(&self, from: &Source<'_>) -> Result<ChartData> {
        let mut queries = self.context.queries.clone();
        if let Some(query) = totals::wanted(&mut queries) {
            let answer = Box::pin(self.rows(query, from)).await.map_err(QueryError::into_answer)?;
            if let Answer::Rows(rows) = answer {
                totals::fill(&mut queries, &rows.run.frame);
            }
        }
        let answers = self.answers(&queries, from).await?;
        succeeded(self.data(answers))
    }

    /// What is stored of the request, so that it can be asked again by a key alone, and for how many seconds.
    pub fn stored(&self) -> (Value, i64) {
        let mut data = serde_json::Map::new();
        data.insert("form_data".to_owned(), self.context.form_data.clone().unwrap_or_default());
        data.extend(self.context.cache_values.as_object().cloned().unwrap_or_default());
        (Value::Object(data), self.cache_timeout())
    }

    /// The same request without the query string of an address: templates read the stored request alone.
    #[must_use]
    pub fn without_url_args(mut self) -> Self {
        let scope = TemplateScope::new(&self.stored().0, &[]);
        self.sql.scope = Arc::new(scope);
        self
    }

    async fn answers(&self, queries: &[QueryObject], from: &Source<'_>) -> Result<Vec<Answer>> {
        let turns = Semaphore::new(AT_ONCE);
        // boxed: inlined into one another the futures of a request fill a thread's stack
        let answers = queries.iter().map(|query| {
            Box::pin(async {
                let _turn = turns.acquire().await;
                self.answer(query, from).await
            })
        });
        let answers = join_all(answers).await;
        answers.into_iter().collect::<Result<Vec<_>, QueryError>>().map_err(QueryError::into_answer)
    }

    fn data(&self, queries: Vec<Answer>) -> ChartData {
        ChartData {
            result_type: self.context.result_type,
            result_format: self.context.result_format,
            queries,
            dataset: self.sql.dataset.clone(),
            form_data: self.context.form_data.clone(),
        }
    }

    async fn answer(&self, query: &QueryObject, from: &Source<'_>) -> Result<Answer, QueryError> {
        let dataset = &self.sql.dataset.description;
        match query.result_type {
            ResultType::Columns => Ok(Answer::Plain(columns(&self.sql))),
            ResultType::Timegrains => Ok(Answer::Plain(timegrains(&self.sql))),
            ResultType::Query => self.sql_text(query).await,
            ResultType::Samples | ResultType::DrillDetail => {
                let drill = query.result_type == ResultType::DrillDetail;
                let mut query = query.clone();
                query.is_timeseries = false;
                query.metrics = None;
                query.post_processing = Vec::new();
                let names = dataset.columns.iter().map(|c| c.column_name.clone());
                query.columns = names.map(query_object::Column::Name).collect();
                if drill {
                    let first = dataset.columns.first().map(|c| (json!(c.column_name), true));
                    query.orderby = first.into_iter().collect();
                } else {
                    query.orderby = Vec::new();
                    query.from_dttm = None;
                    query.to_dttm = None;
                }
                Box::pin(self.rows(query, from)).await
            }
            _ => Box::pin(self.rows(query.clone(), from)).await,
        }
    }

    async fn sql_text(&self, query: &QueryObject) -> Result<Answer, QueryError> {
        let mut value = json!({"language": "sql"});
        match self.sql.build(query).await {
            Ok(built) => value["query"] = json!(built.query_str()),
            Err(QueryError::Validation(error)) => value["error"] = json!(error),
            Err(QueryError::Answer(Error::Sip40 { errors, status: 422 })) => {
                for error in errors.into_iter().take(1) {
                    if let Some(sql) = error.extra.as_ref().and_then(|e| e.get("sql")) {
                        value["query"] = sql.clone();
                    }
                    value["error"] = json!(error.message);
                }
            }
            Err(other) => return Err(other),
        }
        Ok(Answer::Plain(value))
    }

    /// Rows of a query object: from the cache, from a flight, from the database.
    async fn rows(&self, query: QueryObject, from: &Source<'_>) -> Result<Answer, QueryError> {
        let app = &self.sql.caller.app;
        let cache_timeout = self.cache_timeout();
        let sql = Box::pin(self.sql.resolved(Some(&query))).await?;
        let mut extra = Vec::new();
        let mut built = None;
        if sql.has_templates(&query) {
            // what templates say is part of the key; the SQL that they give is executed as it is
            let (outcome, keys) = match sql.build_resolved(&query).await {
                Ok((done, keys)) => (Ok(done), keys),
                Err(error) => {
                    let keys = vec![json!(error.to_string())];
                    (Err(error), keys)
                }
            };
            built = Some(outcome);
            extra.push(("extra_cache_keys", Value::Array(keys)));
        }
        let cache_key = key::of_query(&query, &sql.dataset, &extra);
        let answer = |run: Arc<QueryRun>, is_cached: bool, memory: Option<Arc<Lease>>| {
            Answer::Rows(Box::new(Rows {
                run,
                dataset: self.sql.dataset.clone(),
                cache_key: cache_key.clone(),
                cache_timeout,
                is_cached,
                result_type: query.result_type,
                query: query.clone(),
                processed: None,
                extra: Vec::new(),
                memory,
            }))
        };
        let force = self.context.force || cache_timeout == -1;
        if !force && let Some(run) = app.data_cache.get(&cache_key).await {
            return Ok(answer(run, true, None));
        }
        if let Source::Cache(missed) = from
            && !force
        {
            missed.store(true, Relaxed);
            return Err(QueryError::Answer(Error::unprocessable("Error loading data from cache")));
        }
        if let Some(error) = self.missing_columns(&query) {
            return Ok(answer(Arc::new(QueryRun::failed(error)), false, None));
        }
        let place = CachedRun {
            key: cache_key.clone(),
            timeout: cache_timeout,
            uid: sql.dataset.uid(),
            answers: !force,
            shared: query.annotation_layers.is_empty(),
        };
        let start = || {
            let (sql, query, caller) = (sql.clone(), query.clone(), sql.caller.clone());
            let quota_key = caller.user.quota_key();
            let work = place.or_execute(caller, move || Box::pin(execute(sql, query, built, force)));
            // a task of its own: it lives as long as anybody waits for it, whoever began it
            let work = app.compute.spawn(&quota_key, work);
            async move { work.await.map_err(QueryError::from).flatten().map_err(Arc::new) }
        };
        // Row-level rules are part of the key. Annotations answer with what the caller may see: they fly alone.
        let flight = match sql.caller.user.user_id() {
            _ if query.annotation_layers.is_empty() => cache_key.clone(),
            user => format!("{cache_key}-{user:?}"),
        };
        let (run, memory) = app.flights.join(&flight, start).await.map_err(|e| shared(&e))?;
        Ok(answer(run, false, Some(memory)))
    }

    fn missing_columns(&self, query: &QueryObject) -> Option<String> {
        let known = |name: &str| name == DTTM_ALIAS || self.sql.dataset.description.column(name).is_some();
        let missing = unknown_columns(&query.columns, query.metrics.iter().flatten(), known)?;
        Some(format!("Columns missing in dataset: {missing}"))
    }

    /// Request, chart, dataset, database, installation; the first that says anything.
    fn cache_timeout(&self) -> i64 {
        let own = self
            .context
            .custom_cache_timeout
            .or(self.chart_timeout)
            .or(self.sql.dataset.row.cache_timeout)
            .or(self.sql.dataset.database.cache_timeout);
        let config = &self.sql.caller.app.config;
        // 0 says nothing
        own.filter(|t| *t != 0)
            .or_else(|| config.get("DATA_CACHE_CONFIG").get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64))
            .or_else(|| config.int("CACHE_DEFAULT_TIMEOUT"))
            .unwrap_or(86_400)
    }
}

/// Where rows may come from.
enum Source<'a> {
    /// The cache, a query that is under way, the database.
    Anywhere,
    /// The cache alone; tells when it had not all.
    Cache(&'a AtomicBool),
}

/// A query that failed is the failure of the request, unless only SQL was asked for.
fn succeeded(data: ChartData) -> Result<ChartData> {
    if data.result_type != ResultType::Query
        && let Some(error) = data.queries.iter().find_map(Answer::error)
    {
        return Err(Error::bad_request(format!("Error: {error}")));
    }
    Ok(data)
}

/// One error for each of those who waited for it.
fn shared(error: &QueryError) -> QueryError {
    match error {
        QueryError::Validation(text) => QueryError::Validation(text.clone()),
        QueryError::Generic(text) => QueryError::Generic(text.clone()),
        QueryError::Answer(answer) => QueryError::Answer(match answer {
            Error::Message { status, message } => {
                Error::Message { status: *status, message: message.clone() }
            }
            Error::Sip40 { status, errors } => Error::Sip40 { status: *status, errors: errors.clone() },
            Error::Legacy { status, error } => Error::Legacy { status: *status, error: error.clone() },
            Error::Internal(source) => Error::Internal(source.clone()),
        }),
    }
}

/// Executes a query object with its offsets, operations and annotations. A query that the database refuses, or that
/// asks for the impossible, is an outcome; other errors end the request. `built` is what became of building its SQL,
/// where that was needed before.
async fn execute(
    mut sql: SqlContext,
    query: QueryObject,
    built: Option<Result<BuiltQuery, QueryError>>,
    force: bool,
) -> Result<(Arc<QueryRun>, Arc<Lease>), QueryError> {
    let memory = sql.caller.lease().await?;
    sql.memory = Some(memory.clone());
    let run = match try_execute(&sql, &query, built, force, &memory).await {
        Err(QueryError::Validation(error)) => QueryRun::failed(error),
        other => other?,
    };
    Ok((Arc::new(run), memory))
}

async fn try_execute(
    sql: &SqlContext,
    query: &QueryObject,
    built: Option<Result<BuiltQuery, QueryError>>,
    force: bool,
    memory: &Arc<Lease>,
) -> Result<QueryRun, QueryError> {
    let fetched = match built {
        Some(built) => sql.fetch_built(built?).await?,
        None => sql.fetch(query).await?,
    };
    let sql_rowcount = fetched.frame.row_count();
    let mut text = format!("{};\n\n", joined(&fetched.built));
    let mut frame = fetched.frame;
    if !frame.is_empty() {
        sql.normalize(&mut frame, query)?;
        if !query.time_offsets.is_empty() {
            let (with_offsets, queries) = offsets::join(sql, frame, query).await?;
            frame = with_offsets;
            text.push_str(&queries.join(";\n\n"));
            text.push_str(";\n\n");
        }
    }
    let annotation_data = match fetched.error {
        None => annotations::load(sql, query, force).await?,
        Some(_) => json!({}),
    };
    let steps = query.post_processing.clone();
    let dataset = sql.dataset.description.clone();
    let (built, error) = (fetched.built, fetched.error);
    let memory = memory.clone();
    let work = move || -> Result<QueryRun, QueryError> {
        if !steps.is_empty() && !frame.is_empty() {
            frame = post_process(frame, &steps)?;
            let cells = frame.columns.len().saturating_mul(frame.row_count());
            charge(&memory, cells.saturating_mul(CELL).saturating_sub(memory.bytes()))?;
        }
        // the rows as JSON, about as large
        charge(&memory, memory.bytes())?;
        let mut run = QueryRun::new(frame, text);
        run.applied_template_filters = built.applied_template_filters;
        run.applied_filter_columns = built.applied_filter_columns;
        run.rejected_filter_columns = built.rejected_filter_columns;
        run.annotation_data = annotation_data;
        run.sql_rowcount = sql_rowcount;
        run.error = error;
        if run.error.is_none() {
            run.encode(&dataset);
        }
        Ok(run)
    };
    run_blocking(work).await?
}

/// Bytes of a value that is no text.
const CELL: usize = 16;

fn charge(memory: &Lease, bytes: usize) -> Result<(), QueryError> {
    memory.charge(bytes).map_err(|e| QueryError::validation(e.to_string()))
}

/// All statements of a query.
fn joined(built: &BuiltQuery) -> String {
    let mut all = built.prequeries.clone();
    all.push(built.sql.clone());
    all.join(";\n\n")
}

/// Result type `columns`.
fn columns(sql: &SqlContext) -> Value {
    use infra::engine_specs::GenericType;
    let dataset = &sql.dataset.description;
    let column = |c: &query::dataset::DatasetColumn| {
        let native = dataset.engine.generic_type(c.type_.as_deref().unwrap_or_default());
        let dtype = match native {
            _ if c.is_dttm.unwrap_or(native == Some(GenericType::Temporal)) => GenericType::Temporal,
            Some(GenericType::Numeric) => GenericType::Numeric,
            _ => GenericType::String,
        };
        json!({"column_name": c.column_name, "verbose_name": c.verbose_name, "dtype": dtype as u8})
    };
    json!({"data": dataset.columns.iter().map(column).collect::<Vec<_>>()})
}

/// Result type `timegrains`.
fn timegrains(sql: &SqlContext) -> Value {
    let grains = sql.dataset.description.engine.time_grains();
    let grain = |g: &infra::engine_specs::spec::TimeGrain<'_>| {
        json!({"name": g.name, "function": g.function,
        "duration": g.duration})
    };
    json!({"data": grains.iter().map(grain).collect::<Vec<_>>()})
}
