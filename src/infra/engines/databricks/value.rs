//! Values as the API writes them, all of them texts, and as databricks-sql-connector delivers them.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::super::{builder::ColumnBuilder, column::Scalar};
use crate::crypto::from_hex;

/// A type, as far as its values are read in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Decimal,
    Date,
    /// An instant.
    Timestamp,
    /// A time without zone.
    TimestampNtz,
    Bytes,
    /// Text, and all that is a text of JSON.
    Text,
}

/// The name of a type without its arguments: `DECIMAL`, `ARRAY`.
pub(super) fn short(type_text: &str) -> String {
    let name = type_text.split(['(', '<', ' ']).next().unwrap_or_default().to_uppercase();
    if name == "VOID" { "NULL".to_owned() } else { name }
}

impl Kind {
    /// The kind of a type by its text.
    pub fn parse(type_text: &str) -> Self {
        match short(type_text).as_str() {
            "BOOLEAN" => Self::Bool,
            "TINYINT" | "SMALLINT" | "INT" | "INTEGER" | "BIGINT" | "BYTE" | "SHORT" | "LONG" => Self::Int,
            "FLOAT" | "DOUBLE" | "REAL" => Self::Float,
            "DECIMAL" => Self::Decimal,
            "DATE" => Self::Date,
            "TIMESTAMP" => Self::Timestamp,
            "TIMESTAMP_NTZ" => Self::TimestampNtz,
            "BINARY" => Self::Bytes,
            _ => Self::Text,
        }
    }
}

/// Moves a value into its column; a text that its type does not allow stays a text.
pub(super) fn push(text: Option<&str>, kind: Kind, out: &mut ColumnBuilder) {
    let Some(text) = text else { return out.null() };
    let done = match kind {
        Kind::Bool => text.parse().ok().map(|b| out.bool(b)),
        Kind::Int => text.parse().ok().map(|n| out.int(n)),
        Kind::Float => text.parse().ok().map(|f| out.float(f)),
        Kind::Decimal => text.parse::<BigDecimal>().ok().map(|d| out.decimal(d)),
        Kind::Date => text.parse::<NaiveDate>().ok().map(|d| out.date(d)),
        Kind::Timestamp => instant(text).map(|t| out.push_object(Scalar::TimestampTz(t, 0))),
        Kind::TimestampNtz => moment(text).map(|t| out.timestamp(t.and_utc().timestamp_micros())),
        Kind::Bytes => from_hex(text).map(|b| out.push_object(Scalar::Bytes(b))),
        Kind::Text => {
            out.text(text.into());
            return;
        }
    };
    if done.is_none() {
        out.push_object(Scalar::Text(text.into()));
    }
}

fn moment(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// An instant, in UTC.
fn instant(text: &str) -> Option<NaiveDateTime> {
    DateTime::parse_from_rfc3339(text).ok().map(|t| t.naive_utc()).or_else(|| moment(text))
}
