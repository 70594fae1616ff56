//! Runs the cases recorded from Superset (`tests/golden/post_processing/record.py`).

use std::str::FromStr as _;

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime};
use infra::engines::column::{ColumnData, ColumnInfo, ResultSet};
use serde_json::{Value, json};

use super::post_process;
use crate::encode::json as encode;
use crate::frame::{ColumnHint, Frame, FrameError, coltypes};

fn column(kind: &str, values: &[Value]) -> ColumnData {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    match kind {
        "int" => ColumnData::Int(values.iter().map(Value::as_i64).collect()),
        "float" => ColumnData::Float(values.iter().map(Value::as_f64).collect()),
        "bool" => ColumnData::Bool(values.iter().map(Value::as_bool).collect()),
        "text" => ColumnData::Text(values.iter().map(|v| text(v).map(String::into_boxed_str)).collect()),
        "decimal" => ColumnData::Decimal(
            values.iter().map(|v| text(v).map(|s| BigDecimal::from_str(&s).unwrap())).collect(),
        ),
        "date" => ColumnData::Date(
            values
                .iter()
                .map(|v| text(v).map(|s| NaiveDate::parse_from_str(&s, "%Y-%m-%d").unwrap()))
                .collect(),
        ),
        "timestamp" => ColumnData::Timestamp(
            values
                .iter()
                .map(|v| {
                    text(v).map(|s| {
                        let s = if s.len() == 10 { format!("{s}T00:00:00") } else { s };
                        NaiveDateTime::parse_from_str(&s, "%Y-%m-%dT%H:%M:%S")
                            .unwrap()
                            .and_utc()
                            .timestamp_micros()
                    })
                })
                .collect(),
        ),
        _ => ColumnData::Null(values.len()),
    }
}

pub(crate) fn frame(spec: &Value) -> Frame {
    let mut result = ResultSet::default();
    for c in spec.as_array().unwrap() {
        result.columns.push(ColumnInfo { name: c["name"].as_str().unwrap().into(), sql_type: String::new() });
        result.data.push(column(c["type"].as_str().unwrap(), c["values"].as_array().unwrap()));
    }
    Frame::from(result)
}

fn frame_json(frame: &Frame) -> Value {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"colnames\":");
    encode::write_colnames(&mut out, frame);
    out.extend_from_slice(b",\"indexnames\":");
    encode::write_indexnames(&mut out, frame);
    out.extend_from_slice(b",\"values\":[");
    for (i, c) in frame.columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.push(b'[');
        for row in 0..frame.row_count() {
            if row > 0 {
                out.push(b',');
            }
            encode::write_cell(&mut out, &c.data, row);
        }
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
    let mut v: Value =
        serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out)));
    let types = coltypes(frame, |_| ColumnHint::default());
    v["coltypes"] = types.map_or(Value::Null, |t| json!(t.into_iter().map(|t| t as u8).collect::<Vec<_>>()));
    v
}

/// Whether an answer is the recorded one, or holds an integer that pandas has rounded to a float.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(exact), Value::Number(rounded))
            if rounded.is_f64() && exact.as_i64().is_some_and(|n| n.unsigned_abs() > 1 << 53) =>
        {
            exact.as_i64().map(|n| n as f64) == rounded.as_f64()
        }
        (Value::Number(x), Value::Number(y)) => {
            if x.is_f64() != y.is_f64() {
                return false;
            }
            let (x, y) = (x.as_f64().unwrap(), y.as_f64().unwrap());
            (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1e-5)
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

#[test]
fn recorded_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/post_processing/cases.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let cases = all["cases"].as_array().unwrap();
    for case in cases {
        let steps = case["steps"].as_array().unwrap();
        let got = match post_process(frame(&all["frames"][case["frame"].as_str().unwrap()]), steps) {
            Ok(f) => frame_json(&f),
            Err(FrameError::Invalid(m)) => json!({"invalid": m}),
            Err(FrameError::Unexpected(m)) => json!({"unexpected": m}),
            Err(FrameError::Stopped(why)) => panic!("{why}"),
        };
        let want = &case["expect"];
        // The words of an unforeseen Python exception are not part of the contract, its being one is.
        if !(same(&got, want) || (got.get("unexpected").is_some() && want.get("unexpected").is_some())) {
            wrong.push(format!("{} {}\n   want {want}\n   got  {got}", case["frame"], case["steps"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
