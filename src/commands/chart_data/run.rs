//! A chart data request from its body to its answer (`ChartDataCommand`).

use std::sync::Arc;

use daos::chart;
use futures_util::future::join_all;
use infra::{Error, Result, config::Config, error::SupersetError};
use query::{
    QueryError,
    post_processing::post_process,
    query_object::{
        self, DTTM_ALIAS, Limits, QueryContext, QueryObject, RequestBody, ResultType, unknown_columns,
    },
};
use serde_json::{Value, json};

use super::{
    Answer, ChartData, Clock, LoadedDataset, SqlContext, TemplateScope, annotations, key, offsets,
    payload::{QueryRun, Rows},
    totals,
};
use crate::{
    Principal, Services,
    access::{guest_payload, objects},
    cache_keys,
};

/// A request that may be answered.
pub struct Prepared {
    context: QueryContext,
    sql: SqlContext,
    user: Arc<Principal>,
    chart_timeout: Option<i64>,
}

/// Checks a request body, its dataset and the caller's rights.
pub async fn prepare(app: &Arc<Services>, user: &Arc<Principal>, body: &Value) -> Result<Prepared> {
    prepare_with(app, user, body, &[]).await
}

/// The same with the query string of the request, which templates may read.
pub async fn prepare_with(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    body: &Value,
    url_args: &[(String, String)],
) -> Result<Prepared> {
    let loaded = query_object::schema::load(body).map_err(QueryError::into_answer)?;
    let asked: Vec<Value> = match body.get("queries") {
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    let dataset = find_dataset(app, user, &loaded).await?;
    let scope = TemplateScope::new(user, body, url_args);
    let prepared = prepare_scoped(app, user, loaded, dataset, scope).await?;
    let form_data = prepared.context.form_data.as_ref();
    guest_payload::raise_for_modified_payload(app, user, form_data, &asked).await?;
    Ok(prepared)
}

async fn find_dataset(app: &Services, user: &Principal, body: &RequestBody) -> Result<LoadedDataset> {
    let id = body.datasource.id;
    let found = match body.datasource.type_.name() {
        "table" => LoadedDataset::find(app, user, id).await?,
        "query" => LoadedDataset::of_query(app, user, id).await?,
        "saved_query" => None,
        _ => {
            let text = "DAO datasource query source type is not supported";
            return Err(Error::sip40(500, SupersetError::new("GENERIC_BACKEND_ERROR", text)));
        }
    };
    found.ok_or_else(Error::not_found)
}

/// The same for a body and a dataset that are at hand already; raises for access to the dataset.
pub async fn prepare_loaded(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    body: RequestBody,
    dataset: LoadedDataset,
) -> Result<Prepared> {
    let scope = TemplateScope::new(user, &Value::Null, &[]);
    prepare_scoped(app, user, body, dataset, scope).await
}

async fn prepare_scoped(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    body: RequestBody,
    dataset: LoadedDataset,
    scope: TemplateScope,
) -> Result<Prepared> {
    let clock = Clock::new(&app.config);
    let ranges = |range: Option<&str>, shift: Option<&str>, extras: &_| clock.resolve(range, shift, extras);
    let mut context = query_object::assemble(body, &dataset.description, &limits(&app.config), &ranges)
        .map_err(QueryError::into_answer)?;
    let date_ranges = app.config.flag("DATE_RANGE_TIMESHIFTS_ENABLED");
    let mut sql = SqlContext { app: app.clone(), dataset, clock, scope: Arc::new(scope) };
    for query in &mut context.queries {
        sql.validate(query, date_ranges).await.map_err(QueryError::into_answer)?;
    }
    if !sql.dataset.is_query {
        objects::raise_for_dataset(app, user, &sql.dataset.row, context.form_data.as_ref()).await?;
    }
    sql.dataset.add_rules_of(app, user, &context.queries).await?;
    let chart_timeout = match context.slice_id() {
        Some(id) => chart::find(app.db.exec(), id).await?.and_then(|c| c.cache_timeout),
        None => None,
    };
    Ok(Prepared { context, sql, user: user.clone(), chart_timeout })
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
        let data = self.run_all().await?;
        if data.result_type != ResultType::Query
            && let Some(error) = data.queries.iter().find_map(Answer::error)
        {
            return Err(Error::bad_request(format!("Error: {error}")));
        }
        Ok(data)
    }

    /// Answers every query; failures stay in the answers.
    pub async fn run_all(mut self) -> Result<ChartData> {
        totals::provide(&self.sql, &mut self.context.queries).await.map_err(QueryError::into_answer)?;
        let answers = join_all(self.context.queries.iter().map(|q| self.answer(q))).await;
        let queries =
            answers.into_iter().collect::<Result<Vec<_>, QueryError>>().map_err(QueryError::into_answer)?;
        Ok(ChartData {
            result_type: self.context.result_type,
            result_format: self.context.result_format,
            queries,
            dataset: self.sql.dataset,
            form_data: self.context.form_data,
        })
    }

    async fn answer(&self, query: &QueryObject) -> Result<Answer, QueryError> {
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
                self.rows(query).await
            }
            _ => self.rows(query.clone()).await,
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
    async fn rows(&self, query: QueryObject) -> Result<Answer, QueryError> {
        let app = &self.sql.app;
        let cache_timeout = self.cache_timeout();
        let sql = self.sql.resolved(Some(&query)).await?;
        let mut extra = Vec::new();
        if sql.has_templates(&query) {
            let keys = match sql.build_resolved(&query).await {
                Ok((_, keys)) => keys,
                // it fails again, with its message, when it is executed
                Err(error) => vec![json!(error.to_string())],
            };
            extra.push(("extra_cache_keys", Value::Array(keys)));
        }
        let cache_key = key::of_query(&query, &sql.dataset, &extra);
        let answer = |run: Arc<QueryRun>, is_cached: bool| {
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
            }))
        };
        let force = self.context.force || cache_timeout == -1;
        if !force && let Some(run) = app.data_cache.get(&cache_key).await {
            return Ok(answer(run, true));
        }
        if let Some(error) = self.missing_columns(&query) {
            return Ok(answer(Arc::new(QueryRun::failed(error)), false));
        }
        let start = || {
            let (sql, user, query) = (sql.clone(), self.user.clone(), query.clone());
            async move { execute(sql, user, query, force).await.map(Arc::new).map_err(Arc::new) }
        };
        // Row-level rules are part of the key. Annotations answer with what the caller may see: they fly alone.
        let flight = match self.user.user_id() {
            _ if query.annotation_layers.is_empty() => cache_key.clone(),
            user => format!("{cache_key}-{user:?}"),
        };
        let run = app.flights.join(&flight, start).await.map_err(|e| shared(&e))?;
        if run.error.is_none() && query.annotation_layers.is_empty() {
            app.data_cache.insert(cache_key.clone(), run.clone(), run.bytes(), cache_timeout).await;
            cache_keys::remember(app, &cache_key, cache_timeout, &sql.dataset.uid()).await;
        }
        Ok(answer(run, false))
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
        let config = &self.sql.app.config;
        // 0 says nothing
        own.filter(|t| *t != 0)
            .or_else(|| config.get("DATA_CACHE_CONFIG").get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64))
            .or_else(|| config.int("CACHE_DEFAULT_TIMEOUT"))
            .unwrap_or(86_400)
    }
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
/// asks for the impossible, is an outcome; other errors end the request.
async fn execute(
    sql: SqlContext,
    user: Arc<Principal>,
    query: QueryObject,
    force: bool,
) -> Result<QueryRun, QueryError> {
    match try_execute(&sql, &user, &query, force).await {
        Err(QueryError::Validation(error)) => Ok(QueryRun::failed(error)),
        other => other,
    }
}

async fn try_execute(
    sql: &SqlContext,
    user: &Arc<Principal>,
    query: &QueryObject,
    force: bool,
) -> Result<QueryRun, QueryError> {
    let fetched = sql.fetch(query).await?;
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
        None => annotations::of(sql, user, query, force).await?,
        Some(_) => json!({}),
    };
    let steps = query.post_processing.clone();
    let dataset = sql.dataset.description.clone();
    let (built, error) = (fetched.built, fetched.error);
    let work = move || -> Result<QueryRun, QueryError> {
        if !steps.is_empty() && !frame.is_empty() {
            frame = post_process(frame, &steps)?;
        }
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
    tokio::task::spawn_blocking(work).await.map_err(|e| QueryError::Answer(Error::internal(e)))?
}

/// All statements of a query.
fn joined(built: &query::build_sql::BuiltQuery) -> String {
    let mut all = built.prequeries.clone();
    all.push(built.sql.clone());
    all.join(";\n\n")
}

/// Result type `columns`.
fn columns(sql: &SqlContext) -> Value {
    use infra::engines::GenericType;
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
    let grain = |g: &infra::engines::spec::TimeGrain<'_>| json!({"name": g.name, "function": g.function, "duration": g.duration});
    json!({"data": grains.iter().map(grain).collect::<Vec<_>>()})
}
