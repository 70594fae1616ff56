//! Columns and metrics of a dataset as rows that come and go (`superset.daos.dataset:DatasetDAO.update_columns`,
//! `update_metrics`).

use infra::db::{DbError, Executor, Sql, Value};

use crate::{rows, table::Table, write::Values};

/// Keys of the rows of a dataset.
pub async fn ids(db: &dyn Executor, table: &Table, dataset_id: i64) -> Result<Vec<i64>, DbError> {
    let sql = Sql::new(format!("SELECT id FROM {} WHERE table_id = ?", table.name)).bind(dataset_id);
    db.query(sql).await?.iter().map(|r| r.at(0)).collect()
}

/// How many rows of a dataset hold one of the values in a column.
pub async fn count(
    db: &dyn Executor,
    table: &Table,
    dataset_id: i64,
    column: &'static str,
    values: Vec<Value>,
) -> Result<usize, DbError> {
    let mut sql = Sql::new(format!("SELECT id FROM {} WHERE table_id = ", table.name));
    sql.push_bind(dataset_id).push(&format!(" AND {column} IN ")).push_list(values);
    Ok(db.query(sql).await?.len())
}

/// Changes a row and nothing besides: who changed it, and when, stays.
pub async fn update(db: &dyn Executor, table: &Table, id: i64, values: Values) -> Result<(), DbError> {
    db.update_row(table.name, id, values).await.map(drop)
}

/// Deletes all rows of a dataset.
pub async fn delete_all(db: &dyn Executor, table: &Table, dataset_id: i64) -> Result<(), DbError> {
    rows::delete_where(db, table.name, "table_id", &[dataset_id]).await.map(drop)
}

/// Inserts a row with nothing but the given columns.
pub async fn insert(db: &dyn Executor, table: &Table, values: Values) -> Result<(), DbError> {
    db.insert_row(table.name, values).await.map(drop)
}
