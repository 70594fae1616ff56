//! The number of the last step of liteset's own schema.

use infra::db::{DbError, Executor, Sql};

use super::shape;

const TABLE: &str = "liteset_version";

/// The last step that was applied; 0 before the first.
pub async fn current(db: &dyn Executor) -> Result<i64, DbError> {
    if !shape::of(db).await?.contains_key(TABLE) {
        return Ok(0);
    }
    let row = db.first(Sql::new(format!("SELECT max(number) FROM {TABLE}"))).await?;
    Ok(row.map(|row| row.at::<Option<i64>>(0)).transpose()?.flatten().unwrap_or_default())
}

/// Applies a step and keeps its number.
pub async fn apply(db: &dyn Executor, number: i64, statement: &str) -> Result<(), DbError> {
    if !shape::of(db).await?.contains_key(TABLE) {
        db.execute(Sql::new(format!("CREATE TABLE {TABLE} (number INTEGER NOT NULL PRIMARY KEY)"))).await?;
    }
    db.execute(Sql::new(statement)).await?;
    db.execute(Sql::new(format!("INSERT INTO {TABLE} (number) VALUES (?)")).bind(number)).await.map(drop)
}
