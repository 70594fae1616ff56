//! A document as `superset.utils.json.dumps` writes it.

use std::fmt::Write as _;

use super::value::{Key, Yaml};
use crate::python;

/// Something for which Python's encoder has no text: a key that is a date or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("keys must be str, int, float, bool or None")]
pub struct NotJson;

/// `json.dumps(value)`: insertion order, `", "` and `": "`, ASCII only; dates as ISO texts, NaN as null.
pub fn json_dumps(value: &Yaml) -> Result<String, NotJson> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut String, value: &Yaml) -> Result<(), NotJson> {
    match value {
        Yaml::Null => out.push_str("null"),
        Yaml::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Yaml::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Yaml::Big(digits) => out.push_str(digits),
        Yaml::Float(f) if f.is_finite() => out.push_str(&python::float_repr(*f)),
        Yaml::Float(_) => out.push_str("null"),
        Yaml::Text(text) => write_text(out, text),
        Yaml::Date(date) => write_text(out, &date.to_string()),
        Yaml::Time(time) => {
            write_text(out, &time.format(iso(time.and_utc().timestamp_subsec_micros())).to_string());
        }
        Yaml::Instant(time) => {
            let format = format!("{}%:z", iso(time.timestamp_subsec_micros()));
            write_text(out, &time.format(&format).to_string());
        }
        Yaml::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => write_text(out, text),
            Err(_) => write_text(out, "[bytes]"),
        },
        Yaml::Set(keys) => {
            list(out, keys, |out, key| write_text(out, &key_text(key).unwrap_or_else(|| key.repr())));
        }
        Yaml::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write(out, item)?;
            }
            out.push(']');
        }
        Yaml::Map(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_text(out, &key_text(key).ok_or(NotJson)?);
                out.push_str(": ");
                write(out, value)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn list<T>(out: &mut String, items: &[T], each: impl Fn(&mut String, &T)) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        each(out, item);
    }
    out.push(']');
}

fn iso(micros: u32) -> &'static str {
    if micros == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" }
}

fn key_text(key: &Key) -> Option<String> {
    Some(match key {
        Key::Text(text) | Key::Int(text) | Key::Float(text) => text.clone(),
        Key::Null => "null".into(),
        Key::Bool(b) => b.to_string(),
        Key::Other(_) => return None,
    })
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{super::load, *};

    #[test]
    fn foreign_types_become_what_python_makes_of_them() {
        let text =
            "{a: 2024-05-01, b: 2024-05-01 12:00:00Z, c: [.nan, 0x10], 1: x, null: y, true: \"\\u00e9\\n\"}";
        let json = json_dumps(&load(text).unwrap()).unwrap();
        let want = concat!(
            r#"{"a": "2024-05-01", "b": "2024-05-01T12:00:00+00:00", "c": [null, 16], "#,
            r#""1": "x", "null": "y", "true": "\u00e9\n"}"#
        );
        assert_eq!(json, want);
        assert!(json_dumps(&load("2024-05-01: a").unwrap()).is_err());
    }
}
