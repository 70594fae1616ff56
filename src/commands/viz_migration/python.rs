//! Operations of Python on JSON values, as far as the original's migrations use them. What raises there is
//! [`NotMigrated`] here: the chart then keeps what it had.

use infra::{json::truthy, python::parse_float};
use query::python::str_of;
use serde_json::{Value, json};

use super::{FormData, NotMigrated};

/// An exception of the original.
pub fn raised<T>(what: &str) -> Result<T, NotMigrated> {
    Err(NotMigrated(what.to_owned()))
}

/// `value.get(key)`: only dictionaries have it.
pub fn get<'a>(value: &'a Value, key: &str) -> Result<Option<&'a Value>, NotMigrated> {
    match value {
        Value::Object(map) => Ok(map.get(key)),
        _ => raised("no dictionary where one is needed"),
    }
}

/// A control that is there and not null.
pub fn given<'a>(data: &'a FormData, key: &str) -> Option<&'a Value> {
    data.get(key).filter(|value| !value.is_null())
}

/// Items of `for item in value`: of a list, letters of a text, keys of a dictionary.
pub fn items(value: &Value) -> Result<Vec<Value>, NotMigrated> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        Value::String(text) => Ok(text.chars().map(|c| json!(c.to_string())).collect()),
        Value::Object(map) => Ok(map.keys().map(|key| json!(key)).collect()),
        _ => raised("not iterable"),
    }
}

/// `list + list`, where null is an error as in the original.
pub fn list(value: Option<&Value>) -> Result<Vec<Value>, NotMigrated> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(_) => raised("no list where one is needed"),
    }
}

/// A list as it is, one value as a list of one, nothing as an empty list (`ensure_is_array`).
pub fn ensure_list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    }
}

/// `a == b`: numbers by their value, booleans are numbers.
pub fn equal(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Number(n) => n.as_f64(),
        _ => None,
    };
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|b| equal(value, b)))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// Keys of dictionaries and members of sets must be hashable.
pub fn hashable(value: &Value) -> Result<(), NotMigrated> {
    match value {
        Value::Array(_) | Value::Object(_) => raised("unhashable type"),
        _ => Ok(()),
    }
}

/// The text of a dictionary's key in JSON.
pub fn key_text(value: &Value) -> Result<String, NotMigrated> {
    hashable(value)?;
    Ok(match value {
        Value::String(text) => text.clone(),
        other => infra::json::dumps(other),
    })
}

/// `text in value`: a part of a text, a member of a list, a key of a dictionary.
pub fn contains(value: &Value, text: &str) -> Result<bool, NotMigrated> {
    match value {
        Value::String(whole) => Ok(whole.contains(text)),
        Value::Array(items) => Ok(items.iter().any(|item| item.as_str() == Some(text))),
        Value::Object(map) => Ok(map.contains_key(text)),
        _ => raised("not iterable"),
    }
}

/// `int(value)`.
pub fn int(value: &Value) -> Result<i64, NotMigrated> {
    let whole = match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Number(n) => n.as_i64().or_else(|| whole(n.as_f64()?)),
        Value::String(text) => int_text(text),
        _ => None,
    };
    whole.map_or_else(|| raised("not a whole number"), Ok)
}

/// `int(text)`: blanks around it, a sign, digits with single underscores between them.
pub fn int_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let fine = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if fine { text.replace('_', "").parse().ok() } else { None }
}

/// `int(float)`, within what JSON integers hold here.
pub fn whole(number: f64) -> Option<i64> {
    let cut = number.trunc();
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    (cut.abs() < 9.2e18).then_some(cut as i64)
}

/// `float(value)`.
pub fn float(value: &Value) -> Result<f64, NotMigrated> {
    let number = match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Number(n) => n.as_f64(),
        Value::String(text) => parse_float(text),
        _ => None,
    };
    number.map_or_else(|| raised("not a number"), Ok)
}

/// `int(str(value))`, or a default (`ensure_is_int`).
pub fn int_or(value: Option<&Value>, default: i64) -> i64 {
    value.and_then(|value| int_text(&str_of(value))).unwrap_or(default)
}

/// `a or b`, of which the last one counts when none is truthy.
pub fn or<'a>(values: impl IntoIterator<Item = Option<&'a Value>>) -> Value {
    let mut last = Value::Null;
    for value in values {
        last = value.cloned().unwrap_or_default();
        if truthy(&last) {
            break;
        }
    }
    last
}

/// `len(value)`.
pub fn len(value: &Value) -> Result<usize, NotMigrated> {
    match value {
        Value::String(text) => Ok(text.chars().count()),
        Value::Array(items) => Ok(items.len()),
        Value::Object(map) => Ok(map.len()),
        _ => raised("has no len()"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_does_it() {
        assert!(equal(&json!([1, {"a": true}]), &json!([1.0, {"a": 1}])));
        assert!(!equal(&json!("1"), &json!(1)));
        for (text, number) in
            [(" 7 ", Some(7)), ("+1_0", Some(10)), ("1__0", None), ("7.0", None), ("", None)]
        {
            assert_eq!(int_text(text), number, "{text}");
        }
        assert_eq!(int(&json!(7.9)), Ok(7));
        assert_eq!(int(&json!(true)), Ok(1));
        assert!(int(&json!(null)).is_err());
        assert_eq!(int_or(Some(&json!(7.0)), 1), 1);
        assert_eq!(items(&json!("ab")), Ok(vec![json!("a"), json!("b")]));
        assert_eq!(key_text(&json!(null)), Ok("null".into()));
    }
}
