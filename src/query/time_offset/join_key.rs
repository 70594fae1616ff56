//! The text by which rows of a period meet those of a shifted one (`generate_join_column`).

use infra::engines::column::{ColumnData, Scalar};

use chrono::{Datelike as _, NaiveDateTime, NaiveTime};

use super::delta::DateDelta;
use super::is_date_range;
use crate::frame::{Dtype, Frame, FrameError, Result, dtype, python};

/// The key of every row, made of the frame's first column; `offset` shifts it first.
pub(super) fn texts(frame: &Frame, grain: &str, offset: Option<&str>) -> Result<ColumnData> {
    let Some(first) = frame.columns.first() else {
        return Err(FrameError::unexpected("index 0 is out of bounds for axis 0 with size 0"));
    };
    let offset = offset.filter(|o| !o.is_empty() && !is_date_range(o));
    // pandas hands out rows, and a row of integers and floats is a row of floats.
    let types: Vec<Dtype> = frame.columns.iter().map(|c| dtype(&c.data)).collect();
    let as_float = types.iter().all(|t| t.is_number()) && types.contains(&Dtype::Float);
    let values = (0..first.data.len())
        .map(|row| {
            let value = first.data.get(row);
            let moment = match &value {
                Scalar::Timestamp(t) | Scalar::TimestampTz(t, _) => Some(*t),
                Scalar::Date(d) => Some(d.and_time(NaiveTime::MIN)),
                _ => None,
            };
            let text = match (moment, &value) {
                (Some(t), _) => {
                    let shifted = match offset {
                        None => Some(t),
                        Some(o) => DateDelta::parse(o)?.add_to(t),
                    };
                    let t = shifted
                        .ok_or_else(|| FrameError::unexpected("Out of bounds nanosecond timestamp"))?;
                    moment_text(t, grain, matches!(value, Scalar::Date(_)) && offset.is_none())
                }
                (None, Scalar::Null) if matches!(first.data, ColumnData::Timestamp(_)) => {
                    return Err(FrameError::unexpected("NaTType does not support strftime"));
                }
                (None, Scalar::Null) if matches!(first.data, ColumnData::Float(_)) => "nan".into(),
                (None, Scalar::Int(i)) if as_float => python::float_repr(*i as f64),
                (None, other) => python::str_of(other),
            };
            Ok(Some(text.into_boxed_str()))
        })
        .collect::<Result<_>>()?;
    Ok(ColumnData::Text(values))
}

fn moment_text(t: NaiveDateTime, grain: &str, date: bool) -> String {
    match grain {
        "1969-12-28T00:00:00Z/P1W" | "P1W/1970-01-03T00:00:00Z" => t.format("%Y-W%U").to_string(),
        "P1W" | "1969-12-29T00:00:00Z/P1W" | "P1W/1970-01-04T00:00:00Z" => t.format("%Y-W%W").to_string(),
        "P1M" => t.format("%Y-%m").to_string(),
        "P3M" => format!("{}-Q{}", t.format("%Y"), t.month0() / 3 + 1),
        "P1Y" => t.format("%Y").to_string(),
        _ if date => t.format("%Y-%m-%d").to_string(),
        _ => python::timestamp_text(&t, ' '),
    }
}
