//! Columns whose types were found out, as pandas finds them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A value of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Missing.
    Null,
    /// Integer.
    Int(i64),
    /// Float.
    Float(f64),
    /// Boolean.
    Bool(bool),
    /// Text.
    Text(Box<str>),
    /// Time.
    Time(NaiveDateTime),
    /// Day.
    Date(NaiveDate),
    /// Time of day.
    Clock(NaiveTime),
}

/// pandas' type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// `int64`, or the width that was asked for.
    Int(u8),
    /// `uint64`: texts of digits, for which no table has a column.
    Unsigned,
    /// `float64`, or the width that was asked for.
    Float(u8),
    /// `bool`, also with nulls among them.
    Bool,
    /// `datetime64[ns]`.
    Time,
    /// `datetime64[ns, UTC]`.
    Zoned,
    /// Days of Python.
    Date,
    /// Times of day of Python.
    Clock,
    /// `object`.
    Text,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    pub dtype: Dtype,
    /// Values.
    pub cells: Vec<Cell>,
}

/// The largest integer that is a float like all before it.
const EXACT: u64 = 1 << 53;

/// Whether floats would round an integer.
pub fn is_rounded(cell: &Cell) -> bool {
    matches!(cell, Cell::Int(n) if n.unsigned_abs() > EXACT)
}

impl Column {
    /// The type of a chunk's values: one type for all of them, nulls make integers floats as far as floats hold them.
    pub fn dtype_of(cells: &[Cell]) -> Dtype {
        let (mut ints, mut floats, mut bools, mut times, mut texts, mut nulls) = (0, 0, 0, 0, 0, 0);
        for cell in cells {
            *match cell {
                Cell::Null => &mut nulls,
                Cell::Int(_) => &mut ints,
                Cell::Float(_) => &mut floats,
                Cell::Bool(_) => &mut bools,
                Cell::Text(_) => &mut texts,
                Cell::Time(_) | Cell::Date(_) | Cell::Clock(_) => &mut times,
            } += 1;
        }
        match (ints, floats, bools, times, texts) {
            (1.., 0, 0, 0, 0) if cells.iter().any(is_rounded) => Dtype::Int(64),
            (_, _, 0, 0, 0) if floats > 0 || nulls > 0 => Dtype::Float(64),
            (_, 0, 0, 0, 0) => Dtype::Int(64),
            (0, 0, _, 0, 0) => Dtype::Bool,
            (0, 0, 0, _, 0) => Dtype::Time,
            _ => Dtype::Text,
        }
    }

    /// `pd.concat` of two chunks' types; `empty` says that a chunk has nulls only.
    pub fn joined(a: Dtype, b: Dtype, a_empty: bool, b_empty: bool) -> Dtype {
        match (a, b) {
            (a, b) if a == b => a,
            // floats would round them
            (Dtype::Unsigned, Dtype::Int(_) | Dtype::Float(_))
            | (Dtype::Int(_) | Dtype::Float(_), Dtype::Unsigned) => Dtype::Unsigned,
            (Dtype::Int(_) | Dtype::Float(_), Dtype::Int(_) | Dtype::Float(_)) => Dtype::Float(64),
            // booleans beside nulls are told as booleans, times beside nulls as times
            (other @ (Dtype::Bool | Dtype::Time), _) if b_empty => other,
            (_, other @ (Dtype::Bool | Dtype::Time)) if a_empty => other,
            _ => Dtype::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_chunks() {
        let int = Cell::Int(1);
        assert_eq!(Column::dtype_of(std::slice::from_ref(&int)), Dtype::Int(64));
        assert_eq!(Column::dtype_of(&[int, Cell::Null]), Dtype::Float(64));
        let large = Cell::Int(9_007_199_254_740_993);
        assert_eq!(Column::dtype_of(&[large.clone(), Cell::Null]), Dtype::Int(64));
        assert_eq!(Column::dtype_of(&[large, Cell::Float(0.5)]), Dtype::Float(64));
        assert_eq!(Column::dtype_of(&[Cell::Null]), Dtype::Float(64));
        assert_eq!(Column::dtype_of(&[Cell::Bool(true), Cell::Null]), Dtype::Bool);
        assert_eq!(Column::dtype_of(&[Cell::Text("a".into()), Cell::Null]), Dtype::Text);
        assert_eq!(Column::joined(Dtype::Int(64), Dtype::Text, false, false), Dtype::Text);
        assert_eq!(Column::joined(Dtype::Int(64), Dtype::Float(64), false, true), Dtype::Float(64));
        assert_eq!(Column::joined(Dtype::Bool, Dtype::Int(64), false, false), Dtype::Text);
    }
}
