//! Saving a dataset as a whole (`superset.views.datasource.views:Datasource.save`): what is left out becomes null,
//! columns and metrics are matched by their names.

use std::collections::HashMap;

use daos::dataset;
use infra::{Error, Result};
use serde_json::{Map, Value, json};

use super::{DatasetFields, write};
use crate::{
    Caller,
    access::{objects, ownership},
};

const COLUMNS: &[&str] = &[
    "table_name",
    "main_dttm_col",
    "description",
    "default_endpoint",
    "offset",
    "cache_timeout",
    "schema",
    "sql",
    "template_params",
    "filter_select_enabled",
    "fetch_values_predicate",
    "extra",
];
const OF_COLUMN: &[&str] = &[
    "column_name",
    "verbose_name",
    "is_dttm",
    "is_active",
    "type",
    "advanced_data_type",
    "groupby",
    "filterable",
    "expression",
    "description",
    "python_date_format",
    "extra",
];
const OF_METRIC: &[&str] = &[
    "metric_name",
    "verbose_name",
    "metric_type",
    "expression",
    "description",
    "d3format",
    "currency",
    "extra",
    "warning_text",
];

fn legacy(status: u16, error: impl Into<String>) -> Error {
    Error::Legacy { status, error: error.into() }
}

/// Saves what an editor sent; the id of the dataset. Every failure has the legacy envelope.
pub async fn save(caller: &Caller, data: &Map<String, Value>) -> Result<i64> {
    let missing = || legacy(404, "Datasource does not exist");
    let id = data.get("id").and_then(Value::as_i64).ok_or_else(missing)?;
    if data.get("type").and_then(Value::as_str) != Some("table") {
        return Err(missing());
    }
    let db = caller.app.db.exec();
    let stored = dataset::find(db, id).await?.ok_or_else(missing)?;
    if !ownership::owns(caller, daos::person::Owned::Dataset, id).await? {
        // who may not even use it learns nothing about it
        return Err(match objects::can_access_dataset(caller, &stored).await? {
            true => legacy(403, "Changing this dataset is forbidden"),
            false => missing(),
        });
    }
    if let Some(names) = repeated(data) {
        return Err(legacy(409, format!("Duplicate column name(s): {names}")));
    }
    let mut body: Map<String, Value> = COLUMNS
        .iter()
        .map(|name| ((*name).to_owned(), data.get(*name).cloned().unwrap_or_default()))
        .collect();
    for flag in ["normalize_columns", "always_filter_main_dttm"] {
        body.insert(flag.to_owned(), data.get(flag).cloned().unwrap_or(json!(false)));
    }
    if let Some(database) = data.get("database").and_then(|d| d.get("id")).filter(|d| d.is_i64()) {
        body.insert("database_id".to_owned(), database.clone());
    }
    if let Some(owners) = data.get("owners") {
        body.insert("owners".to_owned(), owners.clone());
    }
    let columns = dataset::columns(db, &[id]).await?.remove(&id).unwrap_or_default();
    let columns: HashMap<String, i64> = columns.into_iter().map(|c| (c.column_name, c.id)).collect();
    let metrics = dataset::metrics(db, &[id]).await?.remove(&id).unwrap_or_default();
    let metrics: HashMap<String, i64> = metrics.into_iter().map(|m| (m.metric_name, m.id)).collect();
    body.insert("columns".to_owned(), parts(data, "columns", OF_COLUMN, &columns));
    body.insert("metrics".to_owned(), parts(data, "metrics", OF_METRIC, &metrics));
    write::update(caller, id, &DatasetFields::read(&body), false).await.map_err(|error| match error {
        Error::Message { status, message: Value::String(text) } => legacy(status, text),
        Error::Message { status, message } => legacy(status, infra::json::dumps(&message)),
        other => other,
    })?;
    Ok(id)
}

fn repeated(data: &Map<String, Value>) -> Option<String> {
    let columns = data.get("columns")?.as_array()?;
    let names: Vec<&str> =
        columns.iter().filter_map(|c| c.get("column_name").and_then(Value::as_str)).collect();
    let mut repeated: Vec<&str> = Vec::new();
    for name in &names {
        if names.iter().filter(|n| *n == name).count() > 1 && !repeated.contains(name) {
            repeated.push(name);
        }
    }
    (!repeated.is_empty()).then(|| repeated.join(","))
}

/// The columns or metrics of the body with the ids of those that are there; fields left out are null.
fn parts(data: &Map<String, Value>, key: &str, names: &[&str], known: &HashMap<String, i64>) -> Value {
    let items = data.get(key).and_then(Value::as_array);
    let name_of = |item: &Value| item.get(names[0]).and_then(Value::as_str).map(str::to_owned);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| {
            let id = known.get(&name_of(item)?);
            let mut part = Map::new();
            for name in names {
                match (item.get(*name), id) {
                    (Some(value), _) => drop(part.insert((*name).to_owned(), value.clone())),
                    (None, Some(_)) => drop(part.insert((*name).to_owned(), Value::Null)),
                    (None, None) => {}
                }
            }
            part.extend(id.map(|id| ("id".to_owned(), json!(id))));
            Some(Value::Object(part))
        })
        .collect()
}
