//! Query contexts and query objects: what a chart asks of a dataset
//! (`superset.common.query_context`, `superset.common.query_object`).
//!
//! [`schema::load`] reads a request body with the original's field errors, [`assemble`] turns it into
//! [`QueryContext`] (defaults, limits, time range, granularity override), [`QueryObject::validate`] checks it.

pub mod assemble;
mod bounds;
mod column;
mod fields;
pub mod schema;
mod validate;

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

pub use assemble::{Limits, TimeBounds, TimeRanges, assemble};
pub use bounds::Bounds;
pub use column::{
    Column, DTTM_ALIAS, Metric, column_label, is_adhoc_column, is_adhoc_metric, unknown_columns,
};
pub(crate) use fields::truthy;
pub use schema::{DatasourceRef, RequestBody};
pub use validate::Sanitizer;

/// The kind of datasource that a request names (`DatasourceType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasourceType {
    /// `table`: a dataset.
    Table,
    /// `dataset`.
    Dataset,
    /// `query`: a SQL Lab query.
    Query,
    /// `saved_query`.
    SavedQuery,
    /// `view`.
    View,
}

impl DatasourceType {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Dataset => "dataset",
            Self::Query => "query",
            Self::SavedQuery => "saved_query",
            Self::View => "view",
        }
    }

    /// From the name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "table" => Self::Table,
            "dataset" => Self::Dataset,
            "query" => Self::Query,
            "saved_query" => Self::SavedQuery,
            "view" => Self::View,
            _ => return None,
        })
    }
}

/// What the answer should hold (`ChartDataResultType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ResultType {
    /// `columns`: names and types of the dataset's columns.
    Columns,
    /// `full`: data and all that belongs to it.
    #[default]
    Full,
    /// `query`: the SQL only.
    Query,
    /// `results`: data and column types only.
    Results,
    /// `samples`: rows of the dataset, unaggregated.
    Samples,
    /// `timegrains`: the grains of the engine.
    Timegrains,
    /// `post_processed`: as the pivot table or table would show it.
    PostProcessed,
    /// `drill_detail`: the rows behind an aggregate.
    DrillDetail,
}

impl ResultType {
    pub(crate) const NAMES: [(&'static str, Self); 8] = [
        ("columns", Self::Columns),
        ("full", Self::Full),
        ("query", Self::Query),
        ("results", Self::Results),
        ("samples", Self::Samples),
        ("timegrains", Self::Timegrains),
        ("post_processed", Self::PostProcessed),
        ("drill_detail", Self::DrillDetail),
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("full", |(name, _)| name)
    }

    /// From the name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// The encoding of the answer (`ChartDataResultFormat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResultFormat {
    /// `json`.
    #[default]
    Json,
    /// `csv`.
    Csv,
    /// `xlsx`.
    Xlsx,
}

impl ResultFormat {
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("csv", Self::Csv), ("json", Self::Json), ("xlsx", Self::Xlsx)];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("json", |(name, _)| name)
    }

    /// From the name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// A whole request: one dataset, some queries (`QueryContext`).
#[derive(Debug, Clone)]
pub struct QueryContext {
    /// The dataset asked for.
    pub datasource: DatasourceRef,
    /// The queries.
    pub queries: Vec<QueryObject>,
    /// What the answer should hold, unless a query says otherwise.
    pub result_type: ResultType,
    /// The encoding of the answer.
    pub result_format: ResultFormat,
    /// Do not read the cache.
    pub force: bool,
    /// Seconds to cache, when the request says so.
    pub custom_cache_timeout: Option<i64>,
    /// The chart's form data, as sent.
    pub form_data: Option<Value>,
    /// The validated request, stored under the `qc-…` cache key.
    pub cache_values: Value,
}

impl QueryContext {
    /// The chart the request says it comes from (`form_data.slice_id`).
    pub fn slice_id(&self) -> Option<i64> {
        infra::json::id(self.form_data.as_ref()?.get("slice_id")?)
    }

    /// Pages are cut on the server (table chart).
    pub fn server_pagination(&self) -> bool {
        self.form_data.as_ref().and_then(|data| data.get("server_pagination")).is_some_and(fields::truthy)
    }
}

/// One filter of a query object.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Column name or adhoc column.
    pub col: Value,
    /// Operator as sent, any case.
    pub op: String,
    /// Value, list of values or time range.
    pub val: Value,
    /// Grain of a temporal filter.
    pub grain: Option<String>,
    /// Comes from a dashboard filter.
    pub is_extra: Option<bool>,
}

impl Filter {
    /// From the JSON that charts and legacy visualisations hold; `None` if it has no operator.
    pub fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            col: value.get("col").cloned().unwrap_or(Value::Null),
            op: value.get("op")?.as_str()?.to_owned(),
            val: value.get("val").cloned().unwrap_or(Value::Null),
            grain: value.get("grain").and_then(Value::as_str).map(str::to_owned),
            is_extra: value.get("isExtra").and_then(Value::as_bool),
        })
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("col".into(), self.col.clone());
        map.insert("op".into(), self.op.clone().into());
        map.insert("val".into(), self.val.clone());
        if let Some(grain) = &self.grain {
            map.insert("grain".into(), grain.clone().into());
        }
        if let Some(is_extra) = self.is_extra {
            map.insert("isExtra".into(), is_extra.into());
        }
        Value::Object(map)
    }

    /// Whether it is a time range filter.
    pub fn is_temporal_range(&self) -> bool {
        self.op == "TEMPORAL_RANGE"
    }
}

/// `extras` of a query object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// Raw WHERE text.
    pub where_: Option<String>,
    /// Raw HAVING text.
    pub having: Option<String>,
    /// Grain of the time column.
    pub time_grain_sqla: Option<String>,
    /// `today` or `now`.
    pub relative_start: Option<String>,
    /// `today` or `now`.
    pub relative_end: Option<String>,
    /// Range compared with, behind an experimental flag.
    pub instant_time_comparison_range: Option<String>,
}

impl Extras {
    /// The wire form, present members only (it is part of the cache key).
    pub fn to_json(&self) -> Value {
        let members = [
            ("relative_start", &self.relative_start),
            ("relative_end", &self.relative_end),
            ("where", &self.where_),
            ("having", &self.having),
            ("time_grain_sqla", &self.time_grain_sqla),
            ("instant_time_comparison_range", &self.instant_time_comparison_range),
        ];
        let present = members
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), Value::String(text.clone()?))));
        Value::Object(present.collect())
    }
}

/// One query (`QueryObject`).
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the members of the wire form")]
pub struct QueryObject {
    /// Annotation layers that need data (formulas are dropped).
    pub annotation_layers: Vec<Value>,
    /// Time filters that dashboards applied.
    pub applied_time_extras: Map<String, Value>,
    /// Use the dataset's `fetch_values_predicate`.
    pub apply_fetch_values_predicate: bool,
    /// Dimensions, or the columns of a raw query.
    pub columns: Vec<Column>,
    /// Grain, raw predicates.
    pub extras: Extras,
    /// Filters.
    pub filter: Vec<Filter>,
    /// Deprecated alternative to `columns`, only set by legacy visualisations.
    pub groupby: Vec<Column>,
    /// Start of the time filter, inclusive.
    pub from_dttm: Option<NaiveDateTime>,
    /// End of the time filter, exclusive.
    pub to_dttm: Option<NaiveDateTime>,
    /// Time column that is filtered.
    pub granularity: Option<String>,
    /// Start for the series limit, when it differs.
    pub inner_from_dttm: Option<NaiveDateTime>,
    /// End for the series limit, when it differs.
    pub inner_to_dttm: Option<NaiveDateTime>,
    /// Count the rows instead of returning them.
    pub is_rowcount: bool,
    /// Put the time column, by grain, first.
    pub is_timeseries: bool,
    /// `None` means a raw query; a list, even an empty one, an aggregated query.
    pub metrics: Option<Vec<Metric>>,
    /// Direction of the series limit.
    pub order_desc: bool,
    /// What to order by, and whether ascending.
    pub orderby: Vec<(Value, bool)>,
    /// Operations on the result.
    pub post_processing: Vec<Value>,
    /// What the answer should hold.
    pub result_type: ResultType,
    /// LIMIT.
    pub row_limit: Option<i64>,
    /// OFFSET.
    pub row_offset: i64,
    /// Dimensions that the series limit counts.
    pub series_columns: Vec<Column>,
    /// Number of series, 0 for all.
    pub series_limit: i64,
    /// Metric that ranks the series.
    pub series_limit_metric: Option<Value>,
    /// Sum up the other series instead of dropping them.
    pub group_others_when_limit_reached: bool,
    /// Time comparisons.
    pub time_offsets: Vec<String>,
    /// Time range as asked for.
    pub time_range: Option<String>,
    /// Shift of the whole time range.
    pub time_shift: Option<String>,
}

impl QueryObject {
    /// A query object with the defaults of the original.
    pub fn new() -> Self {
        Self { order_desc: true, ..Self::default() }
    }

    /// Labels of the columns.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().filter_map(Column::label).filter(|label| !label.is_empty()).collect()
    }

    /// Labels of the metrics; saved ones by their verbose names (`metric_names`).
    pub fn metric_names(&self, dataset: Option<&crate::dataset::Dataset>) -> Vec<String> {
        let metrics = self.metrics.iter().flatten();
        metrics.filter_map(|metric| metric.label(dataset)).filter(|label| !label.is_empty()).collect()
    }

    /// The members that decide the SQL, as `QueryObject.to_dict` lists them; the base of cache keys.
    pub fn to_json(&self) -> Value {
        let dttm = |value: Option<NaiveDateTime>| value.map(|d| d.format("%Y-%m-%dT%H:%M:%S%.f").to_string());
        let columns = |list: &[Column]| list.iter().map(Column::to_json).collect::<Vec<_>>();
        let metrics = self.metrics.as_ref().map(|list| list.iter().map(Metric::to_json).collect::<Vec<_>>());
        serde_json::json!({
            "apply_fetch_values_predicate": self.apply_fetch_values_predicate,
            "columns": columns(&self.columns),
            "extras": self.extras.to_json(),
            "filter": self.filter.iter().map(Filter::to_json).collect::<Vec<_>>(),
            "from_dttm": dttm(self.from_dttm),
            "granularity": self.granularity,
            "inner_from_dttm": dttm(self.inner_from_dttm),
            "inner_to_dttm": dttm(self.inner_to_dttm),
            "is_rowcount": self.is_rowcount,
            "is_timeseries": self.is_timeseries,
            "metrics": metrics,
            "order_desc": self.order_desc,
            "orderby": self.orderby.iter().map(|(col, asc)| serde_json::json!([col, asc])).collect::<Vec<_>>(),
            "row_limit": self.row_limit,
            "row_offset": self.row_offset,
            "series_columns": columns(&self.series_columns),
            "series_limit": self.series_limit,
            "series_limit_metric": self.series_limit_metric,
            "group_others_when_limit_reached": self.group_others_when_limit_reached,
            "to_dttm": dttm(self.to_dttm),
            "time_shift": self.time_shift,
        })
    }
}
