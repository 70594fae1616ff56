//! Catalogs, schemas, tables and columns, as the drivers' dialects of SQLAlchemy and Superset's specs tell them.

use async_trait::async_trait;

use super::{
    super::{
        QueryOptions,
        catalog::{ColumnDescription, Index},
        column::{ResultSet, Scalar},
    },
    Database, Flavour, error, types,
};
use crate::engines::{
    driver::{Driver as _, Inspect},
    error::EngineError,
};

/// A quoted name.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal; backslashes mean nothing in it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn scalar_text(value: Scalar) -> Option<String> {
    match value {
        Scalar::Text(text) => Some(text.into()),
        Scalar::Int(n) => Some(n.to_string()),
        Scalar::Bool(b) => Some(b.to_string()),
        Scalar::Date(d) => Some(d.to_string()),
        _ => None,
    }
}

fn cell(found: &ResultSet, row: usize, name: &str) -> Option<String> {
    let at = found.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))?;
    scalar_text(found.data.get(at)?.get(row))
}

impl Database {
    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        let found = self.query(sql, &QueryOptions::default()).await?;
        let Some(first) = found.data.first() else { return Ok(Vec::new()) };
        Ok((0..first.len()).filter_map(|i| scalar_text(first.get(i))).collect())
    }

    fn presto(&self) -> bool {
        self.server.flavour == Flavour::Presto
    }

    async fn relations(&self, schema: &str, kind: &str) -> Result<Vec<String>, EngineError> {
        let sql = format!(
            "SELECT \"table_name\" FROM \"information_schema\".\"tables\" WHERE \"table_schema\" = {} AND \
             \"table_type\" = {}",
            literal(schema),
            literal(kind)
        );
        self.names(&sql).await
    }

    /// `SHOW COLUMNS`, and whether a column is part of the partition's key.
    async fn shown_columns(
        &self,
        schema: &str,
        table: &str,
    ) -> Result<Vec<(ColumnDescription, bool)>, EngineError> {
        let sql = format!("SHOW COLUMNS FROM {}.{}", quoted(schema), quoted(table));
        let found = match self.query(&sql, &QueryOptions::default()).await {
            Err(e) if error::is_missing(&e) => return Ok(Vec::new()),
            other => other?,
        };
        let column = |row| {
            let says = |name: &str, word: &str| cell(&found, row, name).is_some_and(|t| t.contains(word));
            let key = says("Partition Key", "true")
                || cell(&found, row, "Comment").is_some_and(|t| t.starts_with("Partition Key"))
                || says("Extra", "partition key");
            let described = ColumnDescription {
                name: cell(&found, row, "Column")?,
                type_: types::presto(&cell(&found, row, "Type")?),
                nullable: cell(&found, row, "Null").as_deref() != Some("false"),
                default: None,
                comment: None,
            };
            Some((described, key))
        };
        Ok((0..found.row_count()).filter_map(column).collect())
    }

    /// Columns of the table's table of partitions; that of Iceberg tells no columns. Tables without one have none.
    async fn partition_columns(&self, schema: &str, table: &str) -> Result<Vec<String>, EngineError> {
        let sql =
            format!("SELECT * FROM {}.{} LIMIT 0", quoted(schema), quoted(&format!("{table}$partitions")));
        let found = match self.query(&sql, &QueryOptions::default()).await {
            Ok(found) => found,
            Err(EngineError::Statement { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
        if names == ["partition", "record_count", "file_count", "total_size", "data"] {
            return Ok(Vec::new());
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of the connection string.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(self.server.schema.clone())
    }

    /// Catalogs of the server.
    async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        let mut names = self.names("SHOW CATALOGS").await?;
        names.sort_unstable();
        Ok(names)
    }

    /// Schemas of the catalog.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names(if self.presto() {
            "SHOW SCHEMAS"
        } else {
            "SELECT \"schema_name\" FROM \"information_schema\".\"schemata\""
        })
        .await
    }

    /// Tables; PyHive's `SHOW TABLES` has views among them, which Superset takes out again.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        if !self.presto() {
            return self.relations(schema, "BASE TABLE").await;
        }
        let views = self.views(schema).await?;
        let all = self.names(&format!("SHOW TABLES FROM {}", quoted(schema))).await?;
        Ok(all.into_iter().filter(|name| !views.contains(name)).collect())
    }

    /// Views.
    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "VIEW").await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        if self.presto() {
            return Ok(self
                .shown_columns(schema, table)
                .await?
                .into_iter()
                .map(|(column, _)| column)
                .collect());
        }
        let sql = format!(
            "SELECT \"column_name\", \"data_type\", \"column_default\", UPPER(\"is_nullable\") AS \"is_nullable\", \
             \"comment\" FROM \"information_schema\".\"columns\" WHERE \"table_schema\" = {} AND \"table_name\" = {} \
             ORDER BY \"ordinal_position\" ASC",
            literal(schema),
            literal(table)
        );
        let found = self.query(&sql, &QueryOptions::default()).await?;
        let column = |row| {
            Some(ColumnDescription {
                name: cell(&found, row, "column_name")?,
                type_: types::sqlalchemy(&cell(&found, row, "data_type")?),
                nullable: cell(&found, row, "is_nullable").as_deref() == Some("YES"),
                default: cell(&found, row, "column_default"),
                comment: cell(&found, row, "comment"),
            })
        };
        Ok((0..found.row_count()).filter_map(column).collect())
    }

    /// The partition of a table of Hive, which the dialects call an index.
    async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        let columns: Vec<String> = if self.presto() {
            let shown = self.shown_columns(schema, table).await?;
            shown.into_iter().filter(|(_, key)| *key).map(|(column, _)| column.name).collect()
        } else {
            self.partition_columns(schema, table).await?
        };
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Index { name: "partition".to_owned(), unique: false, columns }])
    }

    /// The comment of a table; PyHive tells none.
    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let Some(catalog) = self.server.catalog.as_deref().filter(|_| !self.presto()) else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT \"comment\" FROM \"system\".\"metadata\".\"table_comments\" WHERE \"catalog_name\" = {} AND \
             \"schema_name\" = {} AND \"table_name\" = {}",
            literal(catalog),
            literal(schema),
            literal(table)
        );
        match self.names(&sql).await {
            Ok(found) => Ok(found.into_iter().next()),
            // whoever may not see comments may see tables all the same
            Err(EngineError::Statement { message, .. }) if message.contains("PERMISSION_DENIED") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names of the functions that SQL Lab completes (`get_function_names`).
    async fn function_names(&self) -> Result<Option<Vec<String>>, EngineError> {
        let names = self.names("SHOW FUNCTIONS").await;
        names.map(Some)
    }
}
