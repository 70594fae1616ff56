//! Type names as the Python drivers give them to a cursor's description (`BaseEngineSpec.get_datatype`).

/// The name that SQL Lab shows for a column's type; `None` where the driver tells nothing.
///
/// psycopg2 has names of its own for the types it knows, and none for others.
pub fn cursor_type(engine: &str, native: &str) -> Option<String> {
    if native.is_empty() {
        return None;
    }
    match engine {
        "postgresql" | "cockroachdb" | "redshift" | "netezza" | "risingwave" | "hana" | "vertica" => {
            psycopg2(native)
        }
        // their drivers give numbers and objects in the place of names
        "duckdb" | "mssql" => None,
        "clickhouse" | "clickhousedb" | "databend" => Some(native.to_owned()),
        _ => Some(native.to_uppercase()),
    }
}

fn psycopg2(native: &str) -> Option<String> {
    let (element, array) = native.strip_prefix('_').map_or((native, ""), |element| (element, "ARRAY"));
    let name = match element {
        "bool" => "BOOLEAN",
        "bytea" => "BINARY",
        "int8" => "LONGINTEGER",
        "int2" | "int4" => "INTEGER",
        "float4" | "float8" => "FLOAT",
        "numeric" => "DECIMAL",
        "text" | "varchar" | "bpchar" | "char" | "name" => "STRING",
        "oid" => "ROWID",
        "date" => "DATE",
        "time" | "timetz" => "TIME",
        "timestamp" => "DATETIME",
        "timestamptz" => "DATETIMETZ",
        "interval" => "INTERVAL",
        "json" => "JSON",
        "jsonb" => "JSONB",
        "unknown" => "UNKNOWN",
        "inet" | "cidr" | "macaddr" if !array.is_empty() => {
            return Some(format!("{}ARRAY", element.to_uppercase()));
        }
        "tsrange" | "tstzrange" | "daterange" => return Some(format!("{element}{array}")),
        _ => return None,
    };
    Some(format!("{name}{array}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_psycopg2() {
        assert_eq!(cursor_type("postgresql", "int8").as_deref(), Some("LONGINTEGER"));
        assert_eq!(cursor_type("postgresql", "_text").as_deref(), Some("STRINGARRAY"));
        assert_eq!(cursor_type("postgresql", "uuid"), None);
        assert_eq!(cursor_type("sqlite", ""), None);
        assert_eq!(cursor_type("trino", "varchar").as_deref(), Some("VARCHAR"));
    }
}
