//! Conversions between representations of a column.

use infra::engines::column::{ColumnData, Scalar};

use super::{as_f64, is_na};

/// Whether the nearest float is another number.
fn is_rounded(number: i64) -> bool {
    number.unsigned_abs() > 1 << 53
}

/// Integers that nulls stand among, or are about to: floats, as pandas knows no other column for them, unless floats
/// would round one. The original rounds; an exact integer is a valid answer to whoever reads its floats.
pub fn beside_nulls(data: &ColumnData) -> ColumnData {
    match data {
        ColumnData::Int(v) if v.iter().flatten().any(|n| is_rounded(*n)) => data.clone(),
        other => super::float_column(to_float(other).unwrap_or_default()),
    }
}

/// Values as pandas would store a list of them: whole numbers without null as integers, numbers with nulls as
/// floats that round none of them, everything else as objects (`lib.maybe_convert_objects`).
pub fn from_scalars(values: Vec<Scalar>) -> ColumnData {
    let mut seen = [false; 6];
    for v in &values {
        let slot = match v {
            Scalar::Null => 0,
            Scalar::Bool(_) => 1,
            Scalar::Int(_) => 2,
            Scalar::Float(_) => 3,
            Scalar::Timestamp(_) => 4,
            _ => 5,
        };
        seen[slot] = true;
    }
    match seen {
        [_, _, _, _, _, true] => infer_objects(ColumnData::Object(values)),
        [false, false, true, false, false, _] => ColumnData::Int(
            values.into_iter().map(|v| if let Scalar::Int(i) = v { Some(i) } else { None }).collect(),
        ),
        // what is not a number stands for a null among aggregates
        [_, false, true, _, false, _]
            if values.iter().any(|v| matches!(v, Scalar::Int(n) if is_rounded(*n)))
                && values.iter().all(|v| matches!(v, Scalar::Int(_)) || is_na(v)) =>
        {
            let whole = |v: Scalar| if let Scalar::Int(n) = v { Some(n) } else { None };
            ColumnData::Int(values.into_iter().map(whole).collect())
        }
        [_, false, _, _, false, _] if seen[2] || seen[3] => {
            ColumnData::Float(values.iter().map(|v| as_f64(v).filter(|f| !f.is_nan())).collect())
        }
        [false, true, false, false, false, _] => ColumnData::Bool(
            values.into_iter().map(|v| if let Scalar::Bool(b) = v { Some(b) } else { None }).collect(),
        ),
        [_, false, false, false, true, _] => {
            ColumnData::Timestamp(
                values
                    .into_iter()
                    .map(|v| {
                        if let Scalar::Timestamp(t) = v { Some(t.and_utc().timestamp_micros()) } else { None }
                    })
                    .collect(),
            )
        }
        [true, false, false, false, false, _] => ColumnData::Null(values.len()),
        _ => ColumnData::Object(values),
    }
}

/// `infer_objects`: gives a column of like objects its own type.
pub fn infer_objects(data: ColumnData) -> ColumnData {
    let ColumnData::Object(values) = data else { return data };
    let all = |f: fn(&Scalar) -> bool| values.iter().all(|v| matches!(v, Scalar::Null) || f(v));
    if values.iter().all(|v| matches!(v, Scalar::Null)) {
        return ColumnData::Null(values.len());
    }
    if all(|v| matches!(v, Scalar::Text(_))) {
        return ColumnData::Text(
            values.into_iter().map(|v| if let Scalar::Text(s) = v { Some(s) } else { None }).collect(),
        );
    }
    if all(|v| matches!(v, Scalar::Decimal(_))) {
        return ColumnData::Decimal(
            values.into_iter().map(|v| if let Scalar::Decimal(s) = v { Some(s) } else { None }).collect(),
        );
    }
    if all(|v| matches!(v, Scalar::Date(_))) {
        return ColumnData::Date(
            values.into_iter().map(|v| if let Scalar::Date(s) = v { Some(s) } else { None }).collect(),
        );
    }
    let numbers = |v: &Scalar| matches!(v, Scalar::Int(_) | Scalar::Float(_));
    let same = values.iter().all(|v| matches!(v, Scalar::Bool(_)))
        || values.iter().all(numbers)
        || (values.iter().all(|v| numbers(v) || is_na(v))
            && values.iter().any(|v| matches!(v, Scalar::Float(_))))
        || all(|v| matches!(v, Scalar::Timestamp(_)));
    if same { from_scalars(values) } else { ColumnData::Object(values) }
}

/// The values one by one.
pub fn astype_object(data: &ColumnData) -> Vec<Scalar> {
    (0..data.len()).map(|i| data.get(i)).collect()
}

/// `astype(float)`: `None` when a value is no number.
pub fn to_float(data: &ColumnData) -> Option<Vec<f64>> {
    Some(match data {
        ColumnData::Null(n) => vec![f64::NAN; *n],
        ColumnData::Bool(v) => v.iter().map(|x| x.map_or(f64::NAN, |b| f64::from(u8::from(b)))).collect(),
        ColumnData::Int(v) => v.iter().map(|x| x.map_or(f64::NAN, |i| i as f64)).collect(),
        ColumnData::Float(v) => v.iter().map(|x| x.unwrap_or(f64::NAN)).collect(),
        ColumnData::Decimal(v) => {
            v.iter().map(|x| x.as_ref().map_or(f64::NAN, super::decimal::to_float)).collect()
        }
        ColumnData::Object(v) => v.iter().map(as_f64).collect::<Option<_>>()?,
        ColumnData::Text(_) | ColumnData::Date(_) | ColumnData::Timestamp(_) => return None,
    })
}

/// `pd.to_numeric(errors="coerce")`: what is no number becomes NaN; texts are parsed.
pub fn to_numeric_coerce(data: &ColumnData) -> ColumnData {
    match data {
        ColumnData::Int(_) | ColumnData::Float(_) | ColumnData::Bool(_) => {
            if super::dtype(data) == super::Dtype::Object {
                ColumnData::Float(to_float(data).unwrap_or_default().into_iter().map(Some).collect())
            } else {
                data.clone()
            }
        }
        other => {
            let values = (0..other.len()).map(|i| parse_number(&other.get(i))).collect::<Vec<_>>();
            from_scalars(values)
        }
    }
}

fn parse_number(v: &Scalar) -> Scalar {
    match v {
        Scalar::Text(s) => {
            let t = s.trim();
            if let Ok(i) = t.parse::<i64>() {
                return Scalar::Int(i);
            }
            // Python knows no "infinity" without a sign difference to Rust; both accept `inf` and `nan`.
            t.parse::<f64>().map_or(Scalar::Float(f64::NAN), Scalar::Float)
        }
        Scalar::Bool(b) => Scalar::Bool(*b),
        Scalar::Int(i) => Scalar::Int(*i),
        other => Scalar::Float(as_f64(other).unwrap_or(f64::NAN)),
    }
}
