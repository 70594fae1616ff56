//! Points on a map (`MapboxViz`).

use serde_json::{Value, json};

use super::{Comparison, LegacyQuery, LegacyViz, Result, VizError, cell_json, values};
use crate::frame::{Frame, to_float};

/// The first entry of the label control.
fn label(viz: &LegacyViz) -> Option<String> {
    viz.get("mapbox_label").as_array().and_then(|l| l.first()).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    let (x, y) = (viz.get("all_columns_x"), viz.get("all_columns_y"));
    let label = label(viz);
    let radius = viz.get("point_radius");
    let auto = radius.as_str() == Some("Auto");
    if !viz.is("groupby") {
        if x.is_null() || y.is_null() {
            return Err(VizError::invalid("[Longitude] and [Latitude] must be set"));
        }
        let mut columns = vec![x, y];
        if let Some(label) = label {
            if label == "count" {
                return Err(VizError::invalid(
                    "Must have a [Group By] column to have 'count' as the [Label]",
                ));
            }
            columns.push(label.into());
        }
        if !auto {
            columns.push(radius);
        }
        let mut names: Vec<String> = columns.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        query.columns = Some(names.into_iter().map(Value::from).collect());
        return Ok(());
    }
    let groupby = viz.get("groupby");
    let grouped = |column: &Value| match &groupby {
        Value::Array(columns) => columns.contains(column),
        _ => false,
    };
    if label.is_some_and(|label| label != "count" && !grouped(&label.into())) {
        return Err(VizError::invalid("Choice of [Label] must be present in [Group By]"));
    }
    if !auto && !grouped(&radius) {
        return Err(VizError::invalid("Choice of [Point Radius] must be present in [Group By]"));
    }
    if !grouped(&x) || !grouped(&y) {
        return Err(VizError::invalid("[Longitude] and [Latitude] columns must be present in [Group By]"));
    }
    Ok(())
}

/// `round(value, 10)`.
fn rounded(value: f64) -> Value {
    let shifted = value * 1e10;
    values::number(if shifted.abs() < 9e15 { shifted.round_ties_even() / 1e10 } else { value })
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let name = |key: &str| viz.get(key).as_str().unwrap_or("None").to_owned();
    let numbers = |name: &str| {
        values::column(&frame, name).and_then(|c| {
            to_float(c).ok_or_else(|| VizError::unexpected("type str doesn't define __round__ method"))
        })
    };
    let (longitudes, latitudes) = (numbers(&name("all_columns_x"))?, numbers(&name("all_columns_y"))?);
    let label = label(viz);
    let metric = label.as_deref().map(|l| values::column(&frame, l)).transpose()?;
    let radius = if name("point_radius") == "Auto" {
        None
    } else {
        Some(values::column(&frame, &name("point_radius"))?)
    };
    let cell = |column: Option<&infra::engines::column::ColumnData>, row| {
        column.map_or(Value::Null, |c| cell_json(&c.get(row)))
    };
    let features: Vec<Value> = longitudes
        .iter()
        .zip(&latitudes)
        .enumerate()
        .map(|(row, (lon, lat))| {
            json!({
                "type": "Feature",
                "properties": {"metric": cell(metric, row), "radius": cell(radius, row)},
                "geometry": {"type": "Point", "coordinates": [rounded(*lon), rounded(*lat)]},
            })
        })
        .collect();
    let extreme = |v: &[f64], f: fn(f64, f64) -> f64| values::number(v.iter().copied().fold(f64::NAN, f));
    Ok(json!({
        "geoJSON": {"type": "FeatureCollection", "features": features},
        "hasCustomMetric": label.is_some(),
        "mapboxApiKey": viz.settings.mapbox_api_key,
        "mapStyle": viz.get("mapbox_style"),
        "aggregatorName": viz.get("pandas_aggfunc"),
        "clusteringRadius": viz.get("clustering_radius"),
        "pointRadiusUnit": viz.get("point_radius_unit"),
        "globalOpacity": viz.get("global_opacity"),
        "bounds": [
            [extreme(&longitudes, f64::min), extreme(&latitudes, f64::min)],
            [extreme(&longitudes, f64::max), extreme(&latitudes, f64::max)]
        ],
        "renderWhileDragging": viz.get("render_while_dragging"),
        "tooltip": viz.get("rich_tooltip"),
        "color": viz.get("mapbox_color"),
    }))
}
