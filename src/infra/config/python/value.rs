//! Python values: immutable ones are shared, those that can change have a lock of their own that is held for one
//! operation only, so that functions of a configuration can be called from several requests at once.

use std::{
    hash::{Hash, Hasher},
    path::Path,
    sync::Arc,
};

use chrono::{NaiveDate, NaiveDateTime};
use indexmap::{IndexMap, IndexSet};
use parking_lot::Mutex;
use regex::Regex;

use super::{frame::Frame, function::Function};

/// Names and values in the order in which they were made.
pub(super) type Names = IndexMap<String, Value>;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    List(Arc<Mutex<Vec<Value>>>),
    Tuple(Arc<[Value]>),
    /// `set`, `frozenset`.
    Set(Arc<Mutex<IndexSet<Key>>>),
    Dict(Arc<Dict>),
    /// First, end, step.
    Range(i128, i128, i128),
    /// What is left of an iterator or a generator, the next one last.
    Iter(Arc<Mutex<Vec<Value>>>),
    /// Microseconds.
    Timedelta(i64),
    /// With its offset from UTC in seconds, if it has one.
    Datetime(NaiveDateTime, Option<i32>),
    Date(NaiveDate),
    /// Celery's: minute, hour, day of week, day of month, month of year.
    Crontab(Arc<[String; 5]>),
    /// `pathlib.Path`.
    Path(Arc<Path>),
    /// A file that was read: what is left of it.
    File(Arc<Mutex<Vec<u8>>>, Arc<Path>, bool),
    Regex(Arc<Regex>),
    /// Groups of a match with their places, by number and by name.
    Match(Arc<Found>),
    Function(Arc<Function>),
    /// A method of a built-in type, or a function with its object.
    Bound(Arc<(Value, Method)>),
    /// `functools.partial`.
    Partial(Arc<(Value, Arguments)>),
    /// `staticmethod`, `classmethod`, `property`.
    Wrapped(Wrapper, Arc<Value>),
    Class(Arc<Class>),
    Object(Arc<Object>),
    /// `super()`: where the search begins, and the object.
    Super(Arc<(Vec<Value>, Value)>),
    /// An exception of Python's own.
    Error(Arc<ErrorValue>),
    /// A module that was read from a file, or `globals()`.
    Module(Arc<Frame>),
    /// `os.environ`.
    Environ,
    /// An object of Superset or SQLAlchemy, as far as it is data.
    Record(Arc<Record>),
    /// A function, class or module of a library, by its dotted name.
    Known(Arc<str>),
    /// Something that liteset cannot have; why.
    Unknown(Arc<str>),
}

/// What a bound method is.
#[derive(Debug, Clone)]
pub(super) enum Method {
    Named(Arc<str>),
    Function(Value),
}

/// Decorators of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    Static,
    Class,
    Property,
}

/// Arguments of a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments {
    pub positional: Vec<Value>,
    pub named: Vec<(String, Value)>,
}

impl Arguments {
    pub fn of(positional: Vec<Value>) -> Self {
        Self { positional, named: Vec::new() }
    }
    /// An argument by its place or its name.
    pub fn get(&self, at: usize, name: &str) -> Option<&Value> {
        self.positional.get(at).or_else(|| self.named(name))
    }
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
    pub fn text(&self, at: usize, name: &str) -> Option<Arc<str>> {
        match self.get(at, name) {
            Some(Value::Str(text)) => Some(text.clone()),
            _ => None,
        }
    }
    pub fn unknown(&self) -> Option<Arc<str>> {
        let all = self.positional.iter().chain(self.named.iter().map(|(_, v)| v));
        all.clone().find_map(|v| match v {
            Value::Unknown(why) => Some(why.clone()),
            _ => None,
        })
    }
}

/// A dictionary; `collections.defaultdict` and `Counter` make missing items.
#[derive(Debug, Default)]
pub(super) struct Dict {
    pub items: Mutex<IndexMap<Key, Value>>,
    pub missing: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Class {
    pub name: String,
    pub bases: Vec<Value>,
    pub attributes: Mutex<Names>,
    /// Annotated names of a data class.
    pub fields: Option<Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Object {
    pub class: Arc<Class>,
    pub attributes: Mutex<Names>,
}

/// An exception: its message can hold anything; what is shown of it holds no value of the file.
#[derive(Debug)]
pub(super) struct ErrorValue {
    pub kind: Arc<str>,
    pub arguments: Vec<Value>,
    pub shown: Option<String>,
}

#[derive(Debug)]
pub(super) struct Record {
    /// What it is, for messages: `database`, `url`.
    pub kind: &'static str,
    pub attributes: Mutex<Names>,
}

#[derive(Debug)]
pub(super) struct Found {
    pub groups: Vec<Option<(String, usize, usize)>>,
    pub names: Vec<(String, usize)>,
}

/// A value that can be found by its hash.
#[derive(Debug, Clone)]
pub(super) struct Key(pub Value);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&other.0)
    }
}
impl Eq for Key {}
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::Bool(b) => i128::from(*b).hash(state),
            Value::Int(i) => i.hash(state),
            // equal numbers have equal hashes
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e18 => (*f as i128).hash(state),
            Value::Float(f) => f.to_bits().hash(state),
            Value::Str(s) => s.hash(state),
            Value::Bytes(b) => b.hash(state),
            Value::Tuple(all) => all.iter().for_each(|v| Key(v.clone()).hash(state)),
            Value::Known(name) => name.hash(state),
            Value::Path(path) => path.hash(state),
            _ => 0_u8.hash(state),
        }
    }
}

/// Comparisons and texts go no deeper than this: a list can hold itself.
const DEPTH: usize = 40;

impl Value {
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Str(Arc::from(text.as_ref()))
    }
    pub fn known(name: impl AsRef<str>) -> Self {
        Self::Known(Arc::from(name.as_ref()))
    }
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(Mutex::new(items)))
    }
    pub fn set(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Set(Arc::new(Mutex::new(items.into_iter().map(Key).collect())))
    }
    pub fn dict(items: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let items = items.into_iter().map(|(k, v)| (Key(k), v)).collect();
        Self::Dict(Arc::new(Dict { items: Mutex::new(items), missing: None }))
    }
    pub fn iterator(mut items: Vec<Self>) -> Self {
        items.reverse();
        Self::Iter(Arc::new(Mutex::new(items)))
    }
    pub fn record(kind: &'static str, attributes: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let attributes = attributes.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        Self::Record(Arc::new(Record { kind, attributes: Mutex::new(attributes) }))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// A whole number, with booleans as 0 and 1.
    pub fn integer(&self) -> Option<i128> {
        match self {
            Self::Bool(b) => Some(i128::from(*b)),
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// A number, with booleans as 0 and 1.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Float(f) => Some(*f),
            other => other.integer().map(|i| i as f64),
        }
    }

    /// Python's truth; objects of classes decide elsewhere.
    pub fn truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Timedelta(t) => *t != 0,
            Self::Str(s) => !s.is_empty(),
            Self::Bytes(b) => !b.is_empty(),
            Self::List(v) => !v.lock().is_empty(),
            Self::Tuple(v) => !v.is_empty(),
            Self::Set(v) => !v.lock().is_empty(),
            Self::Dict(d) => !d.items.lock().is_empty(),
            Self::Range(first, end, step) => range_len(*first, *end, *step) > 0,
            _ => true,
        }
    }

    /// `len(value)`.
    pub fn len(&self) -> Option<usize> {
        Some(match self {
            Self::Str(s) => s.chars().count(),
            Self::Bytes(b) => b.len(),
            Self::List(v) => v.lock().len(),
            Self::Tuple(v) => v.len(),
            Self::Set(v) => v.lock().len(),
            Self::Dict(d) => d.items.lock().len(),
            Self::Range(first, end, step) => range_len(*first, *end, *step),
            _ => return None,
        })
    }

    /// The same thing, not only an equal one.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            (Self::Set(a), Self::Set(b)) => Arc::ptr_eq(a, b),
            (Self::Dict(a), Self::Dict(b)) => Arc::ptr_eq(a, b),
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Bool(_), _) | (_, Self::Bool(_)) => false,
            _ => self.equals(other),
        }
    }

    pub fn equals(&self, other: &Self) -> bool {
        self.equals_within(other, DEPTH)
    }

    fn equals_within(&self, other: &Self, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let all = |a: &[Self], b: &[Self]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals_within(b, depth))
        };
        match (self, other) {
            (Self::None, Self::None) | (Self::Environ, Self::Environ) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                if Arc::ptr_eq(a, b) {
                    return true;
                }
                let (a, b) = (a.lock().clone(), b.lock().clone());
                all(&a, &b)
            }
            (Self::Tuple(a), Self::Tuple(b)) => all(a, b),
            (Self::Set(a), Self::Set(b)) => {
                if Arc::ptr_eq(a, b) {
                    return true;
                }
                let (a, b) = (a.lock().clone(), b.lock().clone());
                a.len() == b.len() && a.iter().all(|v| b.contains(v))
            }
            (Self::Dict(a), Self::Dict(b)) => {
                if Arc::ptr_eq(a, b) {
                    return true;
                }
                let (a, b) = (a.items.lock().clone(), b.items.lock().clone());
                let same = |(k, v): (&Key, &Self)| b.get(k).is_some_and(|o| v.equals_within(o, depth));
                a.len() == b.len() && a.iter().all(same)
            }
            (Self::Range(a, b, c), Self::Range(d, e, f)) => (a, b, c) == (d, e, f),
            (Self::Timedelta(a), Self::Timedelta(b)) => a == b,
            (Self::Datetime(a, x), Self::Datetime(b, y)) => a == b && x == y,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Crontab(a), Self::Crontab(b)) => a == b,
            (Self::Path(a), Self::Path(b)) => a == b,
            (Self::Known(a), Self::Known(b)) => a == b,
            (Self::Function(a), Self::Function(b)) => Arc::ptr_eq(a, b),
            (Self::Class(a), Self::Class(b)) => Arc::ptr_eq(a, b),
            (Self::Module(a), Self::Module(b)) => Arc::ptr_eq(a, b),
            (Self::Error(a), Self::Error(b)) => Arc::ptr_eq(a, b),
            (Self::Record(a), Self::Record(b)) if a.kind == "role" && b.kind == "role" => {
                let name = |r: &Record| r.attributes.lock().get("name").map(Self::to_text);
                Arc::ptr_eq(a, b) || name(a) == name(b)
            }
            (Self::Record(a), Self::Record(b)) => Arc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) if Arc::ptr_eq(a, b) => true,
            // members of an enumeration of texts are equal to the texts
            (Self::Object(_), _) | (_, Self::Object(_)) => {
                let plain = |v: &Self| v.enum_value().filter(|_| v.is_plain_enum());
                let (a, b) = (plain(self), plain(other));
                if a.is_none() && b.is_none() {
                    return false;
                }
                let (a, b) = (a.unwrap_or_else(|| self.clone()), b.unwrap_or_else(|| other.clone()));
                a.equals_within(&b, depth)
            }
            (a, b) => match (a.integer(), b.integer()) {
                (Some(a), Some(b)) => a == b,
                _ => a.number().is_some_and(|a| b.number().is_some_and(|b| a == b)),
            },
        }
    }

    /// The value of a member of an enumeration.
    pub fn enum_value(&self) -> Option<Self> {
        match self {
            Self::Object(o) if o.class.is_enum() => o.attributes.lock().get("value").cloned(),
            _ => None,
        }
    }

    fn is_plain_enum(&self) -> bool {
        match self {
            Self::Object(o) => o.class.bases.iter().any(|b| {
                matches!(b, Self::Known(n) if matches!(&**n, "str" | "int" | "enum.StrEnum" | "enum.IntEnum"))
            }),
            _ => false,
        }
    }

    /// It can be a key of a dictionary or an element of a set.
    pub fn is_hashable(&self) -> bool {
        match self {
            Self::List(_) | Self::Dict(_) | Self::Set(_) => false,
            Self::Tuple(all) => all.iter().all(Self::is_hashable),
            _ => true,
        }
    }

    /// What to call the value in a message: never its text, which can be a secret.
    pub fn what(&self) -> String {
        match self {
            Self::Known(name) | Self::Unknown(name) => name.to_string(),
            Self::Function(f) => format!("function {}", f.name),
            Self::Class(c) => format!("class {}", c.name),
            Self::Object(o) => format!("an object of class {}", o.class.name),
            Self::Record(r) => r.kind.to_owned(),
            Self::Module(_) => "a module".into(),
            Self::Int(_) | Self::Float(_) => "a number".into(),
            Self::None => "None".into(),
            other => format!("a {}", other.type_name()),
        }
    }

    /// `type(value).__name__`.
    pub fn type_name(&self) -> &str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) | Self::Environ => "dict",
            Self::Range(..) => "range",
            Self::Iter(_) => "generator",
            Self::Timedelta(_) => "timedelta",
            Self::Datetime(..) => "datetime",
            Self::Date(_) => "date",
            Self::Crontab(_) => "crontab",
            Self::Path(_) => "PosixPath",
            Self::File(..) => "TextIOWrapper",
            Self::Regex(_) => "Pattern",
            Self::Match(_) => "Match",
            Self::Function(_) | Self::Partial(_) | Self::Wrapped(..) => "function",
            Self::Bound(_) => "method",
            Self::Class(_) => "type",
            Self::Object(o) => &o.class.name,
            Self::Super(_) => "super",
            Self::Error(e) => &e.kind,
            Self::Module(_) => "module",
            Self::Record(r) => r.kind,
            Self::Known(_) | Self::Unknown(_) => "object",
        }
    }

    /// It can be called.
    pub fn is_callable(&self) -> bool {
        match self {
            Self::Function(_) | Self::Bound(_) | Self::Partial(_) | Self::Class(_) => true,
            Self::Object(o) => o.class.find("__call__").is_some(),
            _ => false,
        }
    }
}

impl Class {
    /// The class and those above it, nearest first; classes of libraries as their names.
    pub fn line(self: &Arc<Self>) -> Vec<Value> {
        let mut line: Vec<Value> = vec![Value::Class(self.clone())];
        for base in &self.bases {
            let more = match base {
                Value::Class(class) => class.line(),
                other => vec![other.clone()],
            };
            for one in more {
                line.retain(|seen| !seen.equals(&one));
                line.push(one);
            }
        }
        line
    }

    /// An attribute of the class or of those above it.
    pub fn find(self: &Arc<Self>, name: &str) -> Option<Value> {
        let own = self.attributes.lock().get(name).cloned();
        own.or_else(|| {
            self.line().iter().skip(1).find_map(|above| match above {
                Value::Class(class) => class.attributes.lock().get(name).cloned(),
                _ => None,
            })
        })
    }

    /// A class of a library above it.
    pub fn foreign(self: &Arc<Self>) -> Option<Arc<str>> {
        self.line().into_iter().find_map(|above| match above {
            Value::Known(name) | Value::Unknown(name) if !is_plain_base(&name) => Some(name),
            _ => None,
        })
    }

    pub fn is_enum(&self) -> bool {
        self.bases.iter().any(|b| matches!(b, Value::Known(n) if n.starts_with("enum.")))
    }
}

/// A class of which nothing but its name is needed.
fn is_plain_base(name: &str) -> bool {
    matches!(name, "object" | "dict" | "str" | "int" | "abc.ABC" | "typing.NamedTuple" | "typing.TypedDict")
        || name.starts_with("enum.")
        || name.starts_with("typing.")
        || super::error::is_builtin(name)
}

/// How many numbers a range has.
pub(super) fn range_len(first: i128, end: i128, step: i128) -> usize {
    let distance = if step > 0 { end - first } else { first - end };
    if distance <= 0 || step == 0 {
        return 0;
    }
    usize::try_from((distance - 1) / step.abs() + 1).unwrap_or(usize::MAX)
}
