//! The dtype pandas would give a column.

use infra::engines::column::{ColumnData, Scalar};

/// numpy/pandas dtype, as far as behaviour depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// `bool`
    Bool,
    /// `int64`
    Int,
    /// `float64`
    Float,
    /// `datetime64`
    Timestamp,
    /// `datetime64` with a zone
    TimestampTz,
    /// `timedelta64`
    Timedelta,
    /// `object`
    Object,
}

impl Dtype {
    /// Integers and floats (`is_numeric_dtype` counts booleans too).
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }
}

/// The dtype of a column: integers and booleans with nulls are objects, as Superset asks Arrow for.
pub fn dtype(data: &ColumnData) -> Dtype {
    match data {
        ColumnData::Bool(v) if v.iter().all(Option::is_some) => Dtype::Bool,
        ColumnData::Int(v) if v.iter().all(Option::is_some) => Dtype::Int,
        ColumnData::Float(_) => Dtype::Float,
        ColumnData::Timestamp(_) => Dtype::Timestamp,
        ColumnData::Object(v) => {
            let mut kinds = v.iter().filter(|s| !matches!(s, Scalar::Null));
            match kinds.next() {
                Some(Scalar::TimestampTz(..)) if kinds.all(|s| matches!(s, Scalar::TimestampTz(..))) => {
                    Dtype::TimestampTz
                }
                Some(Scalar::Interval(_)) if kinds.all(|s| matches!(s, Scalar::Interval(_))) => {
                    Dtype::Timedelta
                }
                _ => Dtype::Object,
            }
        }
        _ => Dtype::Object,
    }
}

/// The dtype that can hold both (`find_common_type`).
pub fn common(a: Dtype, b: Dtype) -> Dtype {
    match (a, b) {
        (a, b) if a == b => a,
        (Dtype::Int, Dtype::Float) | (Dtype::Float, Dtype::Int) => Dtype::Float,
        _ => Dtype::Object,
    }
}
