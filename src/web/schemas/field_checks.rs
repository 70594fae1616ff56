//! Checks of fields that the generic schema does not know: the metadata of dashboards, kinds of items.

use serde_json::{Map, Value, json};

use crate::schemas::validate::integer;

/// Errors as Python prints a dict: positions in lists are numbers there.
pub(crate) fn as_python(errors: &Value) -> String {
    let Value::Object(map) = errors else { return query::python::repr(errors) };
    let key = |k: &str| match k.bytes().all(|b| b.is_ascii_digit()) && !k.is_empty() {
        true => k.to_owned(),
        false => query::python::repr_str(k),
    };
    let items: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", key(k), as_python(v))).collect();
    format!("{{{}}}", items.join(", "))
}

/// Fields of `json_metadata` and their kinds (`DashboardJSONMetadataSchema`); `?` allows null.
const METADATA: &[(&str, &str)] = &[
    ("native_filter_configuration", "?dicts"),
    ("chart_configuration", "dict"),
    ("global_chart_configuration", "dict"),
    ("timed_refresh_immune_slices", "ints"),
    ("filter_scopes", "dict"),
    ("expanded_slices", "dict"),
    ("refresh_frequency", "int"),
    ("default_filters", "str"),
    ("stagger_refresh", "bool"),
    ("stagger_time", "int"),
    ("color_scheme", "?str"),
    ("color_namespace", "?str"),
    ("positions", "?dict"),
    ("label_colors", "dict"),
    ("shared_label_colors", "colors"),
    ("map_label_colors", "dict"),
    ("color_scheme_domain", "strs"),
    ("cross_filters_enabled", "bool"),
    ("import_time", "int"),
    ("remote_id", "int"),
    ("filter_bar_orientation", "?str"),
    ("native_filter_migration", "dict"),
];

/// A text that must be JSON of known fields, unless it is empty.
pub(crate) fn metadata_text(body: &Value, key: &str, errors: &mut Map<String, Value>) {
    let Some(text) = body.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()) else { return };
    let wrong = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => metadata_errors(&map),
        Ok(_) => Map::from_iter([("_schema".to_owned(), json!(["Invalid input type."]))]),
        Err(_) => {
            errors.insert(key.to_owned(), json!(["JSON not valid"]));
            return;
        }
    };
    if !wrong.is_empty() {
        errors.insert(key.to_owned(), json!([wrong]));
    }
}

fn metadata_errors(map: &Map<String, Value>) -> Map<String, Value> {
    let mut errors = Map::new();
    for (key, value) in map.iter().filter(|(k, _)| *k != "show_native_filters") {
        let Some((_, kind)) = METADATA.iter().find(|(name, _)| name == key) else {
            errors.insert(key.clone(), json!(["Unknown field."]));
            continue;
        };
        if let Some(message) = kind_error(kind, value) {
            errors.insert(key.clone(), message);
        }
    }
    errors
}

/// marshmallow's messages when a value is not of a kind; those about items of a list are told by position.
pub(crate) fn kind_error(kind: &str, value: &Value) -> Option<Value> {
    if let (Some(item), Value::Array(items)) = (item_kind(kind), value) {
        let wrong = items.iter().enumerate();
        let wrong = wrong.filter_map(|(i, v)| Some((i.to_string(), kind_error(item, v)?)));
        let wrong: Map<String, Value> = wrong.collect();
        return (!wrong.is_empty()).then_some(Value::Object(wrong));
    }
    if kind == "pair" {
        return if value.is_null() { None } else { pair_error(value) };
    }
    simple_error(kind, value).map(|message| json!([message]))
}

/// The kind of the items of a list.
fn item_kind(kind: &str) -> Option<&'static str> {
    Some(match kind.trim_start_matches('?') {
        "ints" => "int",
        "strs" => "str",
        "dicts" => "dict",
        "pairs" => "pair",
        "raws" => "raw",
        _ => return None,
    })
}

/// `Tuple((String(allow_none), String(allow_none)))`.
fn pair_error(value: &Value) -> Option<Value> {
    match value.as_array() {
        None => Some(json!(["Not a valid tuple."])),
        Some(items) if items.len() != 2 => Some(json!(["Length must be 2."])),
        Some(items) => {
            let wrong = items.iter().enumerate();
            let wrong = wrong.filter_map(|(i, v)| Some((i.to_string(), kind_error("?str", v)?)));
            let wrong: Map<String, Value> = wrong.collect();
            (!wrong.is_empty()).then_some(Value::Object(wrong))
        }
    }
}

fn simple_error(kind: &str, value: &Value) -> Option<&'static str> {
    let (nullable, kind) = kind.strip_prefix('?').map_or((false, kind), |k| (true, k));
    if value.is_null() {
        return (!nullable).then_some("Field may not be null.");
    }
    match kind {
        "dict" => (!value.is_object()).then_some("Not a valid mapping type."),
        "list" | "ints" | "strs" | "dicts" | "pairs" | "raws" => {
            (!value.is_array()).then_some("Not a valid list.")
        }
        "str" => (!value.is_string()).then_some("Not a valid string."),
        "int" => integer(value).is_none().then_some("Not a valid integer."),
        "bool" => crate::schemas::validate::boolean(value).is_none().then_some("Not a valid boolean."),
        // old dashboards keep a mapping here
        "colors" => match value {
            Value::Object(_) => None,
            Value::Array(items) if items.iter().all(Value::is_string) => None,
            _ => Some("Not a valid list"),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_known_fields_only() {
        let mut errors = Map::new();
        metadata_text(
            &json!({"m": "{\"a\": 1, \"positions\": null, \"color_scheme\": 3}"}),
            "m",
            &mut errors,
        );
        assert_eq!(
            Value::Object(errors),
            json!({"m": [{"a": ["Unknown field."], "color_scheme": ["Not a valid string."]}]})
        );
        let mut errors = Map::new();
        metadata_text(&json!({"m": "{}"}), "m", &mut errors);
        metadata_text(&json!({"p": "{bad"}), "p", &mut errors);
        assert_eq!(Value::Object(errors), json!({"p": ["JSON not valid"]}));
    }
}
