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

/// Inserts an entry of a new UUID; false when there is one of it already.
pub async fn insert_new(db: &dyn Executor, entry: NewEntry<'_>) -> Result<bool, DbError> {
    match insert(db, entry).await {
        Ok(_) => Ok(true),
        Err(DbError::Integrity(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts another value in the place of one that is known; false when somebody has changed it meanwhile. The entry may
/// become one of another resource.
pub async fn replace(
    db: &dyn Executor,
    uuid: Uuid,
    known: &[u8],
    new: &NewEntry<'_>,
) -> Result<bool, DbError> {
    let sql = Sql::new(
        "UPDATE key_value SET resource = ?, value = ?, changed_on = ?, expires_on = ? WHERE uuid = ? AND value = ?",
    );
    let sql = sql.bind(new.resource).bind(new.value.clone()).bind(new.now).bind(new.expires_on);
    Ok(db.execute(sql.bind(uuid).bind(known.to_vec())).await? > 0)
}

/// The entries of a resource that expire after `now`; those that never do are not among them.
pub async fn alive(
    db: &dyn Executor,
    resource: &str,
    now: NaiveDateTime,
) -> Result<Vec<(Uuid, Vec<u8>)>, DbError> {
    let sql = Sql::new("SELECT uuid, value FROM key_value WHERE resource = ? AND expires_on > ? ORDER BY id");
    let rows = db.query(sql.bind(resource).bind(now)).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Ids of entries whose time has come, of all resources, the oldest first.
pub async fn expired_ids(db: &dyn Executor, now: NaiveDateTime, most: i64) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new("SELECT id FROM key_value WHERE expires_on <= ? ORDER BY expires_on").bind(now);
    sql.append(db.dialect().limit(Some(most), 0));
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
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

/// The text of a link of old (table `keyvalue`).
pub async fn old_link(db: &dyn Executor, id: i64) -> Result<Option<String>, DbError> {
    let row = db.first(Sql::new("SELECT value FROM keyvalue WHERE id = ?").bind(id)).await?;
    Ok(row.map(|row| row.at::<Option<String>>(0)).transpose()?.flatten())
}

fn of_author(author: Option<i64>) -> &'static str {
    if author.is_some() { "created_by_fk = ?" } else { "created_by_fk IS NULL" }
}

/// How many entries of a resource somebody has written; none is whoever has no account.
pub async fn count_of(db: &dyn Executor, resource: &str, author: Option<i64>) -> Result<i64, DbError> {
    let whose = of_author(author);
    let sql =
        Sql::new(format!("SELECT COUNT(*) FROM key_value WHERE resource = ? AND {whose}")).bind(resource);
    let row = db.first(if author.is_some() { sql.bind(author) } else { sql }).await?;
    row.map_or(Ok(0), |row| row.at(0))
}

/// Deletes the oldest entries of a resource that somebody has written, beyond so many or so many bytes.
pub async fn delete_oldest_of(
    db: &dyn Executor,
    resource: &str,
    author: Option<i64>,
    entries: i64,
    bytes: i64,
) -> Result<u64, DbError> {
    let whose = of_author(author);
    let sql = Sql::new(format!(
        "DELETE FROM key_value WHERE id IN (SELECT id FROM (SELECT id, \
         ROW_NUMBER() OVER (ORDER BY id DESC) AS place, SUM(LENGTH(value)) OVER (ORDER BY id DESC) AS size \
         FROM key_value WHERE resource = ? AND {whose}) AS own WHERE place > ? OR size > ?)"
    ));
    let sql = sql.bind(resource);
    let sql = if author.is_some() { sql.bind(author) } else { sql };
    db.execute(sql.bind(entries).bind(bytes)).await
}
