//! Time comparison over frames: names, join keys and joins of shifted results
//! (`superset.common.query_context_processor`, the part after the queries ran).

mod delta;
mod join_key;

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use infra::engines::column::{ColumnData, Scalar};

use crate::frame::{CellKey, Column, Dtype, Frame, Index, Label, Result, dtype, is_na, key, take};
pub use delta::DateDelta;

/// Prefix of the temporary column that frames are joined by.
const JOIN_COLUMN: &str = "__offset_join_column_";
/// Suffix of columns that exist on both sides.
const RIGHT_SUFFIX: &str = "__right_suffix";

/// A shifted result: the offset as it was evaluated (`inherit` and dates already are `N days ago`) and its frame.
#[derive(Debug, Clone)]
pub struct Offset {
    /// Evaluated offset.
    pub offset: String,
    /// Rows with the metrics renamed.
    pub frame: Frame,
}

/// `YYYY-MM-DD`.
pub fn is_date(text: &str) -> bool {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// `YYYY-MM-DD : YYYY-MM-DD`.
pub fn is_date_range(text: &str) -> bool {
    let mut parts = text.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(a), Some(b), None) => is_date(a.trim()) && is_date(b.trim()),
        _ => false,
    }
}

/// The relative form of `inherit` and of a date; other offsets stay as they are (`get_offset_custom_or_inherit`).
pub fn evaluated_offset(offset: &str, from: NaiveDateTime, to: NaiveDateTime) -> String {
    let days = |d: chrono::TimeDelta| d.num_seconds().div_euclid(86_400);
    if offset == "inherit" {
        return format!("{} days ago", days(to - from));
    }
    match NaiveDate::parse_from_str(offset, "%Y-%m-%d") {
        Ok(date) => format!("{} days ago", days(from - date.and_time(chrono::NaiveTime::MIN))),
        Err(_) => offset.to_owned(),
    }
}

/// The columns that are no metrics: what results are joined by.
pub fn join_keys(frame: &Frame, is_metric: impl Fn(&str) -> bool) -> Vec<String> {
    frame.columns.iter().filter_map(|c| c.label.text()).filter(|t| !is_metric(t)).map(str::to_owned).collect()
}

/// `<metric>__<offset>`.
pub fn offset_label(metric: &str, offset: &str) -> String {
    format!("{metric}__{offset}")
}

/// Gives the metrics of a shifted result their names (the offset as the client wrote it).
pub fn rename_metrics(frame: &mut Frame, metrics: &[String], offset: &str) {
    for c in &mut frame.columns {
        if let Some(m) = c.label.text().filter(|t| metrics.iter().any(|m| m == t)) {
            c.label = Label::from(offset_label(m, offset));
        }
    }
}

/// What stands for a shifted result without rows: one row of nulls.
pub fn empty_offset(keys: &[String], metrics: &[String], offset: &str) -> Frame {
    let null = || ColumnData::Float(vec![None]);
    let mut columns: Vec<Column> = keys.iter().map(|k| Column::new(k.as_str(), null())).collect();
    columns.extend(metrics.iter().map(|m| Column::new(offset_label(m, offset), null())));
    Frame::new(columns)
}

/// `dataframe_utils.is_datetime_series`: timestamps, or dates only.
pub fn is_temporal(data: Option<&ColumnData>) -> bool {
    let Some(data) = data else { return false };
    if (0..data.len()).all(|i| is_na(&data.get(i))) {
        return false;
    }
    matches!(data, ColumnData::Timestamp(_) | ColumnData::Date(_)) || dtype(data) == Dtype::TimestampTz
}

/// Joins shifted results to the main one (`join_offset_dfs`). `keys` are its columns that are no metrics.
/// `date_ranges` says whether the flag DATE_RANGE_TIMESHIFTS_ENABLED is on.
pub fn join(
    mut frame: Frame,
    offsets: Vec<Offset>,
    time_grain: Option<&str>,
    keys: &[String],
    date_ranges: bool,
) -> Result<Frame> {
    let grain = time_grain.filter(|g| !g.is_empty());
    for Offset { offset, frame: mut shifted } in offsets {
        let range = date_ranges && is_date_range(&offset);
        let mut actual: Vec<String> = keys.to_vec();
        match grain {
            Some(grain) if !range => {
                let name = format!("{JOIN_COLUMN}{offset}");
                let left = join_key::texts(&frame, grain, Some(&offset))?;
                let right = join_key::texts(&shifted, grain, None)?;
                frame.set(&Label::from(name.as_str()), left);
                shifted.set(&Label::from(name.as_str()), right);
                actual = std::iter::once(name).chain(keys.iter().skip(1).cloned()).collect();
            }
            _ if range => {
                const TEMPORAL: [&str; 3] = ["ds", "__timestamp", "dttm"];
                actual.retain(|k| !TEMPORAL.contains(&k.as_str()));
                if actual.is_empty() {
                    shifted = totals(shifted, &TEMPORAL)?;
                }
            }
            _ => {}
        }
        frame = left_join(frame, shifted, &actual);
        if grain.is_some() && !range {
            if let Some(at) = keys.first().and_then(|k| frame.position(k)) {
                let column = frame.columns.remove(at);
                frame.columns.insert(0, column);
            }
            frame.columns.retain(|c| !c.label.text().is_some_and(|t| t.contains(JOIN_COLUMN)));
        }
        frame.columns.retain(|c| !c.label.text().is_some_and(|t| t.contains(RIGHT_SUFFIX)));
    }
    Ok(frame)
}

/// Sums of a shifted range that has nothing to be joined by.
fn totals(frame: Frame, temporal: &[&str]) -> Result<Frame> {
    let mut columns = Vec::new();
    for c in frame.columns {
        if c.label.text().is_some_and(|t| temporal.contains(&t)) {
            continue;
        }
        let value = if matches!(dtype(&c.data), Dtype::Int | Dtype::Float | Dtype::Bool) {
            match &c.data {
                ColumnData::Int(v) => Scalar::Int(v.iter().flatten().fold(0, |a: i64, b| a.wrapping_add(*b))),
                ColumnData::Bool(v) => Scalar::Int(v.iter().flatten().filter(|b| **b).count() as i64),
                other => Scalar::Float(
                    crate::frame::to_float(other).unwrap_or_default().iter().filter(|x| !x.is_nan()).sum(),
                ),
            }
        } else {
            c.data.get(0)
        };
        columns.push(Column { label: c.label, data: crate::frame::from_scalars(vec![value]) });
    }
    Ok(Frame::new(columns))
}

/// `left_join_df`: the keys come first, columns that both have get a suffix on the right; without keys every row
/// meets every row.
fn left_join(left: Frame, right: Frame, keys: &[String]) -> Frame {
    let key_columns = |f: &Frame| -> Vec<ColumnData> {
        keys.iter().map(|k| f.column(k).map_or(ColumnData::Null(f.row_count()), |c| c.data.clone())).collect()
    };
    let row_key = |columns: &[ColumnData], row: usize| -> Vec<CellKey> {
        columns.iter().map(|c| key(&c.get(row))).collect()
    };
    let right_keys = key_columns(&right);
    let mut places: HashMap<Vec<CellKey>, Vec<usize>> = HashMap::new();
    for row in 0..right.row_count() {
        places.entry(row_key(&right_keys, row)).or_default().push(row);
    }
    let left_keys = key_columns(&left);
    let (mut from_left, mut from_right) = (Vec::new(), Vec::new());
    for row in 0..left.row_count() {
        match places.get(&row_key(&left_keys, row)) {
            Some(rows) => {
                for r in rows {
                    from_left.push(row);
                    from_right.push(*r);
                }
            }
            None => {
                from_left.push(row);
                from_right.push(usize::MAX);
            }
        }
    }
    let is_key = |c: &Column| c.label.text().is_some_and(|t| keys.iter().any(|k| k == t));
    let mut columns: Vec<Column> = keys
        .iter()
        .filter_map(|k| left.column(k))
        .map(|c| Column { label: c.label.clone(), data: take(&c.data, &from_left) })
        .collect();
    for c in left.columns.iter().filter(|c| !is_key(c)) {
        columns.push(Column { label: c.label.clone(), data: take(&c.data, &from_left) });
    }
    for c in right.columns.iter().filter(|c| !is_key(c)) {
        let label = match c.label.text() {
            Some(t) if left.columns.iter().any(|l| l.label == c.label) => {
                Label::from(format!("{t}{RIGHT_SUFFIX}"))
            }
            _ => c.label.clone(),
        };
        columns.push(Column { label, data: take(&c.data, &from_right) });
    }
    let mut out = Frame::new(columns);
    out.index = Index::range(from_left.len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> i64 {
        NaiveDate::parse_from_str(s, "%Y-%m-%d")
            .unwrap()
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_micros()
    }

    fn times(v: &[&str]) -> ColumnData {
        ColumnData::Timestamp(v.iter().map(|s| Some(at(s))).collect())
    }

    fn texts(v: &[&str]) -> ColumnData {
        ColumnData::Text(v.iter().map(|s| Some((*s).into())).collect())
    }

    #[test]
    fn a_year_is_joined_by_month_and_dimension() {
        let main = Frame::new(vec![
            Column::new("ds", times(&["2021-01-01", "2021-02-01", "2021-02-01"])),
            Column::new("g", texts(&["a", "a", "b"])),
            Column::new("m", ColumnData::Int(vec![Some(1), Some(2), Some(3)])),
        ]);
        let mut past = Frame::new(vec![
            Column::new("ds", times(&["2020-02-01", "2020-01-01"])),
            Column::new("g", texts(&["b", "a"])),
            Column::new("m", ColumnData::Int(vec![Some(30), Some(10)])),
        ]);
        let keys = join_keys(&main, |c| c == "m");
        rename_metrics(&mut past, &["m".into()], "1 year ago");
        let offsets = vec![Offset { offset: "1 year ago".into(), frame: past }];
        let joined = join(main, offsets, Some("P1M"), &keys, false).unwrap();
        let names: Vec<_> = joined.columns.iter().filter_map(|c| c.label.text()).collect();
        assert_eq!(names, ["ds", "g", "m", "m__1 year ago"]);
        assert_eq!(joined.columns[3].data, ColumnData::Float(vec![Some(10.0), None, Some(30.0)]));
    }

    #[test]
    fn without_a_grain_the_keys_themselves_meet() {
        let main = Frame::new(vec![
            Column::new("g", texts(&["a", "b"])),
            Column::new("m", ColumnData::Int(vec![Some(1), Some(2)])),
        ]);
        let past = empty_offset(&["g".into()], &["m".into()], "1 week ago");
        let joined =
            join(main, vec![Offset { offset: "1 week ago".into(), frame: past }], None, &["g".into()], false)
                .unwrap();
        assert_eq!(joined.columns[2].data, ColumnData::Float(vec![None, None]));
        assert_eq!(joined.columns.len(), 3);
    }

    #[test]
    fn metrics_alone_meet_in_one_row() {
        let one = |n: &str, v| Frame::new(vec![Column::new(n, ColumnData::Int(vec![Some(v)]))]);
        let offsets = vec![Offset { offset: "1 day ago".into(), frame: one("m__1 day ago", 7) }];
        let joined = join(one("m", 5), offsets, None, &[], false).unwrap();
        assert_eq!(joined.columns[1].data, ColumnData::Int(vec![Some(7)]));
    }

    #[test]
    fn offsets_by_date_and_inheritance() {
        let t = |s: &str| NaiveDate::parse_from_str(s, "%Y-%m-%d").unwrap().and_time(chrono::NaiveTime::MIN);
        assert_eq!(evaluated_offset("inherit", t("2020-01-01"), t("2020-01-31")), "30 days ago");
        assert_eq!(evaluated_offset("2019-12-25", t("2020-01-01"), t("2020-01-31")), "7 days ago");
        assert_eq!(evaluated_offset("1 week ago", t("2020-01-01"), t("2020-01-31")), "1 week ago");
        assert!(is_date_range("2015-01-03 : 2015-01-04") && !is_date_range("1 week ago"));
    }
}
