//! The SQL types of both engines through a real query to coltypes, JSON, CSV and XLSX, compared with what Superset
//! 6.0.0 answered to the same statements (`tests/golden/types`).

use std::io::Read as _;

use serde_json::Value;

use crate::support::{Server, Source, ask, postgres_uri};

#[test]
fn types_of_sqlite() {
    compare(&Source::Examples, include_str!("../golden/types/sqlite.json"));
}

#[test]
fn types_of_postgresql() {
    if let Some(uri) = postgres_uri() {
        compare(&Source::Uri(&uri), include_str!("../golden/types/postgresql.json"));
    }
}

fn compare(source: &Source<'_>, golden: &str) {
    let server = Server::start("types");
    let mut admin = server.admin();
    let cases: Vec<Value> = serde_json::from_str(golden).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = |key: &str| case[key].as_str().unwrap();
        let id = server.add_virtual(text("name"), source, text("sql"), text("type"));
        let answer = admin.post("/api/v1/chart/data", &ask(id, "json"));
        assert_eq!(answer.status, 200, "{}: {}", text("name"), answer.text());
        let result = answer.json()["result"][0].take();
        let mut differs = |what: &str, got: &Value, expected: &Value| {
            if !same(got, expected) {
                wrong.push(format!("{} {what}\n    expected {expected}\n    got      {got}", text("name")));
            }
        };
        differs("coltypes", &result["coltypes"], &case["coltypes"]);
        differs("json", &result["data"], &serde_json::from_str(text("data")).unwrap());
        let csv = admin.post("/api/v1/chart/data", &ask(id, "csv"));
        // where the original rounds integers beside a null, ours are exact
        let expected = case.get("exact_csv").unwrap_or(&case["csv"]);
        differs("csv", &csv.text().into(), expected);
        let xlsx = admin.post("/api/v1/chart/data", &ask(id, "xlsx"));
        differs("xlsx", &cells(&xlsx.body), &case["xlsx"]);
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Numbers are equal within the digits that a double holds, also where a sheet writes them as text.
fn same(a: &Value, b: &Value) -> bool {
    let number = |v: &Value| match v {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => {
            a == b
                || std::mem::discriminant(a) == std::mem::discriminant(b)
                    && number(a).zip(number(b)).is_some_and(|(a, b)| (a - b).abs() <= 1e-12 * b.abs())
        }
    }
}

/// Reference, type and value of the cells of a sheet.
fn cells(body: &[u8]) -> Value {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(body)).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        if let Ok(mut file) = archive.by_name(name) {
            file.read_to_string(&mut text).unwrap();
        }
        text
    };
    let (shared, sheet) = (part("xl/sharedStrings.xml"), part("xl/worksheets/sheet1.xml"));
    let inside = |text: &str, open: &str, close: &str| {
        let start = text.find(open)? + open.len();
        let end = text.get(start..)?.find(close)? + start;
        Some(text.get(start..end)?.to_owned())
    };
    let texts: Vec<String> = shared
        .split("<si>")
        .skip(1)
        .map(|item| {
            let text = inside(item, "<t", "</t>").unwrap_or_default();
            text.split_once('>').map_or(String::new(), |(_, text)| text.to_owned())
        })
        .collect();
    sheet
        .split("<c ")
        .skip(1)
        .map(|cell| {
            let cell = cell.split("</c>").next().unwrap_or_default();
            let kind = inside(cell, " t=\"", "\"").unwrap_or_else(|| "n".into());
            let value = inside(cell, "<v>", "</v>").map(|value| match kind.as_str() {
                "s" => texts[value.parse::<usize>().unwrap()].clone(),
                _ => value,
            });
            serde_json::json!([inside(cell, "r=\"", "\"").unwrap(), kind, value])
        })
        .collect()
}
