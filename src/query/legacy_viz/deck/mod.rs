//! Layers on a map (`BaseDeckGLViz` and its descendants).

mod features;
mod path;
mod spatial;

use serde_json::{Value, json};

use super::{LegacyQuery, LegacyViz, Result};
use crate::form_data::{FormData, simple_filter_to_adhoc, truthy};

pub(super) use features::{data, multi_data};

pub(super) fn is_deck(name: &str) -> bool {
    name.starts_with("deck_") && name != "deck_multi"
}

/// In a chart of several layers, a layer keeps the filters that are not scoped to other layers.
pub(super) fn layer_filters(mut form_data: FormData) -> FormData {
    let Some(Value::Array(filters)) = form_data.get("adhoc_filters") else { return form_data };
    let scope = |filter: &Value| filter.get("layerFilterScope").filter(|s| !s.is_null()).cloned();
    if !form_data.contains_key("slice_id") || !filters.iter().any(|f| scope(f).is_some()) {
        return form_data;
    }
    let slices = filters.iter().find_map(|f| f.get("deck_slices")).and_then(Value::as_array);
    let Some(layer) = slices.and_then(|s| s.iter().position(|id| Some(id) == form_data.get("slice_id")))
    else {
        return form_data;
    };
    let kept = filters
        .iter()
        .filter(|f| scope(f).is_none_or(|s| s.as_array().is_some_and(|s| s.contains(&layer.into()))))
        .cloned();
    let kept: Vec<Value> = kept.collect();
    form_data.insert("adhoc_filters".into(), Value::Array(kept));
    form_data
}

/// Controls that name places.
fn spatial_keys(name: &str) -> &'static [&'static str] {
    match name {
        "deck_scatter" | "deck_screengrid" | "deck_grid" | "deck_hex" | "deck_heatmap" | "deck_contour" => {
            &["spatial"]
        }
        "deck_arc" => &["start_spatial", "end_spatial"],
        _ => &[],
    }
}

/// Rows without a place are filtered out, unless the chart says otherwise.
pub(super) fn add_null_filters(viz: &mut LegacyViz) -> Result<()> {
    if viz.form_data.get("filter_nulls").is_some_and(|v| !truthy(Some(v))) {
        return Ok(());
    }
    let mut columns: Vec<String> = Vec::new();
    for key in spatial_keys(viz.spec.name) {
        columns.extend(spatial::columns(viz, key)?.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    columns.extend(viz.get("line_column").as_str().filter(|c| !c.is_empty()).map(str::to_owned));
    columns.sort();
    columns.dedup();
    let mut filters = match viz.form_data.get("adhoc_filters") {
        Some(Value::Array(filters)) => filters.clone(),
        _ => Vec::new(),
    };
    filters.extend(columns.iter().filter_map(|column| {
        simple_filter_to_adhoc(&json!({"col": column, "op": "IS NOT NULL", "val": ""}), "where")
    }));
    viz.form_data.insert("adhoc_filters".into(), Value::Array(filters));
    Ok(())
}

/// The metrics a layer asks for itself (`get_metrics`).
fn own_metrics(viz: &LegacyViz) -> Vec<Value> {
    let fixed = viz.get("point_radius_fixed");
    let radius = (fixed.get("type").and_then(Value::as_str) == Some("metric"))
        .then(|| fixed.get("value").cloned().unwrap_or(Value::Null));
    match viz.spec.name {
        "deck_scatter" => radius.into_iter().collect(),
        "deck_polygon" => {
            [Some(viz.get("metric")), radius].into_iter().flatten().filter(|m| truthy(Some(m))).collect()
        }
        _ if viz.is("size") => vec![viz.get("size")],
        _ => Vec::new(),
    }
}

/// Places are added under the names of their controls; texts that held them go.
pub(super) fn labels_after(viz: &LegacyViz, mut labels: Vec<Value>) -> Vec<Value> {
    for key in spatial_keys(viz.spec.name) {
        if !labels.iter().any(|label| label == key) {
            labels.push((*key).into());
        }
        let spatial = viz.get(key);
        if matches!(spatial.get("type").and_then(Value::as_str), Some("delimited" | "geohash")) {
            let replaced = spatial::columns(viz, key).unwrap_or_default();
            labels.retain(|label| !replaced.contains(label));
        }
    }
    labels
}

pub(super) fn no_query(_: &mut LegacyViz, _: &mut LegacyQuery) -> Result<()> {
    Ok(())
}

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    let name = viz.spec.name;
    if matches!(name, "deck_scatter" | "deck_screengrid" | "deck_path" | "deck_polygon" | "deck_arc") {
        // `is_timeseries` follows the grain; a __timestamp among the groups has set it already.
        query.is_timeseries |= viz.is("time_grain_sqla");
    }
    let mut group_by: Vec<Value> = Vec::new();
    for key in spatial_keys(name) {
        group_by.extend(spatial::columns(viz, key)?);
    }
    if viz.is("dimension") {
        group_by.push(viz.get("dimension"));
    }
    if let Value::Array(columns) = viz.get("js_columns") {
        group_by.extend(columns);
    }
    // Python sorts the set of names.
    let mut names: Vec<(String, Value)> =
        group_by.into_iter().map(|c| (crate::python::str_of(&c), c)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    names.dedup_by(|a, b| a.0 == b.0);
    let group_by: Vec<Value> = names.into_iter().map(|(_, column)| column).collect();
    let metrics = own_metrics(viz);
    if let Some(first) = metrics.first().cloned() {
        query.groupby = group_by;
        query.columns = Some(Vec::new());
        query.orderby = vec![(first, viz.form_data.get("order_desc").is_some_and(|v| !truthy(Some(v))))];
        query.metrics = Some(metrics);
    } else {
        query.columns = Some(group_by);
    }
    match name {
        "deck_path" | "deck_polygon" => {
            let line = viz.get("line_column");
            if query.metrics.as_ref().is_some_and(|m| !m.is_empty()) {
                query.groupby.push(line);
            } else {
                query.columns.get_or_insert_default().push(line);
            }
        }
        "deck_geojson" => {
            query.columns.get_or_insert_default().push(viz.get("geojson"));
            query.metrics = Some(Vec::new());
            query.groupby = Vec::new();
        }
        _ => {}
    }
    Ok(())
}

/// The layer's metric and its label, if it has one.
fn metric_label(viz: &LegacyViz) -> Result<Option<String>> {
    let metric = match viz.spec.name {
        "deck_scatter" => own_metrics(viz).into_iter().next().unwrap_or(Value::Null),
        "deck_path" | "deck_polygon" => viz.get("metric"),
        _ => viz.get("size"),
    };
    if truthy(Some(&metric)) { super::label_of_metric(&metric).map(Some) } else { Ok(None) }
}
