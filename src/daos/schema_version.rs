//! The version of the metadata database (`alembic_version`).

use infra::db::{DbError, Executor, Sql};

/// Asks for it; what matters is that there is an answer.
pub async fn ask(db: &dyn Executor) -> Result<(), DbError> {
    db.query(Sql::new("SELECT version_num FROM alembic_version")).await.map(drop)
}

/// The moment by the database's clock, in UTC.
pub async fn moment(db: &dyn Executor) -> Result<chrono::NaiveDateTime, DbError> {
    let row = db.first(Sql::new(db.dialect().utc_now())).await?;
    row.ok_or_else(|| DbError::Query("no time came back".into()))?.at(0)
}
