//! Single values: nullness, order, equality across number types, as Python sees them.

use std::cmp::Ordering;

use bigdecimal::{BigDecimal, FromPrimitive as _};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use infra::engines::column::Scalar;

use super::decimal;

/// A value as a key of a hash map: equal numbers of different types are one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CellKey {
    /// Null or NaN.
    Null,
    /// Whole number or boolean.
    Int(i64),
    /// Bits of a float that is not whole.
    Float(u64),
    /// A decimal that is not whole, in its shortest form.
    Decimal(BigDecimal),
    /// Text.
    Text(Box<str>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Date.
    Date(NaiveDate),
    /// Time of day.
    Time(NaiveTime),
    /// Timestamp.
    Timestamp(NaiveDateTime),
    /// Instant of a timestamp with offset.
    Instant(i64),
    /// Duration.
    Interval(i64),
}

/// The key of a value.
pub fn key(value: &Scalar) -> CellKey {
    match value {
        Scalar::Null => CellKey::Null,
        Scalar::Bool(b) => CellKey::Int(i64::from(*b)),
        Scalar::Int(i) => CellKey::Int(*i),
        Scalar::Float(f) if f.is_nan() => CellKey::Null,
        Scalar::Float(f) => {
            let whole = *f as i64;
            if whole as f64 == *f { CellKey::Int(whole) } else { CellKey::Float(f.to_bits()) }
        }
        Scalar::Decimal(d) => {
            if d.is_integer()
                && let Some(i) = bigdecimal::ToPrimitive::to_i64(d)
            {
                return CellKey::Int(i);
            }
            let f = decimal::to_float(d);
            if BigDecimal::from_f64(f).as_ref() == Some(d) {
                CellKey::Float(f.to_bits())
            } else {
                CellKey::Decimal(d.normalized())
            }
        }
        Scalar::Text(s) => CellKey::Text(s.clone()),
        Scalar::Bytes(b) => CellKey::Bytes(b.clone()),
        Scalar::Date(d) => CellKey::Date(*d),
        Scalar::Time(t) => CellKey::Time(*t),
        Scalar::Timestamp(t) => CellKey::Timestamp(*t),
        Scalar::TimestampTz(t, offset) => {
            CellKey::Instant(t.and_utc().timestamp_micros() - i64::from(*offset) * 1_000_000)
        }
        Scalar::Interval(us) => CellKey::Interval(*us),
        Scalar::Json(v) => CellKey::Text(v.to_string().into()),
    }
}

/// Null, NaN or NaT.
pub fn is_na(value: &Scalar) -> bool {
    match value {
        Scalar::Null => true,
        Scalar::Float(f) => f.is_nan(),
        _ => false,
    }
}

/// Python's truth.
pub fn is_true(value: &Scalar) -> bool {
    match value {
        Scalar::Null => false,
        Scalar::Bool(b) => *b,
        Scalar::Int(i) => *i != 0,
        Scalar::Float(f) => *f != 0.0,
        Scalar::Decimal(d) => !bigdecimal::Zero::is_zero(d),
        Scalar::Text(s) => !s.is_empty(),
        Scalar::Bytes(b) => !b.is_empty(),
        Scalar::Interval(us) => *us != 0,
        Scalar::Json(v) => match v {
            serde_json::Value::Array(a) => !a.is_empty(),
            serde_json::Value::Object(o) => !o.is_empty(),
            _ => true,
        },
        _ => true,
    }
}

/// The value as a float: numbers, booleans and decimals; NaN for null.
pub fn as_f64(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Null => Some(f64::NAN),
        Scalar::Bool(b) => Some(f64::from(u8::from(*b))),
        Scalar::Int(i) => Some(*i as f64),
        Scalar::Float(f) => Some(*f),
        Scalar::Decimal(d) => Some(decimal::to_float(d)),
        _ => None,
    }
}

/// Python's `<` between two values; `None` where it raises `TypeError`.
pub fn compare(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    use Scalar as S;
    match (a, b) {
        (S::Text(x), S::Text(y)) => Some(x.cmp(y)),
        (S::Int(x), S::Int(y)) => Some(x.cmp(y)),
        (S::Bool(x), S::Bool(y)) => Some(x.cmp(y)),
        (S::Decimal(x), S::Decimal(y)) => Some(x.cmp(y)),
        (S::Date(x), S::Date(y)) => Some(x.cmp(y)),
        (S::Time(x), S::Time(y)) => Some(x.cmp(y)),
        (S::Timestamp(x), S::Timestamp(y)) => Some(x.cmp(y)),
        (S::TimestampTz(..), S::TimestampTz(..)) => match (key(a), key(b)) {
            (CellKey::Instant(x), CellKey::Instant(y)) => Some(x.cmp(&y)),
            _ => None,
        },
        (S::Interval(x), S::Interval(y)) => Some(x.cmp(y)),
        (S::Bytes(x), S::Bytes(y)) => Some(x.cmp(y)),
        _ => {
            let (x, y) = (number(a)?, number(b)?);
            x.partial_cmp(&y)
        }
    }
}

fn number(v: &Scalar) -> Option<f64> {
    match v {
        Scalar::Null => None,
        other => as_f64(other),
    }
}

/// A total order for sorting: like values by [`compare`], numbers first, text behind everything else, nulls last.
pub fn order(a: &Scalar, b: &Scalar) -> Ordering {
    fn rank(v: &Scalar) -> u8 {
        match v {
            v if is_na(v) => 9,
            Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_) | Scalar::Decimal(_) => 0,
            Scalar::Text(_) => 8,
            Scalar::Bytes(_) => 2,
            Scalar::Date(_) => 3,
            Scalar::Time(_) => 4,
            Scalar::Timestamp(_) => 5,
            Scalar::TimestampTz(..) => 6,
            Scalar::Interval(_) => 7,
            _ => 1,
        }
    }
    rank(a).cmp(&rank(b)).then_with(|| compare(a, b).unwrap_or(Ordering::Equal))
}
