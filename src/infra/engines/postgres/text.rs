//! Values in PostgreSQL's text format, for the types that psycopg2 reads with a caster of its own.

use std::str::FromStr as _;

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;
use tokio_postgres::types::{Kind, Type};

use super::super::{builder::ColumnBuilder, column::Scalar};

/// Adds a value to its column; what does not parse stays text, as psycopg2 leaves unknown types.
pub(super) fn push(ty: &Type, text: &str, out: &mut ColumnBuilder) {
    let as_text = |out: &mut ColumnBuilder| out.text(text.into());
    match *ty {
        Type::BOOL => out.bool(text == "t"),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => match text.parse() {
            Ok(i) => out.int(i),
            Err(_) => as_text(out),
        },
        Type::FLOAT4 | Type::FLOAT8 => match text.parse() {
            Ok(f) => out.float(f),
            Err(_) => as_text(out),
        },
        Type::NUMERIC => match BigDecimal::from_str(text) {
            Ok(d) => out.decimal(d),
            Err(_) => out.push_object(Scalar::Float(f64::NAN)),
        },
        Type::DATE => match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(d) => out.date(d),
            Err(_) => as_text(out),
        },
        Type::TIMESTAMP => match NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
            Ok(t) => out.timestamp(t.and_utc().timestamp_micros()),
            Err(_) if text == "infinity" => out.timestamp(super::binary::LAST_MOMENT),
            Err(_) if text == "-infinity" => out.timestamp(super::binary::FIRST_MOMENT),
            Err(_) => out.null(),
        },
        Type::TIMESTAMPTZ => match timestamptz(text) {
            Some((t, offset)) => out.push_object(Scalar::TimestampTz(t, offset)),
            None => out.null(),
        },
        Type::TIME => match NaiveTime::parse_from_str(text, "%H:%M:%S%.f") {
            Ok(t) => out.push_object(Scalar::Time(t)),
            Err(_) => as_text(out),
        },
        // Arrow forgets the zone
        Type::TIMETZ => {
            let clock = text.rfind(['+', '-']).and_then(|at| text.get(..at)).unwrap_or(text);
            match NaiveTime::parse_from_str(clock, "%H:%M:%S%.f") {
                Ok(t) => out.push_object(Scalar::Time(t)),
                Err(_) => as_text(out),
            }
        }
        Type::INTERVAL => match interval(text) {
            Some(us) => out.push_object(Scalar::Interval(us)),
            None => as_text(out),
        },
        Type::JSON | Type::JSONB => match serde_json::from_str(text) {
            Ok(v) => out.push_object(Scalar::Json(v)),
            Err(_) => as_text(out),
        },
        Type::BYTEA => match bytea(text) {
            Some(b) => out.push_object(Scalar::Bytes(b)),
            None => as_text(out),
        },
        _ => match ty.kind() {
            Kind::Array(inner) if is_cast_array(inner) => match array(text, inner) {
                Some(v) => out.push_object(Scalar::Json(v)),
                None => as_text(out),
            },
            Kind::Range(_) => out.text(range(text).into()),
            _ => as_text(out),
        },
    }
}

/// A range as psycopg2 prints it: `[1, 5)`, `(None, 5)`.
fn range(text: &str) -> String {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let Some((lower, upper)) = inner.split_once(',').filter(|(_, upper)| !upper.contains(',')) else {
        return text.to_owned();
    };
    let bound = |text: &str| match text.trim_matches('"') {
        "" => "None".to_owned(),
        text => text.to_owned(),
    };
    let (open, close) = (text.get(..1).unwrap_or_default(), text.get(text.len() - 1..).unwrap_or_default());
    format!("{open}{}, {}{close}", bound(lower), bound(upper))
}

/// psycopg2 reads arrays only of the types that it has casters for.
fn is_cast_array(inner: &Type) -> bool {
    matches!(
        *inner,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::DATE
            | Type::TIMESTAMP
            | Type::TIMESTAMPTZ
            | Type::TIME
            | Type::INTERVAL
            | Type::JSON
            | Type::JSONB
    )
}

/// `2020-01-02 03:04:05.6+05:30` → local time and offset in seconds.
fn timestamptz(text: &str) -> Option<(NaiveDateTime, i32)> {
    let at = text.rfind(['+', '-']).filter(|at| *at > 10)?;
    let (local, zone) = text.split_at_checked(at)?;
    let t = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let mut seconds = 0;
    for (part, unit) in zone.get(1..)?.split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i32>().ok()?.checked_mul(unit)?;
    }
    Some((t, sign * seconds))
}

/// `1 year 2 mons -3 days 04:05:06.7` in microseconds; psycopg2 counts 365 days a year and 30 a month.
fn interval(text: &str) -> Option<i64> {
    const DAY: i64 = 86_400_000_000;
    let mut total = 0_i64;
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word.contains(':') {
            let (sign, clock) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
            let mut parts = clock.trim_start_matches('+').split(':');
            let hours: i64 = parts.next()?.parse().ok()?;
            let minutes: i64 = parts.next()?.parse().ok()?;
            let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
            let clock = hours.checked_mul(3_600_000_000)?.checked_add(minutes.checked_mul(60_000_000)?)?;
            total = total.checked_add(sign * clock.checked_add((seconds * 1e6).round() as i64)?)?;
        } else {
            let n: i64 = word.trim_start_matches('+').parse().ok()?;
            let days = match words.next()?.trim_end_matches('s') {
                "year" => n.checked_mul(365)?,
                "mon" => n.checked_mul(30)?,
                "day" => n,
                _ => return None,
            };
            total = total.checked_add(days.checked_mul(DAY)?)?;
        }
    }
    Some(total)
}

fn bytea(text: &str) -> Option<Vec<u8>> {
    let hex = text.strip_prefix("\\x")?.as_bytes();
    hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// `{1,NULL,"a \"b\"",{…}}` as JSON.
fn array(text: &str, inner: &Type) -> Option<Value> {
    // `[2:4]={…}`: the bounds are not part of the value
    let text = if text.starts_with('[') { text.split_once('=')?.1 } else { text };
    let mut chars = text.chars().peekable();
    let value = array_items(&mut chars, inner, 0)?;
    chars.next().is_none().then_some(value)
}

fn array_items(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    inner: &Type,
    depth: usize,
) -> Option<Value> {
    // PostgreSQL itself allows six dimensions
    if chars.next()? != '{' || depth > 6 {
        return None;
    }
    let mut items = Vec::new();
    if chars.peek() == Some(&'}') {
        chars.next();
        return Some(Value::Array(items));
    }
    loop {
        match chars.peek()? {
            '{' => items.push(array_items(chars, inner, depth + 1)?),
            '"' => {
                chars.next();
                let mut text = String::new();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => text.push(chars.next()?),
                        c => text.push(c),
                    }
                }
                items.push(element(&text, inner));
            }
            _ => {
                let mut text = String::new();
                while let Some(c) = chars.peek().copied().filter(|c| !matches!(c, ',' | '}')) {
                    text.push(c);
                    chars.next();
                }
                items.push(if text == "NULL" { Value::Null } else { element(&text, inner) });
            }
        }
        match chars.next()? {
            ',' => {}
            '}' => return Some(Value::Array(items)),
            _ => return None,
        }
    }
}

fn element(text: &str, inner: &Type) -> Value {
    let as_text = || Value::String(text.to_owned());
    match *inner {
        Type::BOOL => Value::Bool(text == "t"),
        Type::INT2 | Type::INT4 | Type::INT8 => text.parse::<i64>().map_or_else(|_| as_text(), Value::from),
        Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => text
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or_else(as_text, Value::Number),
        Type::JSON | Type::JSONB => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
        _ => as_text(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrays() {
        assert_eq!(array("{1,NULL,3}", &Type::INT4), Some(json!([1, null, 3])));
        assert_eq!(array("{\"a \\\"b\\\"\",c}", &Type::TEXT), Some(json!(["a \"b\"", "c"])));
        assert_eq!(array("{{1,2},{3,4}}", &Type::INT4), Some(json!([[1, 2], [3, 4]])));
        assert_eq!(array("{}", &Type::INT4), Some(json!([])));
        assert_eq!(array("{1", &Type::INT4), None);
    }

    #[test]
    fn intervals_and_zones() {
        assert_eq!(interval("1 day 02:00:00"), Some(26 * 3_600_000_000));
        assert_eq!(interval("-00:00:01.5"), Some(-1_500_000));
        assert_eq!(interval("1 year 1 mon"), Some(395 * 86_400_000_000));
        let (t, offset) = timestamptz("2020-01-02 03:04:05.5+05:30").unwrap();
        assert_eq!((t.to_string().as_str(), offset), ("2020-01-02 03:04:05.500", 19_800));
        assert_eq!(timestamptz("infinity"), None);
        assert_eq!(bytea("\\x00ff"), Some(vec![0, 255]));
    }
}
