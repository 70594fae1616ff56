//! Timestamps, metrics and infinities made uniform before post-processing
//! (`QueryContextProcessor.normalize_df`, `superset.utils.core:normalize_dttm_col`).

use infra::engines::column::{ColumnData, Scalar};

use super::datetime::{date_micros, to_micros};
use super::datetime_format::Format;
use super::{Dtype, Frame, convert, dtype, from_scalars};

/// A column to be read as timestamps (`superset.utils.core:DateColumn`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DateColumn {
    /// Label of the column.
    pub label: String,
    /// The dataset column's `python_date_format`, if any.
    pub format: Option<String>,
    /// Hours to add (the dataset's `offset`).
    pub offset_hours: i64,
    /// Microseconds to add: the query object's `time_shift`, already evaluated.
    pub shift_micros: i64,
}

/// Reads the columns as timestamps; what cannot be read becomes null.
pub fn normalize_datetimes(frame: &mut Frame, columns: &[DateColumn]) {
    for spec in columns {
        for at in frame.positions(&spec.label) {
            let Some(column) = frame.columns.get_mut(at) else { continue };
            let data = std::mem::replace(&mut column.data, ColumnData::Null(0));
            let data = match spec.format.as_deref() {
                Some(unit @ ("epoch_s" | "epoch_ms")) => from_epoch(data, unit == "epoch_s"),
                format => to_datetime(data, format),
            };
            column.data = shifted(
                data,
                spec.offset_hours.saturating_mul(3_600_000_000).saturating_add(spec.shift_micros),
            );
        }
    }
}

fn shifted(data: ColumnData, micros: i64) -> ColumnData {
    if micros == 0 {
        return data;
    }
    match data {
        ColumnData::Timestamp(v) => {
            ColumnData::Timestamp(v.into_iter().map(|t| t.and_then(|t| t.checked_add(micros))).collect())
        }
        ColumnData::Object(v) => ColumnData::Object(
            v.into_iter()
                .map(|s| match s {
                    Scalar::TimestampTz(t, o) => t
                        .checked_add_signed(chrono::TimeDelta::microseconds(micros))
                        .map_or(Scalar::Null, |t| Scalar::TimestampTz(t, o)),
                    other => other,
                })
                .collect(),
        ),
        other => other,
    }
}

fn from_epoch(data: ColumnData, seconds: bool) -> ColumnData {
    let scale = if seconds { 1e6 } else { 1e3 };
    match (dtype(&data), &data) {
        (Dtype::Int | Dtype::Float | Dtype::Bool, _) => {
            let whole = if seconds { 1_000_000 } else { 1_000 };
            ColumnData::Timestamp(match &data {
                ColumnData::Int(v) => v.iter().map(|x| x.and_then(|i| i.checked_mul(whole))).collect(),
                other => convert::to_float(other)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|f| (f.is_finite() && f.abs() < 9e18 / scale).then(|| (f * scale).round() as i64))
                    .collect(),
            })
        }
        // An integer column with nulls is an object column for pandas, and `pd.Timestamp(int)` counts nanoseconds.
        (Dtype::Object, ColumnData::Int(v)) => {
            ColumnData::Timestamp(v.iter().map(|x| x.map(|i| i.div_euclid(1000))).collect())
        }
        (_, ColumnData::Text(v)) => {
            let read: Option<Vec<Option<i64>>> = v
                .iter()
                .map(|s| match s.as_deref() {
                    None => Some(None),
                    Some(s) => Format::guess(s).and_then(|f| f.parse(s)).map(|(t, _)| Some(to_micros(t))),
                })
                .collect();
            read.map_or(data, ColumnData::Timestamp)
        }
        _ => to_datetime(data, None),
    }
}

/// `pd.to_datetime(errors="coerce", exact=False)`.
pub(crate) fn to_datetime(data: ColumnData, format: Option<&str>) -> ColumnData {
    match data {
        ColumnData::Timestamp(_) => data,
        ColumnData::Date(v) => ColumnData::Timestamp(v.into_iter().map(|d| d.map(date_micros)).collect()),
        ColumnData::Text(v) => read_texts(&v, format),
        ColumnData::Int(v) => match format.and_then(Format::compile) {
            Some(f) => ColumnData::Timestamp(
                v.iter()
                    .map(|x| x.and_then(|i| f.parse(&i.to_string())).map(|(t, _)| to_micros(t)))
                    .collect(),
            ),
            // Without a format numbers count nanoseconds.
            None => ColumnData::Timestamp(v.iter().map(|x| x.map(|i| i.div_euclid(1000))).collect()),
        },
        ColumnData::Float(v) => match format.and_then(Format::compile) {
            Some(f) => ColumnData::Timestamp(
                v.iter()
                    .map(|x| {
                        let x = x.filter(|f| f.is_finite())?;
                        let text = if x.fract() == 0.0 { format!("{}", x as i64) } else { x.to_string() };
                        f.parse(&text).map(|(t, _)| to_micros(t))
                    })
                    .collect(),
            ),
            None => ColumnData::Timestamp(
                v.iter().map(|x| x.filter(|f| f.is_finite()).map(|f| (f / 1000.0).floor() as i64)).collect(),
            ),
        },
        ColumnData::Object(v) if v.iter().any(|s| matches!(s, Scalar::TimestampTz(..))) => {
            ColumnData::Object(
                v.into_iter()
                    .map(|s| if matches!(s, Scalar::TimestampTz(..)) { s } else { Scalar::Null })
                    .collect(),
            )
        }
        other => {
            let values = (0..other.len())
                .map(|i| match other.get(i) {
                    Scalar::Date(d) => Some(date_micros(d)),
                    Scalar::Timestamp(t) => Some(to_micros(t)),
                    Scalar::Text(s) => Format::guess(&s).and_then(|f| f.parse(&s)).map(|(t, _)| to_micros(t)),
                    _ => None,
                })
                .collect();
            ColumnData::Timestamp(values)
        }
    }
}

fn read_texts(values: &[Option<Box<str>>], format: Option<&str>) -> ColumnData {
    let first = values.iter().flatten().find(|s| !s.is_empty());
    let format = match (format, first) {
        (Some(f), _) => Format::compile(f),
        (None, Some(s)) => Format::guess(s),
        (None, None) => None,
    };
    let read = |s: &str| match &format {
        Some(f) => f.parse(s),
        // No common format: each value is read for itself, as dateutil would.
        None => Format::guess(s).and_then(|f| f.parse(s)),
    };
    let parsed: Vec<_> = values.iter().map(|v| v.as_deref().and_then(read)).collect();
    if parsed.iter().any(|p| matches!(p, Some((_, Some(_))))) {
        return ColumnData::Object(
            parsed
                .into_iter()
                .map(|p| p.map_or(Scalar::Null, |(t, o)| Scalar::TimestampTz(t, o.unwrap_or(0))))
                .collect(),
        );
    }
    ColumnData::Timestamp(parsed.into_iter().map(|p| p.map(|(t, _)| to_micros(t))).collect())
}

/// Gives object columns of metrics the type of their values (`dataframe_utils.df_metrics_to_num`).
pub fn infer_metric_objects(frame: &mut Frame, is_metric: impl Fn(&str) -> bool) {
    for column in &mut frame.columns {
        if column.label.text().is_some_and(&is_metric) && matches!(column.data, ColumnData::Object(_)) {
            column.data = convert::infer_objects(std::mem::replace(&mut column.data, ColumnData::Null(0)));
        }
    }
}

/// Infinities become null, and integers beside nulls floats ([`convert::beside_nulls`]): pandas infers the type of a
/// column of objects anew when it replaces values (`DataFrame.replace`), and has no integers with nulls then.
pub fn finite_or_null(frame: &mut Frame) {
    for column in &mut frame.columns {
        match &mut column.data {
            ColumnData::Float(v) => {
                for x in v.iter_mut().filter(|x| x.is_some_and(f64::is_infinite)) {
                    *x = None;
                }
            }
            ColumnData::Int(v) if v.iter().any(Option::is_none) && v.iter().any(Option::is_some) => {
                column.data = convert::beside_nulls(&column.data);
            }
            ColumnData::Object(v) if v.iter().any(|s| matches!(s, Scalar::Float(f) if f.is_infinite())) => {
                let values = std::mem::take(v)
                    .into_iter()
                    .map(|s| match s {
                        Scalar::Float(f) if f.is_infinite() => Scalar::Float(f64::NAN),
                        other => other,
                    })
                    .collect();
                column.data = from_scalars(values);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Column;

    fn texts(values: &[&str]) -> ColumnData {
        ColumnData::Text(values.iter().map(|s| Some((*s).into())).collect())
    }

    #[test]
    fn texts_become_timestamps_by_the_format_of_the_first() {
        let got = to_datetime(texts(&["1965-01-01 00:00:00.000000", "nope", "1970-01-02 00:00:00.5"]), None);
        assert_eq!(got, ColumnData::Timestamp(vec![Some(-157_766_400_000_000), None, Some(86_400_500_000)]));
        let got = to_datetime(ColumnData::Int(vec![Some(1971), None]), Some("%Y"));
        assert_eq!(got, ColumnData::Timestamp(vec![Some(31_536_000_000_000), None]));
    }

    #[test]
    fn epochs_and_offsets() {
        let mut f = Frame::new(vec![Column::new("t", ColumnData::Int(vec![Some(10)]))]);
        let spec = DateColumn {
            label: "t".into(),
            format: Some("epoch_s".into()),
            offset_hours: 1,
            shift_micros: -1_000_000,
        };
        normalize_datetimes(&mut f, &[spec]);
        assert_eq!(f.columns[0].data, ColumnData::Timestamp(vec![Some(3_609_000_000)]));
    }
}
