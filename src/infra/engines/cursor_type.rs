//! Type names as the Python drivers give them to a cursor's description (`BaseEngineSpec.get_datatype`).

use crate::engine_specs::{EngineSpec, facts::CursorTypes};

impl EngineSpec {
    /// The name that SQL Lab shows for a column's type; `None` where the driver tells nothing.
    pub fn cursor_type(&self, native: &str) -> Option<String> {
        match self.sql.cursor_types {
            _ if native.is_empty() => None,
            CursorTypes::Psycopg2 => psycopg2(native),
            CursorTypes::Nameless => None,
            CursorTypes::Native => Some(native.to_owned()),
            CursorTypes::Capitals => Some(native.to_uppercase()),
        }
    }
}

/// psycopg2 has names of its own for the types it knows, and none for others.
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
    use crate::engine_specs::spec;

    #[test]
    fn names_of_psycopg2() {
        assert_eq!(spec("postgresql", None).cursor_type("int8").as_deref(), Some("LONGINTEGER"));
        assert_eq!(spec("postgresql", None).cursor_type("_text").as_deref(), Some("STRINGARRAY"));
        assert_eq!(spec("postgresql", None).cursor_type("uuid"), None);
        assert_eq!(spec("sqlite", None).cursor_type(""), None);
        assert_eq!(spec("trino", None).cursor_type("varchar").as_deref(), Some("VARCHAR"));
    }
}
