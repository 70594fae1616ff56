//! `sort`: by columns or by the index.

use std::cmp::Ordering;

use infra::engines::column::{ColumnData, Scalar};
use serde_json::Value;

use super::aggregate::one_column;
use super::options::Options;
use crate::frame::{Frame, FrameError, Index, Result, is_na, order};

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["by"])?;
    o.signature(&[], &["is_sort_index", "by", "ascending"])?;
    let by_index = o.truthy("is_sort_index", false);
    if !by_index && !o.truthy("by", false) {
        return Ok(frame);
    }
    let names = if by_index { Vec::new() } else { o.texts("by")? };
    let ascending = match o.get("ascending") {
        Some(Value::Array(a)) => a.iter().map(|v| v.as_bool().unwrap_or(true)).collect::<Vec<_>>(),
        _ => vec![o.truthy("ascending", true)],
    };
    if by_index {
        return Ok(sort_index(frame, *ascending.first().unwrap_or(&true)));
    }
    let single = !matches!(o.get("ascending"), Some(Value::Array(_)));
    if !single && ascending.len() != names.len() {
        return Err(FrameError::unexpected(format!(
            "Length of ascending ({}) != length of by ({})",
            ascending.len(),
            names.len()
        )));
    }
    let mut keys = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let up = if single { ascending.first() } else { ascending.get(i) };
        keys.push((one_column(&frame, name)?, *up.unwrap_or(&true)));
    }
    let rows = sorted_rows(frame.row_count(), &keys)?;
    if rows.iter().enumerate().all(|(i, r)| i == *r) {
        return Ok(frame);
    }
    Ok(frame.take(&rows))
}

fn sort_index(frame: Frame, ascending: bool) -> Frame {
    if let Index::Range { .. } = frame.index
        && (ascending || frame.row_count() < 2)
    {
        return frame;
    }
    let levels = frame.index.clone().into_levels();
    let keys: Vec<(&ColumnData, bool)> = levels.iter().map(|l| (&l.data, ascending)).collect();
    // Labels that cannot be compared keep their places.
    match sorted_rows(frame.row_count(), &keys) {
        Ok(rows) if rows.iter().enumerate().any(|(i, r)| i != *r) => frame.take(&rows),
        _ => frame,
    }
}

/// Positions in sorted order; nulls last; equal rows keep their order.
pub(super) fn sorted_rows(rows: usize, keys: &[(&ColumnData, bool)]) -> Result<Vec<usize>> {
    let values: Vec<(Vec<Scalar>, bool)> =
        keys.iter().map(|(d, up)| ((0..rows).map(|i| d.get(i)).collect(), *up)).collect();
    let mut out: Vec<usize> = (0..rows).collect();
    out.sort_by(|a, b| {
        for (v, up) in &values {
            let (Some(x), Some(y)) = (v.get(*a), v.get(*b)) else { continue };
            let o = match (is_na(x), is_na(y)) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ if *up => order(x, y),
                _ => order(y, x),
            };
            if o != Ordering::Equal {
                return o;
            }
        }
        Ordering::Equal
    });
    Ok(out)
}
