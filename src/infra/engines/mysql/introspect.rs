//! Schemas, tables and columns from `information_schema`, as SQLAlchemy's inspector tells them.

use async_trait::async_trait;

use super::{
    super::{
        QueryOptions,
        catalog::{ColumnDescription, ForeignKey, Index, Key},
        column::Scalar,
    },
    Database,
};
use crate::engines::{
    driver::{Driver as _, Inspect},
    error::EngineError,
};

/// A text literal that cannot end before its closing quote, whatever `sql_mode` is.
fn literal(text: &str) -> String {
    let mut hex = String::from("CONVERT(0x");
    for byte in text.bytes() {
        hex.push_str(&format!("{byte:02x}"));
    }
    if text.is_empty() { "''".to_owned() } else { hex + " USING utf8mb4)" }
}

fn scalar_text(value: Scalar) -> Option<String> {
    match value {
        Scalar::Text(t) => Some(t.into()),
        Scalar::Int(n) => Some(n.to_string()),
        Scalar::Decimal(d) => Some(d.to_string()),
        Scalar::Bytes(b) => Some(String::from_utf8_lossy(&b).into_owned()),
        _ => None,
    }
}

impl Database {
    async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        let options =
            QueryOptions { schema: Some("information_schema".to_owned()), ..QueryOptions::default() };
        let found = self.query(sql, &options).await?;
        let row = |i| found.data.iter().map(|column| scalar_text(column.get(i))).collect();
        Ok((0..found.row_count()).map(row).collect())
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        Ok(self.rows(sql).await?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    async fn relations(&self, schema: &str, kinds: &str) -> Result<Vec<String>, EngineError> {
        let schema = literal(schema);
        let sql = format!(
            "SELECT table_name FROM tables WHERE table_schema = {schema} AND table_type IN ({kinds}) ORDER BY 1"
        );
        self.names(&sql).await
    }

    async fn keys(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        let sql = format!(
            "SELECT index_name, non_unique, column_name FROM statistics \
             WHERE table_schema = {} AND table_name = {} ORDER BY index_name, seq_in_index",
            literal(schema),
            literal(table)
        );
        let mut indexes: Vec<Index> = Vec::new();
        for row in self.rows(&sql).await? {
            let [Some(name), non_unique, Some(column)] = row.as_slice() else { continue };
            match indexes.last_mut().filter(|i| i.name == *name) {
                Some(index) => index.columns.push(column.clone()),
                None => indexes.push(Index {
                    name: name.clone(),
                    unique: non_unique.as_deref() == Some("0"),
                    columns: vec![column.clone()],
                }),
            }
        }
        Ok(indexes)
    }
}

#[async_trait]
impl Inspect for Database {
    /// The database of the connection string.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(self.target.database.clone())
    }

    /// Databases of the server.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names("SELECT schema_name FROM schemata ORDER BY 1").await
    }

    /// Tables.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "'BASE TABLE'").await
    }

    /// Views.
    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "'VIEW', 'SYSTEM VIEW'").await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let sql = format!(
            "SELECT column_name, column_type, is_nullable, column_default, column_comment FROM columns \
             WHERE table_schema = {} AND table_name = {} ORDER BY ordinal_position",
            literal(schema),
            literal(table)
        );
        let column = |row: Vec<Option<String>>| {
            let mut row = row.into_iter();
            let (name, native) = (row.next()??, row.next()??);
            let nullable = row.next()?.as_deref() == Some("YES");
            // MariaDB writes the word where there is no default
            let default = row.next()?.filter(|d| d != "NULL");
            let comment = row.next()?.filter(|c| !c.is_empty());
            Some(ColumnDescription { name, type_: sqlalchemy_type(&native), nullable, default, comment })
        };
        Ok(self.rows(&sql).await?.into_iter().filter_map(column).collect())
    }

    /// The primary key, if the table has one; MySQL keeps no name for it.
    async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        let found = self.keys(schema, table).await?;
        let primary = found.into_iter().find(|i| i.name == "PRIMARY");
        Ok(Key { name: None, columns: primary.map(|i| i.columns).unwrap_or_default() })
    }

    /// Unique constraints.
    async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        let found = self.indexes(schema, table).await?;
        let key = |i: Index| Key { name: Some(i.name), columns: i.columns };
        Ok(found.into_iter().filter(|i| i.unique).map(key).collect())
    }

    /// Indexes but that of the primary key.
    async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        Ok(self.keys(schema, table).await?.into_iter().filter(|i| i.name != "PRIMARY").collect())
    }

    /// Foreign keys.
    async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        let sql = format!(
            "SELECT constraint_name, column_name, referenced_table_schema, referenced_table_name, \
             referenced_column_name FROM key_column_usage \
             WHERE table_schema = {} AND table_name = {} AND referenced_table_name IS NOT NULL \
             ORDER BY constraint_name, ordinal_position",
            literal(schema),
            literal(table)
        );
        Ok(ForeignKey::from_rows(self.rows(&sql).await?, schema))
    }

    /// The comment of a table.
    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let sql = format!(
            "SELECT table_comment FROM tables WHERE table_schema = {} AND table_name = {} AND table_type = 'BASE \
             TABLE'",
            literal(schema),
            literal(table)
        );
        Ok(self.names(&sql).await?.into_iter().next().filter(|c| !c.is_empty()))
    }
}

/// The type as SQLAlchemy's MySQL dialect compiles it, without character set and collation.
fn sqlalchemy_type(native: &str) -> String {
    let (name, rest) = match native.find(['(', ' ']) {
        Some(at) => native.split_at(at),
        None => (native, ""),
    };
    let name = match name {
        "int" => "INTEGER".to_owned(),
        other => other.to_uppercase(),
    };
    if matches!(name.as_str(), "ENUM" | "SET") {
        return format!("{name}{rest}");
    }
    let (argument, tail) = match rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        Some((argument, tail)) => (format!("({})", argument.replace(',', ", ")), tail),
        None => (String::new(), rest),
    };
    format!("{name}{argument}{}", tail.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with SQLAlchemy 1.4.54 on MariaDB 10.11.
    #[test]
    fn types_as_sqlalchemy_compiles_them() {
        for (native, want) in [
            ("int(11)", "INTEGER(11)"),
            ("bigint(20) unsigned", "BIGINT(20) UNSIGNED"),
            ("smallint(4) unsigned zerofill", "SMALLINT(4) UNSIGNED ZEROFILL"),
            ("decimal(10,2)", "DECIMAL(10, 2)"),
            ("varchar(20)", "VARCHAR(20)"),
            ("datetime(6)", "DATETIME(6)"),
            ("enum('a','b')", "ENUM('a','b')"),
            ("longtext", "LONGTEXT"),
        ] {
            assert_eq!(sqlalchemy_type(native), want);
        }
        assert_eq!(literal("a'b"), "CONVERT(0x612762 USING utf8mb4)");
    }
}
