//! `prophet`: forecasts. The package is optional in Superset; without it every valid request ends in the same error.

use serde_json::Value;

use super::options::{Options, python_type};
use crate::frame::{Frame, FrameError, Result, is_na, to_numeric_coerce};

const GRAINS: &[&str] = &[
    "PT1S",
    "PT1M",
    "PT5M",
    "PT10M",
    "PT15M",
    "PT30M",
    "PT1H",
    "P1D",
    "P1W",
    "P1M",
    "P3M",
    "P1Y",
    "1969-12-28T00:00:00Z/P1W",
    "1969-12-29T00:00:00Z/P1W",
    "P1W/1970-01-03T00:00:00Z",
    "P1W/1970-01-04T00:00:00Z",
];

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(
        &["time_grain", "periods", "confidence_interval"],
        &["yearly_seasonality", "weekly_seasonality", "daily_seasonality", "index"],
    )?;
    let index = match o.get("index") {
        Some(Value::String(s)) if !s.is_empty() => s.as_str(),
        _ => "__timestamp",
    };
    if !o.truthy("time_grain", false) {
        return Err(FrameError::invalid("Time grain missing"));
    }
    let grain = o.text("time_grain")?;
    if !GRAINS.contains(&grain) {
        return Err(FrameError::invalid(format!("Unsupported time grain: {grain}")));
    }
    match o.get("periods") {
        Some(Value::Number(n)) if n.as_i64().is_some_and(|i| i >= 0) => {}
        Some(Value::Bool(_)) => {}
        _ => return Err(FrameError::invalid("Periods must be a whole number")),
    }
    match o.get("confidence_interval") {
        Some(Value::Number(n)) if n.as_f64().is_some_and(|x| x > 0.0 && x < 1.0) => {}
        Some(other @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => {
            return Err(FrameError::unexpected(format!(
                "'<=' not supported between instances of '{}' and 'int'",
                python_type(other)
            )));
        }
        _ => return Err(FrameError::invalid("Confidence interval must be between 0 and 1 (exclusive)")),
    }
    if !frame.has(index) {
        return Err(FrameError::invalid("DataFrame must include temporal column"));
    }
    if frame.columns.len() < 2 {
        return Err(FrameError::invalid("DataFrame include at least one series"));
    }
    let forecastable = frame.columns.iter().any(|c| {
        c.label.first_text() != Some(index) && {
            let n = to_numeric_coerce(&c.data);
            (0..n.len()).all(|i| !is_na(&n.get(i)))
        }
    });
    if forecastable {
        return Err(FrameError::invalid("`prophet` package not installed"));
    }
    // No series to forecast: pandas resets the index of an empty frame into a column `index`.
    Ok(Frame::new(vec![crate::frame::Column::new(
        "index",
        infra::engines::column::ColumnData::Int(Vec::new()),
    )]))
}
