//! Rows with their relations, and what of them is to be read.

use chrono::NaiveDateTime;
use infra::db::{FromValue, Value};
use serde_json::Value as Json;

use crate::table::{Column, Kind, Relation, Table};

/// Columns of a table and of its relations, from dotted paths.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The table.
    pub table: &'static Table,
    /// Its columns; the primary key is always first.
    pub columns: Vec<&'static Column>,
    /// To-one relations, joined.
    pub ones: Vec<(&'static Relation, Selection)>,
    /// To-many relations, one statement each.
    pub many: Vec<(&'static Relation, Selection)>,
}

impl Selection {
    /// Only the primary key.
    pub fn new(table: &'static Table) -> Self {
        let mut selection = Self { table, columns: Vec::new(), ones: Vec::new(), many: Vec::new() };
        selection.add(table.pk);
        selection
    }
    /// These paths; unknown ones are left out.
    pub fn with_paths<'a>(table: &'static Table, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut selection = Self::new(table);
        for path in paths {
            selection.add(path);
        }
        selection
    }
    /// Every column of the table.
    pub fn all(table: &'static Table) -> Self {
        Self::with_paths(table, table.columns.iter().map(|c| c.name))
    }
    /// One more path: a column, `relation.column`, or a relation with all its columns.
    pub fn add(&mut self, path: &str) {
        let (head, tail) = path.split_once('.').map_or((path, None), |(h, t)| (h, Some(t)));
        if let Some(column) = self.table.column(head) {
            if column.kind != Kind::Encrypted && !self.columns.iter().any(|c| c.name == head) {
                self.columns.push(column);
            }
            return;
        }
        let Some(relation) = self.table.relation(head) else { return };
        let side = if relation.is_one() { &mut self.ones } else { &mut self.many };
        let at = side.iter().position(|(r, _)| r.name == head).unwrap_or_else(|| {
            side.push((relation, Selection::new(relation.target)));
            side.len() - 1
        });
        let Some((_, inner)) = side.get_mut(at) else { return };
        match tail {
            Some(tail) => inner.add(tail),
            None => relation.target.columns.iter().for_each(|c| inner.add(c.name)),
        }
    }
}

/// A row with the relations that were selected.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub(crate) values: Vec<(&'static Column, Value)>,
    pub(crate) ones: Vec<(&'static str, Option<Box<Record>>)>,
    pub(crate) many: Vec<(&'static str, Vec<Record>)>,
}

impl Record {
    /// The stored value of a column; null when it was not selected.
    pub fn value(&self, column: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.values.iter().find(|(c, _)| c.name == column).map_or(&NULL, |(_, v)| v)
    }
    /// The value converted; `None` for null and for another type.
    pub fn get<T: FromValue>(&self, column: &str) -> Option<T> {
        match self.value(column) {
            Value::Null => None,
            value => T::from_value(value),
        }
    }
    /// A text; empty for null.
    pub fn text(&self, column: &str) -> String {
        self.get(column).unwrap_or_default()
    }
    /// The row of a to-one relation.
    pub fn one(&self, relation: &str) -> Option<&Record> {
        self.ones.iter().find(|(name, _)| *name == relation).and_then(|(_, r)| r.as_deref())
    }
    /// The rows of a to-many relation.
    pub fn many(&self, relation: &str) -> &[Record] {
        self.many.iter().find(|(name, _)| *name == relation).map_or(&[], |(_, rows)| rows)
    }
    /// A to-many relation was selected.
    pub fn has_many(&self, relation: &str) -> bool {
        self.many.iter().any(|(name, _)| *name == relation)
    }
    /// All selected columns as marshmallow writes them, relations nested.
    pub fn to_json(&self) -> Json {
        let mut map: serde_json::Map<String, Json> =
            self.values.iter().map(|(c, v)| (c.name.to_owned(), column_json(c.kind, v))).collect();
        for (name, other) in &self.ones {
            map.insert((*name).to_owned(), other.as_ref().map_or(Json::Null, |o| o.to_json()));
        }
        for (name, rows) in &self.many {
            map.insert((*name).to_owned(), Json::Array(rows.iter().map(Self::to_json).collect()));
        }
        Json::Object(map)
    }
    /// A column as marshmallow writes it: ISO timestamps, hyphenated UUIDs, decimals as text.
    pub fn json(&self, column: &str) -> Json {
        match self.values.iter().find(|(c, _)| c.name == column) {
            Some((column, value)) => column_json(column.kind, value),
            None => Json::Null,
        }
    }
}

/// A stored value as marshmallow writes it.
pub fn column_json(kind: Kind, value: &Value) -> Json {
    if *value == Value::Null {
        return Json::Null;
    }
    match kind {
        Kind::Integer => i64::from_value(value).map_or_else(|| plain(value), Json::from),
        Kind::Float => f64::from_value(value).map_or_else(|| plain(value), Json::from),
        // `jsonify` writes a Decimal as text, with the column's scale
        Kind::Numeric => match value {
            Value::Text(t) => Json::from(t.as_str()),
            other => f64::from_value(other).map_or(Json::Null, |f| Json::from(format!("{f:.6}"))),
        },
        Kind::Boolean => bool::from_value(value).map_or(Json::Null, Json::from),
        Kind::DateTime => NaiveDateTime::from_value(value).map_or(Json::Null, |t| Json::from(iso(t))),
        Kind::Uuid => uuid::Uuid::from_value(value).map_or(Json::Null, |u| Json::from(u.to_string())),
        Kind::Json => Json::from_value(value).unwrap_or(Json::Null),
        Kind::String(_) | Kind::Text | Kind::Enum(_) => plain(value),
        Kind::NumberedEnum(names) => String::from_value(value)
            .and_then(|name| names.iter().position(|n| *n == name))
            .map_or(Json::Null, |at| Json::from(at + 1)),
        Kind::Encrypted => Json::Null,
    }
}

/// `datetime.isoformat()`: six digits, or none when there are no microseconds.
pub fn iso(t: NaiveDateTime) -> String {
    use chrono::Timelike;
    let format = if t.nanosecond() / 1000 == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    t.format(format).to_string()
}

fn plain(value: &Value) -> Json {
    String::from_value(value).map_or(Json::Null, Json::from)
}
