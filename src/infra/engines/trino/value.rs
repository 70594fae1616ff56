//! Values as the Python drivers deliver them: trino-python-client reads dates, decimals and bytes, PyHive only decimals
//! and bytes.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use serde_json::{Value, value::RawValue};

use super::{
    super::{builder::ColumnBuilder, column::Scalar},
    types::Type,
};

/// Moves a value into its column; what its type does not allow stays what it is in JSON.
pub(super) fn push(raw: &RawValue, ty: &Type, out: &mut ColumnBuilder) {
    let json = raw.get();
    if json == "null" {
        return out.null();
    }
    let text = || serde_json::from_str::<String>(json).ok();
    let done = match ty {
        Type::Bool => json.parse().ok().map(|b| out.bool(b)),
        Type::Int => json.parse().ok().map(|n| out.int(n)),
        Type::Float => float(json).map(|f| out.float(f)),
        Type::Decimal => text().and_then(|t| t.parse::<BigDecimal>().ok()).map(|d| out.decimal(d)),
        Type::Bytes => text()
            .and_then(|t| BASE64_STANDARD.decode(t.replace(['\n', '\r'], "")).ok())
            .map(|b| out.push_object(Scalar::Bytes(b))),
        Type::Date => text().and_then(|t| t.parse::<NaiveDate>().ok()).map(|d| out.date(d)),
        Type::Time => text().and_then(|t| time(&t)).map(|t| out.push_object(Scalar::Time(t))),
        Type::Timestamp => {
            text().and_then(|t| moment(&t)).map(|t| out.timestamp(t.and_utc().timestamp_micros()))
        }
        Type::TimestampTz => {
            text().and_then(|t| zoned(&t)).map(|(t, offset)| out.push_object(Scalar::TimestampTz(t, offset)))
        }
        Type::Interval => text().and_then(|t| interval(&t)).map(|us| out.push_object(Scalar::Interval(us))),
        Type::Text => text().map(|t| out.text(t.into())),
        Type::Array(_) | Type::Map(_) | Type::Row(_) => None,
    };
    if done.is_none() {
        out.push_object(match serde_json::from_str::<Value>(json) {
            Ok(Value::String(text)) => Scalar::Text(text.into()),
            Ok(Value::Number(n)) => match (n.as_i64(), n.as_f64()) {
                (Some(n), _) => Scalar::Int(n),
                (None, Some(f)) => Scalar::Float(f),
                _ => Scalar::Null,
            },
            Ok(Value::Bool(b)) => Scalar::Bool(b),
            Ok(value) => Scalar::Json(nested(value, ty)),
            Err(_) => Scalar::Null,
        });
    }
}

/// The type that PyHive reads values of a type as.
pub(super) fn as_pyhive(ty: Type) -> Type {
    match ty {
        Type::Bool | Type::Int | Type::Float | Type::Decimal | Type::Bytes => ty,
        Type::Array(_) | Type::Map(_) | Type::Row(_) => Type::Array(Box::new(Type::Text)),
        _ => Type::Text,
    }
}

/// Values inside others, as Superset's JSON has Python's objects: decimals are floats, times have a `T`.
fn nested(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Array(all), Type::Array(inner)) => all.into_iter().map(|v| nested(v, inner)).collect(),
        (Value::Array(all), Type::Row(types)) => {
            let mut types = types.iter();
            all.into_iter().map(|v| nested(v, types.next().unwrap_or(&Type::Text))).collect()
        }
        (Value::Object(map), Type::Map(inner)) => {
            Value::Object(map.into_iter().map(|(k, v)| (k, nested(v, inner))).collect())
        }
        (Value::String(text), Type::Decimal) => text.parse::<f64>().map_or(Value::String(text), Value::from),
        (Value::String(text), Type::Timestamp) => match moment(&text) {
            Some(t) => t.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into(),
            None => text.into(),
        },
        (value, _) => value,
    }
}

fn float(json: &str) -> Option<f64> {
    match json {
        "\"NaN\"" => Some(f64::NAN),
        "\"Infinity\"" => Some(f64::INFINITY),
        "\"-Infinity\"" => Some(f64::NEG_INFINITY),
        number => number.parse().ok(),
    }
}

/// Microseconds are what Python has; the client rounds what is finer.
fn rounded(text: &str) -> (String, bool) {
    let Some((whole, fraction)) = text.split_once('.') else { return (text.to_owned(), false) };
    let up = fraction.as_bytes().get(6).is_some_and(|d| *d >= b'5');
    (format!("{whole}.{}", fraction.get(..6).unwrap_or(fraction)), up)
}

fn moment(text: &str) -> Option<NaiveDateTime> {
    let (text, up) = rounded(text);
    let found = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    if up { found.checked_add_signed(chrono::TimeDelta::microseconds(1)) } else { Some(found) }
}

/// A time of day; its zone is forgotten, as Arrow does.
fn time(text: &str) -> Option<NaiveTime> {
    let clock = text.find(['+', '-']).and_then(|at| text.get(..at)).unwrap_or(text);
    NaiveTime::parse_from_str(&rounded(clock.trim()).0, "%H:%M:%S%.f").ok()
}

/// `2020-01-01 00:00:00.000 Europe/Berlin`, `… +01:00`, `… UTC`.
fn zoned(text: &str) -> Option<(NaiveDateTime, i32)> {
    let (clock, zone) = text.rsplit_once(' ')?;
    let local = moment(clock)?;
    if let Some(sign) = zone.chars().next().filter(|c| matches!(c, '+' | '-')) {
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
        let seconds = if sign == '-' { -seconds } else { seconds };
        return (seconds.abs() < 86_400).then_some((local, seconds));
    }
    let zone: Tz = zone.parse().ok()?;
    let offset = zone.offset_from_local_datetime(&local).earliest()?;
    Some((local, offset.fix().local_minus_utc()))
}

/// `-1 02:03:04.500` in microseconds.
fn interval(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (days, clock) = rest.split_once(' ')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':').map(|p| p.parse::<i64>().ok());
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
    let seconds = days.parse::<i64>().ok()?.checked_mul(86_400)?.checked_add(h * 3600 + m * 60 + s)?;
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some(sign * seconds.checked_mul(1_000_000)?.checked_add(micros)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(ty: &str, json: &str) -> Scalar {
        let mut out = ColumnBuilder::new();
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        push(&raw, &Type::parse(ty), &mut out);
        out.finish().get(0)
    }

    #[test]
    fn values() {
        let noon = |us| NaiveDate::from_ymd_opt(2020, 7, 1).unwrap().and_hms_micro_opt(12, 0, 0, us).unwrap();
        assert_eq!(pushed("bigint", "9007199254740993"), Scalar::Int(9_007_199_254_740_993));
        assert_eq!(pushed("double", "\"Infinity\""), Scalar::Float(f64::INFINITY));
        assert_eq!(pushed("decimal(38,2)", "\"-1.20\""), Scalar::Decimal("-1.20".parse().unwrap()));
        assert_eq!(pushed("varbinary", "\"AP8=\""), Scalar::Bytes(vec![0, 255]));
        assert_eq!(pushed("timestamp(9)", "\"2020-07-01 12:00:00.000000500\""), Scalar::Timestamp(noon(1)));
        assert_eq!(
            pushed("timestamp(3) with time zone", "\"2020-07-01 12:00:00.000 Europe/Berlin\""),
            Scalar::TimestampTz(noon(0), 7200)
        );
        assert_eq!(
            pushed("timestamp with time zone", "\"2020-07-01 12:00:00.000 -03:30\""),
            Scalar::TimestampTz(noon(0), -12_600)
        );
        assert_eq!(
            pushed("interval day to second", "\"-1 00:00:01.500\""),
            Scalar::Interval(-86_401_500_000)
        );
        assert_eq!(
            pushed("time(3)", "\"01:02:03.500\""),
            Scalar::Time(NaiveTime::from_hms_milli_opt(1, 2, 3, 500).unwrap())
        );
        let row = pushed("row(a decimal(3,1), b array(timestamp))", "[\"1.5\", [\"2020-01-01 00:00:00\"]]");
        assert_eq!(row, Scalar::Json(serde_json::json!([1.5, ["2020-01-01T00:00:00"]])));
        assert_eq!(pushed("varchar", "\"\\ud83d\\ude00\""), Scalar::Text("😀".into()));
        assert_eq!(pushed("date", "\"not a date\""), Scalar::Text("not a date".into()));
        assert_eq!(pushed("bigint", "null"), Scalar::Null);
    }
}
