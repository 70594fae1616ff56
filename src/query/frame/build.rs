//! From a driver's result to a frame (`superset.result_set:SupersetResultSet`).

use std::collections::{HashMap, HashSet};

use bigdecimal::BigDecimal;
pub use infra::engines::column::ColumnInfo;
use infra::engines::column::{ColumnData, ResultSet, Scalar};

use super::{Column, Frame, FrameError, Label, Result, python};

/// Most digits an Arrow decimal holds; columns beyond become text.
const DECIMAL_DIGITS: u64 = 76;

impl From<ResultSet> for Frame {
    /// Takes over the driver's vectors; only columns of mixed or nested values are rewritten.
    fn from(result: ResultSet) -> Self {
        let names = distinct_names(result.columns.iter().map(|c| c.name.as_str()));
        Self::new(
            names
                .into_iter()
                .zip(result.data)
                .map(|(name, data)| Column::new(name, arrow_column(data)))
                .collect(),
        )
    }
}

/// Column names made distinct with `__1`, `__2`… (`superset.result_set:dedup`), which is passed over where another
/// column has that name; there the original keeps one of them only.
pub fn distinct_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let own: HashSet<&str> = names.iter().copied().collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let distinct = |name: &'a str| match seen.entry(name) {
        std::collections::hash_map::Entry::Occupied(mut e) => loop {
            *e.get_mut() += 1;
            let numbered = format!("{name}__{}", e.get());
            if !own.contains(numbered.as_str()) {
                return numbered;
            }
        },
        std::collections::hash_map::Entry::Vacant(e) => {
            e.insert(0);
            name.to_owned()
        }
    };
    names.iter().copied().map(distinct).collect()
}

/// Gives the columns the labels the query object expects, by position; columns beyond are dropped
/// (`assign_column_label`). An empty frame keeps the cursor's names.
pub fn relabel(frame: &mut Frame, labels: &[String]) -> Result<()> {
    if frame.is_empty() {
        return Ok(());
    }
    if frame.columns.len() < labels.len() {
        return Err(FrameError::invalid("Db engine did not return all queried columns"));
    }
    frame.columns.truncate(labels.len());
    for (column, label) in frame.columns.iter_mut().zip(labels) {
        column.label = Label::from(label.as_str());
    }
    Ok(())
}

/// The type Arrow infers for a column of Python objects; what it refuses becomes text.
pub(crate) fn arrow_column(data: ColumnData) -> ColumnData {
    match data {
        ColumnData::Decimal(v) => arrow_decimals(v),
        ColumnData::Object(v) => arrow_objects(v),
        other => {
            let nulls = match &other {
                ColumnData::Bool(v) => v.iter().all(Option::is_none),
                ColumnData::Int(v) => v.iter().all(Option::is_none),
                ColumnData::Float(v) => v.iter().all(Option::is_none),
                ColumnData::Text(v) => v.iter().all(Option::is_none),
                ColumnData::Date(v) => v.iter().all(Option::is_none),
                ColumnData::Timestamp(v) => v.iter().all(Option::is_none),
                _ => false,
            };
            // A column of Nones has no type of its own once it has been through Python.
            if nulls && !other.is_empty() { ColumnData::Null(other.len()) } else { other }
        }
    }
}

/// Arrow decimals share one scale: the largest.
fn arrow_decimals(values: Vec<Option<BigDecimal>>) -> ColumnData {
    let present = || values.iter().flatten();
    let scale = present().map(BigDecimal::fractional_digit_count).max().unwrap_or(0).max(0);
    if present().next().is_none() {
        return ColumnData::Null(values.len());
    }
    let fits = |d: &BigDecimal| {
        let whole = (d.digits() as i64 - d.fractional_digit_count()).max(0);
        (whole + scale).unsigned_abs() <= DECIMAL_DIGITS
    };
    if !present().all(fits) {
        return text_of(values.into_iter().map(|v| v.map_or(Scalar::Null, Scalar::Decimal)));
    }
    ColumnData::Decimal(
        values
            .into_iter()
            .map(|v| v.map(|d| if d.fractional_digit_count() == scale { d } else { d.with_scale(scale) }))
            .collect(),
    )
}

fn text_of(values: impl Iterator<Item = Scalar>) -> ColumnData {
    ColumnData::Text(
        values
            .map(|v| match v {
                Scalar::Null => None,
                Scalar::Float(f) if f.is_nan() => None,
                Scalar::Text(s) => Some(s),
                // Lists cannot be cast by numpy and go through JSON, dictionaries show as Python prints them.
                Scalar::Json(j @ serde_json::Value::Array(_)) => {
                    Some(super::json_text::value_text(&j).into())
                }
                other => Some(python::str_of(&other).into()),
            })
            .collect(),
    )
}

fn arrow_objects(values: Vec<Scalar>) -> ColumnData {
    // A JSON column that holds only scalars is a column of those scalars.
    let values: Vec<Scalar> = values.into_iter().map(unwrap_json).collect();
    let mut kinds: Vec<u8> = values
        .iter()
        .filter(|v| !matches!(v, Scalar::Null))
        .map(|v| match v {
            Scalar::Null => 0,
            Scalar::Bool(_) => 1,
            Scalar::Int(_) => 2,
            Scalar::Float(_) => 3,
            Scalar::Decimal(_) => 4,
            Scalar::Text(_) => 5,
            Scalar::Bytes(_) => 6,
            Scalar::Date(_) => 7,
            Scalar::Time(_) => 8,
            Scalar::Timestamp(_) => 9,
            Scalar::TimestampTz(..) => 10,
            Scalar::Interval(_) => 11,
            Scalar::Json(_) => 12,
        })
        .collect();
    let first = kinds.first().copied();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [] => ColumnData::Null(values.len()),
        [1] => ColumnData::Bool(
            values.into_iter().map(|v| if let Scalar::Bool(b) = v { Some(b) } else { None }).collect(),
        ),
        [2] => ColumnData::Int(
            values.into_iter().map(|v| if let Scalar::Int(i) = v { Some(i) } else { None }).collect(),
        ),
        [3] | [2, 3] => ColumnData::Float(
            values.iter().map(|v| if matches!(v, Scalar::Null) { None } else { super::as_f64(v) }).collect(),
        ),
        [4] | [2, 4] => arrow_decimals(
            values
                .into_iter()
                .map(|v| match v {
                    Scalar::Decimal(d) => Some(d),
                    Scalar::Int(i) => Some(BigDecimal::from(i)),
                    _ => None,
                })
                .collect(),
        ),
        [5] => ColumnData::Text(
            values.into_iter().map(|v| if let Scalar::Text(s) = v { Some(s) } else { None }).collect(),
        ),
        [6] | [5, 6] => ColumnData::Object(
            values
                .into_iter()
                .map(|v| if let Scalar::Text(s) = v { Scalar::Bytes(s.as_bytes().to_vec()) } else { v })
                .collect(),
        ),
        [7] | [7, 9] if first == Some(7) => ColumnData::Date(
            values
                .into_iter()
                .map(|v| match v {
                    Scalar::Date(d) => Some(d),
                    Scalar::Timestamp(t) => Some(t.date()),
                    _ => None,
                })
                .collect(),
        ),
        [9] | [7, 9] => ColumnData::Timestamp(
            values
                .into_iter()
                .map(|v| match v {
                    Scalar::Date(d) => Some(d.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()),
                    Scalar::Timestamp(t) => Some(t.and_utc().timestamp_micros()),
                    _ => None,
                })
                .collect(),
        ),
        [10] => one_offset(values),
        [8] | [11] => ColumnData::Object(values),
        _ => text_of(values.into_iter()),
    }
}

/// Timestamps with offset take the offset of the first one.
fn one_offset(values: Vec<Scalar>) -> ColumnData {
    let first = values.iter().find_map(|v| if let Scalar::TimestampTz(_, o) = v { Some(*o) } else { None });
    let to = first.unwrap_or(0);
    ColumnData::Object(
        values
            .into_iter()
            .map(|v| match v {
                Scalar::TimestampTz(t, o) => {
                    let shift = chrono::TimeDelta::seconds(i64::from(to) - i64::from(o));
                    t.checked_add_signed(shift).map_or(Scalar::Null, |t| Scalar::TimestampTz(t, to))
                }
                other => other,
            })
            .collect(),
    )
}

fn unwrap_json(v: Scalar) -> Scalar {
    use serde_json::Value;
    match v {
        Scalar::Json(Value::Null) => Scalar::Null,
        Scalar::Json(Value::Bool(b)) => Scalar::Bool(b),
        Scalar::Json(Value::String(s)) => Scalar::Text(s.into()),
        Scalar::Json(Value::Number(n)) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Scalar::Int(i),
            (None, Some(f)) => Scalar::Float(f),
            _ => Scalar::Text(n.to_string().into()),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr as _;

    #[test]
    fn names_become_distinct() {
        assert_eq!(distinct_names(["a", "b", "b", "b", "B"].into_iter()), ["a", "b", "b__1", "b__2", "B"]);
    }

    #[test]
    fn mixed_values_become_text() {
        let text = |v: Vec<Scalar>| match arrow_column(ColumnData::Object(v)) {
            ColumnData::Text(t) => t.into_iter().map(|s| s.map(String::from)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            text(vec![Scalar::Int(1), Scalar::Text("a".into()), Scalar::Null, Scalar::Bool(true)]),
            [Some("1".into()), Some("a".into()), None, Some("True".into())]
        );
        assert_eq!(
            text(vec![
                Scalar::Json(serde_json::json!({"a": 1})),
                Scalar::Json(serde_json::json!(["a", null]))
            ]),
            [Some("{'a': 1}".into()), Some("[\"a\", null]".into())]
        );
    }

    #[test]
    fn decimals_share_a_scale() {
        let d = |s| Some(BigDecimal::from_str(s).unwrap());
        let ColumnData::Decimal(v) = arrow_column(ColumnData::Decimal(vec![d("1.5"), d("2.25"), None]))
        else {
            panic!()
        };
        assert_eq!(
            v.iter().flatten().map(super::super::decimal::to_text).collect::<Vec<_>>(),
            ["1.50", "2.25"]
        );
    }
}
