//! Rows of any table by their keys: whether they are there, their links, their end.
//!
//! Names of tables and columns are the program's own; only values come from outside.

use infra::{
    Error,
    db::{DbError, Executor, FromValue, Sql, Value},
};

use crate::{natural_order, table::Table};

/// The integer key of a new row.
pub fn key(pk: &Value) -> Result<i64, DbError> {
    i64::from_value(pk).ok_or_else(|| DbError::Decode("the new key is no integer".into()))
}

/// True when a row with the key exists.
pub async fn exists(db: &dyn Executor, table: &'static str, id: i64) -> Result<bool, DbError> {
    // beyond 32 bits no key exists, and PostgreSQL refuses to compare
    if i32::try_from(id).is_err() {
        return Ok(false);
    }
    has(db, table, "id", id).await
}

/// 404 unless a row with the key exists.
pub async fn require(db: &dyn Executor, table: &'static str, id: i64) -> Result<(), Error> {
    if exists(db, table, id).await? { Ok(()) } else { Err(Error::not_found()) }
}

/// True when a column holds a value in some row.
pub async fn has(
    db: &dyn Executor,
    table: &'static str,
    column: &'static str,
    value: impl Into<Value>,
) -> Result<bool, DbError> {
    let sql = Sql::new(format!("SELECT 1 FROM {table} WHERE \"{column}\" = ? LIMIT 1")).bind(value);
    Ok(db.first(sql).await?.is_some())
}

/// True when a column holds a value in another row than `id`.
pub async fn has_other(
    db: &dyn Executor,
    table: &'static str,
    column: &'static str,
    value: &str,
    id: Option<i64>,
) -> Result<bool, DbError> {
    let sql = Sql::new(format!("SELECT 1 FROM {table} WHERE \"{column}\" = ? AND id <> ? LIMIT 1"));
    Ok(db.first(sql.bind(value).bind(id.unwrap_or(-1))).await?.is_some())
}

/// True when a row with the key exists and a user made it.
pub async fn is_made_by(
    db: &dyn Executor,
    table: &'static str,
    id: i64,
    user_id: Option<i64>,
) -> Result<bool, DbError> {
    let sql = Sql::new(format!("SELECT 1 FROM {table} WHERE id = ? AND created_by_fk = ?"));
    Ok(db.first(sql.bind(id).bind(user_id)).await?.is_some())
}

/// Those of `ids` that are keys of rows, in order.
pub async fn existing(db: &dyn Executor, table: &'static str, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    existing_where(db, (table, table), ids, None).await
}

/// Those of `ids` that are keys of rows which a condition over the alias lets through, in order.
pub async fn existing_where(
    db: &dyn Executor,
    (table, alias): (&'static str, &'static str),
    ids: &[i64],
    condition: Option<Sql>,
) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new(format!("SELECT {alias}.id FROM {table} {alias} WHERE {alias}.id IN "));
    // PostgreSQL refuses to compare what no key can be
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    sql.push(&format!(" ORDER BY {alias}.id"));
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// The same as the database finds them, which is the order of bundles.
pub async fn existing_as_found(
    db: &dyn Executor,
    table: &'static str,
    ids: &[i64],
    condition: Option<Sql>,
) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new(format!("SELECT x.id FROM {table} x WHERE x.id IN "));
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    sql.push(&natural_order::of_keys(db.dialect(), "x"));
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// The keys of all rows that a condition over the alias lets through, in order.
pub async fn all_where(
    db: &dyn Executor,
    (table, alias): (&'static str, &'static str),
    condition: Option<Sql>,
) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new(format!("SELECT {alias}.id FROM {table} {alias}"));
    if let Some(condition) = condition {
        sql.push(" WHERE ").append(condition);
    }
    sql.push(&format!(" ORDER BY {alias}.id"));
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// Deletes rows that were found before; when somebody else was faster with one of them, it is not found any more.
pub async fn delete(db: &dyn Executor, table: &'static str, ids: &[i64]) -> Result<(), Error> {
    if delete_where(db, table, "id", ids).await? < ids.len() as u64 {
        return Err(Error::not_found());
    }
    Ok(())
}

/// Deletes the rows whose column holds one of the keys; their number.
pub async fn delete_where(
    db: &dyn Executor,
    table: &'static str,
    column: &'static str,
    keys: &[i64],
) -> Result<u64, DbError> {
    let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} IN "));
    sql.push_list(keys.iter().copied());
    db.execute(sql).await
}

/// A table of pairs: its name, the column of the one side and that of the other.
pub type Pairs = (&'static str, &'static str, &'static str);

/// Makes `targets` the partners of a row in a table of links; links that stay are not touched.
pub async fn set_links(
    db: &dyn Executor,
    (table, column, target): Pairs,
    id: i64,
    targets: &[i64],
) -> Result<(), DbError> {
    let sql = Sql::new(format!("SELECT {target} FROM {table} WHERE {column} = ?")).bind(id);
    let current: Vec<i64> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    let gone: Vec<i64> = current.iter().copied().filter(|t| !targets.contains(t)).collect();
    if !gone.is_empty() {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} = "));
        sql.push_bind(id).push(&format!(" AND {target} IN ")).push_list(gone);
        db.execute(sql).await?;
    }
    let new: Vec<i64> = targets.iter().copied().filter(|t| !current.contains(t)).collect();
    if !new.is_empty() {
        let mut sql = Sql::new(format!("INSERT INTO {table} ({column}, {target}) VALUES "));
        for (i, t) in new.into_iter().enumerate() {
            sql.push(if i > 0 { ", " } else { "" }).push_list([id, t]);
        }
        db.execute(sql).await?;
    }
    Ok(())
}

/// An integer column of the row with a key.
pub async fn integer_of(
    db: &dyn Executor,
    table: &Table,
    column: &'static str,
    id: i64,
) -> Result<Option<i64>, DbError> {
    let sql = Sql::new(format!("SELECT {column} FROM {} WHERE {} = ?", table.name, table.pk)).bind(id);
    Ok(db.first(sql).await?.map(|row| row.at::<Option<i64>>(0)).transpose()?.flatten())
}
