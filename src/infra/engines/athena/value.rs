//! Values as the service writes them, all of them texts, and as PyAthena delivers them (`DefaultTypeConverter`).

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

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
    Time,
    Timestamp,
    Bytes,
    Json,
    /// Texts; lists, maps and rows, which the service writes in a form that cannot be read back; and times with a
    /// zone, which PyAthena leaves as they are.
    Text,
}

impl Kind {
    /// The kind of a type by its name.
    pub fn parse(type_: &str) -> Self {
        match type_ {
            "boolean" => Self::Bool,
            "tinyint" | "smallint" | "integer" | "bigint" => Self::Int,
            "float" | "real" | "double" => Self::Float,
            "decimal" => Self::Decimal,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "varbinary" => Self::Bytes,
            "json" => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Moves a value into its column; a text that its type does not allow stays a text.
pub(super) fn push(text: Option<&str>, kind: Kind, out: &mut ColumnBuilder) {
    let Some(text) = text else { return out.null() };
    let done = match kind {
        Kind::Bool => text.to_ascii_lowercase().parse().ok().map(|b| out.bool(b)),
        Kind::Int => text.parse().ok().map(|n| out.int(n)),
        Kind::Float => text.parse().ok().map(|f| out.float(f)),
        Kind::Decimal => text.parse::<BigDecimal>().ok().map(|d| out.decimal(d)),
        Kind::Date => text.parse::<NaiveDate>().ok().map(|d| out.date(d)),
        Kind::Time => {
            NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok().map(|t| out.push_object(Scalar::Time(t)))
        }
        Kind::Timestamp => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .ok()
            .map(|t| out.timestamp(t.and_utc().timestamp_micros())),
        Kind::Bytes => from_hex(&text.replace(' ', "")).map(|b| out.push_object(Scalar::Bytes(b))),
        Kind::Json => serde_json::from_str(text).ok().map(|document| push_document(document, out)),
        Kind::Text => {
            out.text(text.into());
            return;
        }
    };
    if done.is_none() {
        out.push_object(Scalar::Text(text.into()));
    }
}

/// Moves a document into its column; what is no list and no object is a value of its own, as Python reads it.
fn push_document(document: Value, out: &mut ColumnBuilder) {
    match document {
        // the document `null` is Python's `None`
        Value::Null => out.null(),
        Value::Bool(b) => out.bool(b),
        Value::String(text) => out.text(text.into()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(n), _) => out.int(n),
            (None, Some(f)) => out.float(f),
            (None, None) => out.null(),
        },
        document => out.push_object(Scalar::Json(document)),
    }
}
