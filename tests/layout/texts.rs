//! What must not stand in the text of a source file.

use regex::Regex;

use crate::source::{self, Source};

fn is_in(source: &Source, folders: &[&str]) -> bool {
    folders.iter().any(|folder| source.path.starts_with(folder))
}

/// Lines of code of the layers that match, outside of some folders.
fn lines(pattern: &str, crates: &[&str], allowed: &[&str]) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let files = crates.iter().flat_map(|name| source::of_crate(name));
    let files: Vec<Source> = files.filter(|file| !file.is_test() && !is_in(file, allowed)).collect();
    let found = files.iter().flat_map(|file| {
        let hits = file.code().filter(|(_, line)| pattern.is_match(line));
        hits.map(|(at, line)| format!("{}:{at}: {}", file.path, line.trim())).collect::<Vec<_>>()
    });
    found.collect()
}

/// Statements on the metadata database belong to `daos`. `query` and the engines write the SQL of charts.
pub fn sql_outside_daos() -> Vec<String> {
    let statement = r#""\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) [a-z*"{(]"#;
    lines(statement, &["commands", "web"], SQL_OF_DATA)
}

/// Places that write SQL for analytical databases, not for the metadata database.
const SQL_OF_DATA: &[&str] =
    &["src/commands/introspect/", "src/commands/upload/", "src/commands/examples/data.rs"];

/// Commands hold transactions, the presentation does not.
pub fn transactions_in_web() -> Vec<String> {
    lines(r"\.begin\(\)", &["web"], &[])
}

/// A name of an engine as a string is a fact about it: those are in its specification.
pub fn engine_names() -> Vec<String> {
    let names = "postgresql|mysql|mariadb|sqlite|clickhouse|clickhousedb|trino|presto|mssql|duckdb|bigquery|snowflake|\
                 starrocks|databricks|hive|oracle|redshift|druid|athena|awsathena";
    lines(&format!("\"({names})\""), source::CRATES, &ENGINES)
}

/// Where engines are named: their facts, their drivers, and the URIs of metadata databases.
const ENGINES: [&str; 4] =
    ["src/infra/engine_specs/", "src/infra/engines/", "src/infra/db/", "src/infra/sql/"];

/// A file has one subject, a line fits a screen. Recorded tables are data.
pub fn too_long() -> Vec<String> {
    let code =
        ["src", "tests", "assets"].iter().flat_map(|folder| source::below(folder, &[".rs", ".py", ".mjs"]));
    let mut found = Vec::new();
    for file in code {
        let count = file.text.lines().count();
        if count > 700 && !file.path.starts_with("tests/golden/") {
            found.push(format!("{}: {count} lines", file.path));
        }
        let long = file.text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120);
        found.extend(
            long.map(|(at, line)| format!("{}:{}: {} columns", file.path, at + 1, line.chars().count())),
        );
    }
    found
}
