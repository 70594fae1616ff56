//! Databases, schemas, tables and columns, as snowflake-sqlalchemy and Superset's spec tell them.
//!
//! Names that need no quotes are big letters in the service, and small ones for SQLAlchemy.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    super::{
        QueryOptions,
        catalog::{ColumnDescription, ForeignKey, Key},
        column::{ResultSet, Scalar},
        driver::{Driver as _, Inspect},
        error::EngineError,
    },
    Database,
};

/// Rows by the names of their columns, as texts.
struct Rows(ResultSet);

impl Rows {
    fn column(&self, name: &str) -> Vec<Option<String>> {
        let found = &self.0;
        let at = found.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
        let count = found.row_count();
        let Some(column) = at.and_then(|at| found.data.get(at)) else { return vec![None; count] };
        let text = |row| match column.get(row) {
            Scalar::Text(text) => Some(text.into()),
            Scalar::Int(number) => Some(number.to_string()),
            Scalar::Decimal(number) => Some(number.to_string()),
            _ => None,
        };
        (0..count).map(text).collect()
    }

    /// The rows, with values in the order of the names.
    fn rows<const N: usize>(&self, names: [&str; N]) -> Vec<[Option<String>; N]> {
        let mut columns = names.map(|name| self.column(name).into_iter());
        (0..self.0.row_count()).map(|_| columns.each_mut().map(|column| column.next().flatten())).collect()
    }
}

/// What does not exist, or may not be seen: the service does not tell the two apart.
fn is_missing(error: &EngineError) -> bool {
    let EngineError::Statement { message, .. } = error else { return false };
    message.starts_with("002003") || message.starts_with("002043")
}

/// The type as SQLAlchemy prints it (`ischema_names` and `_get_table_columns` of the dialect).
fn type_of(name: &str, length: Option<&str>, precision: Option<&str>, scale: Option<&str>) -> String {
    let name = match name.to_uppercase().as_str() {
        "TEXT" | "STRING" | "VARCHAR" | "CHAR" | "CHARACTER" => "VARCHAR",
        "NUMBER" | "DECIMAL" | "NUMERIC" | "FIXED" => "DECIMAL",
        "FLOAT" | "REAL" | "DOUBLE" | "DOUBLE PRECISION" => "FLOAT",
        "BINARY" | "VARBINARY" => "BINARY",
        "TIMESTAMP" => "TIMESTAMP",
        other @ ("BOOLEAN" | "DATE" | "TIME" | "DATETIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ"
        | "TIMESTAMP_TZ" | "VARIANT" | "ARRAY" | "OBJECT" | "GEOGRAPHY" | "GEOMETRY"
        | "DECFLOAT") => return other.to_owned(),
        other if other.starts_with("VECTOR") || other.starts_with("MAP") => return other.to_owned(),
        _ => "NULL",
    };
    match (name, length, precision) {
        ("VARCHAR" | "BINARY", Some(length), _) => format!("{name}({length})"),
        ("DECIMAL", _, Some(precision)) => format!("{name}({precision}, {})", scale.unwrap_or("0")),
        _ => name.to_owned(),
    }
}

impl Database {
    /// A name of the service's for SQLAlchemy (`normalize_name`).
    fn normal(&self, name: String) -> String {
        let small = name.to_lowercase();
        if name.to_uppercase() == name && self.dialect.quote(&small) == small { small } else { name }
    }

    /// The other way round (`denormalize_name`).
    fn known(&self, name: &str) -> String {
        if self.dialect.quote(name) == name { name.to_uppercase() } else { name.to_owned() }
    }

    /// A name in SQL.
    fn ident(&self, name: &str) -> String {
        self.dialect.quote_always(&self.known(name))
    }

    fn literal(&self, name: &str) -> String {
        self.dialect.string_literal(&self.known(name))
    }

    /// A schema, which may be one of another database.
    fn place(&self, schema: &str) -> String {
        match schema.split_once('.') {
            Some((database, schema)) => format!("{}.{}", self.ident(database), self.ident(schema)),
            None => match &self.server.target.database {
                Some(database) => format!("{}.{}", self.ident(database), self.ident(schema)),
                None => self.ident(schema),
            },
        }
    }

    async fn ask(&self, sql: &str) -> Result<Rows, EngineError> {
        self.query(sql, &QueryOptions::default()).await.map(Rows)
    }

    /// The same; nothing of what is not there.
    async fn ask_of(&self, sql: &str) -> Result<Rows, EngineError> {
        match self.ask(sql).await {
            Err(error) if is_missing(&error) => Ok(Rows(ResultSet::default())),
            found => found,
        }
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        let found = self.ask(sql).await?.column("name");
        Ok(found.into_iter().flatten().map(|name| self.normal(name)).collect())
    }

    /// Keys of a table by their names, with their columns in order.
    async fn keys(&self, kind: &str, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        let sql = format!("SHOW {kind} KEYS IN TABLE {}.{}", self.place(schema), self.ident(table));
        let rows = self.ask_of(&sql).await?.rows(["constraint_name", "key_sequence", "column_name"]);
        let mut keys: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for [name, at, column] in rows {
            let at = at.and_then(|at| at.parse().ok()).unwrap_or_default();
            let columns = keys.entry(self.normal(name.unwrap_or_default())).or_default();
            columns.extend(column.map(|column| (at, self.normal(column))));
        }
        let in_order = |(name, mut columns): (String, Vec<(i64, String)>)| {
            columns.sort();
            Key { name: Some(name), columns: columns.into_iter().map(|(_, column)| column).collect() }
        };
        Ok(keys.into_iter().map(in_order).collect())
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of the connection string, or what the service has chosen.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        if let Some(schema) = &self.server.target.schema {
            return Ok(Some(self.normal(schema.clone())));
        }
        let found = self.ask("SELECT CURRENT_SCHEMA() AS NAME").await?.column("name");
        Ok(found.into_iter().flatten().next().map(|name| self.normal(name)))
    }

    /// Databases (`SnowflakeEngineSpec.get_catalog_names`).
    async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        let found = self.ask("SELECT DATABASE_NAME from information_schema.databases").await?;
        Ok(found.column("database_name").into_iter().flatten().collect())
    }

    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.names("SHOW /* sqlalchemy:get_schema_names */ SCHEMAS").await
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SHOW /* sqlalchemy:get_table_names */ TABLES IN {}", self.place(schema))).await
    }

    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.names(&format!("SHOW /* sqlalchemy:get_view_names */ VIEWS IN {}", self.place(schema))).await
    }

    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let (from, schema) = match schema.split_once('.') {
            Some((database, schema)) => (format!("{}.", self.ident(database)), schema),
            None => (String::new(), schema),
        };
        let sql = format!(
            "SELECT /* sqlalchemy:_get_table_columns */ ic.column_name, ic.data_type, ic.character_maximum_length, \
             ic.numeric_precision, ic.numeric_scale, ic.is_nullable, ic.column_default, ic.comment \
             FROM {from}information_schema.columns ic WHERE ic.table_schema = {} AND ic.table_name = {} \
             ORDER BY ic.ordinal_position",
            self.literal(schema),
            self.literal(table)
        );
        let rows = self.ask(&sql).await?.rows([
            "column_name",
            "data_type",
            "character_maximum_length",
            "numeric_precision",
            "numeric_scale",
            "is_nullable",
            "column_default",
            "comment",
        ]);
        let described = rows.into_iter().filter_map(|row| {
            let [name, kind, length, precision, scale, nullable, default, comment] = row;
            Some(ColumnDescription {
                name: self.normal(name?),
                type_: type_of(&kind?, length.as_deref(), precision.as_deref(), scale.as_deref()),
                nullable: nullable.as_deref() != Some("NO"),
                default,
                comment: comment.filter(|comment| !comment.is_empty()),
            })
        });
        Ok(described.collect())
    }

    async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        let keys = self.keys("PRIMARY", schema, table).await?;
        Ok(keys.into_iter().next().unwrap_or_default())
    }

    async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        self.keys("UNIQUE", schema, table).await
    }

    async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        let sql = format!("SHOW IMPORTED KEYS IN TABLE {}.{}", self.place(schema), self.ident(table));
        let found = self.ask_of(&sql).await?;
        let names = [
            "fk_name",
            "key_sequence",
            "fk_column_name",
            "pk_schema_name",
            "pk_table_name",
            "pk_column_name",
        ];
        let mut rows = found.rows(names);
        rows.sort_by_key(|[name, at, ..]| {
            (name.clone(), at.as_ref().and_then(|at| at.parse::<i64>().ok()).unwrap_or_default())
        });
        let normal = |row: [Option<String>; 6]| {
            let mut row = row.map(|value| value.map(|value| self.normal(value))).to_vec();
            row.remove(1);
            row
        };
        Ok(ForeignKey::from_rows(rows.into_iter().map(normal).collect(), schema))
    }

    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let pattern = self.known(table).replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%");
        let sql = format!(
            "SHOW /* sqlalchemy:_get_table_comment */ TABLES LIKE {} IN SCHEMA {}",
            self.dialect.string_literal(&pattern),
            self.place(schema)
        );
        let comment = self.ask_of(&sql).await?.column("comment").into_iter().flatten().next();
        Ok(comment.filter(|comment| !comment.is_empty()))
    }
}
