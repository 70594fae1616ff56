//! Values, statements and rows of the metadata database, alike on every backend.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value as Json;
use uuid::Uuid;

use super::DbError;

/// A value bound to a statement or read from a row.
///
/// SQLite has no booleans, timestamps or UUIDs: such values are stored as Superset stores them (0/1, text with
/// six fractional digits, 16 bytes) and read back through [`Row::get`], which accepts either form.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL null.
    Null,
    /// Boolean.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Float.
    Float(f64),
    /// Text, also enums and JSON documents.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Naive timestamp, server-local or UTC as the column demands.
    DateTime(NaiveDateTime),
    /// UUID column (`UUIDType(binary=True)`).
    Uuid(Uuid),
}

macro_rules! into_value {
    ($($t:ty => |$v:ident| $e:expr),* $(,)?) => { $(
        impl From<$t> for Value { fn from($v: $t) -> Self { $e } }
    )* };
}
into_value! {
    bool => |v| Self::Bool(v),
    i64 => |v| Self::Int(v),
    i32 => |v| Self::Int(i64::from(v)),
    u32 => |v| Self::Int(i64::from(v)),
    f64 => |v| Self::Float(v),
    &str => |v| Self::Text(v.to_owned()),
    String => |v| Self::Text(v),
    &String => |v| Self::Text(v.clone()),
    Vec<u8> => |v| Self::Bytes(v),
    NaiveDateTime => |v| Self::DateTime(v),
    Uuid => |v| Self::Uuid(v),
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// A statement under construction: text with `?` placeholders and the values bound to them.
///
/// Text is written once; [`super::Dialect`] turns the placeholders into what the backend expects. A literal
/// question mark cannot be written in the text: bind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Value>,
}

impl Sql {
    /// A statement from fixed text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), params: Vec::new() }
    }
    /// Binds the next placeholder of the text written so far.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.params.push(value.into());
        self
    }
    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }
    /// Appends a placeholder bound to `value`.
    pub fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.text.push('?');
        self.params.push(value.into());
        self
    }
    /// Appends another fragment with its values.
    pub fn append(&mut self, other: Sql) -> &mut Self {
        self.text.push_str(&other.text);
        self.params.extend(other.params);
        self
    }
    /// Appends `(?, ?, …)`; an empty list becomes `(NULL)`, which matches nothing.
    pub fn push_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.text.push('(');
        let mut first = true;
        for v in values {
            if !first {
                self.text.push_str(", ");
            }
            first = false;
            self.push_bind(v);
        }
        self.text.push_str(if first { "NULL)" } else { ")" });
        self
    }
    /// Appends fragments separated by text (`" AND "`).
    pub fn push_joined(&mut self, parts: impl IntoIterator<Item = Sql>, separator: &str) -> &mut Self {
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                self.text.push_str(separator);
            }
            self.append(part);
        }
        self
    }
    /// The text written so far.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// True when nothing was written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// One row of a result.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// The value of a column by its name in the select list, converted; an unknown name or a value of another
    /// type is an error, never a panic.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, DbError> {
        let at = self.columns.iter().position(|c| c == column);
        let at = at.ok_or_else(|| DbError::Decode(format!("no column {column}")))?;
        self.at(at)
    }
    /// The value of a column by its position.
    pub fn at<T: FromValue>(&self, index: usize) -> Result<T, DbError> {
        let value = self.values.get(index).ok_or_else(|| DbError::Decode(format!("no column {index}")))?;
        T::from_value(value).ok_or_else(|| {
            let name = self.columns.get(index).map_or("?", String::as_str);
            DbError::Decode(format!("column {name} is not a {}", std::any::type_name::<T>()))
        })
    }
    /// The raw value of a column by its position, which has none afterwards.
    pub fn take(&mut self, index: usize) -> Result<Value, DbError> {
        let value =
            self.values.get_mut(index).ok_or_else(|| DbError::Decode(format!("no column {index}")))?;
        Ok(std::mem::replace(value, Value::Null))
    }
    /// The raw value of a column, null when there is no such column.
    pub fn value(&self, column: &str) -> &Value {
        static NULL: Value = Value::Null;
        let at = self.columns.iter().position(|c| c == column);
        at.and_then(|at| self.values.get(at)).unwrap_or(&NULL)
    }
    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
    /// Values in the order of the select list, for keeps.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
    /// Values in the order of the select list.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// Conversion of a stored value to a Rust type.
pub trait FromValue: Sized {
    /// `None` when the value is of another type.
    fn from_value(value: &Value) -> Option<Self>;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}
impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}
impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(*b),
            Value::Int(i) => Some(*i != 0),
            _ => None,
        }
    }
}
impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(i) => Some(*i),
            Value::Bool(b) => Some(i64::from(*b)),
            // numeric columns come back as floats on SQLite
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(*f as i64),
            Value::Text(t) => t.parse().ok(),
            _ => None,
        }
    }
}
impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Float(f) => Some(*f),
            Value::Int(i) => Some(*i as f64),
            Value::Text(t) => t.parse().ok(),
            _ => None,
        }
    }
}
impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(t) => Some(t.clone()),
            // SQLite is typed by value: Python wrote some text columns as bytes
            Value::Bytes(b) => String::from_utf8(b.clone()).ok(),
            Value::Int(i) => Some(i.to_string()),
            Value::Float(f) => Some(f.to_string()),
            _ => None,
        }
    }
}
impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(b) => Some(b.clone()),
            Value::Text(t) => Some(t.clone().into_bytes()),
            _ => None,
        }
    }
}
impl FromValue for NaiveDateTime {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::DateTime(t) => Some(*t),
            Value::Text(t) => parse_datetime(t),
            _ => None,
        }
    }
}
impl FromValue for Uuid {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Uuid(u) => Some(*u),
            Value::Bytes(b) => Uuid::from_slice(b).ok(),
            Value::Text(t) => Uuid::parse_str(t).ok(),
            _ => None,
        }
    }
}
impl FromValue for Json {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(t) => serde_json::from_str(t).ok(),
            Value::Bytes(b) => serde_json::from_slice(b).ok(),
            _ => None,
        }
    }
}

/// A timestamp as SQLAlchemy writes it on SQLite (`2026-11-20 21:11:49.353204`), also without fraction or time.
pub fn parse_datetime(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Some(t) = plain_datetime(text.as_bytes()) {
        return Some(t);
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(t) = NaiveDateTime::parse_from_str(text, format) {
            return Some(t);
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)
}

/// The form with all six digits, which nearly all of them have.
fn plain_datetime(text: &[u8]) -> Option<NaiveDateTime> {
    let text: &[u8; 26] = text.try_into().ok()?;
    if [text[4], text[7], text[10], text[13], text[16], text[19]] != *b"-- ::." {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |n, digit| {
            Some(n * 10 + u32::from(digit.checked_sub(b'0').filter(|d| *d < 10)?))
        })
    };
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(number(&text[..4])?).ok()?,
        number(&text[5..7])?,
        number(&text[8..10])?,
    )?;
    let (hour, minute, second) = (number(&text[11..13])?, number(&text[14..16])?, number(&text[17..19])?);
    day.and_hms_micro_opt(hour, minute, second, number(&text[20..])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_reading_moments_agree() {
        let texts = [
            "2026-11-20 21:11:49.353204",
            "0001-01-01 00:00:00.000000",
            "2024-02-29 23:59:59.999999",
            "2023-02-29 23:59:59.999999",
            "2026-13-20 21:11:49.353204",
            "2026-11-20 24:11:49.353204",
            "2026-11-20 21:11:49.35320x",
            "2026-11-20 21:1+:49.353204",
            "2026-11-20T21:11:49.353204",
            "2026-11-20 21:11:49.3532",
            "\u{660}026-11-20 21:11:49.35320",
        ];
        for text in texts {
            let slowly = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
            if let Some(quickly) = plain_datetime(text.as_bytes()) {
                assert_eq!(Some(quickly), slowly, "{text}");
            }
        }
        assert!(
            plain_datetime(texts[0].as_bytes()).is_some() && plain_datetime(texts[3].as_bytes()).is_none()
        );
        assert_eq!(parse_datetime("2026-11-20 21:11:49.3532"), parse_datetime("2026-11-20 21:11:49.353200"));
    }

    #[test]
    fn lists_bind_each_value() {
        let mut sql = Sql::new("id IN ");
        sql.push_list([1_i64, 2]);
        assert_eq!(sql.text(), "id IN (?, ?)");
        assert_eq!(sql.params, [Value::Int(1), Value::Int(2)]);
        let mut none = Sql::new("id IN ");
        none.push_list(Vec::<i64>::new());
        assert_eq!(none.text(), "id IN (NULL)");
    }

    #[test]
    fn rows_convert_what_sqlite_stores() {
        let row = Row {
            columns: Arc::from(vec!["t".to_owned(), "b".to_owned(), "u".to_owned()]),
            values: vec![
                Value::Text("2026-11-20 21:11:49.353204".into()),
                Value::Int(1),
                Value::Bytes(vec![7; 16]),
            ],
        };
        let t: NaiveDateTime = row.get("t").unwrap();
        assert_eq!(t.and_utc().timestamp_subsec_micros(), 353_204);
        assert!(row.get::<bool>("b").unwrap());
        assert_eq!(row.get::<Uuid>("u").unwrap(), Uuid::from_bytes([7; 16]));
        assert!(row.get::<i64>("nope").is_err());
        assert!(row.get::<bool>("t").is_err());
    }
}
