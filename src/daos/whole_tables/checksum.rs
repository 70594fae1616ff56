//! What a table holds, in a number that is the same on every database and in every order of rows.

use std::fmt;

use chrono::{NaiveDateTime, Timelike};
use infra::db::{FromValue, Value, catalog::ColumnKind};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How exact time stamps are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    Micros,
    /// Without their fractions, which MySQL does not keep.
    Seconds,
}

/// Rows and the sum of their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksum {
    rows: u64,
    sum: [u64; 4],
}

impl Checksum {
    /// How many rows it is of.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// One more row. Values count by what they mean: a time stamp that SQLite has as text equals that of PostgreSQL.
    pub fn add(&mut self, kinds: &[ColumnKind], row: &[Value], precision: Precision) {
        let mut digest = Sha256::new();
        for (kind, value) in kinds.iter().zip(row) {
            put(&mut digest, *kind, value, precision);
        }
        let digest = digest.finalize();
        for (sum, bytes) in self.sum.iter_mut().zip(digest.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*bytes));
        }
        self.rows += 1;
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.rows)?;
        self.sum.iter().try_for_each(|part| write!(f, "{part:016x}"))
    }
}

fn put(digest: &mut Sha256, kind: ColumnKind, value: &Value, precision: Precision) {
    if *value == Value::Null {
        return digest.update([0]);
    }
    let known = match kind {
        // SQLite may have text or a float in a column of integers
        ColumnKind::Integer => i64::from_value(value).map(|n| n.to_le_bytes().to_vec()),
        ColumnKind::Boolean => bool::from_value(value).map(|b| vec![u8::from(b)]),
        // -0.0 is 0.0
        ColumnKind::Float => f64::from_value(value).map(|f| (f + 0.0).to_bits().to_le_bytes().to_vec()),
        ColumnKind::Numeric => f64::from_value(value).map(|f| format!("{:.6}", f + 0.0).into_bytes()),
        ColumnKind::DateTime => NaiveDateTime::from_value(value).map(|t| {
            let whole = t.with_nanosecond(0).filter(|_| precision == Precision::Seconds).unwrap_or(t);
            whole.and_utc().timestamp_micros().to_le_bytes().to_vec()
        }),
        ColumnKind::Uuid => Uuid::from_value(value).map(|u| u.as_bytes().to_vec()),
        ColumnKind::Json => Json::from_value(value).map(|json| sorted(json).to_string().into_bytes()),
        ColumnKind::Text | ColumnKind::Bytes => None,
    };
    let (tag, bytes) = match known {
        Some(bytes) => (1, bytes),
        None => (2, plain(value)),
    };
    digest.update([tag]);
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}

fn plain(value: &Value) -> Vec<u8> {
    match value {
        Value::Uuid(u) => u.as_bytes().to_vec(),
        Value::DateTime(t) => t.format("%Y-%m-%d %H:%M:%S%.6f").to_string().into_bytes(),
        Value::Bool(b) => vec![b'0' + u8::from(*b)],
        other => Vec::<u8>::from_value(other)
            .or_else(|| String::from_value(other).map(String::into_bytes))
            .unwrap_or_default(),
    }
}

/// `jsonb` and MySQL keep no order of keys.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(pairs.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(kind: ColumnKind, value: Value) -> Checksum {
        let mut sum = Checksum::default();
        sum.add(&[kind], &[value], Precision::Micros);
        sum
    }

    #[test]
    fn values_count_by_what_they_mean() {
        let text = |t: &str| Value::Text(t.to_owned());
        let time = infra::db::parse_datetime("2024-01-02 03:04:05.5").unwrap();
        for (kind, one, other) in [
            (ColumnKind::DateTime, Value::DateTime(time), text("2024-01-02 03:04:05.500000")),
            (ColumnKind::Boolean, Value::Bool(true), Value::Int(1)),
            (ColumnKind::Numeric, text("1795212350450.104980"), Value::Float(1_795_212_350_450.105)),
            (ColumnKind::Json, text("{\"b\": 1, \"a\": [2]}"), text("{\"a\":[2],\"b\":1}")),
            (ColumnKind::Uuid, Value::Uuid(Uuid::from_bytes([7; 16])), Value::Bytes(vec![7; 16])),
            (ColumnKind::Text, Value::Bytes(b"x".to_vec()), text("x")),
            (ColumnKind::Float, Value::Int(2), Value::Float(2.0)),
        ] {
            assert_eq!(sum(kind, one), sum(kind, other), "{kind:?}");
        }
        assert_ne!(sum(ColumnKind::Text, text("")), sum(ColumnKind::Text, Value::Null));
        assert_ne!(sum(ColumnKind::Text, text("a")), sum(ColumnKind::Text, text("b")));
    }

    #[test]
    fn the_order_of_rows_does_not_matter_but_how_often_they_are_there() {
        let kinds = [ColumnKind::Integer];
        let of = |values: &[i64]| {
            let mut sum = Checksum::default();
            values.iter().for_each(|v| sum.add(&kinds, &[Value::Int(*v)], Precision::Micros));
            sum
        };
        assert_eq!(of(&[1, 2, 3]), of(&[3, 1, 2]));
        assert_ne!(of(&[1, 1, 2]), of(&[1, 2, 2]));
        assert!(of(&[1]).to_string().starts_with("1:"));
    }
}
