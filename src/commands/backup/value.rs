//! Values of the metadata database as JSON, and back: nothing is lost, not even what a column should not hold.

use base64::{Engine as _, engine::general_purpose::STANDARD as B64};
use chrono::NaiveDateTime;
use infra::db::Value;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

const TIME: &str = "%Y-%m-%dT%H:%M:%S%.f";

/// The JSON of a value.
pub fn to_json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => b.into(),
        Value::Int(i) => i.into(),
        Value::Float(f) => match serde_json::Number::from_f64(f) {
            Some(number) => json!({"float": number}),
            None => json!({"float": f.to_string()}),
        },
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) => json!({"base64": B64.encode(bytes)}),
        Value::DateTime(time) => json!({"time": time.format(TIME).to_string()}),
        Value::Uuid(uuid) => json!({"uuid": uuid.to_string()}),
    }
}

/// The value of a JSON; none for what was never written.
pub fn from_json(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(b),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text),
        Json::Object(map) => tagged(map)?,
        Json::Array(_) => return None,
    })
}

fn tagged(map: Map<String, Json>) -> Option<Value> {
    let (tag, value) = map.into_iter().next()?;
    let text = value.as_str();
    Some(match tag.as_str() {
        "float" => Value::Float(value.as_f64().or_else(|| text?.parse().ok())?),
        "base64" => Value::Bytes(B64.decode(text?).ok()?),
        "time" => Value::DateTime(NaiveDateTime::parse_from_str(text?, TIME).ok()?),
        "uuid" => Value::Uuid(Uuid::parse_str(text?).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive() {
        let time = infra::db::parse_datetime("2024-02-29 23:59:59.000001").unwrap();
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(1.0),
            Value::Float(1_795_212_350_450.105),
            Value::Float(f64::INFINITY),
            Value::Text("ü \"\\ \u{0} \u{1F600}".into()),
            Value::Bytes(vec![0, 255, 7]),
            Value::DateTime(time),
            Value::Uuid(Uuid::from_bytes([9; 16])),
        ] {
            let text = to_json(value.clone()).to_string();
            assert_eq!(from_json(serde_json::from_str(&text).unwrap()), Some(value), "{text}");
        }
        for odd in ["{}", "[]", "1.5", "{\"time\": \"x\"}", "{\"other\": 1}", "18446744073709551615"] {
            assert_eq!(from_json(serde_json::from_str(odd).unwrap()), None, "{odd}");
        }
    }
}
