//! Databases with their datasets as the command line exported them before bundles had versions
//! (`superset.utils.dict_import_export`): without UUIDs, without what is as by default.

use std::collections::HashMap;

use daos::{
    Record, Selection,
    base::{self, Query},
    table::{Fill, Table},
    tables::{DBS, SQL_METRICS, TABLE_COLUMNS, TABLES},
};
use infra::{
    Result,
    yaml::{Map, Yaml, dump},
};

use super::super::document::{COLUMN, DATABASE, DATASET, METRIC, in_order, put, value};
use crate::Caller;

/// What of a row is exported.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportOptions {
    /// Keys of the row that it belongs to.
    pub back_references: bool,
    /// Values that are as by default.
    pub defaults: bool,
}

/// All databases with their datasets as YAML, keys in order.
pub async fn export_datasources(caller: &Caller, options: ExportOptions) -> Result<String> {
    let rows = async |table: &'static Table, names: &[&str], parent: Option<&str>| {
        let selection = Selection::with_paths(table, names.iter().copied().chain(parent));
        base::fetch(caller.app.db.exec(), &selection, &Query::default()).await
    };
    let mut children: HashMap<(&str, i64), Vec<Map>> = HashMap::new();
    for (key, table, names) in [("metrics", &SQL_METRICS, METRIC), ("columns", &TABLE_COLUMNS, COLUMN)] {
        for row in rows(table, names, Some("table_id")).await? {
            let map = options.fields(&row, table, names, Some("table_id"));
            children.entry((key, parent_of(&row, "table_id"))).or_default().push(map);
        }
    }
    let mut tables: HashMap<i64, Vec<Map>> = HashMap::new();
    for row in rows(&TABLES, DATASET, Some("database_id")).await? {
        let mut map = options.fields(&row, &TABLES, DATASET, Some("database_id"));
        let id = row.get("id").unwrap_or_default();
        for key in ["metrics", "columns"] {
            put(&mut map, key, listed(children.remove(&(key, id))));
        }
        tables.entry(parent_of(&row, "database_id")).or_default().push(map);
    }
    let mut databases = Vec::new();
    for row in rows(&DBS, DATABASE, None).await? {
        let mut map = options.fields(&row, &DBS, DATABASE, None);
        put(&mut map, "tables", listed(tables.remove(&row.get("id").unwrap_or_default())));
        databases.push(Yaml::Map(map));
    }
    let mut document = Map::new();
    if !databases.is_empty() {
        put(&mut document, "databases", databases);
    }
    Ok(dump(&sorted(document.into())))
}

fn parent_of(row: &Record, key: &str) -> i64 {
    row.get(key).unwrap_or_default()
}

fn listed(children: Option<Vec<Map>>) -> Vec<Yaml> {
    in_order(children.unwrap_or_default()).into_iter().map(Yaml::Map).collect()
}

/// `yaml.safe_dump` sorts keys unless it is told not to.
fn sorted(value: Yaml) -> Yaml {
    match value {
        Yaml::Map(mut map) => {
            map.sort_by(|a, _, b, _| a.as_str().cmp(&b.as_str()));
            Yaml::Map(map.into_iter().map(|(k, v)| (k, sorted(v))).collect())
        }
        Yaml::List(items) => Yaml::List(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

impl ExportOptions {
    fn fields(self, row: &Record, table: &'static Table, names: &[&str], parent: Option<&str>) -> Map {
        let mut map = Map::new();
        for name in names.iter().copied().chain(parent.filter(|_| self.back_references)) {
            let value = value(row, table, name);
            if self.defaults || !value.is_null() && !is_default(table, name, &value) {
                put(&mut map, name, value);
            }
        }
        map
    }
}

fn is_default(table: &Table, name: &str, value: &Yaml) -> bool {
    match table.column(name).map(|c| c.default) {
        Some(Fill::Text(text)) => value.as_str() == Some(text),
        Some(Fill::Integer(i)) => value.as_i64() == Some(i),
        Some(Fill::Boolean(b)) => value.as_bool() == Some(b),
        _ => false,
    }
}
