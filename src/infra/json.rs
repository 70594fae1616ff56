//! JSON text as Python writes it (`superset.utils.json`): other programs compare, hash and search such text.

use std::io::{Result, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, ser::Formatter};

/// `json.dumps(value)`: insertion order, `", "` and `": "`, ASCII only.
pub fn dumps(value: &Value) -> String {
    ascii_json(value, true)
}

/// The same with the keys of all objects in order (`sort_keys=True`): what digests are made of.
pub fn dumps_sorted(value: &Value) -> String {
    dumps(&sorted(value))
}

/// A value with the keys of all its objects in order.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// JSON with every non-ASCII character escaped; `spaced` puts a space after `,` and `:`.
pub fn ascii_json(value: &Value, spaced: bool) -> String {
    String::from_utf8(written(value, spaced)).unwrap_or_default()
}

/// The same, compact and with the keys of all objects in order.
pub fn ascii_json_sorted(value: &Value) -> Vec<u8> {
    written(&Sorted(value), false)
}

fn written(value: &impl Serialize, spaced: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 10);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Python { spaced });
    // writing a Value to a Vec cannot fail
    let _ = value.serialize(&mut serializer);
    out
}

/// A value that is written as [`sorted`] would be, without a copy of it.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                serializer.collect_map(entries.into_iter().map(|(key, value)| (key, Sorted(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}

/// `json.dumps(value, indent=…)`: each value on a line of its own.
pub fn dumps_indented(value: &Value, indent: &str) -> String {
    let mut out = String::new();
    indented(&mut out, value, indent, 1);
    out
}

fn indented(out: &mut String, value: &Value, indent: &str, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(indent));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "[" } else { "," });
                line(out, depth);
                indented(out, item, indent, depth + 1);
            }
            line(out, depth - 1);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            for (n, (key, item)) in map.iter().enumerate() {
                out.push_str(if n == 0 { "{" } else { "," });
                line(out, depth);
                out.push_str(&dumps(&Value::from(key.as_str())));
                out.push_str(": ");
                indented(out, item, indent, depth + 1);
            }
            line(out, depth - 1);
            out.push('}');
        }
        plain => out.push_str(&dumps(plain)),
    }
}

struct Python {
    spaced: bool,
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> Result<()> {
        if first { Ok(()) } else { w.write_all(if self.spaced { b", " } else { b"," }) }
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> Result<()> {
        self.begin_array_value(w, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> Result<()> {
        w.write_all(if self.spaced { b": " } else { b":" })
    }
    fn write_string_fragment<W: ?Sized + Write>(&mut self, w: &mut W, s: &str) -> Result<()> {
        if s.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return w.write_all(s.as_bytes());
        }
        let plain = |c: char| (' '..='~').contains(&c);
        for c in s.chars() {
            if plain(c) {
                w.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(w, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
    fn write_f64<W: ?Sized + Write>(&mut self, w: &mut W, value: f64) -> Result<()> {
        // Rust and Python write exponents from the same sizes on; Python's has a sign and two digits: 1e+16, 1e-05
        let text = format!("{value:?}");
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |e| ("-", e));
                write!(w, "{digits}e{sign}{exponent:0>2}")
            }
            None => w.write_all(text.as_bytes()),
        }
    }
}

/// Python's truth of a JSON value.
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
    }
}

/// The one reader of an object's id in a request: a whole number, as number or as text. Python takes `true` for 1; here
/// it is no id.
pub fn id(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64().or_else(|| {
            let whole = n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9.0e15)?;
            format!("{whole:.0}").parse().ok()
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// marshmallow's `Boolean`: its sets of truthy and falsy spellings.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => match n.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(s) => match s.as_str() {
            "t" | "T" | "true" | "True" | "TRUE" | "on" | "On" | "ON" | "y" | "Y" | "yes" | "Yes" | "YES"
            | "1" => Some(true),
            "f" | "F" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" | "n" | "N" | "no" | "No"
            | "NO" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_whole_numbers() {
        for known in [json!(7), json!("7"), json!(" 7 "), json!(7.0)] {
            assert_eq!(id(&known), Some(7), "{known}");
        }
        for nothing in
            [json!(true), json!(null), json!(7.5), json!("7.0"), json!([7]), json!(1e300), json!("")]
        {
            assert_eq!(id(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn as_python_writes_it() {
        let value = json!({"b": "é😀\u{7f}\n\"", "a": [1, 2.0, 1e16, 1e-5, 0.1, true, null], "c": {}});
        assert_eq!(
            dumps(&value),
            r#"{"b": "\u00e9\ud83d\ude00\u007f\n\"", "a": [1, 2.0, 1e+16, 1e-05, 0.1, true, null], "c": {}}"#
        );
        assert_eq!(ascii_json(&json!({"a": [1, 2]}), false), r#"{"a":[1,2]}"#);
        let nested = json!({"é": {}, "b": [{"d": 1, "c": [null, 1.5]}], "a": {"z": "y", "A": []}});
        assert_eq!(ascii_json_sorted(&nested), ascii_json(&sorted(&nested), false).into_bytes());
        assert_eq!(ascii_json_sorted(&json!({"b": 1, "a": 2})), br#"{"a":2,"b":1}"#);
    }
}
