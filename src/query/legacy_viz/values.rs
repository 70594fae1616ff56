//! Cells and rows of a frame as JSON.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Map, Number, Value};

use crate::{encode::json::write_scalar, frame::Frame};

/// A number; what JSON cannot hold is null, as in the original's answers.
pub(crate) fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// A cell as the answer shows it: timestamps in milliseconds, NaN as null.
pub fn cell_json(value: &Scalar) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => (*b).into(),
        Scalar::Int(i) => (*i).into(),
        Scalar::Float(f) => number(*f),
        Scalar::Text(s) => Value::String(s.to_string()),
        Scalar::Json(v) => v.clone(),
        other => {
            let mut out = Vec::new();
            write_scalar(&mut out, other);
            serde_json::from_slice(&out).unwrap_or(Value::Null)
        }
    }
}

/// Timestamp in microseconds → milliseconds as a float.
pub(crate) fn millis(micros: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "Superset answers floats")]
    number(micros as f64 / 1000.0)
}

/// Microseconds of a timestamp cell.
pub(crate) fn micros(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Timestamp(t) | Scalar::TimestampTz(t, _) => Some(t.and_utc().timestamp_micros()),
        Scalar::Date(d) => Some(d.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()),
        _ => None,
    }
}

/// `frame.to_dict(orient="records")`.
pub fn records(frame: &Frame) -> Vec<Map<String, Value>> {
    (0..frame.row_count())
        .map(|row| frame.columns.iter().map(|c| (c.label.display(), cell_json(&c.data.get(row)))).collect())
        .collect()
}

/// A column by its label.
pub(crate) fn column<'f>(frame: &'f Frame, name: &str) -> super::Result<&'f ColumnData> {
    frame.column(name).map(|c| &c.data).ok_or_else(|| super::VizError::key(name))
}
