//! A hierarchy of sums (`PartitionViz`).

use std::cmp::Ordering;

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Value, json};

use super::{
    Comparison, DTTM_ALIAS, LegacyQuery, LegacyViz, Result, VizError, cell_json,
    grid::{Aggregate, Grid},
    time_series, values,
};
use crate::frame::{Frame, is_na, order, to_float};

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    time_series::query(viz, query)?;
    query.is_timeseries = time_option(viz) != "not_time";
    Ok(())
}

fn time_option(viz: &LegacyViz) -> String {
    match viz.form_data.get("time_series_option") {
        None => "not_time".to_owned(),
        Some(value) => value.as_str().unwrap_or("").to_owned(),
    }
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let groups = viz.group_labels()?;
    if groups.is_empty() {
        return Err(VizError::unexpected("Please choose at least one groupby"));
    }
    match time_option(viz).as_str() {
        "not_time" | "agg_sum" => nested(&frame, &groups, Measure::Sum),
        "agg_mean" => nested(&frame, &groups, Measure::Mean),
        "point_diff" => nested(&frame, &groups, Measure::Difference),
        "point_factor" => nested(&frame, &groups, Measure::Factor),
        "point_percent" => nested(&frame, &groups, Measure::Percent),
        "adv_anal" => by_time(viz, &frame, &groups),
        _ => {
            let mut all = vec![DTTM_ALIAS.to_owned()];
            all.extend(groups);
            nested(&frame, &all, Measure::Sum)
        }
    }
}

/// What a set of rows amounts to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measure {
    Sum,
    Mean,
    Difference,
    Factor,
    Percent,
}

struct Table<'f> {
    groups: Vec<&'f ColumnData>,
    measure: Measure,
    /// First and last time, and the time of each row; only for differences.
    times: Option<(i64, i64, Vec<Option<i64>>)>,
}

/// A metric's column as numbers, and whether they are all whole.
struct Metric {
    name: String,
    values: Vec<f64>,
    whole: bool,
}

fn nested(frame: &Frame, groups: &[String], measure: Measure) -> Result<Value> {
    let columns = groups.iter().map(|g| values::column(frame, g)).collect::<Result<Vec<_>>>()?;
    let times = if matches!(measure, Measure::Sum | Measure::Mean) {
        None
    } else {
        let column = values::column(frame, DTTM_ALIAS)?;
        let times: Vec<Option<i64>> =
            (0..frame.row_count()).map(|row| values::micros(&column.get(row))).collect();
        let known = || times.iter().flatten().copied();
        Some((known().min().unwrap_or(0), known().max().unwrap_or(0), times.clone()))
    };
    let table = Table { groups: columns, measure, times };
    let all: Vec<usize> = (0..frame.row_count()).collect();
    let mut out = Vec::new();
    for column in &frame.columns {
        let Some(name) = column.label.text().filter(|n| !groups.iter().any(|g| g == n)) else { continue };
        if !matches!(column.data, ColumnData::Int(_) | ColumnData::Float(_)) {
            continue;
        }
        let Some(numbers) = to_float(&column.data) else { continue };
        let metric = Metric {
            name: name.to_owned(),
            values: numbers,
            whole: matches!(column.data, ColumnData::Int(_)),
        };
        out.push(json!({"name": name, "val": table.value(&metric, &all), "children":
            table.children(&metric, &all, &[])}));
    }
    Ok(Value::Array(out))
}

impl Table<'_> {
    fn sum(&self, metric: &Metric, rows: impl Iterator<Item = usize>) -> (f64, u32) {
        rows.filter_map(|row| metric.values.get(row).copied())
            .filter(|v| !v.is_nan())
            .fold((0.0, 0), |(s, n), v| (s + v, n + 1))
    }

    fn value(&self, metric: &Metric, rows: &[usize]) -> Value {
        let (sum, count) = self.sum(metric, rows.iter().copied());
        let result = match (self.measure, &self.times) {
            (Measure::Sum, _) => sum,
            (Measure::Mean, _) => return values::number(sum / f64::from(count)),
            (measure, Some((since, until, times))) => {
                let at = |time: i64| {
                    self.sum(metric, rows.iter().copied().filter(|r| times.get(*r) == Some(&Some(time)))).0
                };
                let (new, old) = (at(*until), at(*since));
                match measure {
                    Measure::Difference => new - old,
                    Measure::Factor => return values::number(new / old),
                    _ => return values::number(new / old - 1.0),
                }
            }
            _ => f64::NAN,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a sum of whole numbers")]
        if metric.whole && result.abs() < 9e15 { (result as i64).into() } else { values::number(result) }
    }

    /// The next level: rows by the value of the next group, in order.
    fn children(&self, metric: &Metric, rows: &[usize], dims: &[Scalar]) -> Value {
        let Some(column) = self.groups.get(dims.len()) else { return json!([]) };
        let relevant = rows.iter().copied().filter(|row| match &self.times {
            None => true,
            Some((since, until, times)) => {
                matches!(times.get(*row), Some(Some(t)) if t == since || t == until)
            }
        });
        let mut keyed: Vec<(Scalar, usize)> =
            relevant.map(|row| (column.get(row), row)).filter(|(value, _)| !is_na(value)).collect();
        keyed.sort_by(|a, b| order(&a.0, &b.0));
        let mut out = Vec::new();
        for chunk in keyed.chunk_by(|a, b| order(&a.0, &b.0) == Ordering::Equal) {
            let Some((value, _)) = chunk.first() else { continue };
            let rows: Vec<usize> = chunk.iter().map(|(_, row)| *row).collect();
            let mut path = dims.to_vec();
            path.push(value.clone());
            let name: Value =
                if dims.is_empty() { cell_json(value) } else { path.iter().map(cell_json).collect() };
            out.push(json!({"name": name, "val": self.value(metric, &rows), "children":
                self.children(metric, &rows, &path)}));
        }
        debug_assert!(!metric.name.is_empty());
        Value::Array(out)
    }
}

/// Advanced analytics: the hierarchy at every time, each level resampled and rolled by itself.
fn by_time(viz: &LegacyViz, frame: &Frame, groups: &[String]) -> Result<Value> {
    let labels = viz.metric_labels();
    let mut levels = Vec::new();
    for depth in 0..=groups.len() {
        let mut grid = Grid::pivot(frame, groups.get(..depth).unwrap_or(&[]), &labels, true, Aggregate::Sum)?;
        grid.fill(0.0);
        levels.push(time_series::finish(viz, grid, false)?);
    }
    let Some(top) = levels.first() else { return Ok(json!([])) };
    let metrics = top.series.iter().enumerate().map(|(at, label)| {
        let times = top.index.iter().enumerate().map(|(row, time)| {
            json!({
                "name": values::millis(*time),
                "val": values::number(top.values.get(at).and_then(|v| v.get(row)).copied().unwrap_or(f64::NAN)),
                "children": at_time(&levels, 1, label, *time),
            })
        });
        json!({"name": label.first().map_or(Value::Null, cell_json), "children": times.collect::<Value>()})
    });
    Ok(metrics.collect())
}

fn at_time(levels: &[Grid], level: usize, dims: &[Scalar], time: i64) -> Value {
    let Some(grid) = levels.get(level) else { return json!([]) };
    let below =
        grid.series.iter().enumerate().filter(|(_, s)| s.len() == dims.len() + 1 && s.starts_with(dims));
    let children = below.map(|(at, series)| {
        let value =
            grid.index.iter().position(|t| *t == time).and_then(|row| grid.values.get(at)?.get(row).copied());
        json!({
            "name": series.last().map_or(Value::Null, cell_json),
            "val": values::number(value.unwrap_or(f64::NAN)),
            "children": at_time(levels, level + 1, series, time),
        })
    });
    children.collect()
}
