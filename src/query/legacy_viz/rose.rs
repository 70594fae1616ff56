//! Nightingale's rose (`RoseViz`): the series of a line chart, by time.

use serde_json::{Map, Value, json};

use super::{Comparison, LegacyViz, Result, time_series};
use crate::frame::Frame;

pub(super) fn data(viz: &LegacyViz, frame: Frame, comparisons: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let series = time_series::data(viz, frame, comparisons)?;
    let mut result: Map<String, Value> = Map::new();
    for entry in series.as_array().into_iter().flatten() {
        let key = entry.get("key").cloned().unwrap_or(Value::Null);
        for point in entry.get("values").and_then(Value::as_array).into_iter().flatten() {
            let time = point.get("x").cloned().unwrap_or(Value::Null);
            // The keys are nanoseconds, the times milliseconds.
            #[expect(clippy::cast_possible_truncation, reason = "a timestamp")]
            let nanos = time.as_f64().map_or(0, |ms| (ms * 1e3).round() as i128 * 1_000);
            let value = point.get("y").filter(|y| !y.is_null()).cloned().unwrap_or_else(|| 0.into());
            let petal = json!({"key": key, "value": value, "name": key, "time": time});
            match result.get_mut(&nanos.to_string()) {
                Some(Value::Array(petals)) => petals.push(petal),
                _ => {
                    result.insert(nanos.to_string(), Value::Array(vec![petal]));
                }
            }
        }
    }
    Ok(Value::Object(result))
}
