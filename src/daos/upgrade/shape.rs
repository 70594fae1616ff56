//! Which tables and columns a database has.

use std::collections::BTreeMap;

use infra::db::{DbError, Dialect, Executor, Row, Sql};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its type in the words of the backend.
    pub kind: String,
    /// A row may leave it out.
    pub optional: bool,
}

/// Columns of tables by their names.
pub type Shape = BTreeMap<String, BTreeMap<String, Column>>;

/// The tables of a database with their columns.
pub async fn of(db: &dyn Executor) -> Result<Shape, DbError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name, c.name, c.type, c.\"notnull\" = 0 OR c.dflt_value IS NOT NULL OR c.pk > 0 \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~'"
        }
        Dialect::Postgres => {
            "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' OR c.column_default IS NOT NULL \
             FROM information_schema.columns c JOIN information_schema.tables t \
             ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
             WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
        }
        Dialect::Mysql => {
            "SELECT c.table_name, c.column_name, c.data_type, \
             c.is_nullable = 'YES' OR c.column_default IS NOT NULL OR c.extra LIKE '%auto_increment%' \
             FROM information_schema.columns c JOIN information_schema.tables t \
             ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
             WHERE c.table_schema = database() AND t.table_type = 'BASE TABLE'"
        }
    };
    let mut shape = Shape::new();
    for row in db.query(Sql::new(sql)).await? {
        let (table, name, column) = column(&row)?;
        shape.entry(table).or_default().insert(name, column);
    }
    Ok(shape)
}

fn column(row: &Row) -> Result<(String, String, Column), DbError> {
    let kind: String = row.at(2)?;
    Ok((row.at(0)?, row.at(1)?, Column { kind: kind.to_lowercase(), optional: row.at(3)? }))
}

/// The columns of a table; none when there is no such table.
pub async fn columns(db: &dyn Executor, table: &str) -> Result<BTreeMap<String, Column>, DbError> {
    Ok(of(db).await?.remove(table).unwrap_or_default())
}

/// Does a table have a column?
pub async fn has_column(db: &dyn Executor, table: &str, column: &str) -> Result<bool, DbError> {
    Ok(columns(db, table).await?.contains_key(column))
}

/// References to rows that are not there, as SQLite knows them: table and row. Others have none.
pub async fn dangling(db: &dyn Executor) -> Result<Vec<String>, DbError> {
    match db.dialect() {
        Dialect::Sqlite => {
            let rows =
                db.query(Sql::new("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check")).await?;
            let text = |row: &Row| -> Result<String, DbError> {
                let (table, id, parent): (String, Option<i64>, String) = (row.at(0)?, row.at(1)?, row.at(2)?);
                Ok(format!(
                    "{table} row {} refers to a row of {parent} that is not there",
                    id.unwrap_or_default()
                ))
            };
            rows.iter().map(text).collect()
        }
        Dialect::Postgres | Dialect::Mysql => Ok(Vec::new()),
    }
}
