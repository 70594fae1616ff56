//! Example data. They are no part of the metadata, but a SQLite file, or a database of a server, that is written in the
//! same way.

use std::path::Path;

use infra::db::{Db, DbError, DbUri, Dialect, Executor, Sql, Value};

/// Opens a new file.
pub async fn open(path: &Path) -> Result<Db, DbError> {
    Db::connect(&DbUri::Sqlite { path: path.to_owned() }, 2).await
}

/// Connects to a database of a server.
pub async fn connect(uri: &DbUri) -> Result<Db, DbError> {
    Db::connect(uri, 2).await
}

/// What a type of the example content is called. MySQL's `FLOAT` rounds, and its `TIMESTAMP` moves with the time zone.
pub fn column_type(dialect: Dialect, kind: &str) -> &str {
    match (dialect, kind) {
        (Dialect::Mysql, "FLOAT") => "DOUBLE",
        (Dialect::Mysql, "TIMESTAMP") => "DATETIME",
        _ => kind,
    }
}

/// The schema in which tables are made that name none.
pub async fn default_schema(db: &dyn Executor) -> Result<Option<String>, DbError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => return Ok(Some("main".to_owned())),
        Dialect::Postgres => "SELECT CAST(current_schema() AS TEXT)",
        Dialect::Mysql => "SELECT DATABASE()",
    };
    db.first(Sql::new(sql)).await?.map_or(Ok(None), |row| row.at(0))
}

/// Makes a table of columns with a name and a type.
pub async fn create_table(
    db: &dyn Executor,
    table: &str,
    columns: &[(String, String)],
) -> Result<(), DbError> {
    let kind = |kind| column_type(db.dialect(), kind);
    let columns: Vec<String> = columns.iter().map(|(name, of)| format!("{name} {}", kind(of))).collect();
    let sql = format!("CREATE TABLE {table} ({})", columns.join(", "));
    db.execute(Sql::new(sql)).await.map(drop)
}

/// There is such a table.
pub async fn has_table(db: &dyn Executor, table: &str) -> Result<bool, DbError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?",
        Dialect::Postgres => {
            "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?"
        }
        Dialect::Mysql => {
            "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
        }
    };
    Ok(db.first(Sql::new(sql).bind(table)).await?.is_some())
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

/// Inserts rows with a value for each of the columns; days are texts.
pub async fn insert_rows(
    db: &dyn Executor,
    table: &str,
    columns: &[(String, String)],
    rows: &[Vec<Value>],
) -> Result<(), DbError> {
    // PostgreSQL takes no text for a day
    let is_day = |kind: &str| kind == "DATE" && db.dialect() == Dialect::Postgres;
    let mut sql = Sql::new(format!("INSERT INTO {table} VALUES "));
    for (i, row) in rows.iter().enumerate() {
        sql.push(if i > 0 { ", (" } else { "(" });
        for (at, (value, (_, kind))) in row.iter().zip(columns).enumerate() {
            let (before, after) = if is_day(kind) { ("CAST(CAST(", " AS TEXT) AS DATE)") } else { ("", "") };
            sql.push(if at > 0 { ", " } else { "" }).push(before).push_bind(value.clone()).push(after);
        }
        sql.push(")");
    }
    db.execute(sql).await.map(drop)
}

/// Makes one file of it again, so that it can be renamed and read without a write-ahead log.
pub async fn close(db: Db) -> Result<(), DbError> {
    db.query(Sql::new("PRAGMA journal_mode = DELETE")).await.map(drop)
}
