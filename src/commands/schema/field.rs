//! The fields of a body that is written.

use serde_json::Value;

/// A field of POST or PUT.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// Marshmallow class.
    pub kind: FieldKind,
    /// Must be given.
    pub required: bool,
    /// Null is allowed.
    pub nullable: bool,
    /// Unique column.
    pub unique: bool,
    /// `repr()` of the validators, shown by `_info`.
    pub validate: &'static [&'static str],
    /// Length bounds that are enforced.
    pub length: Option<(u32, Option<u32>)>,
    /// A further check: the message, if the value fails.
    pub check: Option<fn(&Value) -> Option<&'static str>>,
    /// Nulls are allowed among the items of a list.
    pub null_items: bool,
}

/// Class of a marshmallow field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// `String`.
    String,
    /// `Integer`.
    Integer,
    /// `Boolean`.
    Boolean,
    /// `List` of integers.
    List,
    /// `List` of texts.
    Texts,
    /// `List` of anything but null.
    Values,
    /// `UUID`.
    Uuid,
    /// `DateTime`.
    DateTime,
    /// `List` of nested objects, dictionaries and the like: shown only.
    Other(&'static str),
    /// Not in the schema: `_info` fails with a KeyError.
    Missing,
}

impl Field {
    /// An optional field.
    pub const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self {
            name,
            kind,
            required: false,
            nullable: false,
            unique: false,
            validate: &[],
            length: None,
            check: None,
            null_items: false,
        }
    }
    /// An optional text that may be null.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, FieldKind::String).nullable()
    }
    /// Of another class than its type says.
    pub const fn kind(mut self, kind: FieldKind) -> Self {
        self.kind = kind;
        self
    }
    /// Required.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// Null allowed.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
    /// Unique.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
    /// With validators for display.
    pub const fn validate(mut self, validate: &'static [&'static str]) -> Self {
        self.validate = validate;
        self
    }
    /// With a further check.
    pub const fn check(mut self, check: fn(&Value) -> Option<&'static str>) -> Self {
        self.check = Some(check);
        self
    }
    /// With nulls allowed among the items of a list.
    pub const fn null_items(mut self) -> Self {
        self.null_items = true;
        self
    }
    /// With an enforced length.
    pub const fn length(mut self, min: u32, max: Option<u32>) -> Self {
        self.length = Some((min, max));
        self
    }
}
