//! The part of a dataset that some charts need (`BaseDatasource.data_for_slices`).

use std::collections::BTreeSet;

use daos::chart::Chart;
use infra::config::Config;
use serde_json::{Map, Value, json};

use super::describe::Described;
use crate::chart::form_data::form_data;

/// Controls whose value is a metric or several.
const METRIC_PARAMS: &[&str] = &[
    "metric",
    "metric_2",
    "metrics",
    "metrics_b",
    "percent_metrics",
    "secondary_metric",
    "size",
    "timeseries_limit_metric",
    "x",
    "y",
];

/// Controls whose value is a column or several.
const COLUMN_PARAMS: &[&str] =
    &["all_columns", "all_columns_x", "columns", "entity", "groupby", "order_by_cols", "series"];

/// The dataset's description with only the columns and metrics that the charts name.
pub fn data_for_charts(config: &Config, described: &Described, charts: &[&Chart]) -> Map<String, Value> {
    let mut data = described.data(config);
    let verbose = data.get("verbose_map").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut wanted = Wanted::default();
    for chart in charts {
        wanted.add(chart, &verbose);
    }

    let list = |data: &mut Map<String, Value>, key: &str| match data.remove(key) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown = |item: &Value, key: &str| {
        let verbose = text(item, "verbose_name");
        if verbose.is_empty() { text(item, key) } else { verbose }
    };

    let mut metrics = list(&mut data, "metrics");
    metrics.retain(|m| {
        wanted.metrics.contains(&text(m, "metric_name")) || wanted.metrics.contains(&text(m, "verbose_name"))
    });
    let mut columns = list(&mut data, "columns");
    let types: BTreeSet<i64> =
        columns.iter().filter_map(|c| c.get("type_generic").and_then(Value::as_i64)).collect();
    columns.retain(|c| wanted.columns.contains(&text(c, "column_name")));

    let mut map = Map::from_iter([("__timestamp".to_owned(), json!("Time"))]);
    map.extend(metrics.iter().map(|m| (text(m, "metric_name"), json!(shown(m, "metric_name")))));
    map.extend(columns.iter().map(|c| (text(c, "column_name"), json!(shown(c, "column_name")))));
    let mut names: BTreeSet<String> = columns.iter().map(|c| shown(c, "column_name")).collect();
    names.extend(described.column_names().into_iter().map(str::to_owned));

    data.remove("description");
    data.insert("column_types".into(), types.into_iter().collect());
    data.insert("metrics".into(), Value::Array(metrics));
    data.insert("columns".into(), Value::Array(columns));
    data.insert("verbose_map".into(), Value::Object(map));
    data.insert("column_names".into(), names.into_iter().collect());
    data
}

/// Names that charts use.
#[derive(Default)]
struct Wanted {
    metrics: BTreeSet<String>,
    columns: BTreeSet<String>,
}

impl Wanted {
    fn add(&mut self, chart: &Chart, verbose: &Map<String, Value>) {
        let form_data = form_data(chart);
        for metric in METRIC_PARAMS.iter().flat_map(|key| as_list(form_data.get(*key))) {
            self.metrics.extend(metric_name(metric, verbose));
            if let Some(column) = metric.pointer("/column/column_name").and_then(Value::as_str) {
                self.columns.insert(column.to_owned());
            }
        }
        for filter in as_list(form_data.get("adhoc_filters")) {
            if filter.get("clause").and_then(Value::as_str) == Some("WHERE") {
                self.columns.extend(filter.get("subject").and_then(Value::as_str).map(str::to_owned));
            }
        }
        for filter in as_list(form_data.get("filter_configs")) {
            self.columns.extend(filter.get("column").and_then(Value::as_str).map(str::to_owned));
        }
        let context: Option<Value> =
            chart.query_context.as_deref().and_then(|text| serde_json::from_str(text).ok());
        if let Some(context) = context.filter(Value::is_object) {
            for query in as_list(context.get("queries")) {
                for column in ["columns", "groupby"].iter().flat_map(|key| as_list(query.get(*key))) {
                    self.columns.extend(column_name(column));
                }
            }
        } else {
            for column in COLUMN_PARAMS.iter().flat_map(|key| as_list(form_data.get(*key))) {
                self.columns.extend(column_name(column));
            }
        }
    }
}

/// Python's `as_list(x or [])`.
fn as_list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
        Some(Value::String(s)) if s.is_empty() => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

/// `get_metric_name`; nothing for what is no metric.
fn metric_name(metric: &Value, verbose: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| metric.get(key).and_then(Value::as_str).filter(|s| !s.is_empty());
    if let Some(name) = metric.as_str() {
        return Some(verbose.get(name).and_then(Value::as_str).unwrap_or(name).to_owned());
    }
    if let Some(label) = text("label") {
        return Some(label.to_owned());
    }
    match text("expressionType")? {
        "SQL" => text("sqlExpression").map(str::to_owned),
        _ => {
            let column = metric.pointer("/column/column_name").and_then(Value::as_str)?;
            Some(text("aggregate").map_or_else(|| column.to_owned(), |a| format!("{a}({column})")))
        }
    }
}

/// `get_column_name`; nothing for what is no column.
fn column_name(column: &Value) -> Option<String> {
    let text = |key: &str| column.get(key).and_then(Value::as_str).filter(|s| !s.is_empty());
    column.as_str().or_else(|| text("label")).or_else(|| text("sqlExpression")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_metrics_and_columns() {
        let verbose = Map::from_iter([("count".to_owned(), json!("Number"))]);
        assert_eq!(metric_name(&json!("count"), &verbose).as_deref(), Some("Number"));
        let simple =
            json!({"expressionType": "SIMPLE", "aggregate": "SUM", "column": {"column_name": "num"}});
        assert_eq!(metric_name(&simple, &verbose).as_deref(), Some("SUM(num)"));
        let sql = json!({"expressionType": "SQL", "sqlExpression": "1", "label": "one"});
        assert_eq!(metric_name(&sql, &verbose).as_deref(), Some("one"));
        assert_eq!(metric_name(&json!(7), &verbose), None);
        assert_eq!(column_name(&json!({"sqlExpression": "a + b"})).as_deref(), Some("a + b"));
    }
}
