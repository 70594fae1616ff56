//! Labels of metrics and columns, and the x-axis.

use infra::json::truthy;
use query::python::str_of;
use serde_json::{Value, json};

use super::super::{
    FormData, NotMigrated,
    python::{ensure_list, equal, get, hashable, items, raised},
};

/// Column of the time of a chart without x-axis.
const DTTM_ALIAS: &str = "__timestamp";

fn is_expression(value: &Value, kind: &str) -> bool {
    value.get("expressionType").and_then(Value::as_str) == Some(kind)
}

/// A saved metric, or one of the two kinds of metrics of a chart.
pub fn is_metric(value: &Value) -> bool {
    value.is_string()
        || (value.is_object() && (is_expression(value, "SIMPLE") || is_expression(value, "SQL")))
}

/// The label of a metric (`get_metric_label`).
pub fn metric_label(metric: &Value) -> Result<Value, NotMigrated> {
    let map = match metric {
        Value::String(_) => return Ok(metric.clone()),
        Value::Object(map) => map,
        _ => return raised("a metric that is none"),
    };
    if let Some(label) = map.get("label").filter(|label| truthy(label)) {
        return Ok(label.clone());
    }
    if is_expression(metric, "SIMPLE") {
        let Some(column) = map.get("column") else { return raised("no column") };
        let name = match get(column, "columnName")? {
            Some(name) if truthy(name) => Some(name),
            _ => get(column, "column_name")?,
        };
        let Some(aggregate) = map.get("aggregate") else { return raised("no aggregate") };
        return Ok(json!(format!("{}({})", str_of(aggregate), str_of(name.unwrap_or(&Value::Null)))));
    }
    map.get("sqlExpression").map_or_else(|| raised("no sqlExpression"), |text| Ok(text.clone()))
}

/// The label of a column (`get_column_label`).
pub fn column_label(column: &Value) -> Result<Value, NotMigrated> {
    match column {
        Value::String(_) => Ok(column.clone()),
        Value::Object(map) => Ok(match map.get("label").filter(|label| truthy(label)) {
            Some(label) => label.clone(),
            None => map.get("sqlExpression").cloned().unwrap_or_default(),
        }),
        _ => raised("a column that is none"),
    }
}

/// Labels of columns that are given as a list, as one, or not.
pub fn column_labels(columns: &Value) -> Result<Vec<Value>, NotMigrated> {
    ensure_list(Some(columns)).iter().map(column_label).collect()
}

/// A column that is an expression.
pub fn is_adhoc(column: &Value) -> Result<bool, NotMigrated> {
    let Value::Object(map) = column else { return Ok(false) };
    let has = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
    if !(has("sqlExpression") && has("label")) {
        return Ok(false);
    }
    match map.get("expressionType") {
        Some(kind) => Ok(kind.as_str() == Some("SQL")),
        None => raised("no expressionType"),
    }
}

/// Is there an x-axis?
pub fn has_x_axis(data: &FormData) -> Result<bool, NotMigrated> {
    match data.get("x_axis") {
        Some(Value::String(_)) => Ok(true),
        Some(column) => is_adhoc(column),
        None => Ok(false),
    }
}

/// The column of the x-axis; that of the time where there is none but a time column.
pub fn x_axis(data: &FormData) -> Result<Option<Value>, NotMigrated> {
    let set = |key: &str| data.get(key).is_some_and(truthy);
    if !(set("granularity_sqla") || set("x_axis")) {
        return Ok(None);
    }
    Ok(if has_x_axis(data)? { data.get("x_axis").cloned() } else { Some(json!(DTTM_ALIAS)) })
}

/// The label of the x-axis.
pub fn x_axis_label(data: &FormData) -> Result<Option<Value>, NotMigrated> {
    match x_axis(data)?.filter(truthy) {
        Some(column) => column_label(&column).map(|label| Some(label).filter(truthy)),
        None => Ok(None),
    }
}

/// Without those whose label was there before.
pub fn distinct(
    values: Vec<Value>,
    label: fn(&Value) -> Result<Value, NotMigrated>,
) -> Result<Vec<Value>, NotMigrated> {
    let (mut seen, mut kept) = (Vec::<Value>::new(), Vec::new());
    for value in values {
        let label = label(&value)?;
        hashable(&label)?;
        if !seen.iter().any(|known| equal(known, &label)) {
            seen.push(label);
            kept.push(value);
        }
    }
    Ok(kept)
}

/// The metric that the x-axis is sorted by, when the chart does not show it (`extract_extra_metrics`).
pub fn extra_metrics(data: &FormData) -> Result<Vec<Value>, NotMigrated> {
    let Some(limit) = data.get("timeseries_limit_metric").filter(|metric| truthy(metric)) else {
        return Ok(Vec::new());
    };
    let limit = ensure_list(Some(limit)).into_iter().next().unwrap_or_default();
    if data.get("groupby").is_some_and(truthy) || !truthy(&limit) {
        return Ok(Vec::new());
    }
    let sort = data.get("x_axis_sort").cloned().unwrap_or_default();
    if !equal(&metric_label(&limit)?, &sort) {
        return Ok(Vec::new());
    }
    for metric in data.get("metrics").map_or(Ok(Vec::new()), items)? {
        if equal(&metric_label(&metric)?, &sort) {
            return Ok(Vec::new());
        }
    }
    Ok(vec![limit])
}

/// The metrics of a query object as a list.
pub fn metrics_of(query: &FormData) -> Vec<Value> {
    ensure_list(query.get("metrics"))
}
