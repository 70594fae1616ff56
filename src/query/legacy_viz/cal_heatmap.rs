//! A calendar of coloured days (`CalHeatmapViz`).

use chrono::{Datelike, NaiveDateTime};
use serde_json::{Map, Value, json};

use super::{Comparison, DTTM_ALIAS, LegacyQuery, LegacyViz, Result, VizError, query, values};
use crate::frame::Frame;

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    query.metrics = match viz.get("metrics") {
        Value::Array(metrics) => Some(metrics),
        Value::Null => None,
        one => Some(vec![one]),
    };
    let unit = viz.form_data.get("subdomain_granularity").cloned().unwrap_or_else(|| "min".into());
    let grain = match unit.as_str() {
        Some("min") => "PT1M",
        Some("hour") => "PT1H",
        Some("day") => "P1D",
        Some("week") => "P1W",
        Some("month") => "P1M",
        Some("year") => "P1Y",
        _ => return Err(VizError::unexpected(crate::python::repr(&unit))),
    };
    query.extras.time_grain_sqla = Some(grain.to_owned());
    Ok(())
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let times = values::column(&frame, DTTM_ALIAS)?;
    let mut data = Map::new();
    for label in viz.metric_labels() {
        let column = frame.column(label);
        let mut points = Map::new();
        for row in 0..frame.row_count() {
            #[expect(clippy::cast_precision_loss, reason = "the original divides nanoseconds by 10**9")]
            let seconds = values::micros(&times.get(row)).map_or(f64::NAN, |us| us as f64 / 1e6);
            let value = column.map_or(Value::Null, |c| values::cell_json(&c.data.get(row)));
            points.insert(crate::python::float_str(seconds), value);
        }
        data.insert(label.to_owned(), Value::Object(points));
    }
    let (Some(start), Some(end)) = query::bounds(&viz.form_data, &viz.settings)? else {
        return Err(VizError::invalid("Please provide both time bounds (Since and Until)"));
    };
    let domain = viz.get("domain_granularity");
    #[expect(clippy::cast_precision_loss, reason = "total_seconds() is a float")]
    let seconds = (end - start).num_microseconds().unwrap_or(0) as f64 / 1e6;
    let (years, months, days) = relative_delta(end, start);
    let range: Value = match domain.as_str() {
        Some("year") => (i64::from(end.year()) - i64::from(start.year()) + 1).into(),
        Some("month") => (years * 12 + months + 1).into(),
        Some("week") => (years * 53 + days / 7 + 1).into(),
        Some("day") => values::number((seconds / 86_400.0).floor() + 1.0),
        _ => values::number((seconds / 3_600.0).floor() + 1.0),
    };
    Ok(json!({
        "data": data,
        "start": values::millis(start.and_utc().timestamp_micros()),
        "domain": domain,
        "subdomain": viz.get("subdomain_granularity"),
        "range": range,
    }))
}

/// `relativedelta(end, start)` for `end >= start`: whole years, whole months, and the days left.
fn relative_delta(end: NaiveDateTime, start: NaiveDateTime) -> (i64, i64, i64) {
    let index = |t: NaiveDateTime| i64::from(t.year()) * 12 + i64::from(t.month());
    let mut months = index(end) - index(start);
    let moved = |months: i64| {
        u32::try_from(months).ok().and_then(|m| start.checked_add_months(chrono::Months::new(m)))
    };
    if moved(months).is_none_or(|t| t > end) {
        months -= 1;
    }
    let days = moved(months).map_or(0, |t| (end - t).num_days());
    (months / 12, months % 12, days)
}
