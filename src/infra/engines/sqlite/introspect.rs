//! Tables and columns from SQLite's pragmas, as SQLAlchemy's inspector tells them.

use async_trait::async_trait;
use rusqlite::{Connection, Row};

use super::{
    super::catalog::{ColumnDescription, ForeignKey, Index, Key},
    Database, error,
};
use crate::engines::{driver::Inspect, error::EngineError};

impl Database {
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.on_thread(move |file, place| file.reading(place, work)).await
    }

    async fn objects(&self, schema: &str, kind: &'static str) -> Result<Vec<String>, EngineError> {
        let sql =
            format!("SELECT name FROM {}.sqlite_master WHERE type='{kind}' ORDER BY name", quoted(schema));
        self.read(move |c| {
            let names: Vec<String> = all(c, &sql, |row| row.get(0))?;
            Ok(names.into_iter().filter(|n| !n.starts_with("sqlite_")).collect())
        })
        .await
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of unqualified names.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(Some("main".to_owned()))
    }

    /// The attached databases but the temporary one.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.read(|c| {
            let names: Vec<String> = all(c, "PRAGMA database_list", |row| row.get(1))?;
            Ok(names.into_iter().filter(|n| n != "temp").collect())
        })
        .await
    }

    /// Tables.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.objects(schema, "table").await
    }

    /// Views.
    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.objects(schema, "view").await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let sql = pragma(schema, "table_info", table);
        self.read(move |c| {
            all(c, &sql, |row| {
                let native: String = row.get(2)?;
                Ok(ColumnDescription {
                    name: row.get(1)?,
                    type_: sqlalchemy_type(&native),
                    nullable: !row.get::<_, bool>(3)?,
                    default: row.get(4)?,
                    comment: None,
                })
            })
        })
        .await
    }

    /// The primary key; without a name, as SQLite keeps none.
    async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        let sql = pragma(schema, "table_info", table);
        self.read(move |c| {
            let mut columns: Vec<(i64, String)> = all(c, &sql, |row| Ok((row.get(5)?, row.get(1)?)))?;
            columns.retain(|(at, _)| *at > 0);
            columns.sort_unstable();
            Ok(Key { name: None, columns: columns.into_iter().map(|(_, name)| name).collect() })
        })
        .await
    }

    /// Foreign keys.
    async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        let sql = pragma(schema, "foreign_key_list", table);
        self.read(move |c| {
            type Part = (i64, String, String, Option<String>);
            let parts: Vec<Part> = all(c, &sql, |r| Ok((r.get(0)?, r.get(2)?, r.get(3)?, r.get(4)?)))?;
            let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
            for (id, referred_table, from, to) in parts {
                if !keys.iter().any(|(other, _)| *other == id) {
                    let key = ForeignKey {
                        name: None,
                        columns: vec![],
                        referred_schema: None,
                        referred_table,
                        referred_columns: vec![],
                    };
                    keys.push((id, key));
                }
                if let Some((_, key)) = keys.iter_mut().find(|(other, _)| *other == id) {
                    key.referred_columns.push(to.unwrap_or_else(|| from.clone()));
                    key.columns.push(from);
                }
            }
            Ok(keys.into_iter().map(|(_, key)| key).collect())
        })
        .await
    }

    /// Indexes but those that SQLite makes for constraints.
    async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        let (sql, schema) = (pragma(schema, "index_list", table), schema.to_owned());
        self.read(move |c| {
            let list: Vec<(String, bool)> = all(c, &sql, |row| Ok((row.get(1)?, row.get(2)?)))?;
            let mut indexes = Vec::new();
            for (name, unique) in list.into_iter().filter(|(n, _)| !n.starts_with("sqlite_autoindex")) {
                let columns: Vec<Option<String>> =
                    all(c, &pragma(&schema, "index_info", &name), |row| row.get(2))?;
                indexes.push(Index { name, unique, columns: columns.into_iter().flatten().collect() });
            }
            indexes.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(indexes)
        })
        .await
    }
}

fn all<T>(
    c: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, EngineError> {
    let mut statement = c.prepare(sql).map_err(error)?;
    let rows = statement.query_map([], read).map_err(error)?;
    rows.collect::<rusqlite::Result<_>>().map_err(error)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn pragma(schema: &str, name: &str, argument: &str) -> String {
    format!("PRAGMA {}.{name}({})", quoted(schema), quoted(argument))
}

/// The type as SQLAlchemy's SQLite dialect prints it.
fn sqlalchemy_type(native: &str) -> String {
    let (name, argument) = match native.split_once('(') {
        Some((n, rest)) => (n.trim(), rest.split(')').next()),
        None => (native.trim(), None),
    };
    let upper = name.to_uppercase();
    let known = match upper.as_str() {
        "BIGINT" | "BLOB" | "BOOLEAN" | "DATE" | "DATETIME" | "FLOAT" | "INTEGER" | "REAL" | "SMALLINT"
        | "TEXT" | "TIME" | "TIMESTAMP" | "JSON" => upper.as_str(),
        "BOOL" => "BOOLEAN",
        "CHAR" | "VARCHAR" | "NVARCHAR" | "DECIMAL" | "NUMERIC" => upper.as_str(),
        "DOUBLE" => "DOUBLE",
        "DOUBLE_PRECISION" => "DOUBLE_PRECISION",
        "INT" => "INTEGER",
        "DATE_CHAR" => "DATE",
        "DATETIME_CHAR" => "DATETIME",
        "TIME_CHAR" => "TIME",
        // by affinity
        _ if upper.contains("INT") => "INTEGER",
        _ if upper.contains("CHAR") || upper.contains("CLOB") || upper.contains("TEXT") => "TEXT",
        _ if upper.is_empty() => "NULL",
        _ if upper.contains("BLOB") => "NULL",
        _ if upper.contains("REAL") || upper.contains("FLOA") || upper.contains("DOUB") => "REAL",
        _ => "NUMERIC",
    };
    match argument {
        Some(a) if matches!(known, "CHAR" | "VARCHAR" | "NVARCHAR" | "DECIMAL" | "NUMERIC" | "TEXT") => {
            let parts: Vec<&str> = a.split(',').map(str::trim).collect();
            format!("{known}({})", parts.join(", "))
        }
        _ => known.to_owned(),
    }
}
