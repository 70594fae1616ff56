//! Log-ins that were ended before their time: rows of `key_value` under a resource of our own.
//!
//! Superset keeps nothing of the kind and asks the table for its own resources only, so it passes these rows over. They
//! name no user in `created_by_fk`: a user who has such a row could not be deleted.

use chrono::NaiveDateTime;
use infra::{
    clock,
    crypto::random,
    db::{DbError, Executor, Row, Sql, Value},
};
use uuid::Uuid;

use crate::key_value;

/// `key_value.resource`.
const RESOURCE: &str = "liteset_log_in";
/// Of the names below.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c41_6a0e_31d5_4a8b_9a5e_5f0d_93c2_b6e1);

/// Which log-ins of a user end together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All: sessions and tokens.
    All,
    /// The tokens of the API.
    Tokens,
}

/// The name of one log-in: of a session, or of the tokens that were given out together.
pub fn name(kind: &str, text: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}\0{text}").as_bytes())
}

fn generation_name(user_id: i64, scope: Scope) -> Uuid {
    let kind = match scope {
        Scope::All => "all-of",
        Scope::Tokens => "tokens-of",
    };
    name(kind, &user_id.to_string())
}

/// What is known about the log-ins of a user, read in the statement that reads the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    /// The log-in that was asked about was ended.
    pub ended: bool,
    /// Changes when all log-ins of the user end; none before the first time.
    pub all: Option<String>,
    /// Changes when the tokens of the user end.
    pub tokens: Option<String>,
}

impl Ends {
    /// Columns for a select list; [`Ends::bind`] binds their placeholders.
    pub(crate) const COLUMNS: &str = "\
        (SELECT k.value FROM key_value k WHERE k.resource = ? AND k.uuid = ?) AS end_all, \
        (SELECT k.value FROM key_value k WHERE k.resource = ? AND k.uuid = ?) AS end_tokens, \
        EXISTS (SELECT 1 FROM key_value k WHERE k.resource = ? AND k.uuid = ? AND k.expires_on > ?) AS ended";

    pub(crate) fn bind(sql: Sql, user_id: i64, name: Option<Uuid>) -> Sql {
        sql.bind(RESOURCE)
            .bind(generation_name(user_id, Scope::All))
            .bind(RESOURCE)
            .bind(generation_name(user_id, Scope::Tokens))
            .bind(RESOURCE)
            .bind(name.unwrap_or_default())
            .bind(clock::now())
    }

    pub(crate) fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { ended: row.get("ended")?, all: row.get("end_all")?, tokens: row.get("end_tokens")? })
    }

    /// Those of a user.
    pub async fn find(db: &dyn Executor, user_id: i64) -> Result<Self, DbError> {
        let sql = Self::bind(Sql::new(format!("SELECT {}", Self::COLUMNS)), user_id, None);
        db.first(sql).await?.map_or_else(|| Ok(Self::default()), |row| Self::from_row(&row))
    }
}

fn entry(
    uuid: Uuid,
    value: Vec<u8>,
    now: NaiveDateTime,
    until: Option<NaiveDateTime>,
) -> Vec<(&'static str, Value)> {
    vec![
        ("resource", RESOURCE.into()),
        ("value", value.into()),
        ("uuid", uuid.into()),
        ("created_on", now.into()),
        ("expires_on", until.into()),
    ]
}

/// Ends one log-in; the row stays until the log-in would have ended by itself.
pub async fn end(db: &dyn Executor, name: Uuid, until: NaiveDateTime) -> Result<(), DbError> {
    let now = clock::now();
    key_value::delete_expired(db, RESOURCE, now).await?;
    let mut sql = infra::db::insert_sql(db.dialect(), "key_value", entry(name, Vec::new(), now, Some(until)));
    // somebody may log out twice at once
    sql.push(&db.dialect().or_update("uuid")).push("expires_on = ").push_bind(until);
    db.execute(sql).await.map(drop)
}

/// Ends all log-ins of a user, or all tokens; returns the new generation. One row a user, which stays: the log-ins that
/// come after it bear its mark.
pub async fn end_all(db: &dyn Executor, user_id: i64, scope: Scope) -> Result<String, DbError> {
    let (now, generation) = (clock::now(), random::url_safe::<12>());
    let values = entry(generation_name(user_id, scope), generation.clone().into_bytes(), now, None);
    let mut sql = infra::db::insert_sql(db.dialect(), "key_value", values);
    sql.push(&db.dialect().or_update("uuid")).push("value = ").push_bind(generation.clone().into_bytes());
    sql.push(", changed_on = ").push_bind(now);
    db.execute(sql).await?;
    Ok(generation)
}
