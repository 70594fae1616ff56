//! What a chart shows, as its controls hold it (`Slice.form_data`).

use daos::chart::Chart;
use serde_json::{Map, Value, json};

use crate::database::describe::truthy;

/// What the client stored, with the chart's identity on top and the legacy time range moved.
pub fn form_data(chart: &Chart) -> Map<String, Value> {
    let stored = serde_json::from_str::<Value>(chart.params.as_deref().unwrap_or_default());
    let mut form = match stored {
        Ok(Value::Object(form)) => form,
        _ => Map::new(),
    };
    form.insert("slice_id".into(), json!(chart.id));
    form.insert("viz_type".into(), json!(chart.viz_type));
    let id = chart.datasource_id.map_or_else(|| "None".to_owned(), |id| id.to_string());
    let kind = chart.datasource_type.as_deref().unwrap_or("None");
    form.insert("datasource".into(), json!(format!("{id}__{kind}")));
    if let Some(timeout) = chart.cache_timeout.filter(|t| *t != 0) {
        form.insert("cache_timeout".into(), json!(timeout));
    }
    update_time_range(&mut form);
    form
}

/// Moves `since` and `until` to `time_range`; a time column that a filter leaves open gets "No filter"
/// (`superset.legacy:update_time_range`).
pub fn update_time_range(form: &mut Map<String, Value>) {
    if form.contains_key("since") || form.contains_key("until") {
        let mut take = |key| form.remove(key).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let (since, until) = (take("since"), take("until"));
        form.insert("time_range".into(), json!(format!("{since} : {until}")));
    }
    let Some(column) = form.get("granularity_sqla").filter(|c| truthy(c)) else { return };
    let open = form.get("adhoc_filters").and_then(Value::as_array).into_iter().flatten().any(|f| {
        f.get("subject") == Some(column) && f.get("comparator").and_then(Value::as_str) == Some("No filter")
    });
    if open {
        form.entry("time_range").or_insert_with(|| json!("No filter"));
    }
}
