//! A YAML document in memory.

use std::hash::{Hash, Hasher};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use indexmap::{Equivalent, IndexMap};

use crate::python;

/// A mapping in the order of its document.
pub type Map = IndexMap<Key, Yaml>;

/// What `safe_load` can make of a node, and what `safe_dump` can write.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Yaml {
    /// `null`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer beyond 64 bits: its decimal digits.
    Big(String),
    /// A float.
    Float(f64),
    /// A text.
    Text(String),
    /// `2024-05-01`.
    Date(NaiveDate),
    /// `2024-05-01 12:00:00`.
    Time(NaiveDateTime),
    /// `2024-05-01 12:00:00+00:00`.
    Instant(DateTime<FixedOffset>),
    /// `!!binary`.
    Bytes(Vec<u8>),
    /// `!!set`.
    Set(Vec<Key>),
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping.
    Map(Map),
}

/// A key of a mapping: nearly always a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A text.
    Text(String),
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer: its decimal digits.
    Int(String),
    /// A float: as Python prints it.
    Float(String),
    /// A date, a time or bytes: as Python prints it.
    Other(String),
}

// a text hashes as itself, so that it can be looked up without being owned
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Text(text) => text.as_str().hash(state),
            Self::Null => 0_u8.hash(state),
            Self::Bool(b) => b.hash(state),
            Self::Int(text) | Self::Float(text) | Self::Other(text) => text.hash(state),
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(key, Key::Text(text) if text == self)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Key {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
    /// `repr()` of the key in Python.
    pub fn repr(&self) -> String {
        match self {
            Self::Text(text) => python::str_repr(text),
            Self::Null => "None".into(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(text) | Self::Float(text) | Self::Other(text) => text.clone(),
        }
    }
}

impl From<bool> for Yaml {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Yaml {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<&str> for Yaml {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Yaml {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl<T: Into<Yaml>> From<Option<T>> for Yaml {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
impl From<Map> for Yaml {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}
impl From<Vec<Yaml>> for Yaml {
    fn from(value: Vec<Yaml>) -> Self {
        Self::List(value)
    }
}
impl From<&serde_json::Value> for Yaml {
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Self::Int(i),
                (None, Some(f)) if n.is_f64() => Self::Float(f),
                _ => Self::Big(n.to_string()),
            },
            Value::String(s) => Self::Text(s.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(map) => {
                Self::Map(map.iter().map(|(k, v)| (Key::Text(k.clone()), Self::from(v))).collect())
            }
        }
    }
}

impl Yaml {
    /// An empty mapping.
    pub fn map() -> Self {
        Self::Map(Map::new())
    }
    /// The value under a text of a mapping.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.as_map()?.get(key)
    }
    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Yaml> {
        self.as_map_mut()?.get_mut(key)
    }
    /// The mapping.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }
    /// The mapping, to be changed.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }
    /// The items of a sequence.
    pub fn as_list(&self) -> Option<&[Yaml]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
    /// The items of a sequence, to be changed.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Yaml>> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
    /// The text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
    /// The integer; Python's booleans are some.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            Self::Bool(b) => Some(i64::from(*b)),
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9.0e15 => format!("{f:.0}").parse().ok(),
            _ => None,
        }
    }
    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }
    /// True of `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }
    /// Python's truth.
    pub fn truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Text(t) => !t.is_empty(),
            Self::Bytes(b) => !b.is_empty(),
            Self::Set(s) => !s.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.is_empty(),
            Self::Big(_) | Self::Date(_) | Self::Time(_) | Self::Instant(_) => true,
        }
    }
    /// The key that the value is in a mapping; none for what Python cannot hash.
    pub fn into_key(self) -> Option<Key> {
        Some(match self {
            Self::Text(text) => Key::Text(text),
            Self::Null => Key::Null,
            Self::Bool(b) => Key::Bool(b),
            Self::Int(i) => Key::Int(i.to_string()),
            Self::Big(digits) => Key::Int(digits),
            Self::Float(f) => Key::Float(python::float_repr(f)),
            Self::Date(d) => Key::Other(d.to_string()),
            Self::Time(t) => Key::Other(t.to_string()),
            Self::Instant(t) => Key::Other(t.to_string()),
            Self::Bytes(b) => Key::Other(format!("b{:?}", String::from_utf8_lossy(&b))),
            Self::Set(_) | Self::List(_) | Self::Map(_) => return None,
        })
    }
}
