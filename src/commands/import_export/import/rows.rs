//! Documents as rows: found by their UUID or another unique constraint, changed or made
//! (`ImportExportMixin.import_from_dict`).

use daos::{
    imported, rows,
    table::{Fill, Kind, Table},
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{Executor, Value as Stored},
    yaml::{Map, Yaml, json_dumps},
};

use super::schema::uuid;
use crate::Principal;

/// A row after an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its key.
    pub id: i64,
    /// It was not there.
    pub is_new: bool,
}

/// Several rows agree with a document.
fn ambiguous(table: &Table) -> Error {
    Error::internal(format!("several rows of {} agree with a document", table.name))
}

/// The columns of a table that a document may set, with its values; other keys are dropped.
///
/// Fails where a value is nothing for its column.
pub fn values(table: &'static Table, map: &Map, names: &[&str]) -> Result<Values> {
    let mut values = Values::new();
    for column in table.columns.iter().filter(|c| names.contains(&c.name)) {
        if let Some(value) = map.get(column.name) {
            let wrong = || Error::internal(format!("{} is nothing for {}", column.name, table.name));
            values.push((column.name, stored(column.kind, value).ok_or_else(wrong)?));
        }
    }
    Ok(values)
}

fn stored(kind: Kind, value: &Yaml) -> Option<Stored> {
    if value.is_null() {
        return Some(Stored::Null);
    }
    Some(match kind {
        Kind::Boolean => match value {
            Yaml::Bool(b) => (*b).into(),
            Yaml::Int(i @ (0 | 1)) => (*i == 1).into(),
            _ => return None,
        },
        Kind::Integer => match value {
            Yaml::Text(text) => text.trim().parse::<i64>().ok()?.into(),
            #[expect(clippy::cast_possible_truncation, reason = "as `int()` does")]
            Yaml::Float(f) => (f.trunc() as i64).into(),
            value => value.as_i64()?.into(),
        },
        Kind::Uuid => uuid(value.as_str()?)?.into(),
        Kind::Json => json_dumps(value).ok()?.into(),
        _ => match value {
            Yaml::Text(text) => text.as_str().into(),
            Yaml::Bytes(bytes) => String::from_utf8(bytes.clone()).ok()?.into(),
            _ => return None,
        },
    })
}

/// Finds the row of a document among those with the same parent; none where several agree is an error.
pub async fn find(
    db: &dyn Executor,
    table: &Table,
    parent: &[(&'static str, Stored)],
    unique: &[&[&str]],
    values: &Values,
) -> Result<Option<i64>> {
    let part = |name: &str| {
        let found = parent.iter().chain(values).find(|(column, _)| *column == name);
        found.cloned()
    };
    let constraints: Vec<Values> =
        unique.iter().map(|names| names.iter().filter_map(|n| part(n)).collect()).collect();
    match imported::matching(db, table, parent, &constraints).await?.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        _ => Err(ambiguous(table)),
    }
}

/// Changes the row that was found, or makes one.
pub async fn write(
    db: &dyn Executor,
    user: &Principal,
    table: &'static Table,
    found: Option<i64>,
    values: Values,
) -> Result<Written> {
    match found {
        Some(id) => {
            // what is encrypted cannot be compared
            let (sealed, plain): (Values, Values) = values
                .into_iter()
                .partition(|(name, _)| table.column(name).is_some_and(|c| c.kind == Kind::Encrypted));
            write::update_changed(db, table, id.into(), plain, user.user_id()).await?;
            write::update(db, table, id.into(), sealed, user.user_id()).await?;
            Ok(Written { id, is_new: false })
        }
        None => {
            let values = defaulted(table, values);
            let id = rows::key(&write::insert(db, table, values, user.user_id()).await?)?;
            Ok(Written { id, is_new: true })
        }
    }
}

/// The values of a new row: a column with a default takes it for null, too.
pub fn defaulted(table: &Table, mut values: Values) -> Values {
    let has_default = |name: &str| table.column(name).is_some_and(|c| c.default != Fill::Nothing);
    values.retain(|(name, value)| *value != Stored::Null || !has_default(name));
    values
}

/// A text of a document; empty where there is none.
pub fn string_field<'a>(map: &'a Map, key: &str) -> &'a str {
    map.get(key).and_then(Yaml::as_str).unwrap_or_default()
}
