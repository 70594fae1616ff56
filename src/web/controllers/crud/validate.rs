//! Loading a body against fields, with marshmallow's messages.

use serde_json::{Map, Value};

use super::{Field, FieldKind};

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
                Err(message) => errors.extend(one(field.name, &message)),
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

fn load_field(field: &Field, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return if field.nullable { Ok(Value::Null) } else { Err("Field may not be null.".into()) };
    }
    let loaded = match field.kind {
        FieldKind::String => value.as_str().map(Value::from).ok_or("Not a valid string."),
        FieldKind::Integer => integer(value).map(Value::from).ok_or("Not a valid integer."),
        FieldKind::Boolean => boolean(value).map(Value::from).ok_or("Not a valid boolean."),
        FieldKind::List => value.as_array().map(|_| value.clone()).ok_or("Not a valid list."),
        FieldKind::Other(_) | FieldKind::Missing => Ok(value.clone()),
    }?;
    if let (Some((min, max)), Some(text)) = (field.length, loaded.as_str()) {
        let length = text.chars().count() as u64;
        let (min, max) = (u64::from(min), max.map(u64::from));
        match max {
            Some(max) if min > 0 && (length < min || length > max) => {
                return Err(format!("Length must be between {min} and {max}."));
            }
            Some(max) if length > max => return Err(format!("Longer than maximum length {max}.")),
            None if length < min => return Err(format!("Shorter than minimum length {min}.")),
            _ => {}
        }
    }
    Ok(loaded)
}

/// marshmallow's `Integer`: text and floats are cut, booleans are not numbers.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().filter(|f| f.abs() < 9e15).map(|f| f as i64)),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// marshmallow's `Boolean`: its sets of truthy and falsy spellings.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => match n.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(s) => match s.as_str() {
            "t" | "T" | "true" | "True" | "TRUE" | "on" | "On" | "ON" | "y" | "Y" | "yes" | "Yes" | "YES"
            | "1" => Some(true),
            "f" | "F" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" | "n" | "N" | "no" | "No"
            | "NO" | "0" => Some(false),
            _ => None,
        },
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
