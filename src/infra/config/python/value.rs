//! Python values that a configuration file can hold.

use serde_json::Value as Json;

/// A value while the file is being read.
#[derive(Debug, Clone, PartialEq)]
pub enum Py {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `str`
    Str(String),
    /// `bytes`
    Bytes(Vec<u8>),
    /// `list`
    List(Vec<Py>),
    /// `tuple`
    Tuple(Vec<Py>),
    /// `set`, `frozenset`
    Set(Vec<Py>),
    /// `dict`, in insertion order
    Dict(Vec<(Py, Py)>),
    /// `timedelta`, in seconds
    Timedelta(f64),
    /// `crontab(...)`: minute, hour, day of week, day of month, month of year
    Crontab([String; 5]),
    /// A function or module that the reader knows, by its dotted name
    Known(String),
    /// Something that would have to be executed; why it could not be read
    Unknown(String),
}

impl Py {
    /// Python's truth.
    pub fn truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) | Self::Timedelta(f) => *f != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::Bytes(b) => !b.is_empty(),
            Self::List(v) | Self::Tuple(v) | Self::Set(v) => !v.is_empty(),
            Self::Dict(d) => !d.is_empty(),
            Self::Crontab(_) | Self::Known(_) | Self::Unknown(_) => true,
        }
    }

    /// A number, with booleans as 0 and 1.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            Self::Int(i) => Some(*i as f64),
            Self::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// The elements of an iterable; keys of a dict, characters of a text.
    pub fn iter(&self) -> Option<Vec<Py>> {
        match self {
            Self::List(v) | Self::Tuple(v) | Self::Set(v) => Some(v.clone()),
            Self::Dict(d) => Some(d.iter().map(|(k, _)| k.clone()).collect()),
            Self::Str(s) => Some(s.chars().map(|c| Self::Str(c.to_string())).collect()),
            _ => None,
        }
    }

    /// `str(value)`.
    pub fn text(&self) -> String {
        match self {
            Self::Str(s) => s.clone(),
            other => other.repr(),
        }
    }

    /// `repr(value)`.
    pub fn repr(&self) -> String {
        let all = |v: &[Self]| v.iter().map(Self::repr).collect::<Vec<_>>().join(", ");
        match self {
            Self::None => "None".into(),
            Self::Bool(b) => if *b { "True" } else { "False" }.into(),
            Self::Int(i) => i.to_string(),
            Self::Float(f) | Self::Timedelta(f) if f.fract() == 0.0 && f.abs() < 1e16 => format!("{f:.1}"),
            Self::Float(f) | Self::Timedelta(f) => f.to_string(),
            Self::Str(s) => format!("'{}'", s.replace('\\', "\\\\").replace('\'', "\\'")),
            Self::Bytes(b) => format!("b'{}'", String::from_utf8_lossy(b)),
            Self::List(v) => format!("[{}]", all(v)),
            Self::Tuple(v) if v.len() == 1 => format!("({},)", all(v)),
            Self::Tuple(v) => format!("({})", all(v)),
            Self::Set(v) => format!("{{{}}}", all(v)),
            Self::Dict(d) => {
                let items: Vec<_> = d.iter().map(|(k, v)| format!("{}: {}", k.repr(), v.repr())).collect();
                format!("{{{}}}", items.join(", "))
            }
            Self::Crontab(c) => format!("crontab({})", c.join(" ")),
            Self::Known(name) | Self::Unknown(name) => name.clone(),
        }
    }

    /// The first part of the value that could not be read.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(why) => Some(why),
            Self::Known(name) => Some(name),
            Self::List(v) | Self::Tuple(v) | Self::Set(v) => v.iter().find_map(Self::unknown),
            Self::Dict(d) => d.iter().find_map(|(k, v)| k.unknown().or_else(|| v.unknown())),
            _ => None,
        }
    }

    /// The form in which [`super::super::Config`] keeps it; what could not be read becomes null.
    pub fn to_json(&self) -> Json {
        match self {
            Self::None | Self::Known(_) | Self::Unknown(_) => Json::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::Float(f) => (*f).into(),
            Self::Timedelta(f) if f.fract() == 0.0 => (*f as i64).into(),
            Self::Timedelta(f) => (*f).into(),
            Self::Str(s) => s.clone().into(),
            Self::Bytes(b) => String::from_utf8_lossy(b).into_owned().into(),
            Self::List(v) | Self::Tuple(v) | Self::Set(v) => v.iter().map(Self::to_json).collect(),
            Self::Dict(d) => Json::Object(d.iter().map(|(k, v)| (k.text(), v.to_json())).collect()),
            Self::Crontab(c) => c.join(" ").into(),
        }
    }

    /// A value from its JSON form, for names that come from the defaults.
    pub fn from_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::None,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => {
                n.as_i64().map_or_else(|| Self::Float(n.as_f64().unwrap_or_default()), Self::Int)
            }
            Json::String(s) => Self::Str(s.clone()),
            Json::Array(v) => Self::List(v.iter().map(Self::from_json).collect()),
            Json::Object(m) => {
                Self::Dict(m.iter().map(|(k, v)| (Self::Str(k.clone()), Self::from_json(v))).collect())
            }
        }
    }

    /// Sets a key of a dict or an index of a list; false when it is neither.
    pub fn set_item(&mut self, key: Py, value: Py) -> bool {
        match (self, &key) {
            (Self::Dict(d), _) => {
                match d.iter_mut().find(|(k, _)| *k == key) {
                    Some(entry) => entry.1 = value,
                    None => d.push((key, value)),
                }
                true
            }
            (Self::List(v), Self::Int(i)) => match position(*i, v.len()) {
                Some(at) => {
                    v[at] = value;
                    true
                }
                None => false,
            },
            _ => false,
        }
    }

    /// `self[key]`.
    pub fn item(&self, key: &Py) -> Option<Py> {
        match (self, key) {
            (Self::Dict(d), _) => d.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()),
            (Self::List(v) | Self::Tuple(v), Self::Int(i)) => position(*i, v.len()).map(|at| v[at].clone()),
            (Self::Str(s), Self::Int(i)) => {
                let chars: Vec<char> = s.chars().collect();
                position(*i, chars.len()).map(|at| Self::Str(chars[at].to_string()))
            }
            _ => None,
        }
    }
}

fn position(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let at = if index < 0 { index + len } else { index };
    (0..len).contains(&at).then_some(at as usize)
}
