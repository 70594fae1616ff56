//! The default filters of a dashboard of the old kind for one of its charts
//! (`superset.views.utils:get_dashboard_extra_filters`).

use std::collections::HashMap;

use daos::{chart, dashboard};
use infra::Result;
use serde_json::{Map, Value, json};

use crate::{Services, connect::describe::truthy};

/// Layouts are trees; what is deeper than this is none.
const MAX_DEPTH: usize = 64;

/// Filters as `{col, op, val}`; none when the dashboard does not show the chart.
pub(crate) async fn for_chart(app: &Services, chart_id: i64, dashboard_id: i64) -> Result<Vec<Value>> {
    let db = app.db.exec();
    let Some(dashboard) = dashboard::find(db, dashboard_id).await? else { return Ok(Vec::new()) };
    if !chart::of_dashboard(db, dashboard_id).await?.iter().any(|chart| chart.id == chart_id) {
        return Ok(Vec::new());
    }
    let read = |text: Option<&str>| -> Option<Map<String, Value>> {
        serde_json::from_str(text.filter(|t| !t.is_empty())?).ok()
    };
    let Some(metadata) = read(dashboard.json_metadata.as_deref()) else { return Ok(Vec::new()) };
    let defaults = read(metadata.get("default_filters").and_then(Value::as_str)).unwrap_or_default();
    let ids: Vec<i64> = defaults.keys().filter_map(|id| id.parse().ok()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let filters = chart::find_many(db, &ids).await?.into_iter();
    let configs: HashMap<i64, Map<String, Value>> =
        filters.map(|filter| (filter.id, read(filter.params.as_deref()).unwrap_or_default())).collect();
    let dashboard = Layout {
        nodes: read(dashboard.position_json.as_deref()).unwrap_or_default(),
        scopes: metadata.get("filter_scopes").and_then(Value::as_object).cloned().unwrap_or_default(),
    };
    let mut found = Vec::new();
    for (filter, columns) in &defaults {
        let config = filter.parse().ok().and_then(|id: i64| configs.get(&id));
        let configs = config.and_then(|c| c.get("filter_configs")).and_then(Value::as_array);
        for (column, value) in columns.as_object().into_iter().flatten().filter(|(_, value)| truthy(value)) {
            let times = dashboard.applications(filter, column, chart_id);
            found.extend(std::iter::repeat_n(filter_of(column, value, configs), times));
        }
    }
    Ok(found)
}

/// Where charts stand, and which of them a filter is for.
struct Layout {
    nodes: Map<String, Value>,
    scopes: Map<String, Value>,
}

impl Layout {
    /// How many of the containers in the scope of a filter hold the chart.
    fn applications(&self, filter: &str, column: &str, chart_id: i64) -> usize {
        let scope = self.scopes.get(filter).and_then(|scopes| scopes.get(column));
        let list = |name: &str| scope.and_then(|scope| scope.get(name)).and_then(Value::as_array).cloned();
        if list("immune").unwrap_or_default().contains(&json!(chart_id)) {
            return 0;
        }
        let containers = list("scope").unwrap_or_else(|| vec![json!("ROOT_ID")]);
        let holds = |id: &&Value| {
            id.as_str().is_some_and(|id| id == "ROOT_ID" || self.holds(id, chart_id, MAX_DEPTH))
        };
        containers.iter().filter(holds).count()
    }

    /// `is_slice_in_container`.
    fn holds(&self, id: &str, chart_id: i64, depth: usize) -> bool {
        let Some(node) = self.nodes.get(id).filter(|_| depth > 0) else { return false };
        match node.get("type").and_then(Value::as_str) {
            Some("CHART") => node.pointer("/meta/chartId") == Some(&json!(chart_id)),
            Some("COLUMN" | "GRID" | "TABS" | "TAB" | "ROW") => {
                let children = node.get("children").and_then(Value::as_array).into_iter().flatten();
                children.filter_map(Value::as_str).any(|child| self.holds(child, chart_id, depth - 1))
            }
            _ => false,
        }
    }
}

/// One or several values, as the filter box of the column says.
fn filter_of(column: &str, value: &Value, configs: Option<&Vec<Value>>) -> Value {
    let config =
        configs.into_iter().flatten().find(|c| c.get("column").and_then(Value::as_str) == Some(column));
    let mut value = value.clone();
    if let Some(config) = config {
        match (config.get("multiple").is_some_and(truthy), &value) {
            (false, Value::Array(values)) => value = values.first().cloned().unwrap_or(Value::Null),
            (true, Value::Array(_)) | (false, _) => {}
            (true, _) => value = json!([value]),
        }
    }
    json!({"col": column, "op": if value.is_array() { "in" } else { "==" }, "val": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_applies_in_its_containers() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let layout = Layout {
            nodes: map(json!({
                "TAB-1": {"type": "TAB", "children": ["ROW-1"]},
                "ROW-1": {"type": "ROW", "children": ["C1", "TAB-1"]},
                "C1": {"type": "CHART", "meta": {"chartId": 7}},
            })),
            scopes: map(json!({
                "1": {"a": {"scope": ["TAB-1"], "immune": []}, "b": {"scope": ["TAB-2"]}, "c": {"immune": [7]}},
            })),
        };
        let times = |column: &str| layout.applications("1", column, 7);
        assert_eq!((times("a"), times("b"), times("c"), times("other")), (1, 0, 0, 1));
        assert_eq!(layout.applications("1", "a", 8), 0, "a layout that contains itself ends");
    }

    #[test]
    fn values_follow_the_filter_box() {
        let configs =
            vec![json!({"column": "a", "multiple": false}), json!({"column": "b", "multiple": true})];
        let of = |column: &str, value: Value| filter_of(column, &value, Some(&configs));
        assert_eq!(of("a", json!(["x", "y"])), json!({"col": "a", "op": "==", "val": "x"}));
        assert_eq!(of("b", json!("x")), json!({"col": "b", "op": "in", "val": ["x"]}));
        assert_eq!(of("c", json!(["x"])), json!({"col": "c", "op": "in", "val": ["x"]}));
    }
}
