//! Databases, tables and columns, as clickhouse-connect's dialect tells them: views are among the tables, and there
//! are no keys.

use async_trait::async_trait;

use super::{
    super::{QueryOptions, catalog::ColumnDescription, column::Scalar},
    Database,
};
use crate::engines::{
    driver::{Driver as _, Inspect},
    error::EngineError,
};

/// A quoted name.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A text literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn missing(error: &EngineError) -> bool {
    // no such table, no such database
    let codes = ["code: 60,", "code: 81,", "Code: 60.", "Code: 81."];
    matches!(error, EngineError::Statement { message, .. } if codes.iter().any(|code| message.contains(code)))
}

impl Database {
    async fn rows(&self, sql: &str) -> Result<Vec<Vec<String>>, EngineError> {
        let found = self.query(sql, &QueryOptions::default()).await?;
        let scalar_text = |value: Scalar| match value {
            Scalar::Text(text) => text.into(),
            Scalar::Int(n) => n.to_string(),
            _ => String::new(),
        };
        let row = |i| found.data.iter().map(|column| scalar_text(column.get(i))).collect();
        Ok((0..found.row_count()).map(row).collect())
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        Ok(self.rows(sql).await?.into_iter().filter_map(|row| row.into_iter().next()).collect())
    }
}

#[async_trait]
impl Inspect for Database {
    /// The database of the connection string, or the user's own.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        if let Some(database) = &self.server.database {
            return Ok(Some(database.clone()));
        }
        Ok(self.names("SELECT currentDatabase()").await?.into_iter().next())
    }

    /// Databases of the server.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names("SHOW DATABASES").await
    }

    /// Tables and views.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SHOW TABLES FROM {}", quoted(schema))).await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let rows = match self.rows(&format!("DESCRIBE TABLE {}.{}", quoted(schema), quoted(table))).await {
            Err(error) if missing(&error) => return Ok(Vec::new()),
            other => other?,
        };
        let column = |row: Vec<String>| {
            let mut row = row.into_iter();
            let (name, type_) = (row.next()?, row.next()?.replace('\n', ""));
            let (_kind, default, comment) = (row.next()?, row.next()?, row.next()?);
            let nullable = type_.starts_with("Nullable(") || type_.starts_with("LowCardinality(Nullable(");
            Some(ColumnDescription { name, type_, nullable, default: Some(default), comment: Some(comment) })
        };
        Ok(rows.into_iter().filter_map(column).collect())
    }

    /// The comment of a table.
    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let sql = format!(
            "SELECT comment FROM system.tables WHERE database = {} AND name = {}",
            literal(schema),
            literal(table)
        );
        Ok(self.names(&sql).await?.into_iter().next().filter(|c| !c.is_empty()))
    }

    /// Names of the functions that SQL Lab completes (`get_function_names`).
    async fn function_names(&self) -> Result<Option<Vec<String>>, EngineError> {
        let names = self.names(
            "SELECT name FROM system.functions UNION ALL SELECT name FROM system.table_functions LIMIT 10000",
        )
        .await;
        names.map(Some)
    }
}
