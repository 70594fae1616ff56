//! Bodies of dataset writes (`superset.datasets.schemas`).

use commands::dataset::is_date_format;
use infra::{Error, clock, error::SupersetError};
use serde_json::{Map, Value, json};

use super::schema::both_bounds;
use crate::{
    controllers::crud::{
        Field, FieldKind,
        validate::{self, FieldErrors, is_uuid, nested},
    },
    error::Failure,
};

const POST: &[Field] = &[
    Field::new("database", FieldKind::Integer).required(),
    Field::text("catalog").length(0, Some(250)),
    Field::text("schema").length(0, Some(250)),
    Field::new("table_name", FieldKind::String).required().length(1, Some(250)),
    Field::text("sql"),
    Field::new("owners", FieldKind::List),
    Field::new("is_managed_externally", FieldKind::Boolean).nullable(),
    Field::text("external_url"),
    Field::new("normalize_columns", FieldKind::Boolean),
    Field::new("always_filter_main_dttm", FieldKind::Boolean),
    Field::text("template_params"),
    Field::new("uuid", FieldKind::Other("UUID")).nullable().check(is_uuid),
];

const PUT: &[Field] = &[
    Field::text("table_name").length(1, Some(250)),
    Field::new("database_id", FieldKind::Integer),
    Field::text("sql"),
    Field::new("filter_select_enabled", FieldKind::Boolean).nullable(),
    Field::text("fetch_values_predicate").length(0, Some(1000)),
    Field::text("catalog").length(0, Some(250)),
    Field::text("schema").length(0, Some(255)),
    Field::text("description"),
    Field::text("main_dttm_col"),
    Field::new("normalize_columns", FieldKind::Boolean).nullable(),
    Field::new("always_filter_main_dttm", FieldKind::Boolean),
    Field::new("offset", FieldKind::Integer).nullable(),
    Field::text("default_endpoint"),
    Field::new("cache_timeout", FieldKind::Integer).nullable(),
    Field::new("is_sqllab_view", FieldKind::Boolean).nullable(),
    Field::text("template_params"),
    Field::new("owners", FieldKind::List),
    Field::new("columns", FieldKind::Other("List")).nullable(),
    Field::new("metrics", FieldKind::Other("List")).nullable(),
    Field::new("folders", FieldKind::Other("List")).nullable(),
    Field::text("extra"),
    Field::new("is_managed_externally", FieldKind::Boolean).nullable(),
    Field::text("external_url"),
    Field::new("uuid", FieldKind::Other("UUID")).nullable().check(is_uuid),
];

const COLUMN: &[Field] = &[
    Field::new("id", FieldKind::Integer),
    Field::new("column_name", FieldKind::String).required().length(1, Some(255)),
    Field::text("type"),
    Field::text("advanced_data_type").length(1, Some(255)),
    Field::text("verbose_name"),
    Field::text("description"),
    Field::text("expression"),
    Field::text("extra"),
    Field::new("filterable", FieldKind::Boolean),
    Field::new("groupby", FieldKind::Boolean),
    Field::new("is_active", FieldKind::Boolean).nullable(),
    Field::new("is_dttm", FieldKind::Boolean).nullable(),
    Field::text("python_date_format").length(1, Some(255)).check(date_format),
    Field::new("uuid", FieldKind::Other("UUID")).nullable().check(is_uuid),
];

const METRIC: &[Field] = &[
    Field::new("id", FieldKind::Integer),
    Field::new("expression", FieldKind::String).required(),
    Field::text("description"),
    Field::text("extra"),
    Field::new("metric_name", FieldKind::String).required().length(1, Some(255)),
    Field::text("metric_type").length(1, Some(32)),
    Field::text("d3format").length(1, Some(128)),
    Field::new("currency", FieldKind::Other("Nested")).nullable(),
    Field::text("verbose_name"),
    Field::text("warning_text"),
    Field::new("uuid", FieldKind::Other("UUID")).nullable().check(is_uuid),
];

const CURRENCY: &[Field] = &[
    Field::new("symbol", FieldKind::String).length(1, Some(128)),
    Field::new("symbolPosition", FieldKind::String).length(1, Some(128)),
];

const FOLDER: &[Field] = &[
    Field::new("uuid", FieldKind::Other("UUID")).required().check(is_uuid),
    Field::new("type", FieldKind::String).check(folder_type),
    Field::new("name", FieldKind::String).length(1, Some(250)),
    Field::text("description").length(0, Some(1000)),
    Field::new("children", FieldKind::Other("List")).nullable(),
];
/// Folders within folders: deeper than this no tree of the frontend shows.
const MAX_DEPTH: usize = 32;

const DUPLICATE: &[Field] = &[
    Field::new("base_model_id", FieldKind::Integer).required(),
    Field::new("table_name", FieldKind::String).required().length(1, Some(250)),
];

const GET_OR_CREATE: &[Field] = &[
    Field::new("table_name", FieldKind::String).required(),
    Field::new("database_id", FieldKind::Integer).required(),
    Field::text("catalog").length(0, Some(250)),
    Field::text("schema").length(0, Some(250)),
    Field::new("template_params", FieldKind::String),
    Field::new("normalize_columns", FieldKind::Boolean),
    Field::new("always_filter_main_dttm", FieldKind::Boolean),
];

fn date_format(value: &Value) -> Option<&'static str> {
    let good = value.as_str().is_some_and(|format| is_date_format(format, clock::now()));
    (!good).then_some("Invalid date/timestamp format")
}

fn folder_type(value: &Value) -> Option<&'static str> {
    let good = matches!(value.as_str(), Some("metric" | "column" | "folder"));
    (!good).then_some("Must be one of: metric, column, folder.")
}

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
pub(super) fn post(body: &Value) -> Result<Loaded, Failure> {
    or_400(load(POST, body, &["normalize_columns", "always_filter_main_dttm"]))
}

/// `DatasetDuplicateSchema`.
pub(super) fn duplicate(body: &Value) -> Result<Loaded, Failure> {
    or_400(load(DUPLICATE, body, &[]))
}

/// `GetOrCreateDatasetSchema`.
pub(super) fn get_or_create(body: &Value) -> Result<Loaded, Failure> {
    or_400(load(GET_OR_CREATE, body, &["normalize_columns", "always_filter_main_dttm"]))
}

/// `DatasetPutSchema`, whose complaints are SIP-40.
pub(super) fn put(body: &Value) -> Result<Loaded, Failure> {
    put_fields(body).map_err(|errors| {
        let text = "The schema of the submitted payload is invalid.";
        let error = SupersetError::new("MARSHMALLOW_ERROR", text)
            .extra("messages", Value::Object(errors))
            .extra("payload", body.clone());
        Error::sip40(422, error).into()
    })
}

fn put_fields(body: &Value) -> Result<Loaded, FieldErrors> {
    let (mut loaded, mut errors) = match load(PUT, body, &["always_filter_main_dttm"]) {
        Ok(loaded) => (loaded, FieldErrors::new()),
        Err(errors) => (Loaded::new(), errors),
    };
    for (key, fields) in [("columns", COLUMN), ("metrics", METRIC)] {
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
        match validate::load(CURRENCY, currency) {
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
    let mut items = nested(FOLDER, value)?;
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
