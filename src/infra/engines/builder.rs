//! Columns as they grow, row by row.

use bigdecimal::BigDecimal;
use chrono::NaiveDate;

use super::column::{ColumnData, Scalar};

/// A column of a result while its rows arrive: its type is that of the first value, and `object` once a value of
/// another type follows.
#[derive(Debug)]
pub(super) struct ColumnBuilder(ColumnData);

macro_rules! push {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $value:ty) => {
        $(#[$doc])*
        pub fn $name(&mut self, value: $value) {
            match &mut self.0 {
                ColumnData::$variant(v) => v.push(Some(value)),
                ColumnData::Null(n) => {
                    let mut v = vec![None; *n];
                    v.push(Some(value));
                    self.0 = ColumnData::$variant(v);
                }
                _ => self.push_object(ColumnData::$variant(vec![Some(value)]).get(0)),
            }
        }
    };
}

impl ColumnBuilder {
    pub fn new() -> Self {
        Self(ColumnData::Null(0))
    }

    push!(bool, Bool, bool);
    push!(int, Int, i64);
    push!(float, Float, f64);
    push!(decimal, Decimal, BigDecimal);
    push!(text, Text, Box<str>);
    push!(date, Date, NaiveDate);
    push!(
        /// Microseconds since 1970.
        timestamp,
        Timestamp,
        i64
    );

    /// SQL null.
    pub fn null(&mut self) {
        match &mut self.0 {
            ColumnData::Null(n) => *n += 1,
            ColumnData::Bool(v) => v.push(None),
            ColumnData::Int(v) => v.push(None),
            ColumnData::Float(v) => v.push(None),
            ColumnData::Decimal(v) => v.push(None),
            ColumnData::Text(v) => v.push(None),
            ColumnData::Date(v) => v.push(None),
            ColumnData::Timestamp(v) => v.push(None),
            ColumnData::Object(v) => v.push(Scalar::Null),
        }
    }

    /// A value of a type that has no vector of its own, or that does not fit the column's.
    pub fn push_object(&mut self, value: Scalar) {
        if let ColumnData::Object(v) = &mut self.0 {
            v.push(value);
            return;
        }
        let mut all: Vec<Scalar> = (0..self.0.len()).map(|i| self.0.get(i)).collect();
        all.push(value);
        self.0 = ColumnData::Object(all);
    }

    /// The finished column.
    pub fn finish(self) -> ColumnData {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_settle_on_the_first_value() {
        let mut b = ColumnBuilder::new();
        b.null();
        b.int(1);
        b.null();
        assert_eq!(b.finish(), ColumnData::Int(vec![None, Some(1), None]));
        let mut b = ColumnBuilder::new();
        b.int(1);
        b.text("a".into());
        b.null();
        assert_eq!(
            b.finish(),
            ColumnData::Object(vec![Scalar::Int(1), Scalar::Text("a".into()), Scalar::Null])
        );
        let mut b = ColumnBuilder::new();
        b.null();
        assert_eq!(b.finish(), ColumnData::Null(1));
    }
}
