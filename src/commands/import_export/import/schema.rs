//! What files of a bundle may hold, and marshmallow's words for what they may not.

use infra::{
    json::boolean,
    python,
    yaml::{Map, Yaml},
};
use serde_json::{Map as JsonMap, Value, json};
use uuid::Uuid;

/// Errors by field; those of items of a list by position.
pub type Errors = JsonMap<String, Value>;

/// The class of a field.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `String`.
    Text,
    /// `Integer`.
    Integer,
    /// `Boolean`.
    Boolean,
    /// `DateTime`.
    DateTime,
    /// `UUID`.
    Uuid,
    /// `URL`.
    Url,
    /// `Dict`.
    Dict,
    /// `Dict` with texts as keys and integers as values.
    Integers,
    /// `Dict` with texts as keys.
    Texts,
    /// `List` of texts.
    List,
    /// `Raw`.
    Raw,
    /// `Nested`.
    Nested(&'static Schema),
    /// `List` of `Nested`.
    NestedList(&'static Schema),
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
    nullable: bool,
    length: Option<(usize, usize)>,
    check: Option<fn(&Yaml) -> Option<String>>,
}

impl Field {
    /// An optional field.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, nullable: false, length: None, check: None }
    }
    /// A field that must be there.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// Null is allowed.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
    /// With a length.
    pub const fn length(mut self, min: usize, max: usize) -> Self {
        self.length = Some((min, max));
        self
    }
    /// With a further check: what is wrong with a value.
    pub const fn check(mut self, check: fn(&Yaml) -> Option<String>) -> Self {
        self.check = Some(check);
        self
    }
}

/// Changes a mapping in place, or says why it cannot.
type Repair = fn(&mut Map) -> Result<(), String>;

/// A schema: unknown fields are errors.
#[derive(Debug)]
pub struct Schema {
    /// Its fields in order.
    pub fields: &'static [Field],
    /// Repairs what old exports have otherwise, before anything is checked. It expects a mapping: the error that
    /// Python has for something else.
    pub before: Option<Repair>,
    /// A check of the whole, once the fields are right.
    pub whole: Option<fn(&Map) -> Option<&'static str>>,
}

/// What a check ends with.
#[derive(Debug, PartialEq)]
pub enum Invalid {
    /// Fields with their messages.
    Fields(Errors),
    /// An exception of Python's, which nobody has expected.
    Exception(String),
}

/// One message about a field.
pub fn one(key: &str, message: impl Into<String>) -> Errors {
    Errors::from_iter([(key.to_owned(), json!([message.into()]))])
}

/// The name of a value's class.
pub fn class_of(value: &Yaml) -> &'static str {
    match value {
        Yaml::Null => "NoneType",
        Yaml::Bool(_) => "bool",
        Yaml::Int(_) | Yaml::Big(_) => "int",
        Yaml::Float(_) => "float",
        Yaml::Text(_) => "str",
        Yaml::Date(_) => "date",
        Yaml::Time(_) | Yaml::Instant(_) => "datetime",
        Yaml::Bytes(_) => "bytes",
        Yaml::Set(_) => "set",
        Yaml::List(_) => "list",
        Yaml::Map(_) => "dict",
    }
}

impl Schema {
    /// A schema of fields alone.
    pub const fn new(fields: &'static [Field]) -> Self {
        Self { fields, before: None, whole: None }
    }

    /// `schema.load(value)`: the value is repaired in place, but not otherwise changed.
    pub fn load(&self, value: &mut Yaml) -> Result<(), Invalid> {
        let class = class_of(value);
        let Some(map) = value.as_map_mut() else {
            return Err(match self.before {
                Some(_) => Invalid::Exception(format!("'{class}' object has no attribute 'get'")),
                None => Invalid::Fields(one("_schema", "Invalid input type.")),
            });
        };
        if let Some(before) = self.before {
            before(map).map_err(Invalid::Exception)?;
        }
        let mut errors = Errors::new();
        for field in self.fields {
            match map.get_mut(field.name) {
                None if field.required => errors.extend(one(field.name, "Missing data for required field.")),
                None => {}
                Some(value) => match field.load(value) {
                    Ok(()) => {}
                    Err(Wrong::Message(text)) => errors.extend(one(field.name, text)),
                    Err(Wrong::Inner(inner)) => {
                        errors.insert(field.name.to_owned(), Value::Object(inner));
                    }
                    Err(Wrong::Exception(text)) => return Err(Invalid::Exception(text)),
                },
            }
        }
        for key in map.keys() {
            if !key.as_str().is_some_and(|k| self.fields.iter().any(|f| f.name == k)) {
                let key = key.as_str().map_or_else(|| key.repr(), str::to_owned);
                errors.extend(one(&key, "Unknown field."));
            }
        }
        if let Some(whole) = self.whole.filter(|_| errors.is_empty())
            && let Some(message) = whole(map)
        {
            errors.extend(one("_schema", message));
        }
        if errors.is_empty() { Ok(()) } else { Err(Invalid::Fields(errors)) }
    }
}

enum Wrong {
    Message(String),
    Inner(Errors),
    Exception(String),
}

impl From<&str> for Wrong {
    fn from(text: &str) -> Self {
        Self::Message(text.to_owned())
    }
}

impl From<Invalid> for Wrong {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Fields(errors) => Self::Inner(errors),
            Invalid::Exception(text) => Self::Exception(text),
        }
    }
}

impl Field {
    fn load(&self, value: &mut Yaml) -> Result<(), Wrong> {
        if value.is_null() {
            return if self.nullable { Ok(()) } else { Err("Field may not be null.".into()) };
        }
        self.kind.load(value)?;
        if let Some((min, max)) = self.length {
            let length = value.as_str().map_or(0, |t| t.chars().count());
            if length < min || length > max {
                return Err(Wrong::Message(format!("Length must be between {min} and {max}.")));
            }
        }
        match self.check.and_then(|check| check(value)) {
            Some(message) => Err(Wrong::Message(message)),
            None => Ok(()),
        }
    }
}

impl Kind {
    fn load(self, value: &mut Yaml) -> Result<(), Wrong> {
        let fine = match self {
            Self::Text => matches!(value, Yaml::Text(_) | Yaml::Bytes(_)),
            Self::Integer => is_integer(value),
            Self::Boolean => is_boolean(value),
            Self::DateTime => value.as_str().is_some_and(is_moment),
            Self::Uuid => is_uuid(value),
            Self::Url => value.as_str().is_some_and(is_url),
            Self::Dict => value.as_map().is_some(),
            Self::Raw => true,
            Self::Texts | Self::Integers => {
                let Some(map) = value.as_map() else { return Err(self.message().into()) };
                let mut errors = Errors::new();
                for (key, value) in map {
                    let mut inner = Errors::new();
                    if key.as_str().is_none() {
                        inner.insert("key".into(), json!(["Not a valid string."]));
                    }
                    if matches!(self, Self::Integers) && !is_integer(value) {
                        inner.insert("value".into(), json!(["Not a valid integer."]));
                    }
                    if !inner.is_empty() {
                        let key = key.as_str().map_or_else(|| key.repr(), str::to_owned);
                        errors.insert(key, Value::Object(inner));
                    }
                }
                return if errors.is_empty() { Ok(()) } else { Err(Wrong::Inner(errors)) };
            }
            Self::Nested(schema) => return Ok(schema.load(value)?),
            Self::List => return items(value, |item| Field::new("", Self::Text).load(item)),
            Self::NestedList(schema) => {
                return items(value, |item| match item {
                    Yaml::Null => Err("Field may not be null.".into()),
                    item => Ok(schema.load(item)?),
                });
            }
        };
        if fine { Ok(()) } else { Err(self.message().into()) }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Text => "Not a valid string.",
            Self::Integer => "Not a valid integer.",
            Self::Boolean => "Not a valid boolean.",
            Self::DateTime => "Not a valid datetime.",
            Self::Uuid => "Not a valid UUID.",
            Self::Url => "Not a valid URL.",
            Self::Dict | Self::Integers | Self::Texts => "Not a valid mapping type.",
            Self::List | Self::NestedList(_) => "Not a valid list.",
            Self::Raw | Self::Nested(_) => "Invalid value.",
        }
    }
}

/// The items of a list; errors by position.
fn items(value: &mut Yaml, load: impl Fn(&mut Yaml) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let Some(items) = value.as_list_mut() else { return Err("Not a valid list.".into()) };
    let mut errors = Errors::new();
    for (i, item) in items.iter_mut().enumerate() {
        match load(item) {
            Ok(()) => {}
            Err(Wrong::Message(text)) => errors.extend(one(&i.to_string(), text)),
            Err(Wrong::Inner(inner)) => {
                errors.insert(i.to_string(), Value::Object(inner));
            }
            Err(exception) => return Err(exception),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Wrong::Inner(errors)) }
}

fn is_integer(value: &Yaml) -> bool {
    match value {
        Yaml::Int(_) | Yaml::Big(_) => true,
        Yaml::Float(f) => f.is_finite(),
        Yaml::Text(text) => text.trim().replace('_', "").parse::<i64>().is_ok(),
        _ => false,
    }
}

fn is_boolean(value: &Yaml) -> bool {
    match value {
        Yaml::Bool(_) => true,
        Yaml::Int(i) => matches!(i, 0 | 1),
        #[expect(clippy::float_cmp, reason = "exactly these")]
        Yaml::Float(f) => *f == 0.0 || *f == 1.0,
        Yaml::Text(text) => boolean(&Value::from(text.as_str())).is_some(),
        _ => false,
    }
}

/// What `uuid.UUID()` takes.
fn is_uuid(value: &Yaml) -> bool {
    match value {
        Yaml::Text(text) => uuid(text).is_some(),
        Yaml::Bytes(bytes) => bytes.len() == 16,
        _ => false,
    }
}

/// A UUID in any of its spellings.
pub fn uuid(text: &str) -> Option<Uuid> {
    let plain = text.replace("urn:", "").replace("uuid:", "");
    let digits: String = plain.trim_matches(['{', '}']).chars().filter(|c| *c != '-').collect();
    (digits.len() == 32).then(|| Uuid::try_parse(&digits).ok()).flatten()
}

fn is_moment(text: &str) -> bool {
    use chrono::{DateTime, NaiveDateTime};
    DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)).is_ok()
        || ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .any(|format| NaiveDateTime::parse_from_str(text, format).is_ok())
}

/// marshmallow's `URL`: a scheme, a host with a point or `localhost`, and no spaces.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https" | "ftp" | "ftps" | "file") {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    let named = host.split('.').all(|label| !label.is_empty()) && host.contains('.');
    !text.contains(char::is_whitespace) && (scheme == "file" || host == "localhost" || named)
}

/// Errors as Python prints a dict: positions in lists are numbers there.
pub fn errors_repr(errors: &Value) -> String {
    match errors {
        Value::Object(map) => {
            let key = |k: &str| match !k.is_empty() && k.bytes().all(|b| b.is_ascii_digit()) {
                true => k.to_owned(),
                false => python::str_repr(k),
            };
            let items: Vec<String> =
                map.iter().map(|(k, v)| format!("{}: {}", key(k), errors_repr(v))).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(errors_repr).collect::<Vec<_>>().join(", ")),
        // the one message that is translated late, which Python shows
        Value::String(text) if text.starts_with(LAZY) => format!("l{}", python::str_repr(text)),
        other => python::json_repr(other),
    }
}

/// How messages about `encrypted_extra` begin.
pub const LAZY: &str = "Field cannot be decoded by JSON. ";

#[cfg(test)]
mod tests {
    use infra::yaml::load;

    use super::*;

    static INNER: Schema = Schema::new(&[Field::new("n", Kind::Text).required()]);
    static OUTER: Schema = Schema::new(&[
        Field::new("a", Kind::Text).required().length(0, 3),
        Field::new("i", Kind::Integer).nullable(),
        Field::new("b", Kind::Boolean),
        Field::new("u", Kind::Uuid),
        Field::new("l", Kind::NestedList(&INNER)),
        Field::new("t", Kind::List),
        Field::new("d", Kind::Integers),
        Field::new("w", Kind::Url),
    ]);

    fn errors(text: &str) -> Value {
        match OUTER.load(&mut load(text).unwrap()) {
            Ok(()) => Value::Null,
            Err(Invalid::Fields(errors)) => Value::Object(errors),
            Err(Invalid::Exception(text)) => json!(text),
        }
    }

    #[test]
    fn messages_are_marshmallows() {
        assert_eq!(
            errors("{a: x, i: null, b: yes, u: 00000071-0000-4000-8000-000000000000, w: 'https://a.b/c'}"),
            Value::Null
        );
        assert_eq!(errors("[]"), json!({"_schema": ["Invalid input type."]}));
        assert_eq!(
            errors(
                "{a: 2024-05-01, i: x, b: 2, u: x, l: [{n: 1}, {n: a}, null, z], t: [a, 1], d: {x: y}, w: x, z: 1}"
            ),
            json!({
                "a": ["Not a valid string."], "i": ["Not a valid integer."], "b": ["Not a valid boolean."],
                "u": ["Not a valid UUID."],
                "l": {"0": {"n": ["Not a valid string."]}, "2": ["Field may not be null."],
                      "3": {"_schema": ["Invalid input type."]}},
                "t": {"1": ["Not a valid string."]}, "d": {"x": {"value": ["Not a valid integer."]}},
                "w": ["Not a valid URL."], "z": ["Unknown field."],
            })
        );
        assert_eq!(errors("{a: abcd}"), json!({"a": ["Length must be between 0 and 3."]}));
        assert_eq!(errors_repr(&json!({"l": {"0": ["it's"]}})), r#"{'l': {0: ["it's"]}}"#);
    }
}
