//! Jinja in the SQL of datasets, metrics, filters and SQL Lab (`superset.jinja_context`).
//!
//! An interpreter of our own rather than a library: undefined names must print themselves again (`DebugUndefined`),
//! values print as Python prints them, complaints reach the user in Jinja's words, and a template of a stranger must be
//! stopped by the steps and the *bytes* it takes. There is no way out of it: no attribute of the host is reachable,
//! values are data, and the only functions are those in [`macros`].

mod ast;
mod error;
mod eval;
mod filters;
mod lexer;
mod macros;
mod methods;
mod ops;
mod parser;
mod predicates;
#[cfg(test)]
mod tests;
mod value;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::NaiveDateTime;
use indexmap::IndexSet;
use infra::config::python::{Caller, Function};
use serde_json::{Map, Value};

use crate::{
    build_sql::Templates,
    engine::EngineSpec,
    error::{QueryError, Result},
    form_data::FormData,
};
use error::{Fault, Rendered};
use eval::Interpreter;
use value::Val;

/// Longer templates are refused.
const MAX_TEMPLATE: usize = 1 << 20;
/// Metrics that refer to metrics.
const MAX_NESTED: usize = 8;

/// The user that templates may name.
#[derive(Debug, Clone)]
pub struct TemplateUser {
    /// Id, absent for guests.
    pub id: Option<i64>,
    /// Name at login.
    pub username: String,
    /// Address, if any.
    pub email: String,
}

/// Arguments of `dataset(id, include_metrics, columns)`.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetRequest {
    /// `tables.id`.
    pub id: i64,
    /// Group by the columns and add the metrics.
    pub include_metrics: bool,
    /// The columns, all if empty.
    pub columns: Vec<String>,
}

/// Finds the SQL of a dataset; the text of the error is shown.
pub type DatasetSql = dyn Fn(&DatasetRequest) -> Result<String, String> + Send + Sync;
/// Finds the expression of a saved metric by its key and, if given, the dataset's id.
pub type MetricSql = dyn Fn(&str, Option<i64>) -> Result<String, String> + Send + Sync;
/// Finds the values of a table's newest partition (Presto, Trino, Hive, Spark).
pub type LatestPartitions = dyn Fn(&str) -> Result<Vec<String>, String> + Send + Sync;

/// Everything that a template can see.
#[derive(Clone)]
pub struct TemplateContext {
    /// Variables: `columns`, `from_dttm`, … and the dataset's or query's template parameters.
    pub variables: Map<String, Value>,
    /// The form data of the request (`get_form_data()`).
    pub form_data: FormData,
    /// The query string of the request.
    pub url_args: Vec<(String, String)>,
    /// Who asks.
    pub user: Option<TemplateUser>,
    /// Names of the user's roles.
    pub roles: Vec<String>,
    /// Row-level rules of this dataset for the user.
    pub rls_clauses: Vec<String>,
    /// Native types of the dataset's columns.
    pub column_types: HashMap<String, String>,
    /// The database's engine, for literals.
    pub engine: &'static EngineSpec,
    /// `DEFAULT_RELATIVE_START_TIME`.
    pub relative_start: String,
    /// `DEFAULT_RELATIVE_END_TIME`.
    pub relative_end: String,
    /// The server's clock.
    pub now: NaiveDateTime,
    /// For `dataset(…)`.
    pub dataset_sql: Option<Arc<DatasetSql>>,
    /// For `metric(…)`.
    pub metric_sql: Option<Arc<MetricSql>>,
    /// `JINJA_CONTEXT_ADDONS`: its functions, and what else is in it.
    pub addons: Arc<Addons>,
    /// For `presto.latest_partition(…)` and its kin.
    pub latest_partitions: Option<Arc<LatestPartitions>>,
}

/// `JINJA_CONTEXT_ADDONS`.
#[derive(Debug, Clone, Default)]
pub struct Addons {
    /// Functions of the configuration by their names in templates.
    pub functions: Vec<(&'static str, Function)>,
    /// What is no function.
    pub values: Map<String, Value>,
    /// Who asks.
    pub caller: Caller,
}

impl TemplateContext {
    /// A context with an engine and a clock, and nothing else.
    pub fn new(engine: &'static EngineSpec, now: NaiveDateTime) -> Self {
        Self {
            variables: Map::new(),
            form_data: FormData::new(),
            url_args: Vec::new(),
            user: None,
            roles: Vec::new(),
            rls_clauses: Vec::new(),
            column_types: HashMap::new(),
            addons: Arc::default(),
            engine,
            relative_start: "today".to_owned(),
            relative_end: "today".to_owned(),
            now,
            dataset_sql: None,
            metric_sql: None,
            latest_partitions: None,
        }
    }
}

/// What templates did that the query must know.
#[derive(Debug, Clone, Default, PartialEq)]
struct Record {
    cache_keys: Vec<Value>,
    removed_filters: IndexSet<String>,
    applied_filters: IndexSet<String>,
    nested: usize,
}

pub(crate) struct Inner {
    context: TemplateContext,
    record: Mutex<Record>,
}

impl Inner {
    fn with_record<T>(&self, f: impl FnOnce(&mut Record) -> T) -> T {
        f(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds to what the answer depends on.
    fn cache_key(&self, value: Value) {
        self.with_record(|record| {
            // A loop must not fill the memory with keys that say the same.
            if !record.cache_keys.contains(&value) && record.cache_keys.len() < 1_000 {
                record.cache_keys.push(value);
            }
        });
    }

    fn filter_used(&self, column: &str, remove: bool) {
        self.with_record(|record| {
            if remove {
                record.removed_filters.insert(column.to_owned());
            }
            record.applied_filters.insert(column.to_owned());
        });
    }

    /// Renders the definition of a metric within a template.
    fn render_nested(&self, text: &str) -> Rendered<String> {
        let nested = self.with_record(|record| {
            record.nested += 1;
            record.nested
        });
        let result = if nested > MAX_NESTED {
            Err(Fault::other("Infinite recursion detected in template"))
        } else {
            let body = parser::parse(text).map_err(|error| Fault::Template(error.message))?;
            Interpreter::new(self, self.globals()).run(&body)
        };
        self.with_record(|record| record.nested -= 1);
        result
    }

    fn globals(&self) -> HashMap<String, Val> {
        let mut globals: HashMap<String, Val> =
            macros::FUNCTIONS.iter().map(|name| ((*name).to_owned(), Val::Function(name))).collect();
        for (name, value) in &self.context.variables {
            globals.insert(name.clone(), Val::from_json(value));
        }
        for (name, value) in &self.context.addons.values {
            globals.insert(name.clone(), Val::from_json(value));
        }
        for (name, _) in &self.context.addons.functions {
            globals.insert((*name).to_owned(), Val::Function(name));
        }
        // The macros hide variables of the same name, as in the original, where they are put into the context last.
        for name in macros::FUNCTIONS.iter().take(12) {
            globals.insert((*name).to_owned(), Val::Function(name));
        }
        let partitions = |name: &'static str| (Val::from(name), Val::Function(name));
        // a newer engine has them under the older one's name as well, for those who have moved
        let names = &self.context.engine.sql.partition_macros;
        if self.context.latest_partitions.is_some() && !names.is_empty() {
            let functions =
                ["first_latest_partition", "latest_partitions", "latest_sub_partition", "latest_partition"]
                    .map(partitions);
            let namespace = Val::dict(functions);
            globals.extend(names.iter().map(|name| (name.clone(), namespace.clone())));
        }
        globals
    }
}

/// Renders the templates of one query.
pub struct Processor {
    inner: Inner,
}

impl Processor {
    /// A processor for a context.
    pub fn new(context: TemplateContext) -> Self {
        Self { inner: Inner { context, record: Mutex::default() } }
    }

    /// What the answer depends on besides the query (`extra_cache_keys`).
    pub fn extra_cache_keys(&self) -> Vec<Value> {
        self.inner.with_record(|record| record.cache_keys.clone())
    }
}

impl Templates for Processor {
    fn render(&self, text: &str) -> Result<String> {
        if text.len() > MAX_TEMPLATE {
            return Err(QueryError::generic("The template is too long"));
        }
        let body = parser::parse(text).map_err(|error| error.into_query_error(text))?;
        Interpreter::new(&self.inner, self.inner.globals()).run(&body).map_err(Fault::into_query_error)
    }

    fn removed_filters(&self) -> Vec<String> {
        self.inner.with_record(|record| record.removed_filters.iter().cloned().collect())
    }

    fn applied_filters(&self) -> Vec<String> {
        self.inner.with_record(|record| record.applied_filters.iter().cloned().collect())
    }
}

/// Whether a text may be a template at all.
pub fn has_template_syntax(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}
