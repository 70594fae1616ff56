//! Runs the cases recorded from Superset (`tests/golden/client_processing/record.py`).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{from_records, process, read_csv};
use crate::encode::csv::{CsvOptions, to_csv};
use crate::frame::ColumnHint;
use crate::post_processing::golden::{frame, same};

#[test]
fn recorded_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/client_processing/cases.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let records = from_records(&frame(&all["frame"]));
    let csv = read_csv(&String::from_utf8(to_csv(&records, &CsvOptions::plain(false)).unwrap()).unwrap());
    let mut wrong = Vec::new();
    let cases = all["cases"].as_array().unwrap();
    for case in cases {
        let is_csv = case["format"] == "csv";
        let table = if is_csv { csv.clone() } else { records.clone() };
        let got = match process(table, case["form"].as_object().unwrap(), &HashMap::new(), |_| {
            ColumnHint::default()
        }) {
            Ok(None) => continue,
            Ok(Some(p)) => match p.json() {
                Ok(data) => json!({
                    "colnames": serde_json::from_slice::<Value>(&p.colnames).unwrap(),
                    "indexnames": serde_json::from_slice::<Value>(&p.indexnames).unwrap(),
                    "coltypes": p.coltypes.iter().map(|t| *t as u8).collect::<Vec<_>>(),
                    "rowcount": p.rowcount,
                    "data": if is_csv {
                        Value::String(String::from_utf8(p.csv().unwrap()).unwrap())
                    } else {
                        serde_json::from_slice(&data).unwrap()
                    },
                }),
                Err(e) => json!({"unexpected": e.to_string()}),
            },
            Err(e) => json!({"unexpected": e.to_string()}),
        };
        let want = &case["expect"];
        if !(same(&got, want) || (got.get("unexpected").is_some() && want.get("unexpected").is_some())) {
            wrong.push(format!("{} {}\n   want {want}\n   got  {got}", case["format"], case["form"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
