//! Lines over time: `compare`, `horizon` and what is built on them (`NVD3TimeSeriesViz`).

use infra::engines::column::Scalar;
use serde_json::{Value, json};

use super::{
    Comparison, ComparisonQuery, LegacyQuery, LegacyViz, Result, VizError,
    grid::{Aggregate, Grid, Series},
    label_of_metric, offset, values,
};
use crate::{
    dataset::Dataset,
    form_data::int_or,
    frame::{Frame, python::str_of},
    time_range::parse_past_timedelta,
};

/// Orders by the limit metric, else by the first metric.
pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    let ascending = !viz.is("order_desc");
    let sort_by = if viz.is("timeseries_limit_metric") {
        viz.get("timeseries_limit_metric")
    } else {
        match query.metrics.iter().flatten().next() {
            Some(metric) => label_of_metric(metric)?.into(),
            None => return Ok(()),
        }
    };
    query.select_metric(&sort_by)?;
    query.orderby = vec![(sort_by, ascending)];
    Ok(())
}

/// One shifted query for each entry of `time_compare`.
pub(super) fn comparison_queries(viz: &mut LegacyViz, dataset: &Dataset) -> Result<Vec<ComparisonQuery>> {
    let options = match viz.get("time_compare") {
        Value::Array(options) => options,
        Value::String(option) if !option.is_empty() => vec![option.into()],
        _ => Vec::new(),
    };
    let mut queries = Vec::new();
    // Each comparison is a query: charts have a handful.
    for option in options.iter().take(50).filter_map(Value::as_str) {
        let mut query = viz.query(dataset)?;
        let delta = parse_past_timedelta(option, None, viz.settings.now)?;
        let (Some(from), Some(to)) = (query.from_dttm, query.to_dttm) else {
            return Err(VizError::invalid(
                "An enclosed time range (both start and end) must be specified when using a Time Comparison.",
            ));
        };
        let earlier = |t: chrono::NaiveDateTime| {
            t.checked_sub_signed(delta).ok_or_else(|| VizError::unexpected("date value out of range"))
        };
        (query.inner_from_dttm, query.inner_to_dttm) = (Some(from), Some(to));
        (query.from_dttm, query.to_dttm) = (Some(earlier(from)?), Some(earlier(to)?));
        queries.push(ComparisonQuery { option: option.to_owned(), delta, query: query.into_query_object() });
    }
    Ok(queries)
}

/// Pivot, resampling, rolling window, contribution (`process_data`).
pub(super) fn process(viz: &LegacyViz, frame: &Frame, sort_series: bool) -> Result<Grid> {
    let labels = viz.metric_labels();
    let grid = Grid::pivot(frame, &viz.group_labels()?, &labels, true, Aggregate::Mean)?;
    finish(viz, grid, sort_series)
}

/// The steps after the pivot.
pub(super) fn finish(viz: &LegacyViz, mut grid: Grid, sort_series: bool) -> Result<Grid> {
    let rule = viz.get("resample_rule");
    let method = viz.get("resample_method");
    if let (Some(rule), Some(method)) =
        (rule.as_str().filter(|r| !r.is_empty()), method.as_str().filter(|m| !m.is_empty()))
    {
        grid = offset::resample(grid, rule, method)?;
    }
    if sort_series {
        let sum = |v: &Vec<f64>| v.iter().filter(|x| !x.is_nan()).sum::<f64>();
        let sums: Vec<f64> = grid.values.iter().map(sum).collect();
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|a, b| sums.get(*b).partial_cmp(&sums.get(*a)).unwrap_or(std::cmp::Ordering::Equal));
        grid.take_series(&order);
    }
    roll(viz, &mut grid)?;
    if viz.is("contribution") {
        for row in 0..grid.index.len() {
            let total: f64 = grid.values.iter().filter_map(|v| v.get(row)).filter(|x| !x.is_nan()).sum();
            for value in grid.values.iter_mut().filter_map(|v| v.get_mut(row)) {
                *value /= total;
            }
        }
    }
    Ok(grid)
}

/// `apply_rolling`.
fn roll(viz: &LegacyViz, grid: &mut Grid) -> Result<()> {
    let int = |key| {
        int_or(&viz.form_data, key, 0)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| VizError::unexpected(format!("invalid {key}")))
    };
    let (periods, min_periods) = (int("rolling_periods")?, int("min_periods")?);
    let kind = viz.get("rolling_type");
    match kind.as_str() {
        Some(kind @ ("mean" | "std" | "sum")) if periods > 0 => {
            if min_periods > periods {
                return Err(VizError::unexpected(format!(
                    "min_periods {min_periods} must be <= window {periods}"
                )));
            }
            for column in &mut grid.values {
                *column = windows(column, kind, periods, min_periods);
            }
        }
        Some("cumsum") => {
            for column in &mut grid.values {
                let mut total = 0.0;
                for value in column.iter_mut().filter(|v| !v.is_nan()) {
                    total += *value;
                    *value = total;
                }
            }
        }
        _ => {}
    }
    if min_periods > 0 {
        let rows: Vec<usize> = (min_periods..grid.index.len()).collect();
        grid.take_rows(&rows);
    }
    if grid.is_empty() {
        return Err(VizError::invalid(
            "Applied rolling window did not return any data. Please make sure the source query satisfies the minimum \
             periods defined in the rolling window.",
        ));
    }
    Ok(())
}

fn windows(column: &[f64], kind: &str, periods: usize, min_periods: usize) -> Vec<f64> {
    (0..column.len())
        .map(|end| {
            let start = (end + 1).saturating_sub(periods);
            let seen: Vec<f64> =
                column.get(start..=end).unwrap_or(&[]).iter().copied().filter(|x| !x.is_nan()).collect();
            #[expect(clippy::cast_precision_loss, reason = "a window's length")]
            let count = seen.len() as f64;
            let sum: f64 = seen.iter().sum();
            if seen.len() < min_periods {
                f64::NAN
            } else if kind == "sum" {
                sum
            } else if seen.is_empty() {
                f64::NAN
            } else if kind == "mean" {
                sum / count
            } else if seen.len() < 2 {
                f64::NAN
            } else {
                let mean = sum / count;
                (seen.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0)).sqrt()
            }
        })
        .collect()
}

/// The name of a series on the wire: text, or a list of texts.
pub(super) fn title(viz: &LegacyViz, label: &Series, suffix: Option<&str>) -> Value {
    let mut parts: Vec<String> = label
        .iter()
        .map(|part| match part {
            Scalar::Text(t) if t.is_empty() && label.len() == 1 => "N/A".to_owned(),
            Scalar::Null if label.len() == 1 => "NULL".to_owned(),
            other => str_of(other),
        })
        .collect();
    let tuple = parts.len() > 1;
    if tuple && viz.metrics.len() == 1 {
        // The only metric says nothing.
        parts.remove(0);
    }
    parts.extend(suffix.map(str::to_owned));
    match parts.as_slice() {
        [one] if !tuple => Value::String(one.clone()),
        many => many.to_vec().into(),
    }
}

/// `to_series`.
pub(super) fn series(
    viz: &LegacyViz,
    grid: &Grid,
    classed: Option<&str>,
    suffix: Option<&str>,
) -> Vec<Value> {
    let mut out = Vec::new();
    for (label, column) in grid.series.iter().zip(&grid.values) {
        if column.iter().all(|v| v.is_nan()) {
            continue;
        }
        let points: Vec<Value> = grid
            .index
            .iter()
            .zip(column)
            .map(|(x, y)| json!({"x": values::millis(*x), "y": values::number(*y)}))
            .collect();
        let mut entry = json!({"key": title(viz, label, suffix), "values": points});
        if let Some(classed) = classed {
            entry["classed"] = classed.into();
        }
        out.push(entry);
    }
    out
}

/// `sorted(key=lambda x: tuple(x["key"]))`: a text is a tuple of its characters.
fn sort_key(entry: &Value) -> Vec<String> {
    match entry.get("key") {
        Some(Value::Array(parts)) => parts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => text.chars().map(String::from).collect(),
        _ => Vec::new(),
    }
}

/// The grids of the time comparisons, moved to the times they are compared with.
fn compared(viz: &LegacyViz, comparisons: &[Comparison]) -> Result<Vec<(String, Grid)>> {
    let mut out = Vec::new();
    for comparison in comparisons {
        if comparison.frame.is_empty() || !comparison.frame.has(super::DTTM_ALIAS) {
            continue;
        }
        let mut grid = process(viz, &comparison.frame, false)?;
        let delta = comparison.delta.num_microseconds().unwrap_or(0);
        for time in &mut grid.index {
            *time = time.saturating_add(delta);
        }
        out.push((format!("{} offset", comparison.option), grid));
    }
    Ok(out)
}

/// A list of series.
pub(super) fn data(viz: &LegacyViz, frame: Frame, comparisons: &[Comparison]) -> Result<Value> {
    let extra = compared(viz, comparisons)?;
    let comparison_type = viz.get("comparison_type");
    let comparison_type = comparison_type.as_str().filter(|t| !t.is_empty()).unwrap_or("values");
    let grid = if frame.is_empty() { None } else { Some(process(viz, &frame, false)?) };
    let mut out = Vec::new();
    if comparison_type == "values" {
        out.extend(grid.iter().flat_map(|grid| series(viz, grid, None, None)));
    }
    for (i, (label, other)) in extra.iter().enumerate() {
        let classed = format!("time-shift-{i}");
        if comparison_type == "values" {
            out.extend(series(viz, other, Some(&classed), Some(label)));
        } else if let Some(grid) = &grid {
            let difference = difference(grid, other, comparison_type)?;
            out.extend(series(viz, &difference, Some(&classed), Some(label)));
        }
    }
    out.sort_by_key(sort_key);
    Ok(Value::Array(out))
}

/// The series minus (or by) those of another time, which are interpolated to the same times.
fn difference(grid: &Grid, other: &Grid, kind: &str) -> Result<Grid> {
    let mut out = Grid { index: grid.index.clone(), series: grid.series.clone(), values: Vec::new() };
    for (i, label) in grid.series.iter().enumerate() {
        let reference = other.series.iter().position(|l| l == label).map(|at| other.by_time(at));
        let mut column = Vec::with_capacity(grid.index.len());
        for (row, time) in grid.index.iter().enumerate() {
            let a = grid.values.get(i).and_then(|v| v.get(row)).copied().unwrap_or(f64::NAN);
            let b = reference.as_ref().map_or(f64::NAN, |points| interpolated(points, *time));
            column.push(match kind {
                "absolute" => a - b,
                "percentage" => (a - b) / b,
                "ratio" => a / b,
                _ => return Err(VizError::invalid(format!("Invalid `comparison_type`: {kind}"))),
            });
        }
        out.values.push(column);
    }
    let valid: Vec<usize> = (0..out.index.len())
        .filter(|row| out.values.iter().any(|v| v.get(*row).is_some_and(|x| !x.is_nan())))
        .collect();
    if let (Some(first), Some(last)) = (valid.first(), valid.last()) {
        let rows: Vec<usize> = (*first..=*last).collect();
        out.take_rows(&rows);
    }
    Ok(out)
}

/// Linear in time between known values, the last one afterwards, nothing before the first.
fn interpolated(points: &std::collections::BTreeMap<i64, f64>, time: i64) -> f64 {
    let known = |(_, v): &(&i64, &f64)| !v.is_nan();
    let before = points.range(..=time).rev().find(known);
    let after = points.range(time..).find(known);
    match (before, after) {
        (Some((t0, v0)), Some((t1, v1))) if t1 > t0 => {
            #[expect(clippy::cast_precision_loss, reason = "a fraction of an interval")]
            let part = (time - t0) as f64 / (t1 - t0) as f64;
            v0 + (v1 - v0) * part
        }
        (Some((_, value)), _) => *value,
        _ => f64::NAN,
    }
}
