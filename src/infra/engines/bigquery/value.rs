//! Values as the interface writes them, and as google-cloud-bigquery delivers them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Map, Value};

use super::{
    super::{builder::ColumnBuilder, column::Scalar},
    protocol::{Field, Row},
};

/// Moves a value into its column; a text that its type does not allow stays a text.
pub(super) fn push(value: Value, field: &Field, out: &mut ColumnBuilder) {
    if field.is_repeated() || field.is_record() {
        return match document(value, field) {
            Value::Null => out.null(),
            value => out.push_object(Scalar::Json(value)),
        };
    }
    let text = match value {
        Value::Null => return out.null(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    match scalar(&text, &field.type_) {
        Some(Scalar::Bool(b)) => out.bool(b),
        Some(Scalar::Int(n)) => out.int(n),
        Some(Scalar::Float(f)) => out.float(f),
        Some(Scalar::Decimal(d)) => out.decimal(d),
        Some(Scalar::Date(d)) => out.date(d),
        Some(Scalar::Timestamp(t)) => out.timestamp(t.and_utc().timestamp_micros()),
        Some(other) => out.push_object(other),
        None if is_text(&field.type_) => out.text(text.into()),
        None => out.push_object(Scalar::Text(text.into())),
    }
}

fn is_text(type_: &str) -> bool {
    matches!(type_, "STRING" | "GEOGRAPHY" | "INTERVAL" | "RANGE")
}

/// The value of a text by its type; none for texts, and where the type does not allow it.
fn scalar(text: &str, type_: &str) -> Option<Scalar> {
    Some(match type_ {
        "BOOLEAN" | "BOOL" => Scalar::Bool(matches!(text.to_ascii_lowercase().as_str(), "t" | "true" | "1")),
        "INTEGER" | "INT64" => Scalar::Int(text.parse().ok()?),
        "FLOAT" | "FLOAT64" => Scalar::Float(text.parse().ok()?),
        "NUMERIC" | "BIGNUMERIC" => Scalar::Decimal(text.parse::<BigDecimal>().ok()?),
        "DATE" => Scalar::Date(text.parse::<NaiveDate>().ok()?),
        "TIME" => Scalar::Time(text.parse::<NaiveTime>().ok()?),
        "DATETIME" => Scalar::Timestamp(text.parse::<NaiveDateTime>().ok()?),
        "TIMESTAMP" => Scalar::TimestampTz(instant(text)?, 0),
        "BYTES" => Scalar::Bytes(STANDARD.decode(text).ok()?),
        "JSON" => match serde_json::from_str(text).ok()? {
            // the document `null` is Python's `None`
            Value::Null => Scalar::Null,
            document => Scalar::Json(document),
        },
        _ => return None,
    })
}

/// Microseconds, as they were asked for, or the seconds of those who do not know that option.
fn instant(text: &str) -> Option<NaiveDateTime> {
    let micros = match text.parse::<i64>() {
        Ok(micros) => micros,
        Err(_) => {
            let seconds = text.parse::<BigDecimal>().ok()?;
            (seconds * BigDecimal::from(1_000_000)).with_scale(0).to_string().parse().ok()?
        }
    };
    DateTime::from_timestamp_micros(micros).map(|t| t.naive_utc())
}

/// A list, a record or a part of one, as a document.
fn document(value: Value, field: &Field) -> Value {
    if !field.is_repeated() {
        return part(value, field);
    }
    let Value::Array(items) = value else { return Value::Null };
    let items = items.into_iter().map(|mut item| match item.get_mut("v") {
        Some(inner) => part(inner.take(), field),
        None => Value::Null,
    });
    Value::Array(items.collect())
}

fn part(value: Value, field: &Field) -> Value {
    if field.is_record() {
        let Ok(row) = serde_json::from_value::<Row>(value) else { return Value::Null };
        let named = row.f.into_iter().zip(&field.fields);
        let named = named.map(|(cell, field)| (field.name.clone(), document(cell.v, field)));
        return Value::Object(named.collect::<Map<_, _>>());
    }
    let text = match value {
        Value::String(text) => text,
        other => return other,
    };
    match scalar(&text, &field.type_) {
        Some(Scalar::Bool(b)) => b.into(),
        Some(Scalar::Int(n)) => n.into(),
        Some(Scalar::Float(f)) if f.is_finite() => f.into(),
        Some(Scalar::Json(document)) => document,
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::TimestampTz(t, _)) => t.format("%Y-%m-%dT%H:%M:%S%.f+00:00").to_string().into(),
        // exact numbers, times and bytes keep the service's own writing
        _ => text.into(),
    }
}

/// Bytes that a value holds, roughly.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 16 + size(item)).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| 16 + key.len() + size(value)).sum(),
    }
}
