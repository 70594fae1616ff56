//! Values of Parquet files as pandas has them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use infra::Result;
use parquet::record::Field;
use serde_json::{Map, Value, json};

use super::{frame::Cell, options::parsing};

/// What a plain number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Itself.
    Plain,
    /// Nanoseconds since 1970.
    Nanos,
    /// Nanoseconds since midnight.
    ClockNanos,
}

/// A value; lists and structures are told as JSON.
pub fn cell(field: Field, unit: Unit) -> Result<Cell> {
    let time = |micros: i64| {
        let found = DateTime::from_timestamp_micros(micros).map(|t| Cell::Time(t.naive_utc()));
        found.ok_or_else(|| parsing("Out of bounds timestamp"))
    };
    let text = |text: String| Cell::Text(text.into());
    Ok(match field {
        Field::Null => Cell::Null,
        Field::Bool(b) => Cell::Bool(b),
        Field::Byte(n) => Cell::Int(n.into()),
        Field::Short(n) => Cell::Int(n.into()),
        Field::Int(n) => Cell::Int(n.into()),
        Field::UByte(n) => Cell::Int(n.into()),
        Field::UShort(n) => Cell::Int(n.into()),
        Field::UInt(n) => Cell::Int(n.into()),
        Field::ULong(n) => match i64::try_from(n) {
            Ok(n) => Cell::Int(n),
            Err(_) => return Err(parsing("Unsigned 64 bit integer datatype is not supported")),
        },
        Field::Long(n) => match unit {
            Unit::Plain => Cell::Int(n),
            Unit::Nanos => time(n.div_euclid(1000))?,
            Unit::ClockNanos => clock(n),
        },
        Field::Float16(f) => Cell::Float(f.into()),
        Field::Float(f) => Cell::Float(f.into()),
        Field::Double(f) => Cell::Float(f),
        Field::Decimal(d) => text(decimal(d.data(), d.scale())),
        Field::Str(s) => text(s),
        Field::Bytes(b) => text(bytes(b.data())),
        Field::Date(days) => date(days).map_or(Cell::Null, Cell::Date),
        Field::TimeMillis(n) => clock(i64::from(n).saturating_mul(1_000_000)),
        Field::TimeMicros(n) => clock(n.saturating_mul(1000)),
        Field::TimestampMillis(n) => time(n.saturating_mul(1000))?,
        Field::TimestampMicros(n) => time(n)?,
        other @ (Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_)) => {
            text(json_of(&other).to_string())
        }
    })
}

/// Bytes that a value takes beside its place in a column.
pub fn weight(cell: &Cell) -> usize {
    match cell {
        Cell::Text(t) => t.len(),
        _ => 0,
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let distance = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}

fn clock(nanos: i64) -> Cell {
    let seconds = u32::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(u32::MAX);
    let rest = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or_default();
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest).map_or(Cell::Null, Cell::Clock)
}

/// A big-endian two's complement number with a scale.
fn decimal(data: &[u8], scale: i32) -> String {
    let number = bigdecimal::num_bigint::BigInt::from_signed_bytes_be(data);
    bigdecimal::BigDecimal::new(number, i64::from(scale)).to_plain_string()
}

/// Text where it is one, else as PostgreSQL writes bytes.
fn bytes(data: &[u8]) -> String {
    std::str::from_utf8(data).map_or_else(|_| format!("\\x{}", infra::crypto::hex(data)), str::to_owned)
}

fn json_of(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(b) => json!(b),
        Field::Byte(n) => json!(n),
        Field::Short(n) => json!(n),
        Field::Int(n) => json!(n),
        Field::Long(n) => json!(n),
        Field::UByte(n) => json!(n),
        Field::UShort(n) => json!(n),
        Field::UInt(n) => json!(n),
        Field::ULong(n) => json!(n),
        Field::Float16(f) => json!(f.to_f64()),
        Field::Float(f) => json!(f),
        Field::Double(f) => json!(f),
        Field::Str(s) => json!(s),
        Field::Bytes(b) => json!(bytes(b.data())),
        Field::Decimal(d) => json!(decimal(d.data(), d.scale())),
        Field::Date(days) => json!(date(*days).map(|d| d.to_string())),
        Field::TimestampMillis(n) => json!(DateTime::from_timestamp_millis(*n).map(|t| t.naive_utc())),
        Field::TimestampMicros(n) => json!(DateTime::from_timestamp_micros(*n).map(|t| t.naive_utc())),
        Field::TimeMillis(_) | Field::TimeMicros(_) => json!(field.to_string()),
        Field::Group(row) => {
            Value::Object(row.get_column_iter().map(|(k, v)| (k.clone(), json_of(v))).collect::<Map<_, _>>())
        }
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(json_of).collect()),
        Field::MapInternal(map) => {
            let key = |k: &Field| match json_of(k) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(map.entries().iter().map(|(k, v)| (key(k), json_of(v))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(decimal(&[0xff, 0x85], 2), "-1.23");
        assert_eq!(decimal(&[0x30, 0x39], 0), "12345");
        assert_eq!(bytes(b"\xff\x00"), "\\xff00");
        assert_eq!(cell(Field::Date(-1), Unit::Plain).unwrap(), Cell::Date(date(-1).unwrap()));
        assert_eq!(date(-1).unwrap().to_string(), "1969-12-31");
        assert_eq!(clock(86_400_000_000_000), Cell::Null);
        assert!(cell(Field::ULong(u64::MAX), Unit::Plain).is_err());
        assert_eq!(
            cell(Field::Long(-1), Unit::Nanos).unwrap(),
            cell(Field::TimestampMicros(-1), Unit::Plain).unwrap()
        );
    }
}
