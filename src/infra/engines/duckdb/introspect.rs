//! Schemas, tables and columns from DuckDB's own functions, as `duckdb_engine`'s inspector tells them: schemas are
//! named with their database (`file.main`).

use async_trait::async_trait;

use super::{
    super::{
        QueryOptions,
        catalog::{ColumnDescription, ForeignKey, Key},
        column::Scalar,
    },
    Database,
};
use crate::engines::{
    driver::{Driver as _, Inspect},
    error::EngineError,
};

/// The name of a schema that is not `database.schema`, or one that is.
#[derive(Debug, PartialEq)]
struct Name {
    database: Option<String>,
    schema: String,
}

/// Takes `"a b".main` apart (`DuckDBIdentifierPreparer._separate`).
fn separate(name: &str) -> Name {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in name.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    match parts.as_slice() {
        [database] => Name { database: Some(database.clone()), schema: part },
        _ => Name { database: None, schema: name.to_owned() },
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The condition on schema and database; unnamed is the database that was opened.
fn place(schema: &str) -> String {
    let name = separate(schema);
    let database = name.database.as_deref().map_or_else(|| "current_database()".to_owned(), literal);
    format!("schema_name = {} AND database_name = {database}", literal(&name.schema))
}

fn scalar_text(value: Scalar) -> Option<String> {
    match value {
        Scalar::Text(t) => Some(t.into()),
        Scalar::Bool(b) => Some(b.to_string()),
        Scalar::Int(n) => Some(n.to_string()),
        _ => None,
    }
}

impl Database {
    async fn rows(&self, sql: &str) -> Result<Vec<Vec<Scalar>>, EngineError> {
        let found = self.query(sql, &QueryOptions::default()).await?;
        let row = |i| found.data.iter().map(|column| column.get(i)).collect();
        Ok((0..found.row_count()).map(row).collect())
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        Ok(self.rows(sql).await?.into_iter().filter_map(|row| scalar_text(row.into_iter().next()?)).collect())
    }

    async fn constraints(
        &self,
        schema: &str,
        table: &str,
        kind: &str,
    ) -> Result<Vec<Vec<Scalar>>, EngineError> {
        let sql = format!(
            "SELECT constraint_text, constraint_column_names, referenced_table, referenced_column_names \
             FROM duckdb_constraints() WHERE constraint_type = {} AND table_name = {} AND {} \
             ORDER BY constraint_index",
            literal(kind),
            literal(table),
            place(schema)
        );
        self.rows(&sql).await
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of unqualified names.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(Some("main".to_owned()))
    }

    /// Schemas with their databases, quoted where SQL needs it.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        let quoted = |name: &str| {
            format!(
                "CASE WHEN regexp_full_match({name}, '[a-z_][a-z0-9_$]*') AND {name} NOT IN (SELECT keyword_name \
                 FROM duckdb_keywords() WHERE keyword_category = 'reserved') THEN {name} \
                 ELSE '\"' || replace({name}, '\"', '\"\"') || '\"' END"
            )
        };
        let sql = format!(
            "SELECT {} || '.' || {} FROM duckdb_schemas() WHERE schema_name NOT LIKE 'pg\\_%' ESCAPE '\\' \
             ORDER BY database_name, schema_name",
            quoted("database_name"),
            quoted("schema_name")
        );
        self.names(&sql).await
    }

    /// Tables.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SELECT table_name FROM duckdb_tables() WHERE {} ORDER BY 1", place(schema)))
            .await
    }

    /// Views.
    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SELECT view_name FROM duckdb_views() WHERE {} ORDER BY 1", place(schema))).await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let sql = format!(
            "SELECT column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns() \
             WHERE table_name = {} AND {} ORDER BY column_index",
            literal(table),
            place(schema)
        );
        let column = |row: Vec<Scalar>| {
            let mut row = row.into_iter();
            let (name, native) = (scalar_text(row.next()?)?, scalar_text(row.next()?)?);
            let nullable = row.next()? != Scalar::Bool(false);
            let (default, comment) = (row.next().and_then(text), row.next().and_then(text));
            Some(ColumnDescription { name, type_: sqlalchemy_type(&native), nullable, default, comment })
        };
        Ok(self.rows(&sql).await?.into_iter().filter_map(column).collect())
    }

    /// The primary key; its name is its text.
    async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        let found = self.constraints(schema, table, "PRIMARY KEY").await?;
        Ok(found.into_iter().find_map(key).unwrap_or_default())
    }

    /// Unique constraints.
    async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        Ok(self.constraints(schema, table, "UNIQUE").await?.into_iter().filter_map(key).collect())
    }

    /// Foreign keys.
    async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        let found = self.constraints(schema, table, "FOREIGN KEY").await?;
        let foreign = |row: Vec<Scalar>| {
            let mut row = row.into_iter();
            let (name, columns) = (scalar_text(row.next()?), list(row.next()?));
            let referred_table = scalar_text(row.next()?)?;
            let referred_columns = list(row.next()?);
            Some(ForeignKey { name, columns, referred_schema: None, referred_table, referred_columns })
        };
        Ok(found.into_iter().filter_map(foreign).collect())
    }

    /// Comment of a table.
    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let sql = format!(
            "SELECT comment FROM duckdb_tables() WHERE table_name = {} AND {}",
            literal(table),
            place(schema)
        );
        Ok(self.names(&sql).await?.into_iter().next())
    }
}

fn key(row: Vec<Scalar>) -> Option<Key> {
    let mut row = row.into_iter();
    Some(Key { name: scalar_text(row.next()?), columns: list(row.next()?) })
}

fn list(value: Scalar) -> Vec<String> {
    match value {
        Scalar::Json(serde_json::Value::Array(all)) => {
            all.into_iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// The type as the dialect of `duckdb_engine` compiles it.
fn sqlalchemy_type(native: &str) -> String {
    if native.ends_with(']') {
        return "NULL".to_owned();
    }
    let name = native.split('(').next().unwrap_or(native);
    match name {
        "DECIMAL" => return native.replace("DECIMAL", "NUMERIC").replace(',', ", "),
        "HUGEINT" => "HugeInt",
        "UHUGEINT" => "UHugeInt",
        "TINYINT" => "TinyInt",
        "UTINYINT" => "UTinyInt",
        "USMALLINT" => "usmallint",
        "UINTEGER" => "UInteger",
        "UBIGINT" => "UBigInt",
        "BLOB" => "BYTEA",
        "BIT" => "BIT(1)",
        "FLOAT" | "DOUBLE" => "FLOAT",
        // words of an enumeration are compared with texts
        "JSON" | "ENUM" | "VARCHAR" => "VARCHAR",
        "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS" => {
            "TIMESTAMP WITHOUT TIME ZONE"
        }
        "TIME" | "TIME WITH TIME ZONE" | "TIME_NS" => "TIME WITHOUT TIME ZONE",
        "STRUCT" | "MAP" | "UNION" => "NULL",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_schemas() {
        let both = |d: &str, s: &str| Name { database: Some(d.into()), schema: s.into() };
        assert_eq!(separate("x.main"), both("x", "main"));
        assert_eq!(separate("\"a.b\".\"Odd schema\""), both("a.b", "Odd schema"));
        assert_eq!(separate("main"), Name { database: None, schema: "main".into() });
        assert!(place("it's").contains("'it''s'"));
    }

    /// Compared with duckdb-engine 0.17 on SQLAlchemy 1.4.54.
    #[test]
    fn types_as_the_dialect_compiles_them() {
        for (native, want) in [
            ("INTEGER", "INTEGER"),
            ("DECIMAL(10,2)", "NUMERIC(10, 2)"),
            ("HUGEINT", "HugeInt"),
            ("VARCHAR", "VARCHAR"),
            ("BLOB", "BYTEA"),
            ("DOUBLE", "FLOAT"),
            ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITHOUT TIME ZONE"),
            ("INTEGER[]", "NULL"),
            ("STRUCT(a INTEGER)", "NULL"),
            ("UUID", "UUID"),
        ] {
            assert_eq!(sqlalchemy_type(native), want);
        }
    }
}
