//! Lines and areas: JSON, encoded polylines, geohash cells (`DeckPathViz`, `DeckPolygon`).

use serde_json::{Map, Value, json};

use super::super::{DTTM_ALIAS, LegacyViz, Result, VizError, label_of_metric, values::number};
use super::spatial::geohash;
use crate::form_data::truthy;

/// The row with its line, without the text it was read from.
pub(super) fn properties(viz: &LegacyViz, mut row: Map<String, Value>) -> Result<Value> {
    let polygon = viz.spec.name == "deck_polygon";
    let line_type = viz.required("line_type")?;
    let line_type = line_type.as_str().unwrap_or("");
    let column = viz.required("line_column")?;
    let column = column.as_str().unwrap_or("").to_owned();
    let text = row.get(&column).cloned().ok_or_else(|| VizError::key(&column))?;
    let mut line = match (line_type, &text) {
        // Drivers may have read the JSON already.
        ("json", Value::String(text)) => {
            serde_json::from_str(text).map_err(|error| VizError::unexpected(error.to_string()))?
        }
        ("json", _) => return Err(VizError::unexpected("the JSON object must be str, bytes or bytearray")),
        ("polyline", text) => polyline(text.as_str().unwrap_or(""))?,
        ("geohash", text) => {
            let (west, east, south, north) = geohash(text.as_str().unwrap_or(""))?;
            json!([[west, north], [east, north], [east, south], [west, south], [west, north]])
        }
        (other, _) => return Err(VizError::key(other)),
    };
    if viz.is("reverse_long_lat")
        && let Value::Array(points) = &mut line
    {
        for point in points {
            let swapped = point.as_array().filter(|p| p.len() >= 2).map(|p| json!([p.get(1), p.first()]));
            *point = swapped.ok_or_else(|| VizError::unexpected("list index out of range"))?;
        }
    }
    row.insert(if polygon { "polygon" } else { "path" }.to_owned(), line);
    if line_type != "geohash" {
        row.shift_remove(&column);
    }
    row.insert(DTTM_ALIAS.to_owned(), timestamp(&row));
    if polygon {
        let fixed = viz.required("point_radius_fixed")?;
        let member = |name: &str| fixed.get(name).cloned().ok_or_else(|| VizError::key(name));
        let (elevation, kind) = (member("value")?, member("type")?);
        let elevation = if kind == "metric" {
            row.get(&label_of_metric(&elevation)?).cloned().unwrap_or(Value::Null)
        } else {
            elevation
        };
        row.insert("elevation".to_owned(), elevation);
    }
    Ok(Value::Object(row))
}

/// `data.get("__timestamp") or data.get("__time")`.
pub(super) fn timestamp(row: &Map<String, Value>) -> Value {
    match row.get(DTTM_ALIAS) {
        Some(value) if truthy(Some(value)) => value.clone(),
        _ => row.get("__time").cloned().unwrap_or(Value::Null),
    }
}

/// Google's encoding, five decimals.
fn polyline(text: &str) -> Result<Value> {
    let broken = || VizError::unexpected("invalid polyline");
    let mut numbers: Vec<i64> = Vec::new();
    let (mut value, mut shift) = (0_i64, 0_u32);
    for byte in text.bytes() {
        let chunk = i64::from(byte.checked_sub(63).ok_or_else(broken)?);
        value |= (chunk & 0x1f).checked_shl(shift).ok_or_else(broken)?;
        shift += 5;
        if chunk < 0x20 {
            numbers.push(if value & 1 == 1 { !(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        } else if shift > 55 {
            return Err(broken());
        }
    }
    let (mut lat, mut lng) = (0_i64, 0_i64);
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(broken());
    }
    let mut points = Vec::with_capacity(pairs.len());
    for [a, b] in pairs {
        lat = lat.checked_add(*a).ok_or_else(broken)?;
        lng = lng.checked_add(*b).ok_or_else(broken)?;
        #[expect(clippy::cast_precision_loss, reason = "degrees")]
        points.push(json!([number(lat as f64 / 1e5), number(lng as f64 / 1e5)]));
    }
    Ok(Value::Array(points))
}
