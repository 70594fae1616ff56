//! The matrix of query objects on every engine, compared with what Superset's dialects compile
//! (`tests/golden/sql/engines`).

use std::{collections::BTreeMap, fmt::Write};

use infra::engine_specs::specs;
use serde_json::{Map, Value};

use super::golden_tests::{dataset, in_parentheses, list, outcome, string_field};

const ENGINES: &[&str] = &[
    "sqlite",
    "postgresql",
    "cockroachdb",
    "redshift",
    "risingwave",
    "duckdb",
    "mysql",
    "mariadb",
    "oceanbase",
    "singlestoredb",
    "starrocks",
    "pydoris",
    "mssql",
    "clickhousedb",
    "clickhouse",
    "trino",
    "presto",
    "awsathena",
    "azure_synapse",
    "bigquery",
    "crate",
    "databend",
    "databricks",
    "db2",
    "denodo",
    "dremio",
    "drill",
    "druid",
    "dynamodb",
    "elasticsearch",
    "exa",
    "firebird",
    "firebolt",
    "gsheets",
    "hana",
    "hive",
    "ibmi",
    "impala",
    "kustosql",
    "netezza",
    "ocient",
    "odelasticsearch",
    "oracle",
    "parseable",
    "pinot",
    "snowflake",
    "teradatasql",
    "vertica",
];

fn file(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/sql/engines/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The texts of an engine by case; those that are another engine's stand in that one's file.
fn texts(engine: &str) -> Map<String, Value> {
    let file = file(engine);
    let mut all = string_field(&file, "like").map(|like| texts(&like)).unwrap_or_default();
    for (id, sql) in file.get("texts").and_then(Value::as_object).into_iter().flatten() {
        match sql {
            Value::Null => all.remove(id),
            _ => all.insert(id.clone(), sql.clone()),
        };
    }
    all
}

/// The texts that differ on purpose; the files tell why.
fn ours(engine: &str) -> Map<String, Value> {
    let file = file(engine);
    let mut all = string_field(&file, "like").map(|like| ours(&like)).unwrap_or_default();
    // a text of its own is compared with its own
    for id in file.get("texts").and_then(Value::as_object).into_iter().flatten().map(|(id, _)| id) {
        all.remove(id);
    }
    for group in list(&file, "ours") {
        assert!(string_field(group, "why").is_some());
        let texts = group.get("texts").and_then(Value::as_object).into_iter().flatten();
        all.extend(texts.map(|(id, sql)| (id.clone(), sql.clone())));
    }
    all
}

/// A dataset of the matrix with the types that columns have on an engine.
fn typed(definition: &Value, engine: &str, types: &Value) -> Value {
    let mut definition = definition.clone();
    for column in definition.get_mut("columns").and_then(Value::as_array_mut).unwrap() {
        let kind = string_field(column, "type");
        let native = kind.and_then(|kind| string_field(types, kind.trim_matches(['<', '>'])));
        column["type"] = native.map_or(Value::Null, Value::String);
    }
    definition["engine"] = engine.into();
    definition
}

#[test]
fn engines_get_the_recorded_texts() {
    let matrix = file("matrix");
    let cases: BTreeMap<_, _> =
        list(&matrix, "cases").iter().map(|case| (string_field(case, "id").unwrap(), case)).collect();
    let mut failures = String::new();
    for engine in ENGINES {
        // engines recorded with the warehouses have theirs beside the texts
        let recorded = file(engine);
        let types = matrix.get("types").and_then(|types| types.get(*engine));
        let types = types.or_else(|| recorded.get("types")).unwrap();
        let class = string_field(&recorded, "spec");
        let spec = class.map(|class| specs().iter().find(|spec| spec.class == class).unwrap());
        let expected = texts(engine);
        assert!(expected.len() > 80, "{engine}: {} cases only", expected.len());
        let ours = ours(engine);
        for (id, sql) in &expected {
            if id.starts_with("select star ") {
                // compared where it is written
                continue;
            }
            let case = cases.get(id).unwrap();
            let named = matrix
                .get("datasets")
                .and_then(|all| all.get(string_field(case, "dataset").unwrap()))
                .unwrap();
            let mut asked = dataset(&typed(named, engine, types));
            asked.engine = spec.unwrap_or(asked.engine);
            let got = outcome(case, asked);
            // refusals with a status of their own
            let got = got.replacen("!422: ", "!", 1).replacen("!403: ", "!", 1);
            let wanted = in_parentheses(ours.get(id).unwrap_or(sql).as_str().unwrap());
            if got != wanted {
                write!(failures, "{engine} {id}\n  expected {wanted:?}\n  got      {got:?}\n").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{failures}", failures.lines().count() / 3);
}
