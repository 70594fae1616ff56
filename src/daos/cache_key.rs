//! `cache_keys`: which cached results belong to which dataset.

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};

/// Remembers a key.
pub async fn insert(
    db: &dyn Executor,
    key: &str,
    timeout: i64,
    uid: &str,
    now: NaiveDateTime,
) -> Result<i64, DbError> {
    db.insert_row(
        "cache_keys",
        vec![
            ("cache_key", key.into()),
            ("cache_timeout", timeout.into()),
            ("datasource_uid", uid.into()),
            ("created_on", now.into()),
        ],
    )
    .await
}

/// The keys of some datasets.
pub async fn of_datasources(db: &dyn Executor, uids: &[String]) -> Result<Vec<String>, DbError> {
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT DISTINCT cache_key FROM cache_keys WHERE datasource_uid IN ");
    sql.push_list(uids.iter().map(String::as_str));
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// Forgets the keys of some datasets.
pub async fn delete(db: &dyn Executor, uids: &[String]) -> Result<(), DbError> {
    if uids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("DELETE FROM cache_keys WHERE datasource_uid IN ");
    sql.push_list(uids.iter().map(String::as_str));
    db.execute(sql).await.map(|_| ())
}
