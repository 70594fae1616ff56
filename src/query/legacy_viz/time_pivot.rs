//! Periods laid over each other (`NVD3TimePivotViz`).

use std::collections::HashMap;

use infra::engines::column::Scalar;
use serde_json::Value;

use super::{
    Comparison, LegacyQuery, LegacyViz, Result, VizError, grid::Grid, label_of_metric, offset, time_series,
};
use crate::frame::Frame;

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    time_series::query(viz, query)?;
    query.metrics = Some(vec![viz.get("metric")]);
    Ok(())
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let grid = time_series::process(viz, &frame, true)?;
    let freq = viz.get("freq");
    let freq = freq.as_str().ok_or_else(|| VizError::unexpected("'NoneType' object has no attribute 'n'"))?;
    let freq = offset::parse(freq)?;
    let metric = label_of_metric(&viz.required("metric")?)?;
    let column = grid
        .series
        .iter()
        .position(|s| matches!(s.as_slice(), [Scalar::Text(name)] if **name == *metric))
        .ok_or_else(|| VizError::key(&metric))?;
    let starts: Vec<i64> = grid.index.iter().map(|t| freq.rollback(*t).unwrap_or(*t)).collect();
    let mut ranks = starts.clone();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    ranks.dedup();
    let newest = ranks.first().copied().unwrap_or(0);
    // Each period is a series, moved to the time of the newest one.
    let mut sums: HashMap<(i64, usize), (f64, u32)> = HashMap::new();
    for (row, (time, start)) in grid.index.iter().zip(&starts).enumerate() {
        let rank = ranks.iter().position(|r| r == start).unwrap_or(0);
        let value = grid.values.get(column).and_then(|v| v.get(row)).copied().unwrap_or(f64::NAN);
        if !value.is_nan() {
            let cell = sums.entry((time + (newest - start), rank)).or_insert((0.0, 0));
            *cell = (cell.0 + value, cell.1 + 1);
        }
    }
    let mut index: Vec<i64> = sums.keys().map(|(time, _)| *time).collect();
    index.sort_unstable();
    index.dedup();
    let name = |rank: usize| if rank == 0 { "current".to_owned() } else { format!("-{rank}") };
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by_key(|rank| name(*rank));
    let mut out = Grid { index, series: Vec::new(), values: Vec::new() };
    for rank in &order {
        let value =
            |time: &i64| sums.get(&(*time, *rank)).map_or(f64::NAN, |(sum, count)| sum / f64::from(*count));
        out.values.push(out.index.iter().map(value).collect());
        out.series.push(vec![Scalar::Text(name(*rank).into())]);
    }
    let mut series = time_series::series(viz, &out, None, None);
    #[expect(clippy::cast_precision_loss, reason = "a number of periods")]
    for entry in &mut series {
        let rank = order
            .iter()
            .find(|r| entry.get("key").and_then(Value::as_str) == Some(&name(**r)))
            .copied()
            .unwrap_or(0);
        entry["rank"] = rank.into();
        entry["perc"] = super::values::number(1.0 - rank as f64 / ranks.len() as f64);
    }
    Ok(Value::Array(series))
}
