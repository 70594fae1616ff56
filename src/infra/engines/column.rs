//! What a driver fills: one typed vector per result column.
//!
//! The same vectors become the columns of `query::frame::Frame`, so that rows are never copied a second time.

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A column of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Every value is null and the type tells nothing; the number is the row count.
    Null(usize),
    /// Booleans.
    Bool(Vec<Option<bool>>),
    /// Integers up to 64 bits.
    Int(Vec<Option<i64>>),
    /// Binary floating point; NaN and infinities are values of their own, `None` is SQL null.
    Float(Vec<Option<f64>>),
    /// Exact decimals, printed with the digits the database sent.
    Decimal(Vec<Option<BigDecimal>>),
    /// Text, and types that Superset shows as text.
    Text(Vec<Option<Box<str>>>),
    /// Calendar dates without a time.
    Date(Vec<Option<NaiveDate>>),
    /// Timestamps without zone, in microseconds since 1970-01-01T00:00:00.
    Timestamp(Vec<Option<i64>>),
    /// Anything else, or values of several types in one column (pandas' `object`).
    Object(Vec<Scalar>),
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// SQL null, Python `None`, pandas `NaT`.
    Null,
    /// Boolean.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Float, possibly NaN or infinite.
    Float(f64),
    /// Exact decimal, also integers beyond 64 bits.
    Decimal(BigDecimal),
    /// Text.
    Text(Box<str>),
    /// Bytes (`bytea`, `BLOB`).
    Bytes(Vec<u8>),
    /// Date.
    Date(NaiveDate),
    /// Time of day.
    Time(NaiveTime),
    /// Timestamp without zone.
    Timestamp(NaiveDateTime),
    /// Timestamp with the offset in seconds that it is shown with.
    TimestampTz(NaiveDateTime, i32),
    /// Duration in microseconds (`interval`), pandas `timedelta`.
    Interval(i64),
    /// JSON documents, arrays and composite values.
    Json(serde_json::Value),
}

/// A column's name and type as the driver reports them.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnInfo {
    /// Name in the result set; names may repeat.
    pub name: String,
    /// The database's own type name (`int4`, `VARCHAR(16)`, …); empty where the driver does not know.
    pub sql_type: String,
}

/// The rows of one statement, by column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultSet {
    /// Description of each column, parallel to `data`.
    pub columns: Vec<ColumnInfo>,
    /// Values of each column; all of the same length.
    pub data: Vec<ColumnData>,
}

impl ColumnData {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Null(n) => *n,
            Self::Bool(v) => v.len(),
            Self::Int(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Decimal(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Date(v) => v.len(),
            Self::Timestamp(v) => v.len(),
            Self::Object(v) => v.len(),
        }
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all rows but the first.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            Self::Null(n) => *n = (*n).min(rows),
            Self::Bool(v) => v.truncate(rows),
            Self::Int(v) => v.truncate(rows),
            Self::Float(v) => v.truncate(rows),
            Self::Decimal(v) => v.truncate(rows),
            Self::Text(v) => v.truncate(rows),
            Self::Date(v) => v.truncate(rows),
            Self::Timestamp(v) => v.truncate(rows),
            Self::Object(v) => v.truncate(rows),
        }
    }

    /// The value of a row; null beyond the end.
    pub fn get(&self, row: usize) -> Scalar {
        fn of<T: Clone>(v: &[Option<T>], row: usize, f: impl Fn(T) -> Scalar) -> Scalar {
            v.get(row).cloned().flatten().map_or(Scalar::Null, f)
        }
        match self {
            Self::Null(_) => Scalar::Null,
            Self::Bool(v) => of(v, row, Scalar::Bool),
            Self::Int(v) => of(v, row, Scalar::Int),
            Self::Float(v) => of(v, row, Scalar::Float),
            Self::Decimal(v) => of(v, row, Scalar::Decimal),
            Self::Text(v) => of(v, row, Scalar::Text),
            Self::Date(v) => of(v, row, Scalar::Date),
            Self::Timestamp(v) => of(v, row, |us| {
                chrono::DateTime::from_timestamp_micros(us)
                    .map_or(Scalar::Null, |t| Scalar::Timestamp(t.naive_utc()))
            }),
            Self::Object(v) => v.get(row).cloned().unwrap_or(Scalar::Null),
        }
    }
}

impl ResultSet {
    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.data.first().map_or(0, ColumnData::len)
    }
}
