//! What tables a metadata database has, from its own catalogue: columns, keys, references.

use std::collections::{BTreeMap, BTreeSet};

use super::{DbError, Dialect, Executor, Row, Sql};

/// A table that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Name.
    pub name: String,
    /// Columns in their order.
    pub columns: Vec<ColumnInfo>,
    /// Columns of the primary key in its order; empty when there is none.
    pub key: Vec<String>,
    /// Other tables that foreign keys point at, by name.
    pub references: BTreeSet<String>,
}

/// A column that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Name.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// The type in the database's own words.
    pub declared: String,
    /// Null is allowed.
    pub nullable: bool,
}

/// What the values of a column are, alike on every backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Binary floating point.
    Float,
    /// Decimal numbers.
    Numeric,
    /// True and false.
    Boolean,
    /// Texts, enumerations, and everything that is not in this list.
    Text,
    /// Time stamps.
    DateTime,
    /// Bytes.
    Bytes,
    /// UUIDs.
    Uuid,
    /// JSON documents.
    Json,
}

impl ColumnKind {
    /// From a declared type.
    fn of(declared: &str) -> Self {
        let text = declared.to_ascii_lowercase();
        let (name, rest) = text.split_once('(').unwrap_or((&text, ""));
        let size = rest.trim_end_matches(')').trim();
        match (name.trim(), size) {
            ("tinyint", "1") | ("boolean" | "bool", _) => Self::Boolean,
            // `UUIDType(binary=True)`, as SQLAlchemy and Superset's migrations declare it without a type of its own
            ("uuid", _) | ("binary" | "numeric", "16") => Self::Uuid,
            ("integer" | "int" | "bigint" | "smallint" | "tinyint" | "mediumint", _) => Self::Integer,
            ("float" | "double" | "double precision" | "real", _) => Self::Float,
            ("numeric" | "decimal", _) => Self::Numeric,
            ("blob" | "bytea" | "binary" | "varbinary" | "tinyblob" | "mediumblob" | "longblob", _) => {
                Self::Bytes
            }
            ("json" | "jsonb", _) => Self::Json,
            (name, _) if name.starts_with("timestamp") || name == "datetime" => Self::DateTime,
            _ => Self::Text,
        }
    }
}

impl Dialect {
    /// A name as an identifier.
    pub fn quoted(self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A column in a select list that reads its values as what they are. JSON keeps its bytes.
    pub fn read_column(self, column: &ColumnInfo) -> String {
        let name = self.quoted(&column.name);
        let plain = ["text", "character varying", "character", "name"];
        let cast = match (self, column.kind) {
            (Self::Postgres, ColumnKind::Json) => true,
            (Self::Postgres, ColumnKind::Text) => !plain.contains(&column.declared.as_str()),
            _ => false,
        };
        if cast { format!("{name}::text AS {name}") } else { name }
    }

    /// The bytes of a value of a column, if it may have many; none of the databases reads the value for it.
    pub fn length_of(self, column: &ColumnInfo) -> Option<String> {
        let name = self.quoted(&column.name);
        match (self, column.kind) {
            (Self::Postgres, ColumnKind::Text | ColumnKind::Json) => {
                Some(format!("octet_length({name}::text)"))
            }
            (_, ColumnKind::Text | ColumnKind::Json | ColumnKind::Bytes) => {
                Some(format!("octet_length({name})"))
            }
            _ => None,
        }
    }
}

/// How the rows of a table are gone through in pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// In the order of these expressions, a page beginning after the last row of the one before.
    After(Vec<String>),
    /// In this order, a page beginning at a number of rows.
    At(String),
}

impl Dialect {
    /// How a table is gone through without a sort.
    pub fn walk(self, table: &TableInfo) -> Walk {
        match self {
            Self::Sqlite => Walk::After(vec!["rowid".to_owned()]),
            Self::Postgres if table.key.is_empty() => Walk::At("ctid".to_owned()),
            Self::Mysql if table.key.is_empty() => {
                let columns: Vec<String> = table.columns.iter().map(|c| self.quoted(&c.name)).collect();
                Walk::At(columns.join(", "))
            }
            Self::Postgres | Self::Mysql => Walk::After(table.key.iter().map(|c| self.quoted(c)).collect()),
        }
    }
}

const SQLITE_COLUMNS: &str = "SELECT m.name AS table_name, p.name AS column_name, p.type AS declared, \
     NOT p.\"notnull\" AS nullable FROM sqlite_master m, pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, p.cid";
const SQLITE_KEYS: &str = "SELECT m.name AS table_name, p.name AS column_name \
     FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND p.pk > 0 \
     ORDER BY m.name, p.pk";
const SQLITE_REFERENCES: &str = "SELECT m.name AS table_name, f.\"table\" AS target \
     FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";

const POSTGRES_COLUMNS: &str = "SELECT c.relname AS table_name, a.attname AS column_name, \
     CASE WHEN a.atttypid IN (1042, 1043, 1700) THEN format_type(a.atttypid, NULL) \
          ELSE format_type(a.atttypid, a.atttypmod) END AS declared, \
     NOT a.attnotnull AS nullable FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname, a.attnum";
const POSTGRES_KEYS: &str = "SELECT c.relname AS table_name, a.attname AS column_name FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]) \
     WHERE i.indisprimary ORDER BY c.relname, array_position(i.indkey::int2[], a.attnum)";
const POSTGRES_REFERENCES: &str = "SELECT c.relname AS table_name, f.relname AS target FROM pg_constraint k \
     JOIN pg_class c ON c.oid = k.conrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     JOIN pg_class f ON f.oid = k.confrelid WHERE k.contype = 'f'";

/// MariaDB has no JSON of its own: such columns are texts of a collation that no other has.
const MYSQL_COLUMNS: &str = "SELECT c.table_name AS table_name, c.column_name AS column_name, \
     CASE WHEN c.data_type = 'longtext' AND c.collation_name = 'utf8mb4_bin' THEN 'json' ELSE c.column_type END \
     AS declared, c.is_nullable = 'YES' AS nullable FROM information_schema.columns c \
     JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
     WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' \
     ORDER BY c.table_name, c.ordinal_position";
const MYSQL_KEYS: &str = "SELECT k.table_name AS table_name, k.column_name AS column_name \
     FROM information_schema.key_column_usage k WHERE k.table_schema = DATABASE() \
     AND k.constraint_name = 'PRIMARY' ORDER BY k.table_name, k.ordinal_position";
const MYSQL_REFERENCES: &str = "SELECT k.table_name AS table_name, k.referenced_table_name AS target \
     FROM information_schema.key_column_usage k WHERE k.table_schema = DATABASE() \
     AND k.referenced_table_name IS NOT NULL";

/// All tables, those that others refer to before them. Where tables refer to each other in a circle, the order of
/// names decides.
pub async fn tables(db: &dyn Executor) -> Result<Vec<TableInfo>, DbError> {
    let (columns, keys, references) = match db.dialect() {
        Dialect::Sqlite => (SQLITE_COLUMNS, SQLITE_KEYS, SQLITE_REFERENCES),
        Dialect::Postgres => (POSTGRES_COLUMNS, POSTGRES_KEYS, POSTGRES_REFERENCES),
        Dialect::Mysql => (MYSQL_COLUMNS, MYSQL_KEYS, MYSQL_REFERENCES),
    };
    let mut found: BTreeMap<String, TableInfo> = BTreeMap::new();
    let text = |row: &Row, column: &str| row.get::<String>(column);
    for row in db.query(Sql::new(columns)).await? {
        let name = text(&row, "table_name")?;
        let table = found.entry(name.clone()).or_insert_with(|| TableInfo {
            name,
            columns: Vec::new(),
            key: Vec::new(),
            references: BTreeSet::new(),
        });
        let declared = text(&row, "declared")?;
        table.columns.push(ColumnInfo {
            name: text(&row, "column_name")?,
            kind: ColumnKind::of(&declared),
            declared,
            nullable: row.get("nullable")?,
        });
    }
    for row in db.query(Sql::new(keys)).await? {
        if let Some(table) = found.get_mut(&text(&row, "table_name")?) {
            table.key.push(text(&row, "column_name")?);
        }
    }
    for row in db.query(Sql::new(references)).await? {
        let target = text(&row, "target")?;
        if let Some(table) = found.get_mut(&text(&row, "table_name")?) {
            table.references.insert(target);
        }
    }
    Ok(in_order(found))
}

fn in_order(mut left: BTreeMap<String, TableInfo>) -> Vec<TableInfo> {
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |t: &TableInfo| t.references.iter().any(|r| *r != t.name && left.contains_key(r));
        let next = left.values().find(|t| !waits(t)).or_else(|| left.values().next());
        let Some(name) = next.map(|t| t.name.clone()) else { break };
        sorted.extend(left.remove(&name));
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, DbUri, migrate};

    #[test]
    fn declared_types() {
        for (declared, kind) in [
            ("INTEGER", ColumnKind::Integer),
            ("interval", ColumnKind::Text),
            ("NUMERIC(16)", ColumnKind::Uuid),
            ("BINARY(16)", ColumnKind::Uuid),
            ("NUMERIC(20, 6)", ColumnKind::Numeric),
            ("numeric", ColumnKind::Numeric),
            ("timestamp without time zone", ColumnKind::DateTime),
            ("timestamp(6) with time zone", ColumnKind::DateTime),
            ("DATETIME", ColumnKind::DateTime),
            ("date", ColumnKind::Text),
            ("VARCHAR(255)", ColumnKind::Text),
            ("tinyint(1)", ColumnKind::Boolean),
            ("enum('custom','type')", ColumnKind::Text),
            ("int(11)", ColumnKind::Integer),
            ("mediumblob", ColumnKind::Bytes),
            ("double precision", ColumnKind::Float),
            ("objecttype", ColumnKind::Text),
        ] {
            assert_eq!(ColumnKind::of(declared), kind, "{declared}");
        }
    }

    #[tokio::test]
    async fn tables_come_after_those_that_they_refer_to() {
        let path = std::env::temp_dir().join(format!("liteset-catalog-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let db = Db::connect(&DbUri::Sqlite { path: path.clone() }, 2).await.unwrap();
        migrate::create(&db).await.unwrap();
        let tables = tables(db.exec()).await.unwrap();
        assert_eq!(tables.len(), 52);
        let place = |name: &str| tables.iter().position(|t| t.name == name).unwrap();
        for table in &tables {
            for other in table.references.iter().filter(|r| **r != table.name) {
                assert!(place(other) < place(&table.name), "{other} before {}", table.name);
            }
        }
        let users = &tables[place("ab_user")];
        assert!(users.references.contains("ab_user"));
        assert_eq!(users.key, ["id"]);
        let dashboards = &tables[place("dashboards")];
        let uuid = dashboards.columns.iter().find(|c| c.name == "uuid").unwrap();
        assert_eq!(uuid.kind, ColumnKind::Uuid);
        let _ = std::fs::remove_file(&path);
    }
}
