//! The description of a dataset: what the SQL builder has to know of it, filled by the commands from the metadata
//! database (`superset.connectors.sqla.models:SqlaTable`).

use std::{collections::HashMap, sync::OnceLock};

use infra::sql::RlsRules;
use serde_json::{Map, Value};

use crate::engine::{EngineSpec, GenericType};

/// A dataset, physical (a table or view) or virtual (a query).
#[derive(Debug, Clone)]
pub struct Dataset {
    /// `tables.id`.
    pub id: i64,
    /// `tables.table_name`.
    pub table_name: String,
    /// `tables.schema`; empty counts as absent.
    pub schema: Option<String>,
    /// `tables.catalog`.
    pub catalog: Option<String>,
    /// The query of a virtual dataset; `None` or blank text means physical.
    pub sql: Option<String>,
    /// Columns in the order of the metadata database.
    pub columns: Vec<DatasetColumn>,
    /// Saved metrics.
    pub metrics: Vec<DatasetMetric>,
    /// `tables.main_dttm_col`.
    pub main_dttm_col: Option<String>,
    /// Hours added to time columns of the result.
    pub offset: i32,
    /// Filter the main time column besides the chosen one.
    pub always_filter_main_dttm: bool,
    /// Extra predicate, used only if the query object asks for it.
    pub fetch_values_predicate: Option<String>,
    /// Column names are compared in the case the database folds them to.
    pub normalize_columns: bool,
    /// `tables.template_params`, parsed.
    pub template_params: Map<String, Value>,
    /// Engine of the dataset's database.
    pub engine: &'static EngineSpec,
    /// `databases.extra`, parsed: some engines read options from it.
    pub db_extra: Map<String, Value>,
    /// Row-level rules of this dataset for the caller, before template rendering.
    pub rls: Vec<RlsClause>,
    /// Row-level rules of the tables that SQL may name: those inside a virtual dataset, and those in expressions. Until
    /// they have been looked up (`None`) nothing that may name a table is built.
    pub inner_rls: Option<RlsRules>,
    /// Where names are found.
    pub names: Names,
}

/// Places of columns and metrics by their names, made when first asked for: a query names as many as the dataset has.
#[derive(Debug, Clone, Default)]
pub struct Names(OnceLock<Found>);

#[derive(Debug, Clone)]
struct Found {
    columns: HashMap<String, usize>,
    metrics: HashMap<String, usize>,
    /// How many there were: a list that has changed since is searched.
    counts: (usize, usize),
}

/// A column of a dataset (`TableColumn`).
#[derive(Debug, Clone, Default)]
pub struct DatasetColumn {
    /// `table_columns.column_name`.
    pub column_name: String,
    /// Name shown to people.
    pub verbose_name: Option<String>,
    /// Native type as the database printed it.
    pub type_: Option<String>,
    /// SQL expression of a calculated column; blank counts as absent.
    pub expression: Option<String>,
    /// `epoch_s`, `epoch_ms` or a strftime format.
    pub python_date_format: Option<String>,
    /// Marked as temporal; `None` lets the type decide.
    pub is_dttm: Option<bool>,
    /// May be grouped by.
    pub groupby: bool,
    /// May be filtered.
    pub filterable: bool,
    /// Name of an advanced data type (`internet_port`…).
    pub advanced_data_type: Option<String>,
}

/// A saved metric (`SqlMetric`).
#[derive(Debug, Clone, Default)]
pub struct DatasetMetric {
    /// `sql_metrics.metric_name`.
    pub metric_name: String,
    /// Name shown to people.
    pub verbose_name: Option<String>,
    /// SQL aggregate, used verbatim.
    pub expression: String,
}

/// One row-level rule that applies to the caller (`RowLevelSecurityFilter`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RlsClause {
    /// SQL predicate, a template.
    pub clause: String,
    /// Rules with the same key are alternatives (OR), the others must all hold.
    pub group_key: Option<String>,
}

impl Dataset {
    /// Whether the dataset is a query.
    pub fn is_virtual(&self) -> bool {
        self.sql.as_deref().is_some_and(|sql| !sql.is_empty())
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&DatasetColumn> {
        // Superset builds a dict by name, so the last of two equal names wins.
        match self.found() {
            Some(found) => self.columns.get(*found.columns.get(name)?),
            None => self.columns.iter().rev().find(|column| column.column_name == name),
        }
    }

    /// The saved metric of that name.
    pub fn metric(&self, name: &str) -> Option<&DatasetMetric> {
        match self.found() {
            Some(found) => self.metrics.get(*found.metrics.get(name)?),
            None => self.metrics.iter().rev().find(|metric| metric.metric_name == name),
        }
    }

    fn found(&self) -> Option<&Found> {
        let counts = (self.columns.len(), self.metrics.len());
        let found = self.names.0.get_or_init(|| Found {
            columns: self.columns.iter().enumerate().map(|(i, c)| (c.column_name.clone(), i)).collect(),
            metrics: self.metrics.iter().enumerate().map(|(i, m)| (m.metric_name.clone(), i)).collect(),
            counts,
        });
        (found.counts == counts).then_some(found)
    }

    /// Names of all columns.
    pub fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.column_name.as_str()).collect()
    }

    /// Whether the name is one of the time columns (`dttm_cols`).
    pub fn is_dttm_col(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.is_dttm == Some(true) && column.column_name == name)
            || self.main_dttm_col.as_deref().is_some_and(|main| !main.is_empty() && main == name)
    }

    /// What people see instead of a column or metric name, when it has a verbose name (`verbose_map`).
    pub fn verbose_name<'a>(&'a self, name: &'a str) -> &'a str {
        if name == "__timestamp" {
            return "Time";
        }
        // Metrics are put into the map before columns, and the first one stays.
        let shown = match (self.metric(name), self.column(name)) {
            (Some(metric), _) => metric.verbose_name.as_deref(),
            (None, Some(column)) => column.verbose_name.as_deref(),
            (None, None) => None,
        };
        shown.filter(|text| !text.is_empty()).unwrap_or(name)
    }

    /// The schema, when one is named.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref().filter(|schema| !schema.is_empty())
    }
}

impl DatasetColumn {
    /// The expression of a calculated column.
    pub fn expression(&self) -> Option<&str> {
        self.expression.as_deref().filter(|expression| !expression.is_empty())
    }

    /// Kind of values by type alone (`get_column_spec(...).generic_type`).
    pub fn type_generic_native(&self, engine: &EngineSpec) -> Option<GenericType> {
        engine.generic_type(self.type_.as_deref().filter(|text| !text.is_empty())?)
    }

    /// `is_temporal`: as marked, else by type.
    pub fn is_temporal(&self, engine: &EngineSpec) -> bool {
        self.is_dttm.unwrap_or_else(|| self.type_generic_native(engine) == Some(GenericType::Temporal))
    }
}
