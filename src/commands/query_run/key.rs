//! Cache keys (`QueryObject.cache_key`): the same question of the same rights about the same dataset.

use infra::crypto::md5_hex;
use query::query_object::QueryObject;
use serde_json::{Map, Value, json};

use super::LoadedDataset;

/// The key of a query object.
pub fn of_query(query: &QueryObject, dataset: &LoadedDataset, extra: &[(&str, Value)]) -> String {
    let mut parts = match query.to_json() {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if query.time_range.is_some() {
        // relative ranges keep their key while the clock moves on
        parts.remove("from_dttm");
        parts.remove("to_dttm");
    }
    parts.insert("time_range".into(), json!(query.time_range));
    parts.insert("result_type".into(), json!(query.result_type.name()));
    parts.insert("post_processing".into(), json!(query.post_processing));
    parts.insert("time_offsets".into(), json!(query.time_offsets));
    parts.insert("annotation_layers".into(), json!(query.annotation_layers));
    parts.insert("datasource".into(), json!(dataset.uid()));
    parts.insert("rls".into(), json!(dataset.rls_key));
    let changed = |t: Option<chrono::NaiveDateTime>| t.map(|t| t.to_string());
    parts.insert("changed_on".into(), json!(changed(dataset.row.changed_on)));
    parts.insert("database_changed_on".into(), json!(changed(dataset.database.changed_on)));
    for (name, value) in extra {
        parts.insert((*name).to_owned(), value.clone());
    }
    digest(&Value::Object(parts))
}

fn digest(value: &Value) -> String {
    md5_hex(value.to_string())
}
