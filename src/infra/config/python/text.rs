//! `str()` and `repr()` of values.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::value::Value;
use crate::python::{float_repr, str_repr};

/// A list can hold itself.
const DEPTH: usize = 40;

impl Value {
    /// `str(value)`.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Str(s) => s.to_string(),
            Self::Error(e) => match &e.arguments[..] {
                [] => String::new(),
                [one] if &*e.kind == "KeyError" => one.repr(),
                [one] => one.to_text(),
                more => Self::Tuple(more.into()).repr(),
            },
            Self::Path(path) => path.display().to_string(),
            Self::Timedelta(t) => timedelta_text(*t),
            Self::Datetime(t, offset) => isoformat(*t, *offset, ' '),
            Self::Date(d) => d.to_string(),
            Self::Object(o) if o.class.is_enum() => match self.enum_value() {
                Some(Self::Str(s)) if o.class.bases.len() > 1 => s.to_string(),
                _ => self.repr(),
            },
            Self::Object(o) => {
                let arguments = o.attributes.lock().get("args").cloned();
                match arguments {
                    None => self.repr(),
                    Some(Self::Tuple(all)) if all.len() == 1 => all[0].to_text(),
                    Some(Self::Tuple(all)) if all.is_empty() => String::new(),
                    Some(other) => other.repr(),
                }
            }
            Self::Record(r) if r.kind == "url" => super::records::render(r, true),
            Self::Record(r) => {
                let attributes = r.attributes.lock();
                let name = ["username", "name", "database_name"].iter().find_map(|n| attributes.get(*n));
                name.map_or_else(|| r.kind.to_owned(), Self::to_text)
            }
            other => other.repr(),
        }
    }

    /// `repr(value)`.
    pub(super) fn repr(&self) -> String {
        let mut out = String::new();
        self.write_repr(&mut out, DEPTH);
        out
    }

    fn write_repr(&self, out: &mut String, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return out.push_str("...") };
        let all = |out: &mut String, items: &[Self]| {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                item.write_repr(out, depth);
            }
        };
        match self {
            Self::None => out.push_str("None"),
            Self::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
            Self::Int(i) => {
                let _ = write!(out, "{i}");
            }
            Self::Float(f) => out.push_str(&float_repr(*f)),
            Self::Str(s) => out.push_str(&str_repr(s)),
            Self::Bytes(b) => out.push_str(&bytes_repr(b)),
            Self::List(v) => {
                let items = v.lock().clone();
                out.push('[');
                all(out, &items);
                out.push(']');
            }
            Self::Tuple(v) => {
                out.push('(');
                all(out, v);
                out.push_str(if v.len() == 1 { ",)" } else { ")" });
            }
            Self::Set(v) => {
                let items: Vec<Self> = v.lock().iter().map(|k| k.0.clone()).collect();
                if items.is_empty() {
                    return out.push_str("set()");
                }
                out.push('{');
                all(out, &items);
                out.push('}');
            }
            Self::Dict(d) => {
                let items = d.items.lock().clone();
                out.push('{');
                for (i, (key, value)) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    key.0.write_repr(out, depth);
                    out.push_str(": ");
                    value.write_repr(out, depth);
                }
                out.push('}');
            }
            Self::Range(a, b, 1) => {
                let _ = write!(out, "range({a}, {b})");
            }
            Self::Range(a, b, c) => {
                let _ = write!(out, "range({a}, {b}, {c})");
            }
            Self::Path(path) => {
                let _ = write!(out, "PosixPath({})", str_repr(&path.display().to_string()));
            }
            Self::Crontab(c) => {
                let _ = write!(out, "<crontab: {} (m/h/dM/MY/d)>", c.join(" "));
            }
            Self::Error(e) => {
                out.push_str(&e.kind);
                out.push('(');
                all(out, &e.arguments);
                out.push(')');
            }
            Self::Object(o) if o.class.is_enum() => {
                let name = o.attributes.lock().get("name").map(Self::to_text).unwrap_or_default();
                let _ = write!(out, "{}.{name}", o.class.name);
            }
            Self::Timedelta(_) | Self::Datetime(..) | Self::Date(_) => out.push_str(&self.to_text()),
            other => {
                let _ = write!(out, "<{}>", other.what());
            }
        }
    }
}

/// `repr(bytes)`.
fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = String::from("b");
    out.push(char::from(quote));
    for b in bytes {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if *b == quote => {
                out.push('\\');
                out.push(char::from(*b));
            }
            0x20..=0x7e => out.push(char::from(*b)),
            b => {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
    }
    out.push(char::from(quote));
    out
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn timedelta_text(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, micros) = (rest / SECOND, rest % SECOND);
    let mut out = String::new();
    if days != 0 {
        let _ = write!(out, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" });
    }
    let _ = write!(out, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if micros != 0 {
        let _ = write!(out, ".{micros:06}");
    }
    out
}

/// `datetime.isoformat(sep)`.
pub(super) fn isoformat(t: NaiveDateTime, offset: Option<i32>, between: char) -> String {
    let mut out = format!(
        "{:04}-{:02}-{:02}{between}{:02}:{:02}:{:02}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    );
    let micros = t.nanosecond() / 1000;
    if micros != 0 {
        let _ = write!(out, ".{micros:06}");
    }
    if let Some(offset) = offset {
        let sign = if offset < 0 { '-' } else { '+' };
        let _ = write!(out, "{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60);
    }
    out
}
