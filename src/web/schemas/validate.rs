//! Loading a body against fields, with marshmallow's messages.

use chrono::{DateTime, NaiveDateTime};
pub use infra::json::boolean;
use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use super::{Field, FieldKind};
use crate::{Answer, Cx, error::Failure, error_pages};

/// Field errors: `{"name": ["Missing data for required field."]}`.
pub type FieldErrors = Map<String, Value>;

/// `schema.load(body)`: unknown fields are refused, values are coerced as marshmallow does.
pub fn load(fields: &[Field], body: &Value) -> Result<Map<String, Value>, FieldErrors> {
    let Value::Object(body) = body else {
        return Err(one("_schema", "Invalid input type."));
    };
    let (mut out, mut errors) = (Map::new(), Map::new());
    for field in fields {
        match body.get(field.name) {
            None if field.required => {
                errors.extend(one(field.name, "Missing data for required field."));
            }
            None => {}
            Some(value) => match load_field(field, value) {
                Ok(value) => {
                    out.insert(field.name.to_owned(), value);
                }
                Err(messages) => {
                    errors.insert(field.name.to_owned(), messages);
                }
            },
        }
    }
    for key in body.keys().filter(|k| !fields.iter().any(|f| f.name == k.as_str())) {
        errors.extend(one(key, "Unknown field."));
    }
    if errors.is_empty() { Ok(out) } else { Err(errors) }
}

fn one(key: &str, message: &str) -> FieldErrors {
    Map::from_iter([(key.to_owned(), Value::from(vec![message]))])
}

fn load_field(field: &Field, value: &Value) -> Result<Value, Value> {
    let wrong = |message: &str| Value::from(vec![message]);
    if value.is_null() {
        return if field.nullable { Ok(Value::Null) } else { Err(wrong("Field may not be null.")) };
    }
    let loaded = match field.kind {
        FieldKind::String => value.as_str().map(Value::from).ok_or_else(|| wrong("Not a valid string."))?,
        FieldKind::Integer => integer(value).map(Value::from).ok_or_else(|| wrong("Not a valid integer."))?,
        FieldKind::Boolean => boolean(value).map(Value::from).ok_or_else(|| wrong("Not a valid boolean."))?,
        FieldKind::List => integers(value, field.null_items)?,
        FieldKind::Texts => list_of(value, |item| match item {
            Value::String(text) => Ok(Value::from(text.as_str())),
            Value::Null => Err("Field may not be null."),
            _ => Err("Not a valid string."),
        })?,
        FieldKind::Values => list_of(value, |item| match item {
            Value::Null => Err("Field may not be null."),
            _ => Ok(item.clone()),
        })?,
        FieldKind::DateTime => {
            let text = value.as_str().filter(|t| datetime(t).is_some());
            text.map(Value::from).ok_or_else(|| wrong("Not a valid datetime."))?
        }
        FieldKind::Uuid => {
            let uuid = value.as_str().and_then(|text| uuid::Uuid::parse_str(text).ok());
            uuid.map(|u| Value::from(u.to_string())).ok_or_else(|| wrong("Not a valid UUID."))?
        }
        FieldKind::Other("Dict") if !value.is_object() => return Err(wrong("Not a valid mapping type.")),
        FieldKind::Other(_) | FieldKind::Missing => value.clone(),
    };
    let complaint = field.check.and_then(|check| check(&loaded)).map(str::to_owned);
    let complaints: Vec<String> = complaint.into_iter().chain(length_error(field, &loaded)).collect();
    if complaints.is_empty() { Ok(loaded) } else { Err(Value::from(complaints)) }
}

fn length_error(field: &Field, loaded: &Value) -> Option<String> {
    let (min, max) = field.length?;
    let length = match loaded {
        Value::String(text) => text.chars().count() as u64,
        Value::Array(items) => items.len() as u64,
        _ => u64::from(min),
    };
    let (min, max) = (u64::from(min), max.map(u64::from));
    match max {
        Some(max) if min > 0 && (length < min || length > max) => {
            Some(format!("Length must be between {min} and {max}."))
        }
        Some(max) if length > max => Some(format!("Longer than maximum length {max}.")),
        None if length < min => Some(format!("Shorter than minimum length {min}.")),
        _ => None,
    }
}

/// A list of integers, perhaps with nulls among them.
fn integers(value: &Value, null_items: bool) -> Result<Value, Value> {
    list_of(value, |item| match integer(item) {
        Some(n) => Ok(Value::from(n)),
        None if item.is_null() && null_items => Ok(Value::Null),
        None if item.is_null() => Err("Field may not be null."),
        None => Err("Not a valid integer."),
    })
}

/// A list; messages about its items are keyed by their position.
fn list_of(value: &Value, item: impl Fn(&Value) -> Result<Value, &'static str>) -> Result<Value, Value> {
    let Some(items) = value.as_array() else { return Err(Value::from(vec!["Not a valid list."])) };
    let (mut out, mut errors) = (Vec::with_capacity(items.len()), Map::new());
    for (i, value) in items.iter().enumerate() {
        match item(value) {
            Ok(loaded) => out.push(loaded),
            Err(message) => drop(errors.insert(i.to_string(), json!([message]))),
        }
    }
    if errors.is_empty() { Ok(Value::Array(out)) } else { Err(Value::Object(errors)) }
}

/// marshmallow's ISO format: a date with a time, perhaps with an offset, which is taken away.
pub fn datetime(text: &str) -> Option<NaiveDateTime> {
    if let Ok(aware) = DateTime::parse_from_rfc3339(text) {
        return Some(aware.naive_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    formats.iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok())
}

/// True when the text names an offset.
pub fn is_aware(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
}

/// `request.json` behind `@requires_json` and `@safe`: another content type is a "Fatal error" of the original.
pub fn json_body(cx: &Cx) -> Result<Value, Failure> {
    if !cx.req.is_json() {
        return Err(Error::internal("Request is not JSON").into());
    }
    serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        Failure(Error::bad_request(text))
    })
}

/// The JSON body of a handler without `@safe`: other content types and broken JSON are SIP-40.
pub fn plain_json_body(cx: &Cx) -> Result<Result<Value, Answer>, Failure> {
    if !cx.req.is_json() {
        let error = SupersetError::new(ErrorType::InvalidPayloadFormatError, "Request is not JSON");
        return Err(Error::sip40(400, error).into());
    }
    Ok(serde_json::from_slice(&cx.req.body).map_err(|_| error_pages::abort(&cx.req, 400)))
}

/// [`load`] with the status of Superset's own handlers.
pub fn load_or_400(fields: &[Field], body: &Value) -> Result<Map<String, Value>, Failure> {
    load(fields, body).map_err(|errors| Failure(Error::bad_request(Value::Object(errors))))
}

/// `Length(0, n)` names both bounds; the generic schema reads a lower bound of zero as none.
pub fn both_bounds(errors: &mut Map<String, Value>) {
    for message in errors.values_mut().filter_map(|v| v.get_mut(0)) {
        if let Some(n) = message.as_str().and_then(|t| t.strip_prefix("Longer than maximum length ")) {
            *message = json!(format!("Length must be between 0 and {n}"));
        }
    }
}

/// A list of integers of a loaded body; empty when it was left out.
pub fn int_list(item: &Map<String, Value>, key: &str) -> Vec<i64> {
    item.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64).collect()
}

/// `List(Nested(schema))`: the loaded items, or the complaints by position.
pub fn nested(fields: &[Field], value: &Value) -> Result<Value, Value> {
    let Some(items) = value.as_array() else {
        let text = if value.is_null() { "Field may not be null." } else { "Not a valid list." };
        return Err(json!([text]));
    };
    let (mut out, mut errors) = (Vec::new(), Map::new());
    for (i, item) in items.iter().enumerate() {
        if item.is_null() {
            errors.insert(i.to_string(), json!(["Field may not be null."]));
            continue;
        }
        match load(fields, item) {
            Ok(item) => out.push(Value::Object(item)),
            Err(wrong) => {
                errors.insert(i.to_string(), Value::Object(wrong));
            }
        }
    }
    if errors.is_empty() { Ok(Value::Array(out)) } else { Err(Value::Object(errors)) }
}

/// marshmallow's `Integer`: text and floats are cut, booleans are not numbers. Python's integers have no end: what is
/// too great here becomes the greatest, which no column takes either.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
        Value::String(s) => {
            let text = s.trim();
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let great = digits.len() > 18 && digits.bytes().all(|b| b.is_ascii_digit());
            let greatest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
            text.parse().ok().or(great.then_some(greatest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages() {
        let fields = [
            Field::new("name", FieldKind::String).required().length(1, Some(3)),
            Field::text("note"),
            Field::new("n", FieldKind::Integer),
        ];
        let errors = |body: Value| Value::Object(load(&fields, &body).unwrap_err());
        assert_eq!(errors(json!({})), json!({"name": ["Missing data for required field."]}));
        assert_eq!(errors(json!([])), json!({"_schema": ["Invalid input type."]}));
        assert_eq!(
            errors(json!({"name": "", "note": 1, "n": true, "x": 0})),
            json!({
                "name": ["Length must be between 1 and 3."],
                "note": ["Not a valid string."],
                "n": ["Not a valid integer."],
                "x": ["Unknown field."],
            })
        );
        assert_eq!(load(&fields, &json!({"name": "a", "note": null, "n": "7"})).unwrap()["n"], json!(7));
    }
}
