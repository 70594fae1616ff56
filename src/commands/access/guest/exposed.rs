//! What a stored chart shows, read from its controls and its stored queries.

use std::{collections::HashSet, sync::Arc};

use daos::chart::Chart;
use query::{
    dataset::Dataset,
    query_object::{QueryObject, ResultType},
};
use serde_json::{Map, Value};

use super::{
    clauses::Clauses,
    controls::{Control, control},
    meaning::{ColumnMeaning, MetricMeaning},
};

/// The answers that charts get; guests get that to `query` without the SQL.
pub(super) const OF_CHARTS: [ResultType; 4] =
    [ResultType::Full, ResultType::Results, ResultType::PostProcessed, ResultType::Query];

/// What dashboards expose to a guest: columns, metrics, conditions and layers of one dataset that may be asked for.
#[derive(Debug)]
pub struct Exposed {
    pub(super) dataset: Arc<Dataset>,
    /// May be selected.
    pub(super) columns: HashSet<ColumnMeaning>,
    /// May be selected and ordered by.
    pub(super) metrics: HashSet<MetricMeaning>,
    /// May be ordered by.
    pub(super) order: HashSet<ColumnMeaning>,
    /// May be filtered by.
    pub(super) filters: HashSet<ColumnMeaning>,
    pub(super) where_: Clauses,
    pub(super) having: Clauses,
    /// Layers of annotations, as [`layer`] has them.
    pub(super) annotations: HashSet<String>,
    pub(super) result_types: Vec<ResultType>,
    /// The dashboard lets its readers choose the time column.
    pub(super) any_time_column: bool,
}

impl Exposed {
    /// Nothing of a dataset.
    pub(super) fn new(dataset: Arc<Dataset>) -> Self {
        Self {
            dataset,
            columns: HashSet::new(),
            metrics: HashSet::new(),
            order: HashSet::new(),
            filters: HashSet::new(),
            where_: Clauses::default(),
            having: Clauses::default(),
            annotations: HashSet::new(),
            result_types: OF_CHARTS.to_vec(),
            any_time_column: false,
        }
    }

    /// Adds what a chart shows.
    pub(super) fn add_chart(&mut self, chart: &Chart) {
        let stored = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref()?).ok();
        if let Some(Value::Object(params)) = stored(&chart.params) {
            self.add_form_data(&params);
        }
        if let Some(context) = stored(&chart.query_context) {
            for query in list(context.get("queries")) {
                self.add_stored_query(query);
            }
            if let Some(Value::Object(form_data)) = context.get("form_data") {
                self.add_form_data(form_data);
            }
        }
    }

    /// Adds the controls of a chart.
    pub(super) fn add_form_data(&mut self, form_data: &Map<String, Value>) {
        for (key, value) in form_data {
            match control(key) {
                Control::Columns => self.add_columns(value),
                Control::Metrics => self.add_metrics(value),
                Control::Either => self.add_either(value),
                Control::Order => self.add_order(value),
                Control::Filters => self.add_filters(value),
                Control::Annotations => self.annotations.extend(list(Some(value)).map(layer)),
                Control::Clause => self.add_clause(key, value),
                Control::Other => self.add_expressions(value),
            }
        }
    }

    fn add_stored_query(&mut self, query: &Value) {
        let Some(query) = query.as_object() else { return };
        self.add_form_data(query);
        for (key, clause) in query.get("extras").and_then(Value::as_object).into_iter().flatten() {
            self.add_clause(key, clause);
        }
    }

    /// Adds a query that the server itself makes of the stored controls (visualisations of old).
    pub(crate) fn add_query(&mut self, query: &QueryObject) {
        let dataset = self.dataset.clone();
        let columns = query.columns.iter().chain(&query.groupby).chain(&query.series_columns);
        self.columns.extend(columns.filter_map(|c| ColumnMeaning::resolve(c, &dataset)));
        self.metrics
            .extend(query.metrics.iter().flatten().filter_map(|m| MetricMeaning::resolve(m, &dataset)));
        if let Some(metric) = &query.series_limit_metric {
            self.add_metrics(metric);
        }
        self.add_order(&query.orderby.iter().map(|(item, _)| Value::Array(vec![item.clone()])).collect());
        for filter in &query.filter {
            self.filters.extend(ColumnMeaning::of_json(&filter.col, &dataset));
        }
        for (clauses, text) in
            [(&mut self.where_, &query.extras.where_), (&mut self.having, &query.extras.having)]
        {
            clauses.add_whole(text.as_deref().unwrap_or_default(), &dataset);
        }
    }

    fn add_columns(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add_columns(item)),
            Value::Object(map) if !map.contains_key("sqlExpression") => {
                // `{type: "latlong", latCol, lonCol}` and its like, `{column_name}`
                let parts = map.iter().filter(|(key, _)| key.ends_with("Col") || *key == "column_name");
                parts.for_each(|(_, part)| self.add_columns(part));
            }
            column => self.columns.extend(ColumnMeaning::of_json(column, &self.dataset)),
        }
    }

    pub(super) fn add_metrics(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add_metrics(item)),
            // `{type: "metric", value}` beside `{type: "fix", value}`
            Value::Object(map) if map.get("type").and_then(Value::as_str) == Some("metric") => {
                map.get("value").into_iter().for_each(|metric| self.add_metrics(metric));
            }
            metric => self.metrics.extend(MetricMeaning::of_json(metric, &self.dataset)),
        }
    }

    fn add_either(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add_either(item)),
            Value::String(name) if self.dataset.metric(name).is_some() => self.add_metrics(value),
            Value::Object(map) if map.contains_key("aggregate") => self.add_metrics(value),
            Value::Object(map) if map.contains_key("metric_name") => {
                map.get("metric_name").into_iter().for_each(|name| self.add_metrics(name));
            }
            Value::Object(map) if is_expression(map) => {
                self.add_metrics(value);
                self.add_columns(value);
            }
            other => self.add_columns(other),
        }
    }

    /// `[[what, ascending]]`, `["[\"what\", true]"]`, or a metric.
    fn add_order(&mut self, value: &Value) {
        for item in list(Some(value)) {
            let decoded = item.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            match decoded.as_ref().unwrap_or(item) {
                Value::Array(pair) => pair.iter().take(1).for_each(|item| self.add_order_item(item)),
                item => self.add_order_item(item),
            }
        }
        if value.is_object() || value.is_string() {
            self.add_order_item(value);
        }
    }

    fn add_order_item(&mut self, item: &Value) {
        self.add_metrics(item);
        self.order.extend(ColumnMeaning::of_json(item, &self.dataset));
    }

    /// Filters as `{subject}`, `{sqlExpression, clause}` or `{col}`.
    pub(super) fn add_filters(&mut self, value: &Value) {
        for filter in list(Some(value)) {
            let text = |key: &str| filter.get(key).and_then(Value::as_str);
            if let (Some("SQL"), Some(sql)) = (text("expressionType"), text("sqlExpression")) {
                let clauses =
                    if text("clause") == Some("HAVING") { &mut self.having } else { &mut self.where_ };
                clauses.add_part(sql, &self.dataset);
                continue;
            }
            for column in ["subject", "col"].iter().filter_map(|key| filter.get(*key)) {
                self.filters.extend(ColumnMeaning::of_json(column, &self.dataset));
            }
        }
    }

    fn add_clause(&mut self, key: &str, clause: &Value) {
        let Some(sql) = clause.as_str() else { return };
        let clauses = match key {
            "where" => &mut self.where_,
            "having" => &mut self.having,
            _ => return,
        };
        clauses.add_part(sql, &self.dataset);
        clauses.add_whole(sql, &self.dataset);
    }

    /// Columns and metrics with an expression of their own, under controls of other visualisations. Names there may be
    /// anything.
    fn add_expressions(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add_expressions(item)),
            Value::Object(map) if is_expression(map) => self.add_either(value),
            _ => {}
        }
    }
}

/// An adhoc column or metric, and no filter.
fn is_expression(map: &Map<String, Value>) -> bool {
    map.contains_key("expressionType")
        && !["clause", "operator", "subject"].iter().any(|k| map.contains_key(*k))
}

/// What a layer of annotations reads.
pub(super) fn layer(layer: &Value) -> String {
    let keys = [
        "annotationType",
        "sourceType",
        "value",
        "timeColumn",
        "intervalEndColumn",
        "titleColumn",
        "descriptionColumns",
    ];
    let read: Vec<Value> = keys.iter().map(|key| layer.get(*key).cloned().unwrap_or_default()).collect();
    Value::Array(read).to_string()
}

pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
