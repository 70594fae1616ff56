//! Places: two columns, a text with both numbers, or a geohash.

use serde_json::{Map, Value, json};

use super::super::{LegacyViz, Result, VizError, values::number};
use crate::form_data::truthy;

/// The columns that a place is made of.
pub(super) fn columns(viz: &LegacyViz, key: &str) -> Result<Vec<Value>> {
    let spatial = viz.get(key);
    if spatial.is_null() {
        return Err(VizError::unexpected("Bad spatial key"));
    }
    let column = |name: &str| spatial.get(name).cloned().unwrap_or(Value::Null);
    Ok(match spatial.get("type").and_then(Value::as_str) {
        Some("latlong") => vec![column("lonCol"), column("latCol")],
        Some("delimited") => vec![column("lonlatCol")],
        Some("geohash") => vec![column("geohashCol")],
        _ => Vec::new(),
    })
}

/// Puts the place under `key` into the row (`process_spatial_data_obj`).
pub(super) fn place(viz: &LegacyViz, key: &str, row: &mut Map<String, Value>) -> Result<()> {
    let spatial = viz.get(key);
    let name = |member: &str| spatial.get(member).and_then(Value::as_str).unwrap_or("None").to_owned();
    let cell = |row: &Map<String, Value>, column: &str| {
        row.get(column).cloned().ok_or_else(|| VizError::key(column))
    };
    let mut place = match spatial.get("type").and_then(Value::as_str) {
        Some("latlong") => {
            json!([numeric(&cell(row, &name("lonCol"))?), numeric(&cell(row, &name("latCol"))?)])
        }
        Some("delimited") => {
            let column = name("lonlatCol");
            let text = cell(row, &column)?;
            row.shift_remove(&column);
            delimited(&text)?
        }
        Some("geohash") => {
            let column = name("geohashCol");
            let text = cell(row, &column)?;
            row.shift_remove(&column);
            let (west, east, south, north) = geohash(text.as_str().unwrap_or(""))?;
            json!([number(f64::midpoint(west, east)), number(f64::midpoint(south, north))])
        }
        _ => {
            return Err(VizError::invalid(
                "Encountered invalid NULL spatial entry,                                        please consider \
                 filtering those out",
            ));
        }
    };
    if truthy(spatial.get("reverseCheckbox"))
        && let Value::Array(pair) = &mut place
    {
        pair.reverse();
    }
    row.insert(key.to_owned(), place);
    Ok(())
}

/// `pd.to_numeric(errors="coerce")`.
fn numeric(value: &Value) -> Value {
    match value {
        Value::Number(_) => value.clone(),
        Value::String(text) => text.trim().parse::<f64>().map_or(Value::Null, number),
        Value::Bool(b) => Value::from(i64::from(*b)),
        _ => Value::Null,
    }
}

/// `lat, lon` in degrees. The original reads many more notations (degrees with minutes, compass points).
fn delimited(value: &Value) -> Result<Value> {
    let invalid =
        || VizError::invalid(format!("Invalid spatial point encountered: {}", crate::python::str_of(value)));
    if !truthy(Some(value)) {
        return Ok(Value::Null);
    }
    let text = value.as_str().ok_or_else(invalid)?;
    let numbers: Vec<f64> = text
        .split([',', ';', ' ', '\t'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<f64>().ok().filter(|n| n.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(invalid)?;
    match numbers.as_slice() {
        [lat, lon] | [lat, lon, _] if lat.abs() <= 90.0 => {
            Ok(json!([number(*lat), number(normalised(*lon))]))
        }
        _ => Err(invalid()),
    }
}

/// Longitudes are brought into −180…180.
fn normalised(longitude: f64) -> f64 {
    if longitude.abs() > 180.0 { (longitude + 180.0).rem_euclid(360.0) - 180.0 } else { longitude }
}

/// West, east, south and north of a geohash cell.
pub(super) fn geohash(code: &str) -> Result<(f64, f64, f64, f64)> {
    const ALPHABET: &str = "0123456789bcdefghjkmnpqrstuvwxyz";
    let (mut west, mut east, mut south, mut north) = (-180.0, 180.0, -90.0, 90.0);
    let mut longitude = true;
    for c in code.to_ascii_lowercase().chars().take(64) {
        let value = ALPHABET.find(c).ok_or_else(|| VizError::unexpected("Invalid geohash code"))?;
        for bit in (0..5).rev() {
            let upper = value >> bit & 1 == 1;
            let (low, high) = if longitude { (&mut west, &mut east) } else { (&mut south, &mut north) };
            let middle = f64::midpoint(*low, *high);
            *(if upper { low } else { high }) = middle;
            longitude = !longitude;
        }
    }
    Ok((west, east, south, north))
}
