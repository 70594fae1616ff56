//! Values as clickhouse-connect delivers them with the formats that Superset sets
//! (`superset.db_engine_specs.clickhouse`): UUIDs, addresses and integers beyond 64 bits are text.

use std::net::{Ipv4Addr, Ipv6Addr};

use bigdecimal::{
    BigDecimal,
    num_bigint::{BigInt, BigUint},
};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{
    super::{builder::ColumnBuilder, column::Scalar},
    row_binary::{Bytes, Stop},
    types::Type,
};
use crate::crypto::hex;

/// Moves a value into its column. `zone` is that of times that have none of their own.
pub(super) fn push(
    r: &mut Bytes<'_>,
    ty: &Type,
    zone: Option<Tz>,
    out: &mut ColumnBuilder,
) -> Result<(), Stop> {
    match ty {
        Type::Nullable(inner) => match r.u8()? {
            0 => return push(r, inner, zone, out),
            _ => out.null(),
        },
        Type::Bool => out.bool(r.u8()? != 0),
        Type::Int(width) => out.int(r.int(*width)?),
        Type::UInt(width) => {
            let n = r.uint(*width)?;
            match i64::try_from(n) {
                Ok(n) => out.int(n),
                Err(_) => out.push_object(Scalar::Decimal(n.into())),
            }
        }
        Type::Float32 => out.float(f32::from_le_bytes(r.array()?).into()),
        Type::Float64 => out.float(f64::from_le_bytes(r.array()?)),
        Type::Decimal(width, scale) => out.decimal(decimal(r.take(*width)?, *scale)),
        Type::String | Type::Json => out.text(text(r.string()?)),
        Type::Date | Type::Date32 => match date(r, ty)? {
            Some(date) => out.date(date),
            None => out.null(),
        },
        Type::DateTime(own) | Type::DateTime64(_, own) => {
            let moment = moment(r, ty)?;
            let own = own.as_ref().map_or(zone, |own| aware(*own));
            match (moment, own) {
                (None, _) => out.null(),
                (Some(t), None) => out.timestamp(t.and_utc().timestamp_micros()),
                (Some(t), Some(zone)) => {
                    let local = zone.from_utc_datetime(&t);
                    let offset = local.offset().fix().local_minus_utc();
                    out.push_object(Scalar::TimestampTz(local.naive_local(), offset));
                }
            }
        }
        Type::Time | Type::Time64(_) => out.push_object(Scalar::Interval(duration(r, ty)?)),
        Type::Array(_) | Type::Map(..) | Type::Tuple(_) => out.push_object(Scalar::Json(json(r, ty, zone)?)),
        Type::Variant(types) => match r.u8()? {
            255 => out.null(),
            at => return push(r, types.get(usize::from(at)).ok_or(Stop::Broken)?, zone, out),
        },
        Type::Nothing => out.null(),
        Type::BFloat16
        | Type::Big(..)
        | Type::FixedString(_)
        | Type::Uuid
        | Type::Ipv4
        | Type::Ipv6
        | Type::Enum(..) => match json(r, ty, zone)? {
            Value::String(text) => out.text(text.into()),
            Value::Number(number) => out.float(number.as_f64().unwrap_or(f64::NAN)),
            _ => out.null(),
        },
    }
    Ok(())
}

/// A value inside an array, a map or a tuple.
fn json(r: &mut Bytes<'_>, ty: &Type, zone: Option<Tz>) -> Result<Value, Stop> {
    Ok(match ty {
        Type::Nullable(inner) => match r.u8()? {
            0 => json(r, inner, zone)?,
            _ => Value::Null,
        },
        Type::Bool => (r.u8()? != 0).into(),
        Type::Int(width) => r.int(*width)?.into(),
        Type::UInt(width) => r.uint(*width)?.into(),
        Type::Big(width, signed) => {
            let raw = r.take(*width)?;
            if *signed {
                BigInt::from_signed_bytes_le(raw).to_string()
            } else {
                BigUint::from_bytes_le(raw).to_string()
            }
            .into()
        }
        Type::Float32 => f64::from(f32::from_le_bytes(r.array()?)).into(),
        Type::Float64 => f64::from_le_bytes(r.array()?).into(),
        Type::BFloat16 => {
            let [low, high] = r.array()?;
            f64::from(f32::from_le_bytes([0, 0, low, high])).into()
        }
        // in a list, Superset's JSON has decimals as floats
        Type::Decimal(width, scale) => {
            decimal(r.take(*width)?, *scale).to_string().parse::<f64>().unwrap_or(f64::NAN).into()
        }
        Type::String | Type::Json => String::from(text(r.string()?)).into(),
        Type::FixedString(width) => {
            let raw = r.take(*width)?;
            match std::str::from_utf8(raw) {
                Ok(text) => text.trim_end_matches('\0').into(),
                Err(_) => hex(raw).into(),
            }
        }
        Type::Date | Type::Date32 => date(r, ty)?.map_or(Value::Null, |d| d.to_string().into()),
        Type::DateTime(own) | Type::DateTime64(_, own) => {
            let own = own.as_ref().map_or(zone, |own| aware(*own));
            match (moment(r, ty)?, own) {
                (None, _) => Value::Null,
                (Some(t), None) => t.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into(),
                (Some(t), Some(zone)) => zone.from_utc_datetime(&t).to_rfc3339().into(),
            }
        }
        Type::Time | Type::Time64(_) => {
            let micros = duration(r, ty)?;
            let sign = if micros < 0 { "-" } else { "" };
            let seconds = micros.unsigned_abs() / 1_000_000;
            format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60).into()
        }
        Type::Uuid => {
            // two words, each little endian
            let high = r.uint(8)?;
            let low = r.uint(8)?;
            uuid::Uuid::from_u64_pair(high, low).to_string().into()
        }
        Type::Ipv4 => Ipv4Addr::from(u32::from_le_bytes(r.array()?)).to_string().into(),
        Type::Ipv6 => {
            let ip = Ipv6Addr::from(r.array::<16>()?);
            ip.to_ipv4_mapped().map_or_else(|| ip.to_string(), |v4| v4.to_string()).into()
        }
        Type::Enum(width, names) => {
            let n = r.int(*width)?;
            let name = names.iter().find(|(number, _)| i64::from(*number) == n);
            name.map_or(Value::Null, |(_, name)| name.as_str().into())
        }
        Type::Array(inner) => {
            let n = r.count(&[inner.as_ref()])?;
            (0..n).map(|_| json(r, inner, zone)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Type::Map(key, value) => {
            let mut map = Map::new();
            for _ in 0..r.count(&[key.as_ref(), value.as_ref()])? {
                let key = match json(r, key, zone)? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                map.insert(key, json(r, value, zone)?);
            }
            Value::Object(map)
        }
        Type::Tuple(elements) if elements.iter().all(|(name, _)| name.is_some()) && !elements.is_empty() => {
            let mut map = Map::new();
            for (name, ty) in elements {
                map.insert(name.clone().unwrap_or_default(), json(r, ty, zone)?);
            }
            Value::Object(map)
        }
        Type::Tuple(elements) => {
            elements.iter().map(|(_, ty)| json(r, ty, zone)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Type::Variant(types) => match r.u8()? {
            255 => Value::Null,
            at => json(r, types.get(usize::from(at)).ok_or(Stop::Broken)?, zone)?,
        },
        Type::Nothing => Value::Null,
    })
}

/// Text, or the bytes in hexadecimal where it is none.
fn text(raw: &[u8]) -> Box<str> {
    match std::str::from_utf8(raw) {
        Ok(text) => text.into(),
        Err(_) => hex(raw).into(),
    }
}

fn decimal(raw: &[u8], scale: i64) -> BigDecimal {
    BigDecimal::new(BigInt::from_signed_bytes_le(raw), scale)
}

fn date(r: &mut Bytes<'_>, ty: &Type) -> Result<Option<NaiveDate>, Stop> {
    let days = if *ty == Type::Date { i64::try_from(r.uint(2)?).unwrap_or_default() } else { r.int(4)? };
    let epoch = DateTime::<Utc>::UNIX_EPOCH.date_naive();
    let distance = Days::new(days.unsigned_abs());
    Ok(if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) })
}

/// The moment in UTC, in microseconds as Python has them.
fn moment(r: &mut Bytes<'_>, ty: &Type) -> Result<Option<NaiveDateTime>, Stop> {
    let micros = match ty {
        Type::DateTime64(digits, _) => micros(r.int(8)?, *digits),
        _ => i64::try_from(r.uint(4)?).ok().map(|s| s * 1_000_000),
    };
    Ok(micros.and_then(DateTime::from_timestamp_micros).map(|t| t.naive_utc()))
}

fn micros(ticks: i64, digits: u32) -> Option<i64> {
    match digits {
        0..=6 => ticks.checked_mul(10_i64.pow(6 - digits)),
        _ => Some(ticks.div_euclid(10_i64.pow(digits.min(18) - 6))),
    }
}

fn duration(r: &mut Bytes<'_>, ty: &Type) -> Result<i64, Stop> {
    let found = match ty {
        Type::Time64(digits) => micros(r.int(8)?, *digits),
        _ => r.int(4)?.checked_mul(1_000_000),
    };
    Ok(found.unwrap_or_default())
}

/// Times in UTC are told without a zone (`tz_mode` of the driver, `naive_utc`).
pub(super) fn aware(zone: Tz) -> Option<Tz> {
    let utc = matches!(
        zone,
        Tz::UTC
            | Tz::GMT
            | Tz::Zulu
            | Tz::Universal
            | Tz::UCT
            | Tz::Etc__UTC
            | Tz::Etc__UCT
            | Tz::Etc__GMT
            | Tz::Etc__Universal
            | Tz::Etc__Zulu
            | Tz::Greenwich
            | Tz::Etc__Greenwich
            | Tz::GMT0
            | Tz::Etc__GMT0
    );
    (!utc).then_some(zone)
}

/// The zone of times without one: the server's, unless it has summer time; then they are told in UTC.
pub(super) fn server_zone(name: &str) -> Option<Tz> {
    let zone = aware(name.parse().ok()?)?;
    let offset = |month| {
        let noon = NaiveDate::from_ymd_opt(2024, month, 1)?.and_time(NaiveTime::MIN);
        Some(zone.offset_from_utc_datetime(&noon).fix())
    };
    (offset(1) == offset(7)).then_some(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(ty: &str, raw: &[u8]) -> Scalar {
        let mut out = ColumnBuilder::new();
        push(&mut Bytes::new(raw), &Type::parse(ty).unwrap(), None, &mut out).unwrap();
        out.finish().get(0)
    }

    #[test]
    fn values() {
        assert_eq!(pushed("UInt64", &[0xff; 8]), Scalar::Decimal(u64::MAX.into()));
        assert_eq!(pushed("Int128", &[0xff; 16]), Scalar::Text("-1".into()));
        assert_eq!(
            pushed("Decimal(9, 2)", &[0x85, 0xff, 0xff, 0xff]),
            Scalar::Decimal("-1.23".parse().unwrap())
        );
        assert_eq!(pushed("FixedString(3)", b"a\0\0"), Scalar::Text("a".into()));
        assert_eq!(pushed("String", b"\x02\xff\x00"), Scalar::Text("ff00".into()));
        assert_eq!(pushed("IPv4", &[1, 0, 0, 127]), Scalar::Text("127.0.0.1".into()));
        assert_eq!(pushed("Nullable(Int8)", &[1]), Scalar::Null);
        let day = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap();
        assert_eq!(pushed("Date32", &[0xff; 4]), Scalar::Date(day));
        let noon = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap().and_hms_opt(2, 0, 0).unwrap();
        assert_eq!(pushed("DateTime('Europe/Moscow')", &[0, 0, 0, 0]), {
            Scalar::TimestampTz(noon + chrono::TimeDelta::hours(1), 10_800)
        });
        assert_eq!(pushed("DateTime64(9, 'UTC')", &(-1_i64).to_le_bytes()), {
            let last = day.and_hms_micro_opt(23, 59, 59, 999_999).unwrap();
            Scalar::Timestamp(last)
        });
        assert_eq!(
            pushed("Map(String, Array(Nullable(Int8)))", &[1, 1, b'k', 2, 0, 5, 1]),
            Scalar::Json(serde_json::json!({"k": [5, null]}))
        );
        assert_eq!(
            pushed("Tuple(a Int8, b Bool)", &[1, 1]),
            Scalar::Json(serde_json::json!({"a": 1, "b": true}))
        );
        assert_eq!(pushed("Variant(Int8, String)", &[1, 1, b'x']), Scalar::Text("x".into()));
    }

    #[test]
    fn zones() {
        assert_eq!(server_zone("Etc/UTC"), None);
        assert_eq!(server_zone("Europe/Berlin"), None);
        assert_eq!(server_zone("Asia/Tokyo"), Some(Tz::Asia__Tokyo));
        assert_eq!(server_zone("nope"), None);
    }
}
