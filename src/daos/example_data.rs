//! The file of example data. It is no part of the metadata, but a SQLite file that is written in the same way.

use std::path::Path;

use infra::db::{Db, DbError, DbUri, Executor, Sql, Value};

/// Opens a new file.
pub async fn open(path: &Path) -> Result<Db, DbError> {
    Db::connect(&DbUri::Sqlite { path: path.to_owned() }, 2).await
}

/// Makes a table of columns with a name and a type.
pub async fn create_table(
    db: &dyn Executor,
    table: &str,
    columns: &[(String, String)],
) -> Result<(), DbError> {
    let columns: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    let sql = format!("CREATE TABLE {table} ({})", columns.join(", "));
    db.execute(Sql::new(sql)).await.map(drop)
}

/// There is such a table.
pub async fn has_table(db: &dyn Executor, table: &str) -> Result<bool, DbError> {
    let sql = Sql::new("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?").bind(table);
    Ok(db.first(sql).await?.is_some())
}

/// Removes a table, if it is there.
pub async fn drop_table(db: &dyn Executor, table: &str) -> Result<(), DbError> {
    db.execute(Sql::new(format!("DROP TABLE IF EXISTS {table}"))).await.map(drop)
}

/// The dataset of a table of a database.
pub async fn find_dataset(db: &dyn Executor, database: i64, table: &str) -> Result<Option<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM tables WHERE database_id = ? AND table_name = ? ORDER BY id");
    db.first(sql.bind(database).bind(table)).await?.map(|row| row.at(0)).transpose()
}

/// The chart of a name on a dataset.
pub async fn find_chart(
    db: &dyn Executor,
    dataset: i64,
    name: &str,
) -> Result<Option<(i64, uuid::Uuid)>, DbError> {
    let sql = Sql::new(
        "SELECT id, uuid FROM slices WHERE datasource_id = ? AND datasource_type = 'table' AND slice_name = ? \
         AND uuid IS NOT NULL ORDER BY id",
    );
    db.first(sql.bind(dataset).bind(name)).await?.map(|row| Ok((row.at(0)?, row.at(1)?))).transpose()
}

/// Inserts rows with a value for each column.
pub async fn insert_rows(db: &dyn Executor, table: &str, rows: &[Vec<Value>]) -> Result<(), DbError> {
    let mut sql = Sql::new(format!("INSERT INTO {table} VALUES "));
    for (i, row) in rows.iter().enumerate() {
        sql.push(if i > 0 { ", " } else { "" }).push_list(row.iter().cloned());
    }
    db.execute(sql).await.map(drop)
}

/// Makes one file of it again, so that it can be renamed and read without a write-ahead log.
pub async fn close(db: Db) -> Result<(), DbError> {
    db.query(Sql::new("PRAGMA journal_mode = DELETE")).await.map(drop)
}
