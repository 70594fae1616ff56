//! What a plain scalar means in YAML 1.1 (`yaml.resolver`, `yaml.constructor:SafeConstructor`).

use std::sync::LazyLock;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, TimeZone as _};
use regex::Regex;

use super::Yaml;

/// A tag of the default schema, without its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Merge,
    Value,
    /// `!`, `&` or `*` alone, which no document can hold as plain scalars.
    Yaml,
    Str,
}

#[expect(clippy::expect_used, reason = "the pattern is fixed")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?: [-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?
            | \.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
            | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
            | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN) )$",
    )
});
static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?: [-+]?0b[0-1_]+ | [-+]?0[0-7_]+ | [-+]?(?:0|[1-9][0-9_]*) | [-+]?0x[0-9a-fA-F_]+
            | [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+ )$",
    )
});
static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?: [0-9]{4}-[0-9]{2}-[0-9]{2}
            | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?:[Tt]|[\ \t]+) [0-9]{1,2}:[0-9]{2}:[0-9]{2} (?:\.[0-9]*)?
              (?:[\ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))? )$",
    )
});
static MOMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})
            (?: (?:[Tt]|[\ \t]+) ([0-9]{1,2}):([0-9]{2}):([0-9]{2}) (?:\.([0-9]*))?
                (?:[\ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))? )?$",
    )
});

/// The tag that a plain scalar gets by itself.
pub(super) fn resolve(text: &str) -> Tag {
    let Some(first) = text.chars().next() else { return Tag::Null };
    match first {
        'y' | 'Y' | 'n' | 'N' | 't' | 'T' | 'f' | 'F' | 'o' | 'O' | '~' => match text {
            "~" | "null" | "Null" | "NULL" => Tag::Null,
            _ if boolean(text).is_some() && is_cased(text) => Tag::Bool,
            _ => Tag::Str,
        },
        '-' | '+' | '0'..='9' | '.' => {
            if FLOAT.is_match(text) {
                Tag::Float
            } else if first != '.' && INT.is_match(text) {
                Tag::Int
            } else if first.is_ascii_digit() && TIMESTAMP.is_match(text) {
                Tag::Timestamp
            } else {
                Tag::Str
            }
        }
        '<' if text == "<<" => Tag::Merge,
        '=' if text == "=" => Tag::Value,
        '!' | '&' | '*' if text.len() == 1 => Tag::Yaml,
        _ => Tag::Str,
    }
}

/// `yes`, `Yes` and `YES` are booleans, `yEs` is none.
fn is_cased(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    let lower = rest.bytes().all(|b| b.is_ascii_lowercase());
    let upper = text.bytes().all(|b| b.is_ascii_uppercase());
    lower || upper
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// The number; none for a text that is none.
pub(super) fn integer(text: &str) -> Option<Yaml> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let based = |digits: &str, base: u32| i128::from_str_radix(digits, base).ok();
    let value = if digits == "0" {
        0
    } else if let Some(binary) = digits.strip_prefix("0b") {
        based(binary, 2)?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        based(hex, 16)?
    } else if digits.starts_with('0') {
        based(digits, 8)?
    } else if digits.contains(':') {
        digits.split(':').try_fold(0_i128, |sum, part| {
            let part: i128 = part.parse().ok()?;
            sum.checked_mul(60)?.checked_add(part)
        })?
    } else {
        match digits.parse() {
            Ok(value) => value,
            Err(_) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                return Some(Yaml::Big(format!("{}{digits}", if negative { "-" } else { "" })));
            }
            Err(_) => return None,
        }
    };
    let value = if negative { -value } else { value };
    Some(i64::try_from(value).map_or_else(|_| Yaml::Big(value.to_string()), Yaml::Int))
}

/// The number; none for a text that is none.
pub(super) fn float(text: &str) -> Option<f64> {
    let plain = text.replace('_', "").to_lowercase();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let value = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => return Some(f64::NAN),
        _ if digits.contains(':') => digits.split(':').try_fold(0.0_f64, |sum, part| {
            let part: f64 = part.parse().ok()?;
            Some(sum * 60.0 + part)
        })?,
        _ if digits.bytes().all(|b| b.is_ascii_digit() || b"+-.e".contains(&b)) => digits.parse().ok()?,
        _ => return None,
    };
    Some(sign * value)
}

/// A date, or a time with or without an offset; what Python says of one that is none.
pub(super) fn timestamp(text: &str) -> Result<Yaml, &'static str> {
    let Some(found) = MOMENT.captures(text) else {
        return Err("'NoneType' object has no attribute 'groupdict'");
    };
    let part = |i: usize| found.get(i).map_or("", |m| m.as_str());
    let number = |i: usize| part(i).parse::<u32>().unwrap_or(0);
    let year = part(1).parse::<i32>().unwrap_or(0);
    if year == 0 {
        return Err("year 0 is out of range");
    }
    if !(1..=12).contains(&number(2)) {
        return Err("month must be in 1..12");
    }
    let date = NaiveDate::from_ymd_opt(year, number(2), number(3)).ok_or("day is out of range for month")?;
    if part(4).is_empty() {
        return Ok(Yaml::Date(date));
    }
    let mut micros = part(7).to_owned();
    micros.truncate(6);
    let micros: u32 = format!("{micros:0<6}").parse().unwrap_or(0);
    let (hour, minute, second) = (number(4), number(5), number(6));
    let time: NaiveDateTime =
        date.and_hms_micro_opt(hour, minute, second, micros).filter(|_| second < 60).ok_or(if hour > 23 {
            "hour must be in 0..23"
        } else if minute > 59 {
            "minute must be in 0..59"
        } else {
            "second must be in 0..59"
        })?;
    let seconds = number(10) * 3600 + number(11) * 60;
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    let offset = match (part(8), part(9)) {
        ("Z", _) => 0,
        (_, "+") => seconds,
        (_, "-") => -seconds,
        _ => return Ok(Yaml::Time(time)),
    };
    let offset = FixedOffset::east_opt(offset).ok_or("offset must be a timedelta strictly between a day")?;
    offset.from_local_datetime(&time).single().map(Yaml::Instant).ok_or("date value out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_yaml_1_1_makes_of_them() {
        for (text, tag) in [
            ("", Tag::Null),
            ("~", Tag::Null),
            ("Null", Tag::Null),
            ("nULL", Tag::Str),
            ("y", Tag::Str),
            ("Yes", Tag::Bool),
            ("yES", Tag::Str),
            ("OFF", Tag::Bool),
            ("0o7", Tag::Str),
            ("0b1", Tag::Int),
            ("-0x_f", Tag::Int),
            ("1:30", Tag::Int),
            ("1:30.5", Tag::Float),
            ("1e5", Tag::Str),
            ("1.e+5", Tag::Float),
            (".", Tag::Str),
            (".5", Tag::Float),
            ("2024-05-01", Tag::Timestamp),
            ("2024-5-1", Tag::Str),
            ("2024-5-1 1:00:00", Tag::Timestamp),
            ("<<", Tag::Merge),
            ("=", Tag::Value),
            ("08", Tag::Str),
        ] {
            assert_eq!(resolve(text), tag, "{text}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(integer("-0x_f"), Some(Yaml::Int(-15)));
        assert_eq!(integer("1:30"), Some(Yaml::Int(90)));
        assert_eq!(integer("010"), Some(Yaml::Int(8)));
        assert_eq!(integer("99999999999999999999"), Some(Yaml::Big("99999999999999999999".into())));
        assert_eq!(float("1:30.5"), Some(90.5));
        assert_eq!(float("-.INF"), Some(f64::NEG_INFINITY));
        assert_eq!(timestamp("2024-13-01").unwrap_err(), "month must be in 1..12");
    }
}
