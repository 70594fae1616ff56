//! Several deck.gl charts on one map (`DeckGLMultiLayer`).

use daos::chart::{self, Chart};
use infra::{Error, Result};
use query::form_data::{FormData, truthy};
use serde_json::{Map, Value, json};

use super::{
    payload::{Head, Payload, head},
    viz::Explored,
};
use crate::chart::{describe, form_data::form_data};

/// Charts on one map.
const MAX_LAYERS: usize = 100;

/// The answer: features of all layers by their type, and the charts.
pub(super) async fn payload(map: Explored) -> Result<Payload> {
    let app = map.sql.caller.app.clone();
    let listed = map.viz.form_data.get("deck_slices").and_then(Value::as_array);
    let ids: Vec<i64> = listed.into_iter().flatten().filter_map(Value::as_i64).take(MAX_LAYERS).collect();
    let charts = if ids.is_empty() { Vec::new() } else { chart::find_many(app.db.exec(), &ids).await? };
    let mut features: Map<String, Value> = Map::new();
    let mut slices = Vec::new();
    for (index, chart) in charts.iter().enumerate() {
        if let Some((viz_type, found)) = layer(&map, chart, index).await? {
            let all = features.entry(viz_type).or_insert_with(|| json!([]));
            if let Value::Array(all) = all {
                all.extend(found);
            }
        }
        slices.push(Value::Object(describe::data(app.db.exec(), chart).await?));
    }
    let values = Head { cache_timeout: map.cache_timeout(), ..Head::default() };
    let mut payload = head(values, map.viz.form_data, (None, None), (0, Value::Null, Value::Null));
    let key = app.config.str("MAPBOX_API_KEY");
    let data = json!({"features": features, "mapboxApiKey": key, "slices": slices});
    payload.body.insert("data".into(), data);
    payload.body.insert("applied_filters".into(), json!([]));
    payload.body.insert("rejected_filters".into(), json!([]));
    Ok(payload)
}

/// Features of a layer; a layer that fails shows nothing.
async fn layer(map: &Explored, chart: &Chart, index: usize) -> Result<Option<(String, Vec<Value>)>> {
    let viz_type = chart.viz_type.clone().unwrap_or_default();
    // maps of maps might contain themselves
    if !query::legacy_viz::is_known(&viz_type) || viz_type == "deck_multi" {
        return Ok(None);
    }
    let form_data = filtered(&map.viz.form_data, form_data(chart), index)?;
    // The original opens the layers' datasets for everybody who sees the map's.
    let layer = Explored::open(&map.sql.caller, form_data, None, false).await?;
    let mut payload = layer.queried().await?;
    let found = payload.body.get_mut("data").and_then(|data| data.get_mut("features")).map(Value::take);
    Ok(match found {
        Some(Value::Array(found)) => Some((viz_type, found)),
        _ => None,
    })
}

/// The layer's form data with the filters of the map (`_apply_layer_filtering`).
fn filtered(map: &FormData, mut layer: FormData, index: usize) -> Result<FormData> {
    let or = |key: &str, default: Value| map.get(key).cloned().unwrap_or(default);
    layer.insert("extra_filters".into(), or("extra_filters", json!([])));
    if let Some(dashboard) = map.get("dashboardId") {
        layer.insert("dashboardId".into(), dashboard.clone());
    }
    let scopes = map.get("layer_filter_scope").filter(|s| truthy(Some(s))).and_then(Value::as_object);
    let Some(scopes) = scopes else {
        layer.insert("adhoc_filters".into(), or("adhoc_filters", Value::Null));
        let extra = or("extra_form_data", Value::Null);
        if extra.is_null() {
            let error = "'NoneType' object has no attribute 'get'".to_owned();
            return Err(Error::Legacy { status: 500, error });
        }
        layer.insert("extra_form_data".into(), extra);
        return Ok(layer);
    };
    layer.insert("adhoc_filters".into(), or("adhoc_filters", json!([])));
    let mut extra = or("extra_form_data", json!({}));
    let mapping = map.get("filter_data_mapping").filter(|m| truthy(Some(m)));
    if let (Some(mapping), Some(members)) = (mapping, extra.as_object_mut().filter(|m| !m.is_empty())) {
        let mut filters = Vec::new();
        for (id, scope) in scopes {
            let scope = scope.as_array().filter(|s| !s.is_empty());
            if scope.is_none_or(|s| s.contains(&json!(index))) {
                filters.extend(mapping.get(id).and_then(Value::as_array).cloned().unwrap_or_default());
            }
        }
        members.insert("filters".into(), Value::Array(filters));
    }
    layer.insert("extra_form_data".into(), extra);
    Ok(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> FormData {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn filters_reach_the_layers_they_are_for() {
        let of = map(json!({
            "layer_filter_scope": {"a": [0], "b": [1], "c": []},
            "filter_data_mapping": {"a": [1], "b": [2], "c": [3]},
            "extra_form_data": {"time_range": "x"},
        }));
        let first = filtered(&of, FormData::new(), 0).unwrap();
        assert_eq!(first["extra_form_data"], json!({"time_range": "x", "filters": [1, 3]}));
        let second = filtered(&of, FormData::new(), 1).unwrap();
        assert_eq!(second["extra_form_data"]["filters"], json!([2, 3]));
    }

    #[test]
    fn a_map_without_extra_form_data_fails() {
        assert!(filtered(&FormData::new(), FormData::new(), 0).is_err());
    }
}
