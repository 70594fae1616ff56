//! The description of the API against what Superset 6.0.0 says of itself.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Map, Value};

use crate::support::Server;

/// The recorded document, unless the folder beside the project is absent.
fn recorded() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contract/openapi.json");
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("skipped: ../shared/contract/openapi.json is not there");
    }
    serde_json::from_str(&text?).ok()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let verbs = |(path, item): (&String, &Value)| {
        let item: Map<String, Value> = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(verb, operation)| (path.clone(), verb, operation))
    };
    paths.iter().flat_map(verbs).collect()
}

/// What is compared of an operation: places, names and necessity of its arguments, its body, the codes of its answers.
fn outline(operation: &Value) -> (BTreeSet<String>, Option<String>, BTreeSet<String>) {
    let arguments = operation["parameters"].as_array().into_iter().flatten();
    let arguments =
        arguments.map(|a| format!("{} {} {}", a["in"], a["name"], a["required"] == true)).collect();
    let body = operation.get("requestBody").map(|b| {
        let content = b["content"].as_object().and_then(|c| c.iter().next());
        let name = content.and_then(|(_, c)| c.pointer("/schema/$ref")).and_then(Value::as_str);
        name.unwrap_or_default().to_owned()
    });
    let codes =
        operation["responses"].as_object().into_iter().flatten().map(|(code, _)| code.clone()).collect();
    (arguments, body, codes)
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("$ref") {
                found.insert(name.clone());
            }
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[test]
fn the_document_describes_what_is_served_as_superset_does() {
    let server = Server::start("openapi");
    let mut admin = server.admin();
    let answer = admin.get("/api/v1/_openapi");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let ours = answer.json();
    let mut named = BTreeSet::new();
    references(&ours, &mut named);
    for name in &named {
        assert!(ours.pointer(name.trim_start_matches('#')).is_some(), "{name} is nowhere");
    }
    assert_eq!(admin.get("/api/v2/_openapi").status, 404);
    assert_eq!(server.anonymous().get("/api/v1/_openapi").status, 401);
    let Some(theirs) = recorded() else { return };
    let mut wrong = Vec::new();
    let described = operations(&ours);
    for (path, verb, operation) in &described {
        match theirs["paths"][path].get(verb) {
            None => wrong.push(format!("{verb} {path}: Superset does not describe it")),
            Some(recorded) if outline(recorded) != outline(operation) => {
                wrong.push(format!("{verb} {path}: {:?} {:?}", outline(operation), outline(recorded)));
            }
            Some(_) => {}
        }
    }
    let total = operations(&theirs).len();
    println!("{} of {total} operations of Superset are described", described.len());
    let (our, their) = (&ours["components"]["schemas"], &theirs["components"]["schemas"]);
    for (name, schema) in their.as_object().unwrap() {
        let Some(described) = our.get(name) else {
            wrong.push(format!("schema {name} is missing"));
            continue;
        };
        let names = |s: &Value| -> BTreeSet<String> {
            s["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        if names(described) != names(schema) {
            wrong.push(format!("schema {name}: {:?}, Superset {:?}", names(described), names(schema)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_the_document_needs_no_other_host() {
    let server = Server::start("swagger");
    let mut admin = server.admin();
    let page = admin.get("/swagger/v1");
    assert_eq!(page.status, 200);
    let text = page.text();
    for attribute in ["src=\"", "href=\""] {
        for address in text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(address.starts_with('/') && !address.starts_with("//"), "{address}");
            if address.starts_with("/static/") {
                assert_eq!(admin.get(address).status, 200, "{address}");
            }
        }
    }
    let policy = page.header("content-security-policy").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default();
    assert!(!nonce.is_empty() && text.contains(&format!("<script nonce=\"{nonce}\">")), "{policy}");
    assert_eq!(server.anonymous().get("/swagger/v1").status, 302);
}
