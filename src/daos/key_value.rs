//! The key-value store of the metadata database (`superset.daos.key_value`, `superset.key_value`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};
use uuid::Uuid;

/// A stored value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Primary key, what permalinks encode.
    pub id: i64,
    /// Bytes as the codec wrote them.
    pub value: Vec<u8>,
    /// When it ceases to exist.
    pub expires_on: Option<NaiveDateTime>,
}

impl Entry {
    /// False when the time has come: such a row is as good as absent.
    pub fn alive(&self, now: NaiveDateTime) -> bool {
        self.expires_on.is_none_or(|t| t > now)
    }
}

async fn first(db: &dyn Executor, sql: Sql) -> Result<Option<Entry>, DbError> {
    let Some(row) = db.first(sql).await? else { return Ok(None) };
    Ok(Some(Entry { id: row.at(0)?, value: row.at(1)?, expires_on: row.at(2)? }))
}

/// An entry of a resource by its UUID, expired or not.
pub async fn find(db: &dyn Executor, resource: &str, uuid: Uuid) -> Result<Option<Entry>, DbError> {
    let sql = Sql::new("SELECT id, value, expires_on FROM key_value WHERE resource = ? AND uuid = ?");
    first(db, sql.bind(resource).bind(uuid)).await
}

/// An entry of a resource by its id, expired or not.
pub async fn find_by_id(db: &dyn Executor, resource: &str, id: i64) -> Result<Option<Entry>, DbError> {
    let sql = Sql::new("SELECT id, value, expires_on FROM key_value WHERE resource = ? AND id = ?");
    first(db, sql.bind(resource).bind(id)).await
}

/// A new entry.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// Resource.
    pub resource: &'a str,
    /// UUID; random when there is no key to derive it from.
    pub uuid: Uuid,
    /// Bytes.
    pub value: Vec<u8>,
    /// Who writes.
    pub user_id: Option<i64>,
    /// Now, in the server's own time.
    pub now: NaiveDateTime,
    /// When it ceases to exist.
    pub expires_on: Option<NaiveDateTime>,
}

/// Inserts an entry.
pub async fn insert(db: &dyn Executor, entry: NewEntry<'_>) -> Result<i64, DbError> {
    db.insert_row(
        "key_value",
        vec![
            ("resource", entry.resource.into()),
            ("value", entry.value.into()),
            ("uuid", entry.uuid.into()),
            ("created_on", entry.now.into()),
            ("created_by_fk", entry.user_id.into()),
            ("expires_on", entry.expires_on.into()),
        ],
    )
    .await
}

/// Inserts an entry or overwrites the one of its UUID; returns its id.
pub async fn upsert(db: &dyn Executor, entry: NewEntry<'_>) -> Result<i64, DbError> {
    let Some(old) = find(db, entry.resource, entry.uuid).await? else { return insert(db, entry).await };
    db.update_row(
        "key_value",
        old.id,
        vec![
            ("value", entry.value.into()),
            ("expires_on", entry.expires_on.into()),
            ("changed_on", entry.now.into()),
            ("changed_by_fk", entry.user_id.into()),
        ],
    )
    .await?;
    Ok(old.id)
}

/// Deletes an entry; false when there was none.
pub async fn delete(db: &dyn Executor, resource: &str, uuid: Uuid) -> Result<bool, DbError> {
    let sql = Sql::new("DELETE FROM key_value WHERE resource = ? AND uuid = ?");
    Ok(db.execute(sql.bind(resource).bind(uuid)).await? > 0)
}

/// Deletes the entries of a resource whose time has come.
pub async fn delete_expired(db: &dyn Executor, resource: &str, now: NaiveDateTime) -> Result<u64, DbError> {
    let sql =
        Sql::new("DELETE FROM key_value WHERE resource = ? AND expires_on IS NOT NULL AND expires_on <= ?");
    db.execute(sql.bind(resource).bind(now)).await
}
