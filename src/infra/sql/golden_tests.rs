//! Printing compared with texts recorded from sqlglot (`tests/golden/sql/format.json`), or from the file that
//! `LITESET_FORMAT_CASES` names.

use serde_json::Value;

fn check(path: &str) -> (usize, Vec<String>) {
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let text = |key: &str| case.get(key).and_then(Value::as_str).unwrap();
        let (engine, sql) = (text("engine"), text("sql"));
        let (flat, pretty) = match text("kind") {
            "clause" => match super::clause(sql, engine) {
                Ok(fragment) => (fragment.text(), None),
                Err(error) => (format!("!{error}"), None),
            },
            _ => match super::parse(sql, engine) {
                Ok(script) => {
                    let flat: Vec<_> =
                        script.statements().iter().map(super::Statement::format_flat).collect();
                    (flat.join(";"), Some(script.format()))
                }
                Err(error) => (format!("!{error}"), None),
            },
        };
        if flat != text("flat") {
            failures.push(format!("{engine} {sql:?}\n  expected {:?}\n  got      {flat:?}", text("flat")));
        } else if let Some(pretty) = pretty.filter(|pretty| pretty != text("pretty")) {
            failures
                .push(format!("{engine} {sql:?}\n  expected {:?}\n  got      {pretty:?}", text("pretty")));
        }
    }
    (cases.len(), failures)
}

#[test]
fn prints_as_sqlglot_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/sql/format.json");
    let (count, failures) = check(path);
    assert!(count > 100, "{count} cases only");
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn prints_further_texts_where_there_are_some() {
    let Ok(path) = std::env::var("LITESET_FORMAT_CASES") else { return };
    let (count, failures) = check(&path);
    println!("{} of {count} equal\n{}", count - failures.len(), failures.join("\n"));
}
