//! Functions that take values.

use serde_json::Value;

const NAMES: [&str; 16] = [
    "contains",
    "ends_with",
    "join",
    "keys",
    "length",
    "max",
    "min",
    "not_null",
    "reverse",
    "sort",
    "starts_with",
    "to_array",
    "to_number",
    "to_string",
    "type",
    "values",
];

pub(super) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn call(name: &str, given: &[Value]) -> Result<Value, String> {
    let wrong = || format!("{name}() is not made for these arguments");
    Ok(match (name, given) {
        ("contains", [Value::Array(list), one]) => Value::Bool(list.contains(one)),
        ("contains", [Value::String(text), Value::String(part)]) => Value::Bool(text.contains(part.as_str())),
        ("contains", [Value::String(_), _]) => Value::Bool(false),
        ("starts_with", [Value::String(text), Value::String(part)]) => {
            Value::Bool(text.starts_with(part.as_str()))
        }
        ("ends_with", [Value::String(text), Value::String(part)]) => {
            Value::Bool(text.ends_with(part.as_str()))
        }
        ("join", [Value::String(between), Value::Array(list)]) => {
            let texts =
                list.iter().map(|one| one.as_str().ok_or_else(wrong)).collect::<Result<Vec<_>, _>>()?;
            texts.join(between).into()
        }
        ("keys", [Value::Object(map)]) => map.keys().cloned().map(Value::from).collect(),
        ("values", [Value::Object(map)]) => map.values().cloned().collect(),
        ("length", [Value::String(text)]) => text.chars().count().into(),
        ("length", [Value::Array(list)]) => list.len().into(),
        ("length", [Value::Object(map)]) => map.len().into(),
        ("max", [Value::Array(list)]) => sorted(list).ok_or_else(wrong)?.pop().unwrap_or_default(),
        ("min", [Value::Array(list)]) => {
            sorted(list).ok_or_else(wrong)?.into_iter().next().unwrap_or_default()
        }
        ("sort", [Value::Array(list)]) => Value::Array(sorted(list).ok_or_else(wrong)?),
        ("reverse", [Value::Array(list)]) => list.iter().rev().cloned().collect(),
        ("reverse", [Value::String(text)]) => text.chars().rev().collect::<String>().into(),
        ("not_null", [_, ..]) => given.iter().find(|one| !one.is_null()).cloned().unwrap_or_default(),
        ("to_array", [list @ Value::Array(_)]) => list.clone(),
        ("to_array", [one]) => Value::Array(vec![one.clone()]),
        ("to_number", [number @ Value::Number(_)]) => number.clone(),
        ("to_number", [Value::String(text)]) => {
            serde_json::from_str::<Value>(text).ok().filter(Value::is_number).unwrap_or_default()
        }
        ("to_number", [_]) => Value::Null,
        ("to_string", [text @ Value::String(_)]) => text.clone(),
        ("to_string", [other]) => other.to_string().into(),
        ("type", [one]) => match one {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
        .into(),
        _ => return Err(wrong()),
    })
}

/// Numbers alone, or texts alone, in order.
fn sorted(list: &[Value]) -> Option<Vec<Value>> {
    let mut all = list.to_vec();
    if list.iter().all(Value::is_string) {
        all.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    } else if list.iter().all(Value::is_number) {
        all.sort_by(|a, b| a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()));
    } else {
        return None;
    }
    Some(all)
}
