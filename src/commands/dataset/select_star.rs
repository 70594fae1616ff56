//! The statement that shows the first rows of a table (`BaseEngineSpec.select_star`).

use infra::engines::EngineSpec;

/// `SELECT * FROM table LIMIT 100`, formatted the way sqlglot does.
pub fn select_star(spec: &EngineSpec, catalog: Option<&str>, schema: Option<&str>, table: &str) -> String {
    let catalog = catalog.filter(|_| spec.caps.supports_cross_catalog_queries);
    let dialect = query::engine::Dialect::of(spec);
    let parts = [catalog, schema, Some(table)];
    let name: Vec<String> =
        parts.into_iter().flatten().filter(|p| !p.is_empty()).map(|p| dialect.quote(p)).collect();
    let name = name.join(".");
    match spec.dialect.as_str() {
        "tsql" => format!("SELECT\nTOP 100\n  *\nFROM {name}"),
        "oracle" => format!("SELECT\n  *\nFROM {name}\nFETCH FIRST 100 ROWS ONLY"),
        // SQLAlchemy's SQLite compiler always writes the offset
        "sqlite" => format!("SELECT\n  *\nFROM {name}\nLIMIT 100\nOFFSET 0"),
        _ => format!("SELECT\n  *\nFROM {name}\nLIMIT 100"),
    }
}
