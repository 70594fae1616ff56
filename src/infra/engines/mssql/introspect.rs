//! Schemas, tables and columns, as SQLAlchemy's inspector of SQL Server tells them.

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

type Row = Vec<Option<String>>;

fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

fn scalar_text(value: Scalar) -> Option<String> {
    match value {
        Scalar::Text(t) => Some(t.into()),
        Scalar::Int(n) => Some(n.to_string()),
        Scalar::Bool(b) => Some(u8::from(b).to_string()),
        _ => None,
    }
}

impl Database {
    async fn rows(&self, sql: &str) -> Result<Vec<Row>, EngineError> {
        let found = self.query(sql, &QueryOptions::default()).await?;
        let row = |i| found.data.iter().map(|column| scalar_text(column.get(i))).collect();
        Ok((0..found.row_count()).map(row).collect())
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        Ok(self.rows(sql).await?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    async fn relations(&self, schema: &str, kind: &str) -> Result<Vec<String>, EngineError> {
        let sql = format!(
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_TYPE = '{kind}' \
             ORDER BY TABLE_NAME",
            literal(schema)
        );
        self.names(&sql).await
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of unqualified names.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(self.names("SELECT schema_name() AS name").await?.into_iter().next())
    }

    /// Schemas of the database.
    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names("SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY SCHEMA_NAME").await
    }

    /// Tables.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "BASE TABLE").await
    }

    /// Views.
    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.relations(schema, "VIEW").await
    }

    /// Columns in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let sql = format!(
            "SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE, COLUMN_DEFAULT, CHARACTER_MAXIMUM_LENGTH, \
             NUMERIC_PRECISION, NUMERIC_SCALE FROM INFORMATION_SCHEMA.COLUMNS \
             WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
            literal(schema),
            literal(table)
        );
        let column = |row: Row| {
            let [Some(name), Some(native), nullable, default, length, precision, scale] = row.as_slice()
            else {
                return None;
            };
            Some(ColumnDescription {
                name: name.clone(),
                type_: sqlalchemy_type(native, length.as_deref(), precision.as_deref(), scale.as_deref()),
                nullable: nullable.as_deref() == Some("YES"),
                default: default.clone(),
                comment: None,
            })
        };
        Ok(self.rows(&sql).await?.into_iter().filter_map(column).collect())
    }

    /// The primary key, if the table has one.
    async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        let sql = format!(
            "SELECT k.CONSTRAINT_NAME, k.COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS c \
             JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE k ON c.CONSTRAINT_NAME = k.CONSTRAINT_NAME \
             AND c.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA WHERE c.CONSTRAINT_TYPE = 'PRIMARY KEY' \
             AND k.TABLE_SCHEMA = {} AND k.TABLE_NAME = {} ORDER BY k.ORDINAL_POSITION",
            literal(schema),
            literal(table)
        );
        let mut key = Key::default();
        for row in self.rows(&sql).await? {
            let mut row = row.into_iter();
            key.name = row.next().flatten();
            key.columns.extend(row.next().flatten());
        }
        Ok(key)
    }

    /// Foreign keys.
    async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        let sql = format!(
            "SELECT f.name, a.name, schema_name(r.schema_id), r.name, b.name FROM sys.foreign_keys f \
             JOIN sys.foreign_key_columns c ON c.constraint_object_id = f.object_id \
             JOIN sys.columns a ON a.object_id = c.parent_object_id AND a.column_id = c.parent_column_id \
             JOIN sys.columns b ON b.object_id = c.referenced_object_id AND b.column_id = c.referenced_column_id \
             JOIN sys.objects r ON r.object_id = f.referenced_object_id \
             JOIN sys.objects t ON t.object_id = f.parent_object_id \
             WHERE schema_name(t.schema_id) = {} AND t.name = {} ORDER BY f.name, c.constraint_column_id",
            literal(schema),
            literal(table)
        );
        Ok(ForeignKey::from_rows(self.rows(&sql).await?, schema))
    }

    /// Indexes but that of the primary key.
    async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        let sql = format!(
            "SELECT i.name, i.is_unique, c.name FROM sys.indexes i \
             JOIN sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id \
             JOIN sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id \
             JOIN sys.objects t ON t.object_id = i.object_id \
             WHERE i.is_primary_key = 0 AND i.type <> 0 AND x.is_included_column = 0 \
             AND schema_name(t.schema_id) = {} AND t.name = {} ORDER BY i.name, x.key_ordinal",
            literal(schema),
            literal(table)
        );
        let mut indexes: Vec<Index> = Vec::new();
        for row in self.rows(&sql).await? {
            let [Some(name), unique, Some(column)] = row.as_slice() else { continue };
            match indexes.last_mut().filter(|i| i.name == *name) {
                Some(index) => index.columns.push(column.clone()),
                None => indexes.push(Index {
                    name: name.clone(),
                    unique: unique.as_deref() == Some("1"),
                    columns: vec![column.clone()],
                }),
            }
        }
        Ok(indexes)
    }
}

/// The type as SQLAlchemy's dialect compiles it, without its collation.
fn sqlalchemy_type(
    native: &str,
    length: Option<&str>,
    precision: Option<&str>,
    scale: Option<&str>,
) -> String {
    let upper = native.to_uppercase();
    match (upper.as_str(), length, precision, scale) {
        ("INT", ..) => "INTEGER".to_owned(),
        ("CHAR" | "VARCHAR" | "NCHAR" | "NVARCHAR" | "BINARY" | "VARBINARY", Some("-1"), ..) => {
            format!("{upper}(MAX)")
        }
        ("CHAR" | "VARCHAR" | "NCHAR" | "NVARCHAR" | "BINARY" | "VARBINARY", Some(n), ..) => {
            format!("{upper}({n})")
        }
        ("DECIMAL" | "NUMERIC", _, Some(p), Some(s)) => format!("{upper}({p}, {s})"),
        ("FLOAT", _, Some(p), _) => format!("FLOAT({p})"),
        ("HIERARCHYID" | "GEOMETRY" | "GEOGRAPHY", ..) => "NULL".to_owned(),
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_as_the_dialect_compiles_them() {
        for (native, length, precision, scale, want) in [
            ("int", None, Some("10"), Some("0"), "INTEGER"),
            ("nvarchar", Some("50"), None, None, "NVARCHAR(50)"),
            ("varbinary", Some("-1"), None, None, "VARBINARY(MAX)"),
            ("decimal", None, Some("10"), Some("2"), "DECIMAL(10, 2)"),
            ("money", None, Some("19"), Some("4"), "MONEY"),
            ("float", None, Some("53"), None, "FLOAT(53)"),
            ("datetimeoffset", None, None, None, "DATETIMEOFFSET"),
            ("uniqueidentifier", None, None, None, "UNIQUEIDENTIFIER"),
            ("hierarchyid", Some("892"), None, None, "NULL"),
        ] {
            assert_eq!(sqlalchemy_type(native, length, precision, scale), want);
        }
        assert_eq!(literal("it's"), "N'it''s'");
    }
}
