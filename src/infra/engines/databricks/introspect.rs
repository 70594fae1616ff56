//! Catalogs, schemas, tables and columns, as sqlalchemy-databricks and Superset's specs tell them.

use async_trait::async_trait;

use super::{
    super::{
        QueryOptions,
        catalog::ColumnDescription,
        column::{ResultSet, Scalar},
        driver::{Driver as _, Inspect},
        error::EngineError,
    },
    Database, value,
};

/// A quoted name.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The texts of a column, found by one of its names.
fn texts(found: &ResultSet, names: &[&str]) -> Vec<Option<String>> {
    let at = found.columns.iter().position(|c| names.iter().any(|name| c.name.eq_ignore_ascii_case(name)));
    let Some(column) = at.and_then(|at| found.data.get(at)) else { return Vec::new() };
    let text = |row| match column.get(row) {
        Scalar::Text(text) => Some(text.into()),
        _ => None,
    };
    (0..column.len()).map(text).collect()
}

/// The type as SQLAlchemy prints it (`sqlalchemy_databricks`, whose types PyHive's are).
fn type_of(data_type: &str) -> String {
    match value::short(data_type).as_str() {
        "INT" => "INTEGER",
        "FLOAT" | "DOUBLE" => "FLOAT",
        "STRING" | "BINARY" | "ARRAY" | "MAP" | "STRUCT" => "VARCHAR",
        name @ ("BOOLEAN" | "TINYINT" | "SMALLINT" | "BIGINT" | "DECIMAL" | "DATE" | "TIMESTAMP") => name,
        _ => "NULL",
    }
    .to_owned()
}

/// The table that was asked for is not there.
fn is_missing(error: &EngineError) -> bool {
    matches!(error, EngineError::Statement { message, .. } if message.contains("TABLE_OR_VIEW_NOT_FOUND"))
}

impl Database {
    async fn names(&self, sql: &str, columns: &[&str]) -> Result<Vec<String>, EngineError> {
        let found = self.query(sql, &QueryOptions::default()).await?;
        Ok(texts(&found, columns).into_iter().flatten().collect())
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of the connection string, or what the server has chosen.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        if let Some(schema) = &self.server.schema {
            return Ok(Some(schema.clone()));
        }
        let found = self.query("SELECT current_schema() AS name", &QueryOptions::default()).await?;
        Ok(texts(&found, &["name"]).into_iter().flatten().next())
    }

    async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        self.names("SHOW CATALOGS", &["catalog"]).await
    }

    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names("SHOW SCHEMAS", &["databaseName", "namespace"]).await
    }

    /// Tables; `SHOW TABLES` has views among them.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        let views = self.views(schema).await?;
        let all = self.names(&format!("SHOW TABLES IN {}", quoted(schema)), &["tableName"]).await?;
        Ok(all.into_iter().filter(|name| !views.contains(name)).collect())
    }

    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SHOW VIEWS IN {}", quoted(schema)), &["viewName"]).await
    }

    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let sql = format!("DESCRIBE TABLE {}.{}", quoted(schema), quoted(table));
        let found = match self.query(&sql, &QueryOptions::default()).await {
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            found => found?,
        };
        let names = texts(&found, &["col_name"]);
        let (types, comments) = (texts(&found, &["data_type"]), texts(&found, &["comment"]));
        let rows = names.into_iter().zip(types).zip(comments);
        let described = rows.map_while(|((name, data_type), comment)| {
            // partitions and details follow under a heading
            let name = name.filter(|name| !name.is_empty() && !name.starts_with('#'))?;
            Some(ColumnDescription {
                name,
                type_: type_of(&data_type?),
                nullable: true,
                default: None,
                comment: comment.filter(|comment| !comment.is_empty()),
            })
        });
        Ok(described.collect())
    }

    async fn function_names(&self) -> Result<Option<Vec<String>>, EngineError> {
        self.names("SHOW FUNCTIONS", &["function"]).await.map(Some)
    }
}
