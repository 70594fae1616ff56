//! The query object that a chart's controls mean (`build_query_object` and what it calls).

use infra::json::truthy;
use serde_json::{Map, Value, json};

use super::super::{
    FormData, NotMigrated,
    base::set,
    python::{ensure_list, float, get, given, hashable, int, items, list, or, raised, whole},
};
use super::columns::{column_label, distinct, is_metric, metric_label};

/// Controls that [`build`] reads by name: columns, metrics and orders are looked for in the others.
const BY_NAME: [&str; 16] = [
    "annotation_layers",
    "extra_form_data",
    "time_range",
    "since",
    "until",
    "row_limit",
    "row_offset",
    "order_desc",
    "limit",
    "timeseries_limit_metric",
    "granularity",
    "url_params",
    "custom_params",
    "series_columns",
    "series_limit",
    "series_limit_metric",
];

/// The query object, its keys in the original's order, without nulls.
pub fn build(data: &FormData) -> Result<FormData, NotMigrated> {
    let extra = data.get("extra_form_data").filter(|extra| truthy(extra));
    let of_extra = |key: &str| extra.map_or(Ok(None), |extra| get(extra, key));
    let custom = match of_extra("custom_form_data")? {
        Some(custom) => custom.clone(),
        None => json!({}),
    };
    let (more_filters, more_adhoc) = (list(of_extra("filters")?)?, list(of_extra("adhoc_filters")?)?);
    let limit = number(data, "row_limit")?;
    let offset = number(data, "row_offset")?;
    let fields = fields(data)?;

    let mut query = extras(data)?;
    let mut filters = list(query.get("filters"))?;
    filters.extend(more_filters);
    let mut adhoc = match data.get("adhoc_filters").filter(|filters| truthy(filters)) {
        Some(filters) => list(Some(filters))?,
        None => Vec::new(),
    };
    adhoc.extend(more_adhoc);
    process_filters(data, &mut query, filters, &adhoc)?;
    for (key, value) in fields {
        query.insert(key, value);
    }

    let or_else = |key: &str, default: Value| data.get(key).cloned().unwrap_or(default);
    set(&mut query, "annotation_layers", or_else("annotation_layers", json!([])));
    set(&mut query, "series_columns", or_else("series_columns", Value::Null));
    let rows = match limit {
        Some(limit) => match whole(limit) {
            Some(limit) => json!(limit),
            None => return raised("a row limit beyond all numbers"),
        },
        None => Value::Null,
    };
    set(&mut query, "row_limit", rows);
    let series = match (given(data, "series_limit"), given(data, "limit")) {
        (Some(limit), _) => limit.clone(),
        (None, Some(limit)) => json!(int(limit)?),
        (None, None) => json!(0),
    };
    set(&mut query, "series_limit", series);
    set(&mut query, "order_desc", given(data, "order_desc").cloned().unwrap_or(Value::Bool(true)));
    set(&mut query, "url_params", or_else("url_params", json!({})));
    set(&mut query, "custom_params", or_else("custom_params", json!({})));

    let by_metric = data.get("series_limit_metric").filter(|metric| is_metric(metric));
    let by_metric = by_metric.or_else(|| data.get("timeseries_limit_metric"));
    for (key, value) in [
        ("time_range", data.get("time_range")),
        ("since", data.get("since")),
        ("until", data.get("until")),
        ("granularity", data.get("granularity")),
        ("series_limit_metric", by_metric),
    ] {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            set(&mut query, key, value.clone());
        }
    }
    if let Some(offset) = offset {
        set(&mut query, "row_offset", json!(offset));
    }
    if let Some(Value::Object(extra)) = extra {
        override_with(&mut query, extra);
    }
    query.retain(|_, value| !value.is_null());
    set(&mut query, "custom_form_data", custom);
    Ok(query)
}

/// A control that is a number, as a float; not one that is `nan`.
fn number(data: &FormData, key: &str) -> Result<Option<f64>, NotMigrated> {
    let number = given(data, key).map(float).transpose()?;
    Ok(number.filter(|number| !number.is_nan()))
}

/// The query field that a control stands for.
fn field_of(control: &str) -> &str {
    match control {
        "metric" | "metric_2" | "secondary_metric" | "x" | "y" | "size" => "metrics",
        "all_columns" => "columns",
        "series" => "groupby",
        "order_by_cols" => "orderby",
        other => other,
    }
}

/// Columns, orders and metrics from the controls, in their order (`extract_query_fields`).
fn fields(data: &FormData) -> Result<[(String, Value); 3], NotMigrated> {
    let mode = data.get("query_mode").and_then(Value::as_str);
    let (mut columns, mut metrics, mut orders) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in data {
        if value.is_null() || key == "query_mode" || BY_NAME.contains(&key.as_str()) {
            continue;
        }
        let field = field_of(key);
        let skipped = match mode {
            Some("aggregate") => field == "columns",
            Some("raw") => field == "groupby" || field == "metrics",
            _ => false,
        };
        match field {
            _ if skipped => {}
            "metrics" => metrics.extend(ensure_list(Some(value))),
            "columns" | "groupby" => columns.extend(ensure_list(Some(value))),
            "orderby" => orders.extend(ensure_list(Some(value))),
            _ => {}
        }
    }
    columns.retain(|column| column.as_str() != Some(""));
    let columns = distinct(columns, column_label)?;
    let metrics = if mode == Some("raw") { Value::Null } else { distinct(metrics, metric_label)?.into() };
    let mut orderby = Value::Null;
    if !orders.is_empty() {
        let parsed = orders.into_iter().map(|order| match order {
            Value::String(text) => {
                serde_json::from_str(&text).map_err(|_| NotMigrated("Found invalid orderby options".into()))
            }
            other => Ok(other),
        });
        orderby = Value::Array(parsed.collect::<Result<_, _>>()?);
    }
    Ok([("columns".into(), columns.into()), ("metrics".into(), metrics), ("orderby".into(), orderby)])
}

/// Filters of the old kind, of which four set the time (`extract_extras`).
fn extras(data: &FormData) -> Result<FormData, NotMigrated> {
    let (mut filters, mut applied) = (Vec::new(), Map::new());
    let mut found = FormData::new();
    for key in ["filters", "extras", "applied_time_extras"] {
        set(&mut found, key, Value::Null);
    }
    for filter in data.get("extra_filters").map_or(Ok(Vec::new()), items)? {
        let column = get(&filter, "col")?.cloned().unwrap_or_default();
        hashable(&column)?;
        let field = match column.as_str() {
            Some("__time_range") => "time_range",
            Some("__time_col") => "granularity_sqla",
            Some("__time_grain") => "time_grain_sqla",
            Some("__granularity") => "granularity",
            _ => {
                filters.push(filter);
                continue;
            }
        };
        let value = filter.get("val").cloned().unwrap_or_default();
        set(&mut found, field, value.clone());
        set(&mut applied, column.as_str().unwrap_or_default(), value);
    }
    let mut extras = Map::new();
    if data.contains_key("time_grain_sqla") || found.contains_key("time_grain_sqla") {
        // the original asks the form data twice, and not the filter
        set(&mut extras, "time_grain_sqla", data.get("time_grain_sqla").cloned().unwrap_or_default());
    }
    let granularity =
        or([found.get("granularity_sqla"), data.get("granularity"), data.get("granularity_sqla")]);
    set(&mut found, "granularity", granularity);
    found.shift_remove("granularity_sqla");
    found.shift_remove("time_grain_sqla");
    if found.get("granularity").is_some_and(Value::is_null) {
        found.shift_remove("granularity");
    }
    set(&mut found, "filters", filters);
    set(&mut found, "extras", extras);
    set(&mut found, "applied_time_extras", applied);
    Ok(found)
}

/// Simple conditions on rows become filters, expressions become text (`process_filters`).
fn process_filters(
    data: &FormData,
    query: &mut FormData,
    mut simple: Vec<Value>,
    adhoc: &[Value],
) -> Result<(), NotMigrated> {
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    if let Some(text) = data.get("where").filter(|text| truthy(text)) {
        rows.push(clause(text)?);
    }
    for filter in adhoc {
        let on_rows = get(filter, "clause")?.and_then(Value::as_str) == Some("WHERE");
        if get(filter, "expressionType")?.and_then(Value::as_str) == Some("SIMPLE") {
            let filter = simple_filter(filter)?;
            if on_rows {
                simple.push(filter);
            }
        } else {
            let text = clause(get(filter, "sqlExpression")?.unwrap_or(&Value::Null))?;
            if on_rows { rows.push(text) } else { groups.push(text) }
        }
    }
    set(query, "filters", simple);
    if let Some(Value::Object(extras)) = query.get_mut("extras") {
        set(extras, "having", groups.join(" AND "));
        set(extras, "where", rows.join(" AND "));
    }
    Ok(())
}

fn simple_filter(filter: &Value) -> Result<Value, NotMigrated> {
    let of = |key: &str| filter.get(key).cloned().unwrap_or_default();
    let operator = of("operator");
    hashable(&operator)?;
    let unary = matches!(operator.as_str(), Some("IS NOT NULL" | "IS NULL"));
    let mut clause = Map::new();
    set(&mut clause, "col", of("subject"));
    set(&mut clause, "op", operator);
    let value = of("comparator");
    if !unary && !value.is_null() {
        set(&mut clause, "val", value);
    }
    Ok(Value::Object(clause))
}

/// In parentheses; a comment must not swallow the closing one (`sanitize_clause`).
fn clause(text: &Value) -> Result<String, NotMigrated> {
    match text {
        Value::Null => Ok(String::new()),
        Value::String(text) => {
            Ok(if text.contains("--") { format!("({text}\n)") } else { format!("({text})") })
        }
        _ => raised("a condition that is no text"),
    }
}

/// What dashboards' filters set (`override_extra_form_data`).
fn override_with(query: &mut FormData, extra: &FormData) {
    for (key, target) in [
        ("granularity", "granularity"),
        ("granularity_sqla", "granularity"),
        ("time_column", "time_column"),
        ("time_grain", "time_grain"),
        ("time_range", "time_range"),
    ] {
        if let Some(value) = given(extra, key) {
            set(query, target, value.clone());
        }
    }
    if let Some(Value::Object(extras)) = query.get_mut("extras") {
        for key in ["relative_start", "relative_end", "time_grain_sqla"] {
            if let Some(value) = extra.get(key) {
                set(extras, key, value.clone());
            }
        }
    }
}
