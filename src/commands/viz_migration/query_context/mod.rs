//! The query context of a migrated chart, built from its controls as a migration of the original builds it
//! (`superset.migrations.shared.migrate_viz.query_functions`): not as the frontend of 6.0.0 would, and with its slips.

mod columns;
mod object;
mod operators;

use infra::json::truthy;
use serde_json::{Value, json};

use self::{
    columns::{column_label, column_labels, extra_metrics, has_x_axis, is_adhoc, metric_label, x_axis},
    operators::Chart,
};
use super::{
    FormData, NotMigrated,
    base::set,
    python::{contains, ensure_list, equal, int, int_text, raised},
};

/// How a kind of chart makes its query of the query object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// Lines, areas and bars.
    Timeseries,
    /// `heatmap_v2`.
    Heatmap,
    /// `histogram_v2`.
    Histogram,
    /// `sankey_v2`.
    Sankey,
}

/// A query context of its own (`build_query_context`).
pub fn context(kind: Query, data: &FormData) -> Result<Value, NotMigrated> {
    let queries = queries(kind, data)?;
    let or = |key: &str, default: Value| data.get(key).cloned().unwrap_or(default);
    Ok(json!({
        "datasource": datasource(data)?,
        "force": or("force", json!(false)),
        "queries": queries,
        "form_data": data,
        "result_format": or("result_format", json!("json")),
        "result_type": or("result_type", json!("full")),
    }))
}

/// The queries for a query context that is there.
pub fn queries(kind: Query, data: &FormData) -> Result<Vec<Value>, NotMigrated> {
    let base = object::build(data)?;
    let mut query = match kind {
        Query::Timeseries => timeseries(data, base)?,
        Query::Heatmap => heatmap(data, base)?,
        Query::Histogram => histogram(data, base)?,
        Query::Sankey => sankey(data, base),
    };
    if let Some(Value::Array(operations)) = query.get_mut("post_processing") {
        operations.retain(truthy);
    }
    if has_x_axis(data)? {
        base_axis(data, &mut query)?;
    }
    // also where only the queries are kept, the original builds the whole and fails with it
    datasource(data)?;
    Ok(vec![Value::Object(query)])
}

fn datasource(data: &FormData) -> Result<Value, NotMigrated> {
    let key = data.get("datasource").and_then(Value::as_str).and_then(|key| key.split_once("__"));
    let Some((id, kind)) = key else { return raised("no datasource") };
    let Some(id) = int_text(id) else { return raised("a datasource without number") };
    Ok(json!({"id": id, "type": if kind == "query" { "query" } else { "table" }}))
}

/// The column of the x-axis says that it is one (`normalize_time_column`).
fn base_axis(data: &FormData, query: &mut FormData) -> Result<(), NotMigrated> {
    let Some(axis) = data.get("x_axis").filter(|axis| truthy(axis)) else { return Ok(()) };
    let grain = query.get("extras").and_then(|extras| extras.get("time_grain_sqla")).cloned();
    let mut columns = ensure_list(query.get("columns"));
    for column in &mut columns {
        let same = if let (Value::String(_), Value::String(_)) = (&*column, axis) {
            column == axis
        } else {
            let both = is_adhoc(column)? && is_adhoc(axis)?;
            both && equal(&column["sqlExpression"], &axis["sqlExpression"])
        };
        if !same {
            continue;
        }
        let mut marked = match column.take() {
            Value::Object(column) => column,
            _ => FormData::from_iter([
                ("columnType".to_owned(), json!("BASE_AXIS")),
                ("sqlExpression".to_owned(), axis.clone()),
                ("label".to_owned(), axis.clone()),
                ("expressionType".to_owned(), json!("SQL")),
            ]),
        };
        set(&mut marked, "columnType", "BASE_AXIS");
        if let Some(grain) = grain {
            set(&mut marked, "timeGrain", grain);
        }
        *column = Value::Object(marked);
        query.shift_remove("is_timeseries");
        set(query, "columns", columns);
        break;
    }
    Ok(())
}

/// What the rows are ordered by (`normalize_order_by`).
fn order_by(query: &FormData) -> Value {
    if let Some(Value::Array(orders)) = query.get("orderby")
        && let Some(Value::Array(first)) = orders.first()
        && let [by, Value::Bool(_)] = &first[..]
        && truthy(by)
    {
        return json!(orders);
    }
    let ascending = !query.get("order_desc").is_some_and(truthy);
    let metric = query.get("series_limit_metric").filter(|metric| truthy(metric));
    let metric = metric.or_else(|| query.get("metrics")?.as_array()?.first());
    metric.map_or(Value::Null, |metric| json!([[metric, ascending]]))
}

fn timeseries(data: &FormData, base: FormData) -> Result<FormData, NotMigrated> {
    let groupby = data.get("groupby").cloned().unwrap_or_default();
    let chart = Chart { data, query: &base };
    let extra = extra_metrics(data)?;
    let pivot = chart.pivot()?;
    let mut columns = if has_x_axis(data)? { ensure_list(x_axis(data)?.as_ref()) } else { Vec::new() };
    columns.extend(ensure_list(Some(&groupby)));
    let shifts = match chart.is_compared()? {
        true => data.get("time_compare").cloned().unwrap_or_default(),
        false => json!([]),
    };
    let mut metrics = match base.get("metrics").filter(|metrics| truthy(metrics)) {
        Some(metrics) => ensure_list(Some(metrics)),
        None => Vec::new(),
    };
    metrics.extend(extra);
    let operations = json!([
        pivot,
        chart.rolling()?,
        chart.compare()?,
        chart.resample()?,
        chart.rename()?,
        chart.contribution(&shifts)?,
        chart.sort()?,
        {"operation": "flatten"},
        chart.prophet()?,
    ]);
    let order = order_by(&base);
    let mut query = base;
    set(&mut query, "metrics", metrics);
    set(&mut query, "columns", columns);
    set(&mut query, "series_columns", groupby);
    if !has_x_axis(data)? {
        set(&mut query, "is_timeseries", true);
    }
    set(&mut query, "orderby", order);
    set(&mut query, "time_offsets", shifts);
    set(&mut query, "post_processing", operations);
    Ok(query)
}

fn heatmap(data: &FormData, mut query: FormData) -> Result<FormData, NotMigrated> {
    let groupby = data.get("groupby").cloned().unwrap_or_default();
    let metric = metric_label(data.get("metric").unwrap_or(&Value::Null))?;
    let mut columns = ensure_list(x_axis(data)?.as_ref());
    columns.extend(ensure_list(Some(&groupby)));
    let mut orders = Vec::new();
    for (at, key) in ["sort_x_axis", "sort_y_axis"].into_iter().enumerate() {
        let Some(sort) = data.get(key).filter(|sort| truthy(sort)) else { continue };
        let by = if contains(sort, "value")? { Some(&metric) } else { columns.get(at) };
        let Some(by) = by else { return raised("no column to sort by") };
        orders.push(json!([by, contains(sort, "asc")?]));
    }
    let group = match data.get("normalize_across").and_then(Value::as_str) {
        Some("x") => column_label(data.get("x_axis").unwrap_or(&Value::Null))?,
        Some("y") => column_label(&groupby)?,
        _ => Value::Null,
    };
    set(&mut query, "columns", columns);
    if !orders.is_empty() {
        set(&mut query, "orderby", orders);
    }
    let mut options = FormData::new();
    set(&mut options, "metric", metric);
    if !group.is_null() {
        set(&mut options, "group_by", group);
    }
    set(&mut query, "post_processing", json!([{"operation": "rank", "options": options}]));
    Ok(query)
}

fn histogram(data: &FormData, mut query: FormData) -> Result<FormData, NotMigrated> {
    let column = data.get("column").cloned().unwrap_or_default();
    let Some(Value::Array(groupby)) = data.get("groupby") else { return raised("no list to group by") };
    let mut columns = groupby.clone();
    columns.push(column.clone());
    let mut options = FormData::new();
    set(&mut options, "column", column_label(&column)?);
    set(&mut options, "groupby", column_labels(&json!(groupby))?);
    set(&mut options, "bins", data.get("bins").map_or(5, |bins| int(bins).unwrap_or(5)));
    for key in ["cumulative", "normalize"] {
        set(&mut options, key, data.get(key).cloned().unwrap_or_default());
    }
    options.retain(|_, value| !value.is_null());
    set(&mut query, "columns", columns);
    set(&mut query, "post_processing", json!([{"operation": "histogram", "options": options}]));
    query.shift_remove("metrics");
    Ok(query)
}

fn sankey(data: &FormData, mut query: FormData) -> FormData {
    let of = |key: &str| data.get(key).cloned().unwrap_or_default();
    set(&mut query, "groupby", json!([of("source"), of("target")]));
    if data.get("sort_by_metric").is_some_and(truthy) {
        set(&mut query, "orderby", json!([[of("metric"), false]]));
    }
    query
}
