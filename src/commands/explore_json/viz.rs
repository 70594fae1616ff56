//! A legacy visualisation over its dataset: opening, querying, answering (`superset.viz:BaseViz`).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use chrono::NaiveDateTime;
use infra::{
    Error, Result,
    compute::Lease,
    error::{ErrorType, SupersetError},
};
use query::{
    QueryError,
    dataset::Dataset,
    encode::{csv, csv::CsvOptions},
    form_data::{FormData, int_or, md5_of},
    frame::{Frame, Label},
    legacy_viz::{Comparison, LegacyViz, Settings, VizError},
    python::repr_str,
    query_object::{Column, QueryObject, unknown_columns},
};
use serde_json::{Value, json};

use super::{
    form_data::datasource,
    layers,
    payload::{Payload, Rows},
};
use crate::{
    Caller, Services,
    access::{guest, objects},
    chart::form_data::form_data as stored_form_data,
    query_run::{Clock, LoadedDataset, QueryRun, SqlContext, TemplateScope, cached_run::CachedRun},
};

/// A visualisation that the caller may see.
pub struct Explored {
    pub(super) sql: SqlContext,
    pub(super) viz: LegacyViz,
    force: bool,
    /// Nothing but the cache may answer; told when it has not all.
    missed: Option<Arc<AtomicBool>>,
    /// What a guest may ask for.
    guest: Option<guest::Scope>,
}

/// What asking for a query object brought.
pub(super) struct Outcome {
    pub cache_key: String,
    /// When it was computed, if it comes from the cache.
    pub cached: Option<NaiveDateTime>,
    /// Rows as the database sent them; none after an exception.
    pub run: Option<Arc<QueryRun>>,
    pub errors: Vec<SupersetError>,
}

/// The envelope of an exception of the original.
pub(super) fn legacy_error(error: VizError) -> Error {
    let status = if matches!(error, VizError::Invalid(_)) { 400 } else { 500 };
    Error::Legacy { status, error: error.to_string() }
}

pub(super) fn viz_error(message: impl Into<String>) -> SupersetError {
    SupersetError::new(ErrorType::VizGetDfError, message)
}

impl Explored {
    /// Finds the dataset that the form data (or else the path) name and checks the caller's rights.
    pub async fn open(
        caller: &Caller,
        form_data: FormData,
        path: Option<(&str, i64)>,
        force: bool,
    ) -> Result<Self> {
        let (id, type_) = datasource(&form_data, path)?;
        let legacy = |status, error: String| Error::Legacy { status, error };
        let dataset = match type_.as_str() {
            "table" => LoadedDataset::find(caller, id).await?,
            "query" | "saved_query" => None,
            "dataset" | "view" => {
                return Err(legacy(422, "DAO datasource query source type is not supported".into()));
            }
            other => {
                return Err(legacy(500, format!("{} is not a valid DatasourceType", repr_str(other))));
            }
        };
        let dataset = dataset.ok_or_else(|| legacy(404, "Datasource does not exist".into()))?;
        let clock = Clock::new(&caller.app.config);
        let asked = Value::Object(form_data.clone());
        let viz = LegacyViz::new(form_data, settings(&caller.app, &clock)).map_err(legacy_error)?;
        let mut guest = guest::Scope::from_form_data(caller, &dataset.description, Some(&asked)).await?;
        if let Some(scope) = &mut guest {
            add_stored(&caller.app, scope, &dataset.description, &clock);
        }
        objects::raise_for_dataset(caller, &dataset.row, Some(&asked)).await?;
        // templates see the form data where chart data gives them its first query
        let body = serde_json::json!({"queries": [asked], "datasource": {"id": id}});
        let scope = Arc::new(TemplateScope::new(&body, &[]));
        Ok(Self {
            sql: SqlContext { caller: caller.clone(), dataset, clock, scope, memory: None },
            viz,
            force,
            missed: None,
            guest,
        })
    }

    /// Seconds that outcomes stay in the cache.
    pub(super) fn cache_timeout(&self) -> i64 {
        let config = &self.sql.caller.app.config;
        let of_viz = self.viz.form_data.get("cache_timeout").filter(|v| !v.is_null());
        of_viz
            .and_then(|_| int_or(&self.viz.form_data, "cache_timeout", 0))
            .or(self.sql.dataset.row.cache_timeout)
            .or(self.sql.dataset.database.cache_timeout)
            .or_else(|| config.get("DATA_CACHE_CONFIG").get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64))
            .or_else(|| config.int("CACHE_DEFAULT_TIMEOUT"))
            .unwrap_or(86_400)
    }

    fn cache_key(&self, query: &QueryObject, extra: &Value) -> String {
        let mut parts = query.to_json();
        if let Some(map) = parts.as_object_mut() {
            for key in ["from_dttm", "to_dttm", "inner_from_dttm", "inner_to_dttm"] {
                map.shift_remove(key);
            }
        }
        let dataset = &self.sql.dataset;
        let changed = |t: Option<NaiveDateTime>| t.map(|t| t.to_string());
        md5_of(&json!({
            "legacy": parts,
            "is_timeseries": query.is_timeseries,
            "time_range": self.viz.form_data.get("time_range"),
            "time_shift": self.viz.form_data.get("time_shift"),
            "extra": extra,
            "datasource": dataset.uid(),
            "rls": dataset.rls_key,
            "changed_on": changed(dataset.row.changed_on),
            "database_changed_on": changed(dataset.database.changed_on),
        }))
    }

    /// Rows of a query object, from the cache, from a flight or from the database; failures are part of the outcome.
    pub(super) async fn ask(&mut self, query: &QueryObject, extra: &Value) -> Result<Outcome> {
        let caller = self.sql.caller.clone();
        let app = &caller.app;
        self.raise_for_guest(query)?;
        self.sql.dataset.add_rules_of(&caller, std::slice::from_ref(query)).await?;
        let cache_key = self.cache_key(query, extra);
        let timeout = self.cache_timeout();
        let force = self.force || timeout == -1;
        if !force && let Some(run) = app.data_cache.get(&cache_key).await {
            return Ok(Outcome { cache_key, cached: Some(run.at), run: Some(run), errors: Vec::new() });
        }
        if let Some(missed) = &self.missed {
            missed.store(true, Relaxed);
            return Err(Error::Legacy { status: 400, error: "Cached value not found".to_owned() });
        }
        if let Some(message) = self.missing_columns(query) {
            return Ok(Outcome { cache_key, cached: None, run: None, errors: vec![viz_error(message)] });
        }
        let place = CachedRun {
            key: cache_key.clone(),
            timeout,
            uid: self.sql.dataset.uid(),
            answers: !force,
            shared: true,
        };
        let start = || {
            let (sql, query) = (self.sql.clone(), query.clone());
            let work = place.or_execute(caller.clone(), move || Box::pin(flown(sql, query)));
            let work = app.compute.spawn(&caller.user.quota_key(), work);
            async move { work.await.map_err(QueryError::from).flatten().map_err(Arc::new) }
        };
        let (run, errors) = match app.flights.join(&cache_key, start).await {
            Ok((run, _memory)) => match &run.error {
                None => (Some(run), Vec::new()),
                Some(error) => {
                    let spec = &self.sql.dataset.description.engine;
                    let errors = spec.extract_errors(error, &[]);
                    (Some(run), errors)
                }
            },
            Err(error) => match &*error {
                QueryError::Answer(Error::Internal(source)) => return Err(Error::internal(source)),
                QueryError::Answer(Error::Sip40 { errors, .. }) => {
                    let text = errors.first().map_or(String::new(), |e| e.message.clone());
                    (None, vec![viz_error(text)])
                }
                other => (None, vec![viz_error(other.to_string())]),
            },
        };
        Ok(Outcome { cache_key, cached: None, run, errors })
    }

    fn raise_for_guest(&mut self, query: &QueryObject) -> Result<()> {
        self.guest.as_mut().map_or(Ok(()), |scope| scope.raise_for(query))
    }

    fn missing_columns(&self, query: &QueryObject) -> Option<String> {
        let known = |name: &str| self.sql.dataset.description.column(name).is_some();
        let columns = query.columns.iter().chain(&query.groupby);
        let missing = unknown_columns(columns, query.metrics.iter().flatten(), known)?;
        Some(format!("Columns missing in datasource: {missing}"))
    }

    /// The whole answer, if it asks no database or the cache has all of it (`force_cached`).
    pub async fn payload_from_cache(mut self) -> Result<Option<Payload>> {
        let missed = Arc::new(AtomicBool::new(false));
        self.missed = Some(missed.clone());
        match self.payload().await {
            Err(_) if missed.load(Relaxed) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// `<id>__<type>` of the dataset.
    pub fn datasource(&self) -> String {
        self.sql.dataset.uid()
    }

    /// The whole answer (`get_payload`).
    pub async fn payload(self) -> Result<Payload> {
        let is_guest = self.guest.is_some();
        let mut payload =
            if self.viz.has_query() { self.queried().await? } else { layers::payload(self).await? };
        if is_guest {
            payload.hide_sql();
        }
        Ok(payload)
    }

    /// The whole answer of a visualisation with a query of its own.
    pub(super) async fn queried(mut self) -> Result<Payload> {
        let dataset = self.sql.dataset.description.clone();
        let (mut others, mut errors) = (Vec::new(), Vec::new());
        for comparison in self.viz.comparison_queries(&dataset).map_err(legacy_error)? {
            let outcome = self.ask(&comparison.query, &json!({"time_compare": comparison.option})).await?;
            match outcome.run {
                Some(run) if run.error.is_none() && !run.frame.is_empty() => others.push((comparison, run)),
                Some(_) => {}
                None => errors.extend(outcome.errors),
            }
        }
        let mut rows = self.rows().await?;
        rows.prepend_errors(errors);
        let (viz, rows, data) = busy(move || {
            let viz = self.viz;
            let data = if rows.failed() {
                None
            } else {
                let comparisons = others
                    .into_iter()
                    .map(|(asked, run)| {
                        let mut frame = raw_frame(&run);
                        viz.normalize(&mut frame, &dataset, &asked.query)?;
                        Ok(Comparison { option: asked.option, delta: asked.delta, frame })
                    })
                    .collect::<Result<Vec<_>, VizError>>()
                    .map_err(legacy_error)?;
                Some(viz.data(rows.frame.take().unwrap_or_default(), &comparisons).map_err(legacy_error)?)
            };
            Ok((viz, rows, data))
        })
        .await?;
        rows.into_payload(viz, data)
    }

    /// The rows before the visualisation shapes them (`get_df_payload`).
    pub(super) async fn rows(&mut self) -> Result<Rows> {
        let dataset = self.sql.dataset.description.clone();
        let query = self.viz.query(&dataset).map_err(legacy_error)?.into_query_object();
        self.rows_of(query).await
    }

    async fn rows_of(&mut self, query: QueryObject) -> Result<Rows> {
        let outcome = self.ask(&query, &Value::Null).await?;
        let frame = match &outcome.run {
            None => None,
            Some(run) => {
                let mut frame = raw_frame(run);
                self.viz
                    .normalize(&mut frame, &self.sql.dataset.description, &query)
                    .map_err(legacy_error)?;
                Some(frame)
            }
        };
        Rows::new(self, outcome, frame, query)
    }

    /// `?csv=true`.
    pub async fn csv(mut self) -> Result<Vec<u8>> {
        let frame = self.rows().await?.frame;
        let missing = "'NoneType' object has no attribute 'index'";
        let frame = frame.ok_or_else(|| Error::Legacy { status: 500, error: missing.into() })?;
        let mut options = CsvOptions::export(&frame);
        if let Some(own) = self.sql.caller.app.config.get("CSV_EXPORT").as_object() {
            options = options.with_config(own);
        }
        let written = move || csv::to_csv(&frame, &options).map_err(|e| QueryError::from(e).into_answer());
        busy(written).await
    }

    /// `?query=true`. Whatever goes wrong is our own fault here.
    pub async fn query_text(mut self) -> Result<Value> {
        let failed = |error: String| Error::Legacy { status: 500, error };
        let mut text = "Query cannot be loaded.".to_owned();
        if self.viz.has_query() {
            let dataset = self.sql.dataset.description.clone();
            let query = self.viz.query(&dataset).map_err(|e| failed(e.to_string()))?.into_query_object();
            let caller = self.sql.caller.clone();
            self.raise_for_guest(&query)?;
            self.sql.dataset.add_rules_of(&caller, std::slice::from_ref(&query)).await?;
            let built = self.sql.build(&query).await.map_err(|e| match e {
                QueryError::Answer(Error::Internal(source)) => Error::Internal(source),
                QueryError::Answer(Error::Sip40 { errors, .. }) => {
                    failed(errors.first().map_or(String::new(), |e| e.message.clone()))
                }
                other => failed(other.to_string()),
            })?;
            text = built.query_str();
        }
        if self.guest.is_some() {
            return Ok(json!({"language": "sql"}));
        }
        Ok(json!({"query": text, "language": "sql"}))
    }

    /// `?results=true`: the rows; the payload without data if they failed.
    pub async fn results(mut self) -> Result<Result<Vec<u8>, Payload>> {
        let rows = self.rows().await?;
        if !rows.failed() {
            return rows.raw().map(Ok);
        }
        let mut payload = rows.into_payload(self.viz, None)?;
        if self.guest.is_some() {
            payload.hide_sql();
        }
        Ok(Err(payload))
    }

    /// `?samples=true`: rows of the dataset under the chart's filters, whatever their time.
    pub async fn samples(mut self) -> Result<Vec<u8>> {
        let dataset = self.sql.dataset.description.clone();
        let mut query = self.viz.query(&dataset).map_err(legacy_error)?.into_query_object();
        query.is_timeseries = false;
        query.groupby = Vec::new();
        query.metrics = Some(Vec::new());
        query.orderby = Vec::new();
        query.row_limit = Some(self.sql.caller.app.config.int("SAMPLES_ROW_LIMIT").unwrap_or(1000));
        query.columns = dataset.columns.iter().map(|c| Column::Name(c.column_name.clone())).collect();
        query.from_dttm = None;
        query.to_dttm = None;
        let rows = self.rows_of(query).await?;
        if rows.frame.is_none() {
            let error = "'NoneType' object has no attribute 'to_dict'".to_owned();
            return Err(Error::Legacy { status: 500, error });
        }
        rows.raw()
    }
}

/// Adds the query that the stored chart itself makes to what a guest may ask for.
fn add_stored(app: &Services, scope: &mut guest::Scope, dataset: &Dataset, clock: &Clock) {
    let Some(form_data) = scope.chart().map(stored_form_data) else { return };
    let viz = LegacyViz::new(form_data, settings(app, clock));
    // a chart that cannot be asked adds nothing
    if let Ok(query) = viz.and_then(|mut viz| viz.query(dataset)) {
        scope.add_query(&query.into_query_object());
    }
}

fn settings(app: &Services, clock: &Clock) -> Settings {
    let config = &app.config;
    Settings {
        now: clock.now,
        row_limit: config.int("ROW_LIMIT").unwrap_or(50_000),
        sql_max_row: config.int("SQL_MAX_ROW").unwrap_or(100_000),
        relative_start: config.str("DEFAULT_RELATIVE_START_TIME").to_owned(),
        relative_end: config.str("DEFAULT_RELATIVE_END_TIME").to_owned(),
        mapbox_api_key: config.str("MAPBOX_API_KEY").to_owned(),
    }
}

async fn fetch(sql: &SqlContext, query: &QueryObject) -> Result<QueryRun, QueryError> {
    let fetched = sql.fetch(query).await?;
    let mut run = QueryRun::new(fetched.frame, fetched.built.sql);
    run.applied_template_filters = fetched.built.applied_template_filters;
    run.applied_filter_columns = fetched.built.applied_filter_columns;
    run.rejected_filter_columns = fetched.built.rejected_filter_columns;
    run.error = fetched.error;
    Ok(run)
}

/// An execution for all who ask the same.
async fn flown(mut sql: SqlContext, query: QueryObject) -> Result<(Arc<QueryRun>, Arc<Lease>), QueryError> {
    let memory = sql.caller.lease().await?;
    sql.memory = Some(memory.clone());
    Ok((Arc::new(fetch(&sql, &query).await?), memory))
}

/// The rows under the labels they came with.
fn raw_frame(run: &QueryRun) -> Frame {
    let mut frame = run.frame.clone();
    for (column, label) in frame.columns.iter_mut().zip(&run.escaped) {
        if column.label.text().is_some_and(|text| text != label) {
            column.label = Label::from(label.clone());
        }
    }
    frame
}

/// Work that keeps a thread busy for a while.
async fn busy<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    infra::compute::run_blocking(work).await?
}
