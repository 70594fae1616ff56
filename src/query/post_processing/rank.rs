//! `rank`: rank of a metric as a share, within groups if asked.

use infra::engines::column::{ColumnData, Scalar};

use super::aggregate::one_column;
use super::options::Options;
use crate::frame::{Frame, FrameError, Label, Result, compare, group, is_na};

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["metric"], &["group_by"])?;
    let metric = o.text("metric")?;
    if !frame.has(metric) {
        return Err(FrameError::unexpected(format!("'{metric}'")));
    }
    let data = one_column(&frame, metric)?;
    let mut ranks = vec![f64::NAN; frame.row_count()];
    match o.texts("group_by")?.as_slice() {
        [] => {
            let rows: Vec<usize> = (0..frame.row_count()).collect();
            rank_rows(data, &rows, &mut ranks)?;
        }
        names => {
            let mut keys = Vec::new();
            for n in names {
                if !frame.has(n) {
                    return Err(FrameError::unexpected(format!("'{n}'")));
                }
                keys.push(one_column(&frame, n)?);
            }
            let groups = group(&keys, false);
            if groups.len() == 1 && groups.rows_of(0).len() > 1 {
                // One group makes pandas return a row instead of a column.
                return Err(FrameError::unexpected(
                    "Cannot set a DataFrame with multiple columns to the single column rank",
                ));
            }
            for g in 0..groups.len() {
                rank_rows(data, groups.rows_of(g), &mut ranks)?;
            }
        }
    }
    frame.set(&Label::from("rank"), crate::frame::float_column(ranks));
    Ok(frame)
}

/// Average rank of equal values, divided by the number of values.
fn rank_rows(data: &ColumnData, rows: &[usize], out: &mut [f64]) -> Result<()> {
    let mut values: Vec<(usize, Scalar)> =
        rows.iter().map(|r| (*r, data.get(*r))).filter(|(_, v)| !is_na(v)).collect();
    let mut comparable = true;
    values.sort_by(|a, b| {
        compare(&a.1, &b.1).unwrap_or_else(|| {
            comparable = false;
            std::cmp::Ordering::Equal
        })
    });
    if !comparable {
        return Err(FrameError::unexpected("'<' not supported between instances of 'str' and 'int'"));
    }
    let total = values.len() as f64;
    let mut start = 0;
    while let Some(first) = values.get(start) {
        let same = values
            .iter()
            .skip(start)
            .take_while(|v| compare(&v.1, &first.1) == Some(std::cmp::Ordering::Equal))
            .count()
            .max(1);
        let rank = (2 * start + same + 1) as f64 / 2.0;
        for (row, _) in values.iter().skip(start).take(same) {
            if let Some(slot) = out.get_mut(*row) {
                *slot = rank / total;
            }
        }
        start += same;
    }
    Ok(())
}
