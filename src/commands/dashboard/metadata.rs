//! What a dashboard keeps about itself when its layout is saved (`DashboardDAO.set_dash_metadata`).

use std::collections::HashMap;

use infra::json;
use serde_json::{Map, Value, json};

use super::FilterChanges;
use crate::schema::Sent;

/// Charts of a layout, in its order.
pub fn chart_ids(positions: &Map<String, Value>) -> Vec<i64> {
    let mut ids = Vec::new();
    for id in positions.values().filter_map(|v| v.pointer("/meta/chartId")?.as_i64()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// A saved dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// New `json_metadata`.
    pub json_metadata: String,
    /// New `position_json`, when a layout was sent.
    pub position_json: Option<String>,
}

/// Takes `data`, what the client sent as `json_metadata`, over `stored`. `uuids` are those of the charts that the
/// layout may hold; `renumbered` maps charts to their copies.
pub fn save(
    stored: Map<String, Value>,
    data: &Map<String, Value>,
    uuids: &HashMap<i64, String>,
    renumbered: Option<&HashMap<i64, i64>>,
) -> Saved {
    let mut metadata = stored;
    let mut position_json = None;
    let mut scopes = Map::new();
    if let Some(Value::Object(positions)) = data.get("positions") {
        let ids = chart_ids(positions);
        let mut positions = positions.clone();
        for part in positions.values_mut() {
            if part.get("type").and_then(Value::as_str) == Some("CHART")
                && let Some(meta) = part.get_mut("meta").and_then(Value::as_object_mut)
                && let Some(id) = meta.get("chartId").and_then(Value::as_i64).filter(|id| *id != 0)
            {
                meta.insert("uuid".into(), json!(uuids.get(&id)));
            }
        }
        position_json = Some(json::ascii_json(&json::sorted(&Value::Object(positions)), false));
        scopes = filter_scopes(data, &ids, renumbered);
        let filters = data.get("default_filters").and_then(Value::as_str).unwrap_or("{}");
        let mut filters: Map<String, Value> = serde_json::from_str(filters).unwrap_or_default();
        filters.retain(|key, _| key.parse().is_ok_and(|id: i64| ids.contains(&id)));
        metadata.insert("default_filters".into(), json!(json::dumps(&Value::Object(filters))));
        metadata.remove("positions");
    }
    if scopes.is_empty() {
        metadata.remove("filter_scopes");
    } else {
        metadata.insert("filter_scopes".into(), Value::Object(scopes));
    }
    metadata.entry("timed_refresh_immune_slices").or_insert_with(|| json!([]));
    match data.get("color_namespace").filter(|v| !v.is_null()) {
        Some(namespace) => metadata.insert("color_namespace".into(), namespace.clone()),
        None => metadata.remove("color_namespace"),
    };
    for (key, default) in [
        ("expanded_slices", json!({})),
        ("refresh_frequency", json!(0)),
        ("color_scheme", json!("")),
        ("label_colors", json!({})),
        ("shared_label_colors", json!([])),
        ("map_label_colors", json!({})),
        ("color_scheme_domain", json!([])),
        ("cross_filters_enabled", json!(true)),
    ] {
        metadata.insert(key.to_owned(), data.get(key).cloned().unwrap_or(default));
    }
    Saved { json_metadata: json::dumps(&Value::Object(metadata)), position_json }
}

/// `copy_filter_scopes`: scopes of old filter boxes, as far as their charts are still there.
fn filter_scopes(
    data: &Map<String, Value>,
    ids: &[i64],
    renumbered: Option<&HashMap<i64, i64>>,
) -> Map<String, Value> {
    let new_id = |old: i64| match renumbered {
        Some(map) if !map.is_empty() => map.get(&old).copied().filter(|new| ids.contains(new)),
        _ => Some(old).filter(|id| ids.contains(id)),
    };
    let old = match data.get("filter_scopes") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(Value::Object(map)) => map.clone(),
        _ => Map::new(),
    };
    let mut out = Map::new();
    for (id, mut scopes) in old {
        let Some(new) = id.parse().ok().and_then(new_id) else { continue };
        for scope in scopes.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let immune = scope.get("immune").and_then(Value::as_array).into_iter().flatten();
            let number = |v: &Value| v.as_i64().or_else(|| v.as_str()?.parse().ok());
            let immune: Vec<i64> = immune.filter_map(number).filter_map(new_id).collect();
            if let Some(scope) = scope.as_object_mut() {
                scope.insert("immune".into(), json!(immune));
            }
        }
        out.insert(new.to_string(), scopes);
    }
    out
}

/// `update_native_filters_config`: filters that were deleted, changed, added and reordered.
pub fn change_filters(current: &[Value], change: &FilterChanges) -> Vec<Value> {
    let ids = |sent: &Sent<Vec<String>>| -> Vec<Value> {
        sent.items().into_iter().flatten().map(|id| Value::from(id.as_str())).collect()
    };
    let (deleted, mut order) = (ids(&change.deleted), ids(&change.reordered));
    let modified = change.modified.items().unwrap_or_default();
    let same = |a: &Value, b: &Value| a.get("id") == b.get("id");
    let mut filters: Vec<Value> = current
        .iter()
        .filter(|f| f.get("id").is_none_or(|id| !deleted.contains(id)))
        .map(|f| modified.iter().find(|m| same(m, f)).unwrap_or(f).clone())
        .collect();
    for new in modified {
        if !filters.iter().any(|f| same(f, new)) {
            filters.push(new.clone());
            if let Some(id) = new.get("id")
                && !order.is_empty()
                && !order.contains(id)
            {
                order.push(id.clone());
            }
        }
    }
    if order.is_empty() {
        return filters;
    }
    order.iter().filter_map(|id| filters.iter().rev().find(|f| f.get("id") == Some(id))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn layouts_move_to_their_own_column() {
        let sent = map(json!({
            "positions": {"b": 1, "CHART-a": {"type": "CHART", "meta": {"chartId": 7}}},
            "default_filters": "{\"7\": 1, \"8\": 2}",
            "filter_scopes": {"7": {"x": {"scope": ["ROOT_ID"], "immune": [8, 7]}}, "9": {}},
        }));
        let uuids = HashMap::from([(7, "u-7".to_owned())]);
        let saved = save(sent.clone(), &sent, &uuids, None);
        assert_eq!(
            saved.position_json.as_deref(),
            Some(r#"{"CHART-a":{"meta":{"chartId":7,"uuid":"u-7"},"type":"CHART"},"b":1}"#)
        );
        let metadata: Value = serde_json::from_str(&saved.json_metadata).unwrap();
        assert_eq!(metadata["default_filters"], json!("{\"7\": 1}"));
        assert_eq!(metadata["filter_scopes"], json!({"7": {"x": {"scope": ["ROOT_ID"], "immune": [7]}}}));
        assert_eq!(metadata["cross_filters_enabled"], json!(true));
        assert!(metadata.get("positions").is_none());
    }

    #[test]
    fn filters_are_patched() {
        let current = [json!({"id": "a"}), json!({"id": "b"})];
        let change = map(
            json!({"deleted": ["a"], "modified": [{"id": "b", "x": 1}, {"id": "c"}], "reordered": ["b"]}),
        );
        assert_eq!(
            change_filters(&current, &FilterChanges::read(&change)),
            [json!({"id": "b", "x": 1}), json!({"id": "c"})]
        );
    }
}
