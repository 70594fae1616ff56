//! What PyYAML writes and reads (`tests/golden/yaml/record.py`).

use serde_json::Value;

use super::{ErrorKind, Yaml, dump, json_loads, load};
use crate::python;

fn recorded(name: &str) -> Vec<Vec<Value>> {
    let path = format!("{}/../../tests/golden/yaml/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn documents_are_written_as_pyyaml_writes_them() {
    let mut wrong = Vec::new();
    for case in recorded("dump") {
        let (value, want) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let written = dump(&json_loads(value).unwrap());
        if written != want {
            wrong.push(format!("{value}\n--- want\n{want}\n--- have\n{written}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ, the first:\n{}", wrong.len(), wrong[0]);
}

/// As `record.py` writes a value down.
fn plain(value: &Yaml) -> Value {
    use serde_json::json;
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => json!(b),
        Yaml::Int(i) => json!({"int": i.to_string()}),
        Yaml::Big(digits) => json!({"int": digits}),
        Yaml::Float(f) => json!({"float": python::float_repr(*f)}),
        Yaml::Text(text) => json!(text),
        Yaml::Date(d) => json!({"time": d.to_string()}),
        Yaml::Time(t) => json!({"time": iso(&t.format("%Y-%m-%dT%H:%M:%S%.6f").to_string())}),
        Yaml::Instant(t) => json!({"time": iso(&t.format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string())}),
        Yaml::Bytes(b) => json!({"bytes": b.iter().map(|b| format!("{b:02x}")).collect::<String>()}),
        Yaml::Set(keys) => {
            let mut keys: Vec<&str> = keys.iter().filter_map(|k| k.as_str()).collect();
            keys.sort_unstable();
            json!({"set": keys})
        }
        Yaml::List(items) => json!({"list": items.iter().map(plain).collect::<Vec<_>>()}),
        Yaml::Map(map) => {
            let key = |k: &super::Key| match k {
                super::Key::Text(t) => json!(t),
                super::Key::Null => Value::Null,
                super::Key::Bool(b) => json!(b),
                super::Key::Int(i) => json!({"int": i}),
                super::Key::Float(f) => json!({"float": f}),
                super::Key::Other(t) => json!({"time": t}),
            };
            json!({"map": map.iter().map(|(k, v)| json!([key(k), plain(v)])).collect::<Vec<_>>()})
        }
    }
}

fn iso(text: &str) -> String {
    text.replace(".000000", "")
}

#[test]
fn documents_are_read_as_pyyaml_reads_them() {
    let mut wrong = Vec::new();
    for case in recorded("load") {
        let text = case[0].as_str().unwrap();
        let read = load(text);
        let have = match &read {
            Ok(value) => plain(value).to_string(),
            Err(e) => format!("{:?}: {}", e.kind, e.text),
        };
        let error = &case[2];
        let want = match error["kind"].as_str() {
            None => case[1].to_string(),
            // what refers to itself is refused here
            Some("recursion") if read.is_err() => continue,
            Some(kind) => {
                let kind = kind.trim_end_matches("Error");
                let ours = match kind {
                    "Reader" | "Scanner" | "Parser" | "Composer" | "Constructor" => kind,
                    _ => "Constructor",
                };
                format!("{ours}: {}", error["text"].as_str().unwrap())
            }
        };
        if want != have {
            wrong.push(format!("{text:?}\n--- want\n{want}\n--- have\n{have}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let kind = |text: &str| load(text).unwrap_err().kind;
    assert_eq!(kind(&"[".repeat(5000)), ErrorKind::Limit);
    assert_eq!(
        kind(&(0..5000).map(|i| format!("{}a:\n", " ".repeat(i))).collect::<String>()),
        ErrorKind::Limit
    );
    assert_eq!(kind(&"- ".repeat(5000)), ErrorKind::Limit);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..20 {
        let last = format!("*a{}", i - 1);
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![last; 10].join(", "));
    }
    assert_eq!(kind(&bomb), ErrorKind::Limit);
    // depth through aliases
    let mut deep = String::from("a0: &a0 x\n");
    for i in 1..40 {
        deep += &format!("a{i}: &a{i} {}*a{}{}\n", "[".repeat(10), i - 1, "]".repeat(10));
    }
    assert_eq!(kind(&deep), ErrorKind::Limit);
    assert_eq!(kind(&"a".repeat((32 << 20) + 1)), ErrorKind::Limit);
}
