//! From a checked request to query objects: defaults, row limits, time range, and the time column chosen on a
//! dashboard (`QueryContextFactory`, `QueryObjectFactory`, `QueryObject.__init__`).

use chrono::NaiveDateTime;
use serde_json::{Map, Value, json};

use super::{
    Bounds, Column, Extras, Filter, Metric, QueryContext, QueryObject, RequestBody, ResultType,
    column::{DTTM_ALIAS, is_adhoc_column},
    fields::truthy,
};
use crate::{
    dataset::Dataset,
    error::{QueryError, Result},
};

/// Row limits of the installation.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `ROW_LIMIT`.
    pub row_limit: i64,
    /// `SAMPLES_ROW_LIMIT`.
    pub samples_row_limit: i64,
    /// `SQL_MAX_ROW`.
    pub sql_max_row: i64,
    /// `TABLE_VIZ_MAX_ROW_SERVER`.
    pub table_viz_max_row_server: i64,
    /// How much may be asked for.
    pub bounds: Bounds,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            row_limit: 50_000,
            samples_row_limit: 1_000,
            sql_max_row: 100_000,
            table_viz_max_row_server: 500_000,
            bounds: Bounds::default(),
        }
    }
}

/// Start (inclusive) and end (exclusive) of a time range.
pub type TimeBounds = (Option<NaiveDateTime>, Option<NaiveDateTime>);

/// Resolves a time range with its shift; `extras` may set where relative ranges start
/// (`get_since_until_from_time_range`).
pub type TimeRanges<'a> = dyn Fn(Option<&str>, Option<&str>, &Extras) -> Result<TimeBounds> + Sync + 'a;

/// Makes the query context of a request.
pub fn assemble(
    body: RequestBody,
    dataset: &Dataset,
    limits: &Limits,
    time_ranges: &TimeRanges<'_>,
) -> Result<QueryContext> {
    limits.bounds.over(dataset).check_context(&body.queries)?;
    let mut context = QueryContext {
        cache_values: json!({
            "datasource": {"id": body.datasource.id, "type": body.datasource.type_.name()},
            "queries": body.queries,
            "result_type": body.result_type.name(),
            "result_format": body.result_format.name(),
        }),
        datasource: body.datasource,
        queries: Vec::with_capacity(body.queries.len()),
        result_type: body.result_type,
        result_format: body.result_format,
        force: body.force,
        custom_cache_timeout: body.custom_cache_timeout,
        form_data: body.form_data,
    };
    let server_pagination = context.server_pagination();
    for map in &body.queries {
        let mut query = query_object(map, body.result_type, server_pagination, limits, time_ranges)?;
        query.apply_granularity(context.form_data.as_ref(), dataset);
        query.apply_time_range();
        context.queries.push(query);
    }
    Ok(context)
}

/// Makes one query object from its wire form.
pub fn query_object(
    map: &Map<String, Value>,
    parent_result_type: ResultType,
    server_pagination: bool,
    limits: &Limits,
    time_ranges: &TimeRanges<'_>,
) -> Result<QueryObject> {
    let get = Members(map);
    let result_type = match map.get("result_type") {
        // An explicit null stays null and later counts as "not samples".
        Some(value) => value.as_str().and_then(ResultType::named).unwrap_or(parent_result_type),
        None => parent_result_type,
    };
    let filters: Vec<Filter> = get.list("filters").iter().filter_map(Filter::from_json).collect();
    let columns = get.columns("columns")?;
    let extras = extras(map.get("extras"));
    let time_range = get.text("time_range");
    let time_shift = get.text("time_shift");
    let (from_dttm, to_dttm) = {
        let range = time_range.clone().unwrap_or_else(|| range_of_filters(&filters, &columns));
        time_ranges(Some(&range), time_shift.as_deref(), &extras)?
    };
    let metrics = get.metrics()?;
    let is_timeseries = map.get("is_timeseries").and_then(Value::as_bool);
    let mut query = QueryObject {
        annotation_layers: annotation_layers(get.list("annotation_layers"))?,
        applied_time_extras: map
            .get("applied_time_extras")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        apply_fetch_values_predicate: get.flag("apply_fetch_values_predicate"),
        is_timeseries: is_timeseries
            .unwrap_or_else(|| columns.iter().any(|column| column.name() == Some(DTTM_ALIAS))),
        series_columns: get.columns("series_columns")?,
        columns,
        extras,
        filter: filters,
        groupby: Vec::new(),
        from_dttm,
        to_dttm,
        granularity: get.text("granularity"),
        inner_from_dttm: None,
        inner_to_dttm: None,
        is_rowcount: get.flag("is_rowcount"),
        metrics,
        // Absent means descending, null means false.
        order_desc: map.get("order_desc").is_none_or(truthy),
        orderby: orderby(get.list("orderby")),
        post_processing: get.list("post_processing").iter().filter(|item| truthy(item)).cloned().collect(),
        result_type,
        row_limit: Some(limits.apply(
            map.get("row_limit").and_then(Value::as_i64),
            result_type,
            server_pagination,
        )),
        row_offset: get.integer("row_offset"),
        series_limit: get.integer("series_limit"),
        series_limit_metric: get.any("series_limit_metric"),
        group_others_when_limit_reached: get.flag("group_others_when_limit_reached"),
        time_offsets: get.list("time_offsets").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        time_range,
        time_shift,
    };
    let has_metrics = query.metrics.as_ref().is_some_and(|metrics| !metrics.is_empty());
    if query.series_columns.is_empty() && is_timeseries == Some(true) && has_metrics {
        query.series_columns.clone_from(&query.columns);
    }
    rename_deprecated(&mut query, &get)?;
    Ok(query)
}

struct Members<'a>(&'a Map<String, Value>);

impl Members<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }
    fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(truthy)
    }
    fn integer(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or(0)
    }
    fn any(&self, name: &str) -> Option<Value> {
        self.0.get(name).filter(|value| truthy(value)).cloned()
    }
    fn list(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
    fn columns(&self, name: &str) -> Result<Vec<Column>> {
        let column = |value: &Value| Column::from_json(value.clone());
        self.list(name)
            .iter()
            .map(|value| column(value).ok_or_else(|| QueryError::generic("Missing label")))
            .collect()
    }
    fn metrics(&self) -> Result<Option<Vec<Metric>>> {
        let Some(list) = self.0.get("metrics").and_then(Value::as_array) else { return Ok(None) };
        let metric = |value: &Value| Metric::from_json(value.clone());
        list.iter()
            .map(|value| {
                let refusal = "Request is incorrect: {'_schema': ['Request is incorrect']}";
                metric(value).ok_or_else(|| QueryError::validation(refusal))
            })
            .collect::<Result<Vec<_>>>()
            .map(Some)
    }
}

impl Limits {
    /// The LIMIT of a query: the one asked for, or the default, never more than the maximum.
    pub fn apply(&self, row_limit: Option<i64>, result_type: ResultType, server_pagination: bool) -> i64 {
        let default =
            if result_type == ResultType::Samples { self.samples_row_limit } else { self.row_limit };
        let max = if server_pagination { self.table_viz_max_row_server } else { self.sql_max_row };
        match row_limit.filter(|limit| *limit != 0).unwrap_or(default) {
            0 => max,
            limit => limit.min(max),
        }
    }
}

fn extras(value: Option<&Value>) -> Extras {
    let text = |name: &str| value.and_then(|map| map.get(name)).and_then(Value::as_str).map(str::to_owned);
    Extras {
        where_: text("where"),
        having: text("having"),
        time_grain_sqla: text("time_grain_sqla"),
        relative_start: text("relative_start"),
        relative_end: text("relative_end"),
        instant_time_comparison_range: text("instant_time_comparison_range"),
    }
}

fn orderby(list: &[Value]) -> Vec<(Value, bool)> {
    list.iter()
        .filter_map(|item| match item.as_array()?.as_slice() {
            [column, ascending] => Some((column.clone(), truthy(ascending))),
            _ => None,
        })
        .collect()
}

/// The range of the temporal filter on the x-axis, else of the first temporal filter.
fn range_of_filters(filters: &[Filter], columns: &[Column]) -> String {
    let axis = columns.iter().find(|column| column.is_base_axis()).and_then(Column::label);
    let temporal = || filters.iter().filter(|filter| filter.is_temporal_range());
    let on_axis = temporal().find(|filter| axis.is_some() && filter.col.as_str() == axis.as_deref());
    on_axis
        .or_else(|| temporal().next())
        .map_or_else(|| "No filter".to_owned(), |filter| filter.val.as_str().unwrap_or_default().to_owned())
}

fn annotation_layers(layers: &[Value]) -> Result<Vec<Value>> {
    let mut kept = Vec::new();
    for layer in layers {
        let kind = layer.get("annotationType").ok_or_else(|| QueryError::generic("'annotationType'"))?;
        if kind != "FORMULA" {
            kept.push(layer.clone());
        }
    }
    Ok(kept)
}

fn rename_deprecated(query: &mut QueryObject, get: &Members<'_>) -> Result<()> {
    if let Some(granularity) = get.text("granularity_sqla").filter(|text| !text.is_empty()) {
        query.granularity = Some(granularity);
    }
    let groupby = get.columns("groupby")?;
    if !groupby.is_empty() {
        query.columns = groupby;
    }
    let limit = get.integer("timeseries_limit");
    if limit != 0 {
        query.series_limit = limit;
    }
    if let Some(metric) = get.any("timeseries_limit_metric") {
        query.series_limit_metric = Some(metric);
    }
    if let Some(text) = get.text("where").filter(|text| !text.is_empty()) {
        query.extras.where_ = Some(text);
    }
    if let Some(text) = get.text("having").filter(|text| !text.is_empty()) {
        query.extras.having = Some(text);
    }
    Ok(())
}

impl QueryObject {
    /// Replaces the chart's time column by the one of the query (`_apply_granularity`): on the x-axis, in pivots and
    /// in filters.
    pub fn apply_granularity(&mut self, form_data: Option<&Value>, dataset: &Dataset) {
        let Some(granularity) = self.granularity.clone().filter(|text| !text.is_empty()) else { return };
        let x_axis = form_data.and_then(|data| data.get("x_axis"));
        let x_axis = match x_axis {
            Some(value) if is_adhoc_column(value) => value.get("sqlExpression"),
            other => other,
        };
        let temporal = |name: &&str| {
            dataset.columns.iter().any(|column| column.column_name == *name && column.is_dttm == Some(true))
        };
        let x_axis = x_axis.and_then(Value::as_str).filter(|name| !name.is_empty()).filter(temporal);
        let removed = match x_axis {
            Some(x_axis) => {
                self.replace_x_axis(x_axis, &granularity);
                Some(Value::String(x_axis.to_owned()))
            }
            None => {
                let mut temporal = self.filter.iter().filter(|filter| filter.is_temporal_range());
                let own = temporal.clone().find(|filter| filter.col.as_str() == Some(&granularity));
                own.or_else(|| temporal.next()).map(|filter| filter.col.clone())
            }
        };
        let removed = match removed {
            Some(column) if is_adhoc_column(&column) => column.get("sqlExpression").cloned(),
            other => other,
        };
        if let Some(removed) = removed.filter(truthy) {
            self.filter.retain(|filter| filter.col != removed);
        }
    }

    fn replace_x_axis(&mut self, x_axis: &str, granularity: &str) {
        let is_axis = |column: &Column| match column {
            Column::Name(name) => name == x_axis,
            Column::Adhoc(_) => column.sql_expression() == Some(x_axis),
        };
        let Some(position) = self.columns.iter().position(is_axis) else { return };
        match self.columns.get_mut(position) {
            Some(Column::Adhoc(map)) => {
                map.insert("sqlExpression".into(), granularity.into());
                map.insert("label".into(), granularity.into());
            }
            _ => {
                for column in &mut self.columns {
                    if column.name() == Some(x_axis) {
                        *column = Column::Name(granularity.to_owned());
                    }
                }
            }
        }
        for operation in &mut self.post_processing {
            if operation.get("operation").and_then(Value::as_str) == Some("pivot")
                && let Some(options) = operation.get_mut("options").and_then(Value::as_object_mut)
            {
                options.insert("index".into(), json!([granularity]));
            }
        }
    }

    /// Gives every temporal filter the time range of the query, when it has one (`_apply_filters`).
    pub fn apply_time_range(&mut self) {
        let Some(time_range) = self.time_range.clone().filter(|text| !text.is_empty()) else { return };
        for filter in self.filter.iter_mut().filter(|filter| filter.is_temporal_range()) {
            filter.val = Value::String(time_range.clone());
        }
    }
}
