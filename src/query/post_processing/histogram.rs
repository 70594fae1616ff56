//! `histogram`: counts of a column's values by bin.

use infra::engines::column::ColumnData;
use serde_json::Value;

use super::MAX_CELLS;
use super::aggregate::one_column;
use super::options::Options;
use crate::frame::{
    Column, Frame, FrameError, Result, float_column, group, is_na, python::float_repr, to_float,
    to_numeric_coerce,
};

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["column", "groupby"], &["bins", "cumulative", "normalize"])?;
    let column = o.text("column")?;
    let keys = o.texts("groupby")?;
    let Some(source) = frame.column(column) else {
        return Err(FrameError::unexpected(format!("['{column}']")));
    };
    let rows: Vec<usize> = (0..frame.row_count()).filter(|r| !is_na(&source.data.get(*r))).collect();
    let frame = if rows.len() == frame.row_count() { frame } else { frame.take(&rows) };
    if frame.is_empty() {
        return Ok(frame);
    }
    let numbers = to_numeric_coerce(one_column(&frame, column)?);
    let values = to_float(&numbers).unwrap_or_default();
    if values.iter().any(|x| x.is_nan()) {
        return Err(FrameError::unexpected(format!("Column '{column}' contains non-numeric values")));
    }
    let bins = match o.get("bins") {
        None if !o.given("bins") => 5,
        Some(Value::Number(n)) if n.as_i64().is_some_and(|i| i >= 1) => n.as_u64().unwrap_or(5) as usize,
        Some(Value::Number(n)) if n.as_i64().is_some() => {
            return Err(FrameError::unexpected("`bins` must be positive, when an integer"));
        }
        _ => return Err(FrameError::unexpected("`bins` must be an integer, a string, or an array")),
    };
    if bins.saturating_mul(values.len()) > MAX_CELLS.saturating_mul(20) || bins > 1_000_000 {
        return Err(FrameError::unexpected("Unable to allocate the bins of the histogram"));
    }
    let edges = edges(&values, bins)?;
    let labels: Vec<String> = edges
        .iter()
        .zip(edges.iter().skip(1))
        .map(|(a, b)| format!("{} - {}", float_repr(*a), float_repr(*b)))
        .collect();
    let mut key_data = Vec::new();
    for k in &keys {
        if !frame.has(k) {
            return Err(FrameError::unexpected(format!("'{k}'")));
        }
        key_data.push(one_column(&frame, k)?);
    }
    let cumulative = o.truthy("cumulative", false);
    let mut out: Vec<Column> = Vec::new();
    let mut table: Vec<Vec<i64>> = Vec::new();
    if keys.is_empty() {
        table.push(counts(values.iter().copied(), &edges, cumulative));
    } else {
        let groups = group(&key_data, false);
        for (i, k) in keys.iter().enumerate() {
            out.push(Column::new(*k, groups.key_column(i)));
        }
        for g in 0..groups.len() {
            let of = groups.rows_of(g).iter().filter_map(|r| values.get(*r).copied());
            table.push(counts(of, &edges, cumulative));
        }
    }
    let total: i64 = table.iter().flatten().sum();
    for (i, label) in labels.iter().enumerate() {
        let column: Vec<i64> = table.iter().filter_map(|row| row.get(i).copied()).collect();
        let data = if o.truthy("normalize", false) {
            float_column(column.iter().map(|c| *c as f64 / total as f64).collect())
        } else {
            ColumnData::Int(column.into_iter().map(Some).collect())
        };
        out.push(Column::new(label.as_str(), data));
    }
    Ok(Frame::new(out))
}

/// `np.histogram_bin_edges` for a number of bins.
fn edges(values: &[f64], bins: usize) -> Result<Vec<f64>> {
    let mut first = values.iter().copied().fold(f64::INFINITY, f64::min);
    let mut last = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !first.is_finite() || !last.is_finite() {
        return Err(FrameError::unexpected(format!(
            "autodetected range of [{}, {}] is not finite",
            float_repr(first),
            float_repr(last)
        )));
    }
    if first == last {
        first -= 0.5;
        last += 0.5;
    }
    let step = (last - first) / bins as f64;
    let mut out: Vec<f64> = (0..=bins).map(|i| i as f64 * step + first).collect();
    if let Some(end) = out.last_mut() {
        *end = last;
    }
    Ok(out)
}

fn counts(values: impl Iterator<Item = f64>, edges: &[f64], cumulative: bool) -> Vec<i64> {
    let bins = edges.len().saturating_sub(1);
    let mut out = vec![0i64; bins];
    let last = edges.last().copied().unwrap_or(f64::NAN);
    for x in values {
        let at = if x == last { bins } else { edges.partition_point(|e| *e <= x) };
        if let Some(slot) = at.checked_sub(1).and_then(|i| out.get_mut(i)) {
            *slot += 1;
        }
    }
    if cumulative {
        let mut sum = 0;
        for c in &mut out {
            sum += *c;
            *c = sum;
        }
    }
    out
}
