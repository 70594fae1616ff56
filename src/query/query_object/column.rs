//! Columns and metrics of a query object: a name of the dataset, or an expression of the chart's own.

use serde_json::{Map, Value};

use infra::python::json_repr;

use super::fields::truthy;
use crate::dataset::Dataset;

/// Label of the grain expression of time series (`DTTM_ALIAS`).
pub const DTTM_ALIAS: &str = "__timestamp";

/// A dimension: the name of a dataset column, or an adhoc column
/// `{label, sqlExpression, columnType?, timeGrain?, isColumnReference?}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Column name, or an expression in its place.
    Name(String),
    /// Adhoc column, as sent.
    Adhoc(Map<String, Value>),
}

/// A metric: the name of a saved one, or an adhoc metric `{expressionType, …}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Saved metric.
    Name(String),
    /// Adhoc metric, as sent.
    Adhoc(Map<String, Value>),
}

/// Whether a JSON value is an adhoc column: an object with label and sqlExpression.
pub fn is_adhoc_column(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.contains_key("label") && map.contains_key("sqlExpression"))
}

/// Whether a JSON value is an adhoc metric: an object with expressionType.
pub fn is_adhoc_metric(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.contains_key("expressionType"))
}

/// Label of a column in its JSON form (`get_column_name`).
pub fn column_label(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => {
            string_field(map, "label").or_else(|| string_field(map, "sqlExpression")).map(str::to_owned)
        }
        _ => None,
    }
}

fn string_field<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Columns and columns of SIMPLE metrics that are neither adhoc nor known, as Python prints their list; `None` when
/// there are none (`superset.utils.core:get_column_names_from_columns`, `get_column_names_from_metrics`).
pub fn unknown_columns<'a>(
    columns: impl IntoIterator<Item = &'a Column>,
    metrics: impl IntoIterator<Item = &'a Metric>,
    known: impl Fn(&str) -> bool,
) -> Option<String> {
    let columns = columns.into_iter().filter(|column| !column.is_adhoc()).map(Column::to_json);
    let metrics = metrics.into_iter().filter_map(Metric::simple_column).cloned();
    let unknown = |name: &Value| truthy(name) && !name.as_str().is_some_and(&known);
    let missing: Vec<Value> = columns.chain(metrics).filter(unknown).collect();
    (!missing.is_empty()).then(|| json_repr(&Value::Array(missing)))
}

impl Column {
    /// From its JSON form; `None` for what is neither text nor object.
    pub fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(name) => Some(Self::Name(name)),
            Value::Object(map) => Some(Self::Adhoc(map)),
            _ => None,
        }
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Name(name) => Value::String(name.clone()),
            Self::Adhoc(map) => Value::Object(map.clone()),
        }
    }

    /// The name, for a column of the dataset.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Adhoc(_) => None,
        }
    }

    /// Label (`get_column_name`).
    pub fn label(&self) -> Option<String> {
        match self {
            Self::Name(name) => Some(name.clone()),
            Self::Adhoc(map) => {
                string_field(map, "label").or_else(|| string_field(map, "sqlExpression")).map(str::to_owned)
            }
        }
    }

    /// Expression of an adhoc column.
    pub fn sql_expression(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Adhoc(map) => map.get("sqlExpression").and_then(Value::as_str),
        }
    }

    /// Whether it is an adhoc column in the strict sense (label and expression).
    pub fn is_adhoc(&self) -> bool {
        matches!(self, Self::Adhoc(map) if map.contains_key("label") && map.contains_key("sqlExpression"))
    }

    /// Whether it is the x-axis of a chart.
    pub fn is_base_axis(&self) -> bool {
        self.is_adhoc()
            && matches!(self, Self::Adhoc(map) if map.get("columnType").and_then(Value::as_str) == Some("BASE_AXIS"))
    }

    /// Grain of the x-axis.
    pub fn time_grain(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Adhoc(map) => string_field(map, "timeGrain"),
        }
    }

    /// The expression is the name of a column.
    pub fn is_column_reference(&self) -> bool {
        matches!(self, Self::Adhoc(map) if map.get("isColumnReference").is_some_and(truthy))
    }
}

impl Metric {
    /// From its JSON form: text, an adhoc metric, or the legacy `{label}` of a saved metric.
    pub fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(name) => Some(Self::Name(name)),
            Value::Object(map) if map.contains_key("expressionType") => Some(Self::Adhoc(map)),
            Value::Object(map) => {
                map.get("label").and_then(Value::as_str).map(|name| Self::Name(name.to_owned()))
            }
            _ => None,
        }
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Name(name) => Value::String(name.clone()),
            Self::Adhoc(map) => Value::Object(map.clone()),
        }
    }

    /// The name of a saved metric.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Adhoc(_) => None,
        }
    }

    /// Label (`get_metric_name`); saved metrics by their verbose name when the dataset is given.
    pub fn label(&self, dataset: Option<&Dataset>) -> Option<String> {
        match self {
            Self::Name(name) => {
                Some(dataset.map_or(name.as_str(), |dataset| dataset.verbose_name(name)).to_owned())
            }
            Self::Adhoc(map) => adhoc_metric_label(map),
        }
    }

    /// Column of a SIMPLE metric, as sent: a name, where the request is in order.
    pub fn simple_column(&self) -> Option<&Value> {
        match self {
            Self::Adhoc(map) if map.get("expressionType").and_then(Value::as_str) == Some("SIMPLE") => {
                map.get("column")?.get("column_name")
            }
            _ => None,
        }
    }
}

/// Label of an adhoc metric: its own, its expression, or `AGGREGATE(column)`.
pub(crate) fn adhoc_metric_label(map: &Map<String, Value>) -> Option<String> {
    if let Some(label) = string_field(map, "label") {
        return Some(label.to_owned());
    }
    match string_field(map, "expressionType") {
        Some("SQL") => string_field(map, "sqlExpression").map(str::to_owned),
        Some("SIMPLE") => {
            let column = map.get("column")?.get("column_name").and_then(Value::as_str);
            match (string_field(map, "aggregate"), column) {
                (Some(aggregate), column) => Some(format!("{aggregate}({})", column.unwrap_or("None"))),
                (None, column) => column.map(str::to_owned),
            }
        }
        _ => None,
    }
}
