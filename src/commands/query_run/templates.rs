//! Jinja around a query (`get_template_processor`, `get_form_data`): what templates see, and the datasets and metrics
//! that they name.
//!
//! Rendering does no I/O: a macro that needs the metadata database asks for it and fails; the caller of
//! [`SqlContext::templated`] looks it up and renders again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::NaiveDateTime;
use daos::dataset;
use futures_util::future::BoxFuture;
use infra::error::Error;
use query::{
    QueryError,
    build_sql::{
        Answers, BuildContext, NoTemplates, Templates, expression_tables, inner_tables, stored_tables,
    },
    engine::EngineSpec,
    form_data::{FormData, update_time_range},
    query_object::{Column, Metric, QueryObject},
    template::{Addons, DatasetRequest, Processor, TemplateContext, TemplateUser, has_template_syntax},
};
use serde_json::{Map, Value, json};

use super::{Clock, LoadedDataset, SqlContext};
use crate::{
    Caller,
    access::{lists, row_level::RowRules},
    state::functions,
};

/// Datasets that templates name, whose templates name datasets.
const MAX_DEPTH: usize = 4;
/// Datasets and metrics that the templates of one query name.
pub(crate) const MAX_LOOKUPS: usize = 64;
/// Where the text of a failed look-up stands until it is done.
const PENDING: &str = "look-up pending";

/// What the templates of a request see besides the query.
#[derive(Default)]
pub struct TemplateScope {
    /// The form data of the request.
    form_data: FormData,
    /// The query string of the request.
    url_args: Vec<(String, String)>,
    /// The dataset of the request, for `metric(…)`.
    dataset_id: Option<i64>,
    depth: usize,
    pub(crate) found: Arc<Mutex<HashMap<MacroQuestion, MacroAnswer>>>,
}

/// What a macro needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum MacroQuestion {
    Dataset {
        id: i64,
        include_metrics: bool,
        columns: Vec<String>,
        bounds: (Option<NaiveDateTime>, Option<NaiveDateTime>),
    },
    Metric {
        key: String,
        dataset_id: Option<i64>,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct MacroAnswer {
    pub(crate) text: Result<String, String>,
    /// What it depends on.
    pub(crate) key: Vec<String>,
}

impl TemplateScope {
    /// The scope of a chart data request.
    pub fn new(body: &Value, url_args: &[(String, String)]) -> Self {
        let mut form_data = match body.pointer("/queries/0") {
            Some(Value::Object(query)) => query.clone(),
            _ => FormData::new(),
        };
        let argument = url_args.iter().find(|(name, _)| name == "form_data");
        if let Some(Value::Object(more)) = argument.and_then(|(_, text)| serde_json::from_str(text).ok()) {
            form_data.extend(more);
        }
        for hidden in ["js_tooltip", "js_onclick_href", "js_data_mutator"] {
            form_data.shift_remove(hidden);
        }
        update_time_range(&mut form_data);
        Self {
            form_data,
            url_args: url_args.to_vec(),
            dataset_id: body.pointer("/datasource/id").and_then(Value::as_i64),
            ..Self::default()
        }
    }

    /// What answers depend on besides what templates tell of themselves.
    fn key(&self) -> Value {
        json!([self.form_data])
    }
}

/// What became of rendering.
struct Attempt<T> {
    outcome: Result<T, QueryError>,
    wanted: Vec<MacroQuestion>,
    keys: Vec<Value>,
}

impl SqlContext {
    /// Whether a query of this dataset may hold templates at all.
    pub(crate) fn has_templates(&self, query: &QueryObject) -> bool {
        if !self.caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") {
            return false;
        }
        let d = &self.dataset.description;
        let of_columns = d.columns.iter().filter_map(|c| c.expression.as_deref());
        let of_metrics = d.metrics.iter().map(|m| m.expression.as_str());
        let of_rules = d.rls.iter().map(|r| r.clause.as_str());
        let own = d.sql.as_deref().into_iter().chain(d.fetch_values_predicate.as_deref());
        own.chain(of_columns).chain(of_metrics).chain(of_rules).any(has_template_syntax)
            || has_template_syntax(&query.to_json().to_string())
    }

    /// Renders and builds, with whatever the templates ask for. Returns what the outcome depends on, too.
    pub(crate) async fn templated<T>(
        &self,
        answers: &Answers,
        query: Option<&QueryObject>,
        work: impl Fn(&BuildContext<'_>) -> Result<T, QueryError>,
    ) -> Result<(T, Vec<Value>), QueryError> {
        let mut lookups = 0;
        loop {
            let attempt = self.attempt(answers, query, &work);
            if attempt.wanted.is_empty() {
                let mut keys = attempt.keys;
                keys.push(self.scope.key());
                return Ok((attempt.outcome?, keys));
            }
            for wanted in attempt.wanted {
                lookups += 1;
                if lookups > MAX_LOOKUPS {
                    return Err(QueryError::generic("the templates name too many datasets"));
                }
                let found = self.look_up(&wanted).await?;
                lock(&self.scope.found).insert(wanted, found);
            }
        }
    }

    fn attempt<T>(
        &self,
        answers: &Answers,
        query: Option<&QueryObject>,
        work: impl Fn(&BuildContext<'_>) -> Result<T, QueryError>,
    ) -> Attempt<T> {
        let ranges =
            |range: Option<&str>, shift: Option<&str>, extras: &_| self.clock.resolve(range, shift, extras);
        let context = |templates: &dyn Templates| {
            work(&BuildContext {
                dataset: &self.dataset.description,
                templates,
                time_ranges: &ranges,
                allow_adhoc_subquery: self.caller.app.config.flag("ALLOW_ADHOC_SUBQUERY"),
                answers,
            })
        };
        if !self.caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") {
            return Attempt { outcome: context(&NoTemplates), wanted: Vec::new(), keys: Vec::new() };
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let used = Arc::new(Mutex::new(Vec::new()));
        let processor = self.processor(query, &asked, &used);
        let outcome = context(&processor);
        let mut keys = processor.extra_cache_keys();
        keys.extend(lock(&used).drain(..).map(Value::String));
        let wanted = std::mem::take(&mut *lock(&asked));
        Attempt { outcome, wanted, keys }
    }

    fn processor(
        &self,
        query: Option<&QueryObject>,
        asked: &Arc<Mutex<Vec<MacroQuestion>>>,
        used: &Arc<Mutex<Vec<String>>>,
    ) -> Processor {
        let description = &self.dataset.description;
        let mut context = bare_context(
            &self.caller,
            &self.scope,
            description.engine,
            self.dataset.visible_rules.clone(),
            &self.clock,
        );
        if let Some(query) = query {
            context.variables = variables(query, &self.dataset);
        }
        let bounds = query.map_or((None, None), |q| (q.from_dttm, q.to_dttm));
        let columns = description.columns.iter();
        context.column_types =
            columns.filter_map(|c| Some((c.column_name.clone(), c.type_.clone()?))).collect();
        connect(&mut context, &self.scope, asked, used, bounds);
        Processor::new(context)
    }

    /// The same with the row-level rules of the tables inside, where templates have a say in which tables those are
    /// or what the rules are.
    pub(crate) async fn resolved(&self, query: Option<&QueryObject>) -> Result<Self, QueryError> {
        let mut resolved = self.clone();
        if !self.dataset.late_rules {
            return Ok(resolved);
        }
        let tables = |cx: &BuildContext<'_>| {
            // SQL that cannot be read is refused again, with its message, when the query is built.
            let mut tables = inner_tables(cx).unwrap_or_default();
            tables.extend(stored_tables(cx));
            if let Some(query) = query {
                tables.extend(expression_tables(query, cx)?);
            }
            Ok(tables)
        };
        let (tables, _) = Box::pin(self.templated(&Answers::default(), query, tables)).await?;
        let render = |rules: &RowRules, clause: &str| {
            let own = rules.visible(&self.caller.user, &self.caller.app.config);
            let engine = self.dataset.description.engine;
            let context = bare_context(&self.caller, &self.scope, engine, own, &self.clock);
            Processor::new(context).render(clause).map_err(QueryError::into_answer)
        };
        resolved.dataset = Box::pin(self.dataset.with_late_rules(&self.caller, &tables, &render)).await?;
        Ok(resolved)
    }

    /// A clause of the request, before anything else is done with it (`_sanitize_filters`).
    pub(crate) async fn render_clause(&self, text: &str) -> Result<String, QueryError> {
        if !has_template_syntax(text) {
            return Ok(text.to_owned());
        }
        let rendered = self.templated(&Answers::default(), None, |cx| cx.templates.render(text)).await;
        let (text, _) = rendered.map_err(|e| match e {
            QueryError::Validation(text) => {
                QueryError::validation(format!("Error in jinja expression in WHERE clause: {text}"))
            }
            other => other,
        })?;
        Ok(text)
    }

    /// Checks a query and renders its clauses.
    pub(crate) async fn validate(
        &self,
        query: &mut QueryObject,
        date_ranges: bool,
    ) -> Result<(), QueryError> {
        let rendered = Mutex::new(HashMap::new());
        for text in [query.extras.where_.clone(), query.extras.having.clone()].into_iter().flatten() {
            if has_template_syntax(&text) {
                let outcome = self.render_clause(&text).await;
                lock(&rendered).insert(text, outcome);
            }
        }
        let render = |text: &str| {
            let outcome = lock(&rendered).remove(text);
            match outcome {
                Some(Ok(done)) => {
                    lock(&rendered).insert(text.to_owned(), Ok(done.clone()));
                    Ok(done)
                }
                Some(Err(error)) => Err(error),
                None => Ok(text.to_owned()),
            }
        };
        query.validate(&self.dataset.description, date_ranges, &render)
    }

    /// Boxed, because a dataset may name datasets.
    pub(crate) fn look_up<'a>(
        &'a self,
        wanted: &'a MacroQuestion,
    ) -> BoxFuture<'a, Result<MacroAnswer, QueryError>> {
        Box::pin(async move {
            match wanted {
                MacroQuestion::Metric { key, dataset_id } => self.metric(key, *dataset_id).await,
                MacroQuestion::Dataset { id, include_metrics, columns, bounds } => {
                    self.dataset_sql(*id, *include_metrics, columns, *bounds).await
                }
            }
        })
    }

    /// A dataset that the caller may see in lists.
    async fn listed(&self, id: i64) -> Result<Option<dataset::Dataset>, QueryError> {
        let guest = self.caller.guest().is_some();
        let condition = if guest { None } else { lists::datasets(&self.caller.user, "t") };
        Ok(dataset::find_where(self.caller.app.db.exec(), id, condition).await.map_err(Error::from)?)
    }

    async fn metric(&self, key: &str, id: Option<i64>) -> Result<MacroAnswer, QueryError> {
        let Some(id) = id.or(self.scope.dataset_id) else {
            let text = format!("Please specify the Dataset ID for the ``{key}`` metric in the Jinja macro.");
            return Ok(MacroAnswer { text: Err(text), key: Vec::new() });
        };
        let Some(row) = self.listed(id).await? else {
            return Ok(MacroAnswer { text: Err(format!("Dataset ID {id} not found.")), key: Vec::new() });
        };
        let metrics = dataset::metrics(self.caller.app.db.exec(), &[id]).await.map_err(Error::from)?;
        let metric = metrics.get(&id).into_iter().flatten().find(|m| m.metric_name == key);
        let missing = || format!("Metric ``{key}`` not found in {}.", row.table_name);
        Ok(match metric {
            Some(m) => MacroAnswer { text: Ok(m.expression.clone()), key: vec![m.expression.clone()] },
            None => MacroAnswer { text: Err(missing()), key: Vec::new() },
        })
    }

    async fn dataset_sql(
        &self,
        id: i64,
        include_metrics: bool,
        columns: &[String],
        (from_dttm, to_dttm): (Option<NaiveDateTime>, Option<NaiveDateTime>),
    ) -> Result<MacroAnswer, QueryError> {
        let missing = || MacroAnswer { text: Err(format!("Dataset {id} not found!")), key: Vec::new() };
        if self.scope.depth >= MAX_DEPTH {
            let text = Err("Infinite recursion detected in template".to_owned());
            return Ok(MacroAnswer { text, key: Vec::new() });
        }
        // the base filter of lists holds for guests here
        let condition = lists::datasets(&self.caller.user, "t");
        let row = dataset::find_where(self.caller.app.db.exec(), id, condition).await.map_err(Error::from)?;
        if row.is_none() {
            return Ok(missing());
        }
        let scope = Arc::new(TemplateScope {
            form_data: self.scope.form_data.clone(),
            url_args: self.scope.url_args.clone(),
            dataset_id: self.scope.dataset_id,
            depth: self.scope.depth + 1,
            found: Arc::default(),
        });
        let Some(dataset) = LoadedDataset::find(&self.caller, id).await? else {
            return Ok(missing());
        };
        let description = dataset.description.clone();
        let mut inner = SqlContext {
            caller: self.caller.clone(),
            dataset,
            clock: self.clock.clone(),
            scope: scope.clone(),
            memory: None,
        };
        let mut query = QueryObject::new();
        query.columns = if columns.is_empty() {
            description.columns.iter().map(|c| Column::Name(c.column_name.clone())).collect()
        } else {
            columns.iter().map(|c| Column::Name(c.clone())).collect()
        };
        if include_metrics {
            let metrics = description.metrics.iter();
            query.metrics = Some(metrics.filter_map(|m| Metric::from_json(json!(m.metric_name))).collect());
        }
        query.from_dttm = from_dttm;
        query.to_dttm = to_dttm;
        inner = inner.resolved(Some(&query)).await?;
        let text = match inner.build(&query).await {
            Ok(built) => Ok(built.sql),
            Err(e @ QueryError::Answer(_)) => return Err(e),
            Err(e) => Err(e.to_string()),
        };
        let mut key = inner.dataset.rls_key.clone();
        key.push(format!("{}-{:?}", inner.dataset.uid(), inner.dataset.row.changed_on));
        if inner.has_templates(&query) {
            // what its own templates say is part of the question
            key.push(text.clone().unwrap_or_default());
        }
        Ok(MacroAnswer { text, key })
    }
}

/// Wires the macros that need the metadata database: what is not known yet is asked for, and the rendering fails.
pub(crate) fn connect(
    context: &mut TemplateContext,
    scope: &TemplateScope,
    asked: &Arc<Mutex<Vec<MacroQuestion>>>,
    used: &Arc<Mutex<Vec<String>>>,
    bounds: (Option<NaiveDateTime>, Option<NaiveDateTime>),
) {
    let lookup = {
        let (found, asked, used) = (scope.found.clone(), asked.clone(), used.clone());
        move |wanted: MacroQuestion| match lock(&found).get(&wanted) {
            Some(found) => {
                lock(&used).extend(found.key.iter().cloned());
                found.text.clone()
            }
            None => {
                lock(&asked).push(wanted);
                Err(PENDING.to_owned())
            }
        }
    };
    let of_metric = lookup.clone();
    context.dataset_sql = Some(Arc::new(move |request: &DatasetRequest| {
        lookup(MacroQuestion::Dataset {
            id: request.id,
            include_metrics: request.include_metrics,
            columns: request.columns.clone(),
            bounds,
        })
    }));
    context.metric_sql = Some(Arc::new(move |key: &str, dataset_id: Option<i64>| {
        of_metric(MacroQuestion::Metric { key: key.to_owned(), dataset_id })
    }));
}

pub(crate) fn bare_context(
    caller: &Caller,
    scope: &TemplateScope,
    engine: &'static EngineSpec,
    rules: Vec<String>,
    clock: &Clock,
) -> TemplateContext {
    let mut context = TemplateContext::new(engine, clock.now);
    context.form_data = scope.form_data.clone();
    context.url_args = scope.url_args.clone();
    context.user = template_user(caller);
    context.roles = caller.user.roles.iter().map(|r| r.name.clone()).collect();
    context.rls_clauses = rules;
    if let Some(addons) = caller.app.config.addons() {
        let (functions, values) = (addons.functions.clone(), addons.values.clone());
        context.addons = Arc::new(Addons { functions, values, caller: functions::asker(&caller.user) });
    }
    let config = |key: &str| Some(caller.app.config.str(key).to_owned()).filter(|t| !t.is_empty());
    if let Some(start) = config("DEFAULT_RELATIVE_START_TIME") {
        context.relative_start = start;
    }
    if let Some(end) = config("DEFAULT_RELATIVE_END_TIME") {
        context.relative_end = end;
    }
    context
}

fn template_user(caller: &Caller) -> Option<TemplateUser> {
    if let Some(user) = &caller.user.user {
        return Some(TemplateUser {
            id: Some(user.id),
            username: user.username.clone(),
            email: user.email.clone(),
        });
    }
    let guest = caller.guest()?;
    let name = guest.user.get("username").and_then(Value::as_str).unwrap_or("guest_user");
    Some(TemplateUser { id: None, username: name.to_owned(), email: String::new() })
}

/// The variables of a query (`template_kwargs`).
fn variables(query: &QueryObject, dataset: &LoadedDataset) -> Map<String, Value> {
    let description = &dataset.description;
    let time = |t: Option<NaiveDateTime>| t.map(|t| query::frame::python::timestamp_text(&t, 'T'));
    let metrics = query.metrics.as_ref().map(|m| m.iter().map(Metric::to_json).collect::<Vec<_>>());
    let granularity = query.granularity.clone().map(|g| {
        let is_time = description.column(&g).is_some_and(|c| c.is_dttm == Some(true));
        if is_time { Some(g) } else { description.main_dttm_col.clone() }
    });
    let groupby: Vec<Value> = query.groupby.iter().map(Column::to_json).collect();
    let mut variables = Map::new();
    let mut set = |name: &str, value: Value| variables.insert(name.to_owned(), value);
    set("columns", query.columns.iter().map(Column::to_json).collect());
    set("from_dttm", json!(time(query.from_dttm)));
    set("groupby", if groupby.is_empty() { Value::Null } else { Value::Array(groupby) });
    set("metrics", json!(metrics));
    set("row_limit", json!(query.row_limit));
    set("row_offset", json!(query.row_offset));
    set("time_column", json!(granularity.flatten()));
    set("time_grain", json!(query.extras.time_grain_sqla));
    set("to_dttm", json!(time(query.to_dttm)));
    set("table_columns", description.columns.iter().map(|c| json!(c.column_name)).collect());
    set("filter", query.filter.iter().map(query::query_object::Filter::to_json).collect());
    variables.extend(description.template_params.clone());
    variables
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
