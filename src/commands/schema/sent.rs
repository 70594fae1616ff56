//! A field of a body: left out, null, or a value.

use infra::db::Value as Stored;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::FieldKind;

/// What a body says of a field. That it is left out is something else than that it is null.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Sent<T> {
    /// The body does not name it.
    #[default]
    Absent,
    /// It is to be null.
    Null,
    /// It is to be this.
    Value(T),
}

impl<T> Sent<T> {
    /// What a loaded body holds; a value of another type counts as null.
    pub fn read(loaded: Option<&Value>) -> Self
    where
        T: FieldType,
    {
        match loaded {
            None => Self::Absent,
            Some(value) => T::read(value).map_or(Self::Null, Self::Value),
        }
    }
    /// The body names it, be it as null.
    pub fn is_sent(&self) -> bool {
        !matches!(self, Self::Absent)
    }
    /// Its value, if it has one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
    /// What holds once the body is written over what is stored.
    pub fn over<'a>(&'a self, stored: Option<&'a T>) -> Option<&'a T> {
        match self {
            Self::Absent => stored,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T: Copy> Sent<T> {
    /// Its value, if it has one.
    pub fn get(&self) -> Option<T> {
        self.value().copied()
    }
}

impl<T: Clone + Into<Stored>> Sent<T> {
    /// What is written into its column; nothing where the body is silent.
    pub fn stored(&self) -> Option<Stored> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Stored::Null),
            Self::Value(value) => Some(value.clone().into()),
        }
    }
}

impl<T: Clone + Into<Value>> Sent<T> {
    /// As it was sent; nothing where the body is silent.
    pub fn json(&self) -> Option<Value> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Value::Null),
            Self::Value(value) => Some(value.clone().into()),
        }
    }
    /// What is written into a column of JSON; nothing where the body is silent.
    pub fn stored_json(&self) -> Option<Stored> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Stored::Null),
            Self::Value(value) => Some(value.clone().into().to_string().into()),
        }
    }
}

impl Sent<String> {
    /// Its text, if it has one.
    pub fn text(&self) -> Option<&str> {
        self.value().map(String::as_str)
    }
    /// Its text, if that is not empty.
    pub fn filled(&self) -> Option<&str> {
        self.text().filter(|text| !text.is_empty())
    }
}

impl<T> Sent<Vec<T>> {
    /// Its items, if it has a list.
    pub fn items(&self) -> Option<&[T]> {
        self.value().map(Vec::as_slice)
    }
}

/// The id that a null in a list of ids stands for.
pub const NULL_ID: i64 = i32::MIN as i64;

/// A type that a field may have.
pub trait FieldType: Sized {
    /// Its class of marshmallow.
    const KIND: FieldKind;
    /// The value of a loaded body, if it is of this type.
    fn read(loaded: &Value) -> Option<Self>;
}

impl FieldType for String {
    const KIND: FieldKind = FieldKind::String;
    fn read(loaded: &Value) -> Option<Self> {
        loaded.as_str().map(str::to_owned)
    }
}

impl FieldType for i64 {
    const KIND: FieldKind = FieldKind::Integer;
    fn read(loaded: &Value) -> Option<Self> {
        loaded.as_i64()
    }
}

impl FieldType for f64 {
    const KIND: FieldKind = FieldKind::Other("Float");
    fn read(loaded: &Value) -> Option<Self> {
        loaded.as_f64()
    }
}

impl FieldType for bool {
    const KIND: FieldKind = FieldKind::Boolean;
    fn read(loaded: &Value) -> Option<Self> {
        loaded.as_bool()
    }
}

impl FieldType for Uuid {
    const KIND: FieldKind = FieldKind::Uuid;
    fn read(loaded: &Value) -> Option<Self> {
        Uuid::parse_str(loaded.as_str()?).ok()
    }
}

impl FieldType for Vec<i64> {
    const KIND: FieldKind = FieldKind::List;
    fn read(loaded: &Value) -> Option<Self> {
        Some(loaded.as_array()?.iter().map(|id| id.as_i64().unwrap_or(NULL_ID)).collect())
    }
}

impl FieldType for Vec<String> {
    const KIND: FieldKind = FieldKind::Texts;
    fn read(loaded: &Value) -> Option<Self> {
        Some(loaded.as_array()?.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
    }
}

impl FieldType for Vec<Value> {
    const KIND: FieldKind = FieldKind::Values;
    fn read(loaded: &Value) -> Option<Self> {
        loaded.as_array().cloned()
    }
}

impl FieldType for Map<String, Value> {
    const KIND: FieldKind = FieldKind::Other("Dict");
    fn read(loaded: &Value) -> Option<Self> {
        loaded.as_object().cloned()
    }
}

impl FieldType for Value {
    const KIND: FieldKind = FieldKind::Other("Raw");
    fn read(loaded: &Value) -> Option<Self> {
        (!loaded.is_null()).then(|| loaded.clone())
    }
}
