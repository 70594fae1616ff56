//! Databases, tables and columns, as clickhouse-connect's dialect tells them: views are among the tables, and there
//! are no keys.

use super::{
    super::{
        QueryOptions,
        catalog::{ColumnDescription, ForeignKey, Index, Key},
        column::Scalar,
        error::EngineError,
    },
    Database,
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
        let text = |value: Scalar| match value {
            Scalar::Text(text) => text.into(),
            Scalar::Int(n) => n.to_string(),
            _ => String::new(),
        };
        let row = |i| found.data.iter().map(|column| text(column.get(i))).collect();
        Ok((0..found.row_count()).map(row).collect())
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        Ok(self.rows(sql).await?.into_iter().filter_map(|row| row.into_iter().next()).collect())
    }

    /// The database of the connection string, or the user's own.
    pub async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        if let Some(database) = &self.server.database {
            return Ok(Some(database.clone()));
        }
        Ok(self.names("SELECT currentDatabase()").await?.into_iter().next())
    }

    /// ClickHouse has no catalogs.
    pub async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    /// Databases of the server.
    pub async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names("SHOW DATABASES").await
    }

    /// Tables and views.
    pub async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SHOW TABLES FROM {}", quoted(schema))).await
    }

    /// None that are told apart from tables.
    pub async fn views(&self, _schema: &str) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    /// Columns in their order; none when there is no such table.
    pub async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
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

    /// None: the primary key of ClickHouse does not tell rows apart.
    pub async fn primary_key(&self, _schema: &str, _table: &str) -> Result<Key, EngineError> {
        Ok(Key::default())
    }

    /// ClickHouse has none.
    pub async fn foreign_keys(&self, _schema: &str, _table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        Ok(Vec::new())
    }

    /// ClickHouse has none.
    pub async fn unique_constraints(&self, _schema: &str, _table: &str) -> Result<Vec<Key>, EngineError> {
        Ok(Vec::new())
    }

    /// None in the sense of SQLAlchemy.
    pub async fn indexes(&self, _schema: &str, _table: &str) -> Result<Vec<Index>, EngineError> {
        Ok(Vec::new())
    }

    /// The comment of a table.
    pub async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let sql = format!(
            "SELECT comment FROM system.tables WHERE database = {} AND name = {}",
            literal(schema),
            literal(table)
        );
        Ok(self.names(&sql).await?.into_iter().next().filter(|c| !c.is_empty()))
    }

    /// Names of the functions that SQL Lab completes (`get_function_names`).
    pub async fn function_names(&self) -> Result<Vec<String>, EngineError> {
        self.names(
            "SELECT name FROM system.functions UNION ALL SELECT name FROM system.table_functions LIMIT 10000",
        )
        .await
    }
}
