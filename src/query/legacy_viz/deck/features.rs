//! The features of a layer.

use serde_json::{Map, Value, json};

use super::super::{Comparison, DTTM_ALIAS, LegacyViz, Result, VizError, label_of_column, records};
use super::{metric_label, path, spatial, spatial_keys};
use crate::{form_data::truthy, frame::Frame};

pub(in super::super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let label = metric_label(viz)?;
    let mut features = Vec::with_capacity(frame.row_count());
    for mut row in records(&frame) {
        for key in spatial_keys(viz.spec.name) {
            spatial::place(viz, key, &mut row)?;
        }
        let extra: Map<String, Value> = viz
            .get("js_columns")
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c.as_str())
            .map(|name| (name.to_owned(), row.get(name).cloned().unwrap_or(Value::Null)))
            .collect();
        let mut feature = properties(viz, row, label.as_deref())?;
        if !extra.is_empty()
            && let Value::Object(members) = &mut feature
        {
            members.insert("extraProps".to_owned(), Value::Object(extra));
        }
        features.push(feature);
    }
    let mut out = json!({"features": features, "mapboxApiKey": viz.settings.mapbox_api_key});
    if viz.spec.name != "deck_arc" {
        out["metricLabels"] = viz.metric_labels().into();
    }
    Ok(out)
}

/// A chart of layers has no rows of its own; its layers are put together by whoever loads them.
pub(in super::super) fn multi_data(_: &LegacyViz, _: Frame, _: &[Comparison]) -> Result<Value> {
    Err(VizError::unexpected("The layers of deck_multi are charts of their own."))
}

fn properties(viz: &LegacyViz, row: Map<String, Value>, label: Option<&str>) -> Result<Value> {
    let cell = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let metric = label.map_or(Value::Null, cell);
    let dimension = viz.get("dimension");
    let color = dimension.as_str().filter(|d| !d.is_empty()).map_or(Value::Null, cell);
    let weight = if truthy(Some(&metric)) { metric.clone() } else { 1.into() };
    Ok(match viz.spec.name {
        "deck_path" | "deck_polygon" => path::properties(viz, row)?,
        "deck_geojson" => {
            let column = label_of_column(&viz.required("geojson")?)?;
            let text = row.get(&column).ok_or_else(|| VizError::key(&column))?;
            serde_json::from_str(text.as_str().unwrap_or(""))
                .map_err(|error| VizError::unexpected(error.to_string()))?
        }
        "deck_scatter" => {
            let fixed = viz.get("point_radius_fixed");
            let by_metric = fixed.get("type").and_then(Value::as_str) == Some("metric");
            let value = fixed.get("value").filter(|v| !by_metric && truthy(Some(v))).cloned();
            json!({
                "metric": metric,
                "radius": value.unwrap_or(metric.clone()),
                "cat_color": color,
                "position": cell("spatial"),
                DTTM_ALIAS: cell(DTTM_ALIAS),
            })
        }
        "deck_screengrid" => {
            json!({"position": cell("spatial"), "weight": weight, DTTM_ALIAS: path::timestamp(&row)})
        }
        "deck_arc" => json!({
            "sourcePosition": cell("start_spatial"),
            "targetPosition": cell("end_spatial"),
            "cat_color": color,
            DTTM_ALIAS: cell(DTTM_ALIAS),
        }),
        _ => json!({"position": cell("spatial"), "weight": weight}),
    })
}
