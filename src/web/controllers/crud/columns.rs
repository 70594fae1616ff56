//! Column arguments, labels, and rows as JSON.

use daos::{Record, Selection, table::Table};
use infra::Error;
use serde_json::{Map, Value};

use super::{Computed, Resource, View};

/// What a request asks for: columns to read, and columns to show when they are fewer than all.
pub(super) struct Asked {
    /// Columns that are shown.
    pub columns: Vec<&'static str>,
    /// The client chose them.
    pub pruned: bool,
}

/// `_handle_columns_args`: names outside the resource's columns are dropped; none left means all.
pub(super) fn asked(
    args: &Map<String, Value>,
    columns: &'static [&'static str],
    select: &'static [&'static str],
) -> Result<Asked, Error> {
    let names = |key: &str| -> Vec<&str> {
        args.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (selected, responded) = (names("select_columns"), names("columns"));
    if !selected.is_empty() && !responded.is_empty() {
        return Err(Error::bad_request("Cannot use both select and sel columns"));
    }
    let wanted = if selected.is_empty() { responded } else { selected };
    let mut known: Vec<&'static str> = Vec::new();
    for name in wanted {
        if let Some(column) = columns.iter().chain(select).find(|c| **c == name)
            && columns.contains(column)
        {
            known.push(column);
        }
    }
    let pruned = !known.is_empty();
    Ok(Asked { columns: if pruned { known } else { columns.to_vec() }, pruned })
}

/// `_prettify_column`: `changed_by.first_name` → `Changed By First Name`.
pub fn prettify_column(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut boundary = true;
    for c in name.chars() {
        let c = if c == '_' || c == '.' { ' ' } else { c };
        // str.title(): a letter after anything that is no letter is upper case
        if boundary {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        boundary = !c.is_alphabetic();
    }
    out
}

/// `_prettify_name`: `SqlaTable` → `Sqla Table`.
pub fn prettify_name(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// `label_columns` of some columns.
pub(super) fn labels(resource: &Resource, columns: &[&str]) -> Value {
    let label = |name: &str| {
        let own = resource.labels.iter().find(|(n, _)| *n == name).map(|(_, label)| (*label).to_owned());
        Value::from(own.unwrap_or_else(|| prettify_column(name)))
    };
    Value::Object(columns.iter().map(|c| ((*c).to_owned(), label(c))).collect())
}

/// The selection that some columns need.
pub(super) fn selection(table: &'static Table, computed: &[Computed], columns: &[&str]) -> Selection {
    let mut selection = Selection::new(table);
    for column in columns {
        match computed.iter().find(|c| c.path == *column) {
            Some(computed) => computed.needs.iter().for_each(|path| selection.add(path)),
            None => selection.add(column),
        }
    }
    selection
}

/// A column, and how it is computed if it is.
pub(super) type Shown<'a> = (&'a str, Option<&'a Computed>);

/// How some columns are shown: looked up once for all rows.
pub(super) fn shown<'a>(computed: &'a [Computed], columns: &[&'a str]) -> Vec<Shown<'a>> {
    columns.iter().map(|column| (*column, computed.iter().find(|c| c.path == *column))).collect()
}

/// A row with these columns; dotted ones become nested objects, or arrays of objects.
pub(super) fn render(record: &Record, columns: &[Shown<'_>], view: &View) -> Value {
    let mut out = Map::with_capacity(columns.len());
    for (column, computed) in columns {
        if let Some(computed) = computed {
            place(&mut out, record, column, (computed.value)(record, view));
            continue;
        }
        match column.split_once('.') {
            None => {
                out.insert((*column).to_owned(), whole(record, column));
            }
            Some((relation, inner)) => {
                let entry = out.entry(relation).or_insert_with(|| empty(record, relation));
                match entry {
                    Value::Object(map) => {
                        if let Some(other) = record.one(relation) {
                            merge(map, other, inner);
                        }
                    }
                    Value::Array(items) => {
                        for (item, other) in items.iter_mut().zip(record.many(relation)) {
                            if let Value::Object(map) = item {
                                merge(map, other, inner);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Value::Object(out)
}

fn merge(map: &mut Map<String, Value>, record: &Record, path: &str) {
    match path.split_once('.') {
        None => {
            map.insert(path.to_owned(), whole(record, path));
        }
        Some((relation, inner)) => {
            if let Value::Object(nested) = map.entry(relation).or_insert_with(|| empty(record, relation))
                && let Some(other) = record.one(relation)
            {
                merge(nested, other, inner);
            }
        }
    }
}

/// A computed value at its path; below an absent relation there is nothing.
fn place(out: &mut Map<String, Value>, record: &Record, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            out.insert(path.to_owned(), value);
        }
        Some((relation, name)) => {
            if let Value::Object(map) = out.entry(relation).or_insert_with(|| empty(record, relation)) {
                map.insert(name.to_owned(), value);
            }
        }
    }
}

/// A column, or a relation with all its columns.
fn whole(record: &Record, name: &str) -> Value {
    if let Some(other) = record.one(name) {
        return other.to_json();
    }
    match record.has_many(name) {
        true => Value::Array(record.many(name).iter().map(Record::to_json).collect()),
        false => record.json(name),
    }
}

fn empty(record: &Record, relation: &str) -> Value {
    if record.has_many(relation) {
        return Value::Array(record.many(relation).iter().map(|_| Value::Object(Map::new())).collect());
    }
    record.one(relation).map_or(Value::Null, |_| Value::Object(Map::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(prettify_column("changed_by.first_name"), "Changed By First Name");
        assert_eq!(prettify_column("d3format"), "D3Format");
        assert_eq!(prettify_column("select_as_create_table_as"), "Select As Create Table As");
        assert_eq!(prettify_name("SqlaTable"), "Sqla Table");
    }
}
