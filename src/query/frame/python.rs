//! Python's texts of values: `str()`, `repr()`, `isoformat()`.

use std::fmt::Write as _;

use chrono::{NaiveDateTime, Timelike as _};
use infra::engines::column::Scalar;

pub use infra::python::{float_repr, json_repr, str_repr, write_float, write_int};

use super::decimal;

/// `str()` of a value.
pub fn str_of(value: &Scalar) -> String {
    match value {
        Scalar::Null => "None".into(),
        Scalar::Bool(b) => if *b { "True" } else { "False" }.into(),
        Scalar::Int(i) => i.to_string(),
        Scalar::Float(f) => float_repr(*f),
        Scalar::Decimal(d) => decimal::to_text(d),
        Scalar::Text(s) => s.to_string(),
        Scalar::Bytes(b) => bytes_repr(b),
        Scalar::Date(d) => d.format("%Y-%m-%d").to_string(),
        Scalar::Time(t) => {
            let micros = t.nanosecond() / 1000;
            let base = t.format("%H:%M:%S").to_string();
            if micros == 0 { base } else { format!("{base}.{micros:06}") }
        }
        Scalar::Timestamp(t) => timestamp_text(t, ' '),
        Scalar::TimestampTz(t, offset) => {
            format!("{}{}", timestamp_text(t, ' '), offset_text(*offset))
        }
        Scalar::Interval(us) => timedelta_text(*us),
        Scalar::Json(v) => json_repr(v),
    }
}

/// `repr()` of a value.
pub fn repr_of(value: &Scalar) -> String {
    match value {
        Scalar::Text(s) => str_repr(s),
        other => str_of(other),
    }
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff]`.
pub fn timestamp_text(t: &NaiveDateTime, separator: char) -> String {
    let micros = t.nanosecond() % 1_000_000_000 / 1000;
    let mut s = format!("{}{separator}{}", t.date().format("%Y-%m-%d"), t.format("%H:%M:%S"));
    if micros != 0 {
        let _ = write!(s, ".{micros:06}");
    }
    s
}

/// `+02:00`.
pub fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let abs = seconds.unsigned_abs();
    let mut s = format!("{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60);
    if !abs.is_multiple_of(60) {
        let _ = write!(s, ":{:02}", abs % 60);
    }
    s
}

/// pandas' `str(Timedelta)`.
pub fn timedelta_text(us: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let days = us.div_euclid(DAY);
    let rest = us.rem_euclid(DAY);
    let secs = rest / 1_000_000;
    let sign = if days < 0 { "+" } else { "" };
    let mut s = format!("{days} days {sign}{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60);
    if rest % 1_000_000 != 0 {
        let _ = write!(s, ".{:06}", rest % 1_000_000);
    }
    s
}

/// `superset.utils.json.format_timedelta`: a negative duration is the minus sign and its absolute value.
pub fn timedelta_json(us: i64) -> String {
    if us < 0 { format!("-{}", timedelta_text(us.saturating_neg())) } else { timedelta_text(us) }
}

/// `repr(bytes)`.
pub fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut out = String::from("b");
    out.push(quote);
    for &b in bytes {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if b as char == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..=0x7e => out.push(b as char),
            b => {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_pandas_prints_them() {
        assert_eq!(timedelta_text(86_405_000_000), "1 days 00:00:05");
        assert_eq!(timedelta_text(-82_738_999_995), "-1 days +01:01:01.000005");
        assert_eq!(timedelta_json(-82_738_999_995), "-0 days 22:58:58.999995");
    }
}
