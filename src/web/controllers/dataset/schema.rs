//! Bodies of dataset writes (`superset.datasets.schemas`).

use commands::dataset::{
    ColumnFields, CurrencyFields, DatasetFields, DuplicateFields, FolderFields, MetricFields,
};
use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use crate::{
    error::Failure,
    schemas::{
        Field,
        validate::{self, FieldErrors, both_bounds, nested},
    },
};

/// Folders within folders: deeper than this no tree of the frontend shows.
const MAX_DEPTH: usize = 32;

type Loaded = Map<String, Value>;

fn load(fields: &[Field], body: &Value, defaults: &[&str]) -> Result<Loaded, FieldErrors> {
    let mut loaded = validate::load(fields, body).map_err(|mut errors| {
        both_bounds(&mut errors);
        errors
    })?;
    for name in defaults {
        loaded.entry(*name).or_insert(json!(false));
    }
    Ok(loaded)
}

fn or_400(outcome: Result<Loaded, FieldErrors>) -> Result<Loaded, Failure> {
    outcome.map_err(|errors| Error::bad_request(Value::Object(errors)).into())
}

/// `DatasetPostSchema`.
pub(crate) fn post(body: &Value) -> Result<Loaded, Failure> {
    or_400(load(DatasetFields::POST, body, &["normalize_columns", "always_filter_main_dttm"]))
}

/// `DatasetDuplicateSchema`.
pub(crate) fn duplicate(body: &Value) -> Result<Loaded, Failure> {
    or_400(load(DuplicateFields::SCHEMA, body, &[]))
}

/// `GetOrCreateDatasetSchema`.
pub(crate) fn get_or_create(body: &Value) -> Result<Loaded, Failure> {
    or_400(load(DatasetFields::GET_OR_CREATE, body, &["normalize_columns", "always_filter_main_dttm"]))
}

/// `DatasetPutSchema`, whose complaints are SIP-40.
pub(crate) fn put(body: &Value) -> Result<Loaded, Failure> {
    put_fields(body).map_err(|errors| {
        let text = "The schema of the submitted payload is invalid.";
        let error = SupersetError::new(ErrorType::MarshmallowError, text)
            .extra("messages", Value::Object(errors))
            .extra("payload", body.clone());
        Error::sip40(422, error).into()
    })
}

fn put_fields(body: &Value) -> Result<Loaded, FieldErrors> {
    let (mut loaded, mut errors) = match load(DatasetFields::PUT, body, &["always_filter_main_dttm"]) {
        Ok(loaded) => (loaded, FieldErrors::new()),
        Err(errors) => (Loaded::new(), errors),
    };
    for (key, fields) in [("columns", ColumnFields::SCHEMA), ("metrics", MetricFields::SCHEMA)] {
        let Some(value) = body.get(key) else { continue };
        match nested(fields, value).and_then(with_currencies) {
            Ok(items) => {
                loaded.insert(key.to_owned(), items);
            }
            Err(wrong) => {
                errors.insert(key.to_owned(), wrong);
            }
        }
    }
    if let Some(value) = body.get("folders") {
        match folders(value, 0) {
            Ok(items) => {
                loaded.insert("folders".to_owned(), items);
            }
            Err(wrong) => {
                errors.insert("folders".to_owned(), wrong);
            }
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(errors) }
}

/// The currencies of metrics.
fn with_currencies(mut items: Value) -> Result<Value, Value> {
    let mut errors = Map::new();
    for (i, item) in items.as_array_mut().into_iter().flatten().enumerate() {
        let Some(currency) = item.get_mut("currency").filter(|c| !c.is_null()) else { continue };
        match validate::load(CurrencyFields::SCHEMA, currency) {
            Ok(loaded) => *currency = Value::Object(loaded),
            Err(wrong) => {
                errors.insert(i.to_string(), json!({"currency": wrong}));
            }
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(Value::Object(errors)) }
}

fn folders(value: &Value, depth: usize) -> Result<Value, Value> {
    if depth > MAX_DEPTH {
        return Err(json!(["Not a valid list."]));
    }
    let mut items = nested(FolderFields::SCHEMA, value)?;
    let mut errors = Map::new();
    for (i, item) in items.as_array_mut().into_iter().flatten().enumerate() {
        match item.get("children").filter(|c| !c.is_null()).map(|c| folders(c, depth + 1)) {
            Some(Ok(children)) => item["children"] = children,
            Some(Err(wrong)) => {
                errors.insert(i.to_string(), json!({"children": wrong}));
            }
            None if item.get("name").is_some() && item.get("children").is_none() => {
                let text = "If 'name' is present, 'children' must be present.";
                errors.insert(i.to_string(), json!({"_schema": [text]}));
            }
            None => {}
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(Value::Object(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_complaints_name_the_place() {
        let wrong = put_fields(&json!({
            "zzz": 1, "schema": "x".repeat(300),
            "metrics": [{"metric_name": "m"}, {"metric_name": "n", "expression": "1", "currency": {"symbol": ""}}],
            "columns": [{"column_name": "c", "python_date_format": "%d"}],
        }));
        let wrong = Value::Object(wrong.unwrap_err());
        assert_eq!(wrong["zzz"], json!(["Unknown field."]));
        assert_eq!(wrong["schema"], json!(["Length must be between 0 and 255."]));
        assert_eq!(wrong["metrics"], json!({"0": {"expression": ["Missing data for required field."]}}));
        assert_eq!(wrong["columns"]["0"]["python_date_format"], json!(["Invalid date/timestamp format"]));
        let loaded = put_fields(&json!({"columns": [], "sql": null})).unwrap();
        assert_eq!(
            Value::Object(loaded),
            json!({"sql": null, "columns": [], "always_filter_main_dttm": false})
        );
    }
}
