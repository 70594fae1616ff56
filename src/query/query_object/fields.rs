//! Loading of JSON by a declared schema with marshmallow's messages, so that a refused request reads as the original's.

use infra::json::boolean;
pub(crate) use infra::json::truthy;
use serde_json::{Map, Number, Value};

use crate::python::repr_str;

/// What a field accepts.
pub(super) enum Kind {
    Raw,
    Str,
    Int,
    Float,
    Bool,
    /// Any object.
    Dict,
    /// An object of text to text.
    StrDict,
    /// The `overrides` of an annotation layer: an object with known keys.
    DictOf(&'static [&'static str]),
    List(&'static Field),
    Nested(&'static Schema),
    /// `[column, ascending]`.
    OrderBy,
    /// One of these texts.
    Enum(&'static [&'static str]),
}

/// What a loaded value must fulfil besides its kind.
pub(super) enum Check {
    None,
    OneOf(&'static [&'static str]),
    OneOfAnyCase(&'static [&'static str]),
    Grain,
    /// At least zero, with this message otherwise.
    AtLeastZero(&'static str),
}

/// One member of a schema.
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub allow_none: bool,
    pub check: Check,
}

impl Field {
    /// An optional member.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, allow_none: false, check: Check::None }
    }
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    pub const fn nullable(mut self) -> Self {
        self.allow_none = true;
        self
    }
    pub const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }
}

/// The members of an object.
pub(super) struct Schema {
    pub fields: &'static [Field],
    /// Refuse members that are not declared (`unknown = RAISE`), else drop them.
    pub refuse_unknown: bool,
}

/// Messages, nested as the data is.
#[derive(Debug, PartialEq)]
pub(super) enum Messages {
    List(Vec<String>),
    Dict(Vec<(Key, Messages)>),
}

/// A member name or an index.
#[derive(Debug, PartialEq)]
pub(super) enum Key {
    Name(String),
    Index(usize),
}

impl Messages {
    fn one(text: impl Into<String>) -> Self {
        Self::List(vec![text.into()])
    }

    /// As Python prints the dictionary of messages.
    pub fn repr(&self) -> String {
        match self {
            Self::List(items) => {
                format!("[{}]", items.iter().map(|text| repr_str(text)).collect::<Vec<_>>().join(", "))
            }
            Self::Dict(items) => {
                let items = items.iter().map(|(key, messages)| match key {
                    Key::Name(name) => format!("{}: {}", repr_str(name), messages.repr()),
                    Key::Index(index) => format!("{index}: {}", messages.repr()),
                });
                format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Schema {
    /// Loads an object: converted values, or all messages at once.
    pub fn load(&self, value: &Value) -> Result<Map<String, Value>, Messages> {
        let Value::Object(map) = value else {
            return Err(Messages::Dict(vec![(
                Key::Name("_schema".into()),
                Messages::one("Invalid input type."),
            )]));
        };
        let mut loaded = Map::new();
        let mut errors = Vec::new();
        for field in self.fields {
            match map.get(field.name) {
                None if field.required => {
                    errors.push((
                        Key::Name(field.name.into()),
                        Messages::one("Missing data for required field."),
                    ));
                }
                None => {}
                Some(value) => match field.load(value) {
                    Ok(value) => {
                        loaded.insert(field.name.into(), value);
                    }
                    Err(messages) => errors.push((Key::Name(field.name.into()), messages)),
                },
            }
        }
        if self.refuse_unknown {
            let unknown = map.keys().filter(|key| self.fields.iter().all(|field| field.name != key.as_str()));
            errors.extend(unknown.map(|key| (Key::Name(key.clone()), Messages::one("Unknown field."))));
        }
        if errors.is_empty() { Ok(loaded) } else { Err(Messages::Dict(errors)) }
    }
}

impl Field {
    fn load(&self, value: &Value) -> Result<Value, Messages> {
        if value.is_null() {
            return if self.allow_none {
                Ok(Value::Null)
            } else {
                Err(Messages::one("Field may not be null."))
            };
        }
        let loaded = self.kind.load(value)?;
        self.check.apply(&loaded)?;
        Ok(loaded)
    }
}

impl Kind {
    fn load(&self, value: &Value) -> Result<Value, Messages> {
        let invalid = |what: &str| Err(Messages::one(format!("Not a valid {what}.")));
        match self {
            Self::Raw => Ok(value.clone()),
            Self::Str if value.is_string() => Ok(value.clone()),
            Self::Str => invalid("string"),
            Self::Int => integer(value).map_or_else(|| invalid("integer"), |n| Ok(Value::from(n))),
            Self::Float => float(value),
            Self::Bool => boolean(value).map_or_else(|| invalid("boolean"), |b| Ok(Value::Bool(b))),
            Self::Dict if value.is_object() => Ok(value.clone()),
            Self::StrDict => string_dict(value),
            Self::DictOf(keys) => known_dict(value, keys),
            Self::Dict => invalid("mapping type"),
            Self::List(inner) => list(value, inner),
            Self::Nested(schema) => schema.load(value).map(Value::Object),
            Self::OrderBy => order_by(value),
            Self::Enum(names) => match value {
                Value::String(name) if names.contains(&name.as_str()) => Ok(value.clone()),
                _ => Err(Messages::one(format!("Must be one of: {}.", names.join(", ")))),
            },
        }
    }
}

fn list(value: &Value, inner: &Field) -> Result<Value, Messages> {
    let Value::Array(items) = value else { return Err(Messages::one("Not a valid list.")) };
    let mut loaded = Vec::with_capacity(items.len());
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match inner.load(item) {
            Ok(item) => loaded.push(item),
            Err(messages) => errors.push((Key::Index(index), messages)),
        }
    }
    if errors.is_empty() { Ok(Value::Array(loaded)) } else { Err(Messages::Dict(errors)) }
}

fn order_by(value: &Value) -> Result<Value, Messages> {
    let Value::Array(items) = value else { return Err(Messages::one("Not a valid tuple.")) };
    let [column, ascending] = items.as_slice() else { return Err(Messages::one("Length must be 2.")) };
    let mut errors = Vec::new();
    if column.is_null() {
        errors.push((Key::Index(0), Messages::one("Field may not be null.")));
    } else if matches!(column, Value::String(_) | Value::Array(_) | Value::Object(_)) && !truthy(column) {
        errors.push((Key::Index(0), Messages::one("orderby column must be populated")));
    }
    let ascending = match ascending {
        Value::Null => Err("Field may not be null."),
        other => boolean(other).ok_or("Not a valid boolean."),
    };
    match ascending {
        Ok(ascending) if errors.is_empty() => Ok(Value::Array(vec![column.clone(), Value::Bool(ascending)])),
        Ok(_) => Err(Messages::Dict(errors)),
        Err(text) => {
            errors.push((Key::Index(1), Messages::one(text)));
            Err(Messages::Dict(errors))
        }
    }
}

fn string_dict(value: &Value) -> Result<Value, Messages> {
    let Value::Object(map) = value else { return Err(Messages::one("Not a valid mapping type.")) };
    let wrong = map.iter().filter_map(|(key, value)| {
        let text = match value {
            Value::String(_) => return None,
            Value::Null => "Field may not be null.",
            _ => "Not a valid string.",
        };
        let inner = Messages::Dict(vec![(Key::Name("value".into()), Messages::one(text))]);
        Some((Key::Name(key.clone()), inner))
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() { Ok(value.clone()) } else { Err(Messages::Dict(wrong)) }
}

fn known_dict(value: &Value, keys: &[&str]) -> Result<Value, Messages> {
    let Value::Object(map) = value else { return Err(Messages::one("Not a valid mapping type.")) };
    let wrong = map.keys().filter(|key| !keys.contains(&key.as_str())).map(|key| {
        let text = Messages::one(format!("Must be one of: {}.", keys.join(", ")));
        (Key::Name(key.clone()), Messages::Dict(vec![(Key::Name("key".into()), text)]))
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() { Ok(value.clone()) } else { Err(Messages::Dict(wrong)) }
}

/// Python's `int(value)`.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64().or_else(|| {
            let f = n.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            (f.abs() < 9.2e18).then_some(f as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Result<Value, Messages> {
    let number = match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| Messages::one("Not a valid number."))?;
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| Messages::one("Special numeric values (nan or infinity) are not permitted."))
}

impl Check {
    fn apply(&self, value: &Value) -> Result<(), Messages> {
        let one_of = |choices: &[&str]| Messages::one(format!("Must be one of: {}.", choices.join(", ")));
        let text = value.as_str().unwrap_or_default();
        match self {
            Self::None => Ok(()),
            Self::OneOf(choices) if choices.contains(&text) => Ok(()),
            Self::OneOf(choices) => Err(one_of(choices)),
            Self::OneOfAnyCase(choices) => {
                let folded = text.to_lowercase();
                let known = choices.iter().any(|choice| choice.to_lowercase() == folded);
                if known { Ok(()) } else { Err(one_of(choices)) }
            }
            Self::Grain => {
                let grains = infra::engine_specs::grains::durations();
                if grains.contains(&text) { Ok(()) } else { Err(one_of(&grains)) }
            }
            Self::AtLeastZero(message) => {
                let negative = value.as_f64().is_some_and(|number| number < 0.0);
                if negative { Err(Messages::one(*message)) } else { Ok(()) }
            }
        }
    }
}
