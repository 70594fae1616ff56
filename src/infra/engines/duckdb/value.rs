//! DuckDB's values, read from Arrow's arrays, as its Python driver gives them.

use bigdecimal::{
    BigDecimal,
    num_bigint::{BigInt, Sign},
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use duckdb::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _},
        datatypes as types,
        datatypes::{DataType, TimeUnit},
    },
    core::{LogicalTypeHandle, LogicalTypeId},
};
use serde_json::{Map, Value, json};

use super::error::unsupported;
use crate::engines::{builder::ColumnBuilder, column::Scalar, error::EngineError};

/// The name of a type, as SQL writes it; without what it consists of.
pub(super) fn type_name(type_: &LogicalTypeHandle) -> String {
    use LogicalTypeId as T;
    let name = match type_.id() {
        T::Boolean => "BOOLEAN",
        T::Tinyint => "TINYINT",
        T::Smallint => "SMALLINT",
        T::Integer => "INTEGER",
        T::Bigint => "BIGINT",
        T::UTinyint => "UTINYINT",
        T::USmallint => "USMALLINT",
        T::UInteger => "UINTEGER",
        T::UBigint => "UBIGINT",
        T::Hugeint => "HUGEINT",
        T::UHugeint => "UHUGEINT",
        T::Bignum => "BIGNUM",
        T::Float => "FLOAT",
        T::Double => "DOUBLE",
        T::Decimal => {
            return format!("DECIMAL({},{})", type_.decimal_width(), type_.decimal_scale());
        }
        T::Varchar | T::StringLiteral => "VARCHAR",
        T::Blob => "BLOB",
        T::Bit => "BIT",
        T::Uuid => "UUID",
        T::Enum => "ENUM",
        T::Date => "DATE",
        T::Time | T::TimeNs => "TIME",
        T::TimeTZ => "TIMETZ",
        T::Timestamp | T::TimestampS | T::TimestampMs | T::TimestampNs => "TIMESTAMP",
        T::TimestampTZ => "TIMESTAMPTZ",
        T::Interval => "INTERVAL",
        T::List => "LIST",
        T::Array => "ARRAY",
        T::Struct => "STRUCT",
        T::Map => "MAP",
        T::Union => "UNION",
        T::Geometry => "GEOMETRY",
        T::IntegerLiteral => "INTEGER",
        _ => "",
    };
    name.to_owned()
}

/// Adds a value to a column; returns its size beyond the fixed part.
pub(super) fn push(
    array: &ArrayRef,
    row: usize,
    kind: LogicalTypeId,
    out: &mut ColumnBuilder,
) -> Result<usize, EngineError> {
    let mut bytes = 0;
    match scalar(array, row, kind)? {
        Scalar::Null => out.null(),
        Scalar::Bool(b) => out.bool(b),
        Scalar::Int(n) => out.int(n),
        Scalar::Float(f) => out.float(f),
        // integers beyond 64 bits stay integers among integers
        Scalar::Decimal(d) if kind == LogicalTypeId::Decimal => out.decimal(d),
        Scalar::Text(t) => {
            bytes = t.len();
            out.text(t);
        }
        Scalar::Date(d) => out.date(d),
        Scalar::Timestamp(t) => out.timestamp(t.and_utc().timestamp_micros()),
        Scalar::Bytes(b) => {
            bytes = b.len();
            match kind {
                LogicalTypeId::Bit => out.text(bits(&b).into()),
                LogicalTypeId::Bignum => out.text(bignum(&b).into()),
                _ => out.push_object(Scalar::Bytes(b)),
            }
        }
        Scalar::Json(v) => {
            bytes = weight(&v);
            out.push_object(Scalar::Json(v));
        }
        other => out.push_object(other),
    }
    Ok(bytes)
}

/// About the size of a nested value.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(s) => s.len() + 16,
        Value::Array(a) => a.iter().map(weight).sum::<usize>() + 16,
        Value::Object(o) => o.iter().map(|(k, v)| k.len() + weight(v)).sum::<usize>() + 16,
        _ => 16,
    }
}

/// One value. DuckDB's own type tells integers of 128 bits and decimals without fraction apart.
fn scalar(array: &ArrayRef, row: usize, kind: LogicalTypeId) -> Result<Scalar, EngineError> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return Ok(Scalar::Null);
    }
    Ok(known(array, row, kind).ok_or_else(|| unsupported(array.data_type()))??)
}

/// `None` for types that Arrow has and DuckDB does not send.
fn known(array: &ArrayRef, row: usize, kind: LogicalTypeId) -> Option<Result<Scalar, EngineError>> {
    macro_rules! get {
        ($type:ident) => {
            array.as_primitive_opt::<types::$type>()?.value(row)
        };
    }
    Some(Ok(match array.data_type() {
        DataType::Boolean => Scalar::Bool(array.as_boolean_opt()?.value(row)),
        DataType::Int8 => Scalar::Int(get!(Int8Type).into()),
        DataType::Int16 => Scalar::Int(get!(Int16Type).into()),
        DataType::Int32 => Scalar::Int(get!(Int32Type).into()),
        DataType::Int64 => Scalar::Int(get!(Int64Type)),
        DataType::UInt8 => Scalar::Int(get!(UInt8Type).into()),
        DataType::UInt16 => Scalar::Int(get!(UInt16Type).into()),
        DataType::UInt32 => Scalar::Int(get!(UInt32Type).into()),
        DataType::UInt64 => {
            let n = get!(UInt64Type);
            i64::try_from(n).map_or_else(|_| Scalar::Decimal(n.into()), Scalar::Int)
        }
        DataType::Float32 => Scalar::Float(widened(get!(Float32Type))),
        DataType::Float64 => Scalar::Float(get!(Float64Type)),
        DataType::Decimal32(_, scale) => decimal(get!(Decimal32Type).into(), *scale),
        DataType::Decimal64(_, scale) => decimal(get!(Decimal64Type).into(), *scale),
        DataType::Decimal128(38, 0) => huge(get!(Decimal128Type), kind),
        DataType::Decimal128(_, scale) => decimal(get!(Decimal128Type), *scale),
        DataType::Utf8 => Scalar::Text(array.as_string_opt::<i32>()?.value(row).into()),
        DataType::LargeUtf8 => Scalar::Text(array.as_string_opt::<i64>()?.value(row).into()),
        DataType::Utf8View => Scalar::Text(array.as_string_view_opt()?.value(row).into()),
        DataType::Binary => Scalar::Bytes(array.as_binary_opt::<i32>()?.value(row).to_vec()),
        DataType::LargeBinary => Scalar::Bytes(array.as_binary_opt::<i64>()?.value(row).to_vec()),
        DataType::FixedSizeBinary(_) => Scalar::Bytes(array.as_fixed_size_binary_opt()?.value(row).to_vec()),
        DataType::Date32 => date(get!(Date32Type)),
        DataType::Time64(TimeUnit::Microsecond) => time(get!(Time64MicrosecondType)),
        DataType::Time64(TimeUnit::Nanosecond) => time(get!(Time64NanosecondType) / 1000),
        DataType::Timestamp(unit, zone) => {
            let (n, micros) = match unit {
                TimeUnit::Second => (get!(TimestampSecondType), 1_000_000),
                TimeUnit::Millisecond => (get!(TimestampMillisecondType), 1000),
                TimeUnit::Microsecond => (get!(TimestampMicrosecondType), 1),
                TimeUnit::Nanosecond => {
                    let n = get!(TimestampNanosecondType);
                    (if n.abs() == i64::MAX { n } else { n.div_euclid(1000) }, 1)
                }
            };
            moment(n.saturating_mul(micros), zone.is_some())
        }
        DataType::Interval(types::IntervalUnit::MonthDayNano) => {
            let i = get!(IntervalMonthDayNanoType);
            // a month is 30 days, as for Python's timedelta
            let days = i64::from(i.months) * 30 + i64::from(i.days);
            Scalar::Interval(days.saturating_mul(86_400_000_000).saturating_add(i.nanoseconds / 1000))
        }
        DataType::Dictionary(..) => Scalar::Text(word(array, row)?.into()),
        DataType::List(_) => return Some(listed(&array.as_list_opt::<i32>()?.value(row))),
        DataType::LargeList(_) => return Some(listed(&array.as_list_opt::<i64>()?.value(row))),
        DataType::FixedSizeList(..) => return Some(listed(&array.as_fixed_size_list_opt()?.value(row))),
        DataType::Struct(_) => {
            let fields = array.as_struct_opt()?;
            let mut map = Map::new();
            for (name, column) in fields.column_names().into_iter().zip(fields.columns()) {
                match nested(column, row) {
                    Ok(value) => map.insert(name.to_owned(), value),
                    Err(e) => return Some(Err(e)),
                };
            }
            Scalar::Json(Value::Object(map))
        }
        DataType::Map(..) => {
            let entries = array.as_map_opt()?.value(row);
            let (keys, values) = (entries.columns().first()?, entries.columns().get(1)?);
            let mut map = Map::new();
            for i in 0..entries.len() {
                match (nested(keys, i), nested(values, i)) {
                    (Ok(key), Ok(value)) => map.insert(key_text(key), value),
                    (Err(e), _) | (_, Err(e)) => return Some(Err(e)),
                };
            }
            Scalar::Json(Value::Object(map))
        }
        DataType::Union(..) => {
            let union = array.as_union_opt()?;
            return Some(scalar(
                union.child(union.type_id(row)),
                union.value_offset(row),
                LogicalTypeId::Any,
            ));
        }
        _ => return None,
    }))
}

fn listed(values: &ArrayRef) -> Result<Scalar, EngineError> {
    let all: Result<Vec<Value>, _> = (0..values.len()).map(|i| nested(values, i)).collect();
    Ok(Scalar::Json(Value::Array(all?)))
}

/// A part of a list, structure or map, as Superset prints it (`superset.utils.json:base_json_conv`).
fn nested(array: &ArrayRef, row: usize) -> Result<Value, EngineError> {
    Ok(match scalar(array, row, LogicalTypeId::Any)? {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => b.into(),
        Scalar::Int(n) => n.into(),
        Scalar::Float(f) => json!(f),
        Scalar::Decimal(d) => {
            let text = d.to_string();
            text.parse::<f64>().map_or(Value::String(text), |f| json!(f))
        }
        Scalar::Text(t) => Value::String(t.into()),
        Scalar::Bytes(b) => String::from_utf8(b).unwrap_or_else(|_| "[bytes]".to_owned()).into(),
        Scalar::Date(d) => d.to_string().into(),
        Scalar::Time(t) => t.to_string().into(),
        Scalar::Timestamp(t) => t.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into(),
        Scalar::TimestampTz(t, _) => t.format("%Y-%m-%dT%H:%M:%S%.f+00:00").to_string().into(),
        Scalar::Interval(us) => timedelta(us).into(),
        Scalar::Json(v) => v,
    })
}

fn key_text(key: Value) -> String {
    match key {
        Value::String(s) => s,
        other => other.to_string(),
    }
}

/// `str(timedelta)`.
fn timedelta(us: i64) -> String {
    let (days, rest) = (us.div_euclid(86_400_000_000), us.rem_euclid(86_400_000_000));
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let plural = if days.abs() == 1 { "" } else { "s" };
    let prefix = if days == 0 { String::new() } else { format!("{days} day{plural}, ") };
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{prefix}{}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The double that Python makes of a float of 32 bits.
fn widened(f: f32) -> f64 {
    f64::from(f)
}

fn decimal(unscaled: i128, scale: i8) -> Scalar {
    Scalar::Decimal(BigDecimal::new(BigInt::from(unscaled), scale.into()))
}

/// A number of 128 bits.
fn huge(n: i128, kind: LogicalTypeId) -> Scalar {
    match kind {
        LogicalTypeId::Decimal => decimal(n, 0),
        LogicalTypeId::UHugeint => {
            let n = n.cast_unsigned();
            i64::try_from(n).map_or_else(|_| Scalar::Decimal(BigDecimal::from(n)), Scalar::Int)
        }
        _ => i64::try_from(n).map_or_else(|_| Scalar::Decimal(BigDecimal::from(n)), Scalar::Int),
    }
}

/// A string of bits: the first byte tells how many of the next are padding.
fn bits(raw: &[u8]) -> String {
    let (padding, rest) = raw.split_first().map_or((0, raw), |(p, rest)| (usize::from(*p), rest));
    rest.iter().map(|b| format!("{b:08b}")).collect::<String>().get(padding..).unwrap_or_default().to_owned()
}

/// An integer of any size: three bytes with sign and length, then the number; all inverted when it is negative.
fn bignum(raw: &[u8]) -> String {
    let negative = raw.first().is_some_and(|b| b & 0x80 == 0);
    let digits: Vec<u8> = raw.iter().skip(3).map(|b| if negative { !b } else { *b }).collect();
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    BigInt::from_bytes_be(sign, &digits).to_string()
}

/// Days since 1970; infinite ones are Python's last and first day.
fn date(days: i32) -> Scalar {
    match days {
        i32::MAX => NaiveDate::from_ymd_opt(9999, 12, 31).map_or(Scalar::Null, Scalar::Date),
        d if d == -i32::MAX => NaiveDate::from_ymd_opt(1, 1, 1).map_or(Scalar::Null, Scalar::Date),
        d => NaiveDate::from_epoch_days(d).map_or_else(|| Scalar::Int(d.into()), Scalar::Date),
    }
}

fn time(micros: i64) -> Scalar {
    let second = u32::try_from(micros / 1_000_000).unwrap_or_default();
    let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or_default();
    // 24:00:00 is a time of DuckDB
    let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999);
    NaiveTime::from_num_seconds_from_midnight_opt(second, nanos).or(last).map_or(Scalar::Null, Scalar::Time)
}

fn moment(micros: i64, zoned: bool) -> Scalar {
    let infinite = |year, month, day| {
        Some(NaiveDateTime::new(NaiveDate::from_ymd_opt(year, month, day)?, NaiveTime::MIN))
    };
    let found = match micros {
        i64::MAX => infinite(9999, 12, 31).map(|t| t + chrono::Duration::microseconds(86_399_999_999)),
        m if m == -i64::MAX || m == i64::MIN => infinite(1, 1, 1),
        m => DateTime::from_timestamp_micros(m).map(|t| t.naive_utc()),
    };
    match found {
        Some(t) if zoned => Scalar::TimestampTz(t, 0),
        Some(t) => Scalar::Timestamp(t),
        None => Scalar::Int(micros),
    }
}

/// The word of an enumeration.
fn word(array: &ArrayRef, row: usize) -> Option<&str> {
    macro_rules! look {
        ($type:ident) => {
            if let Some(d) = array.as_dictionary_opt::<types::$type>() {
                let key = d.key(row)?;
                return match d.values().data_type() {
                    DataType::Utf8 => Some(d.values().as_string_opt::<i32>()?.value(key)),
                    DataType::LargeUtf8 => Some(d.values().as_string_opt::<i64>()?.value(key)),
                    _ => None,
                };
            }
        };
    }
    look!(UInt8Type);
    look!(UInt16Type);
    look!(UInt32Type);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_python_prints_them() {
        for (us, text) in [
            (0, "0:00:00"),
            (86_400_000_000, "1 day, 0:00:00"),
            (-1, "-1 day, 23:59:59.999999"),
            (2 * 86_400_000_000 + 3_723_500_000, "2 days, 1:02:03.500000"),
        ] {
            assert_eq!(timedelta(us), text);
        }
    }

    #[test]
    fn bits_and_large_integers() {
        assert_eq!(bits(&[4, 0b1111_1010]), "1010");
        assert_eq!(bits(&[]), "");
        assert_eq!(bignum(&[0x80, 0, 1, 200]), "200");
        assert_eq!(bignum(&[0x7f, 0xff, 0xfe, !200]), "-200");
    }

    #[test]
    fn ends_of_time() {
        let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
        assert_eq!(date(i32::MAX), Scalar::Date(last));
        assert_eq!(
            moment(i64::MAX, false),
            Scalar::Timestamp(last.and_hms_micro_opt(23, 59, 59, 999_999).unwrap())
        );
        assert_eq!(huge(-1, LogicalTypeId::UHugeint), Scalar::Decimal(u128::MAX.into()));
    }
}
