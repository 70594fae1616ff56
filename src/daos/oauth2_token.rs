//! Personal tokens for databases (`superset.models.core:DatabaseUserOAuth2Tokens`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};

const TABLE: &str = "database_user_oauth2_tokens";

/// What a row holds; encrypted columns as they are stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Token {
    pub id: i64,
    pub access_token: Option<Vec<u8>>,
    pub access_token_expiration: Option<NaiveDateTime>,
    pub refresh_token: Option<Vec<u8>>,
}

/// Tokens as an authorization server has just given them, encrypted.
#[derive(Debug, Clone)]
pub struct NewTokens {
    /// The access token.
    pub access: Vec<u8>,
    /// When it ends, in the server's own time.
    pub expires: NaiveDateTime,
    /// The token that gets the next one.
    pub refresh: Option<Vec<u8>>,
}

/// The token of a person for a database.
pub async fn find(db: &dyn Executor, user_id: i64, database_id: i64) -> Result<Option<Token>, DbError> {
    let sql = format!(
        "SELECT id, access_token, access_token_expiration, refresh_token FROM {TABLE} WHERE user_id = ? AND \
         database_id = ? ORDER BY id DESC LIMIT 1"
    );
    let Some(row) = db.first(Sql::new(sql).bind(user_id).bind(database_id)).await? else { return Ok(None) };
    Ok(Some(Token {
        id: row.at(0)?,
        access_token: row.at(1)?,
        access_token_expiration: row.at(2)?,
        refresh_token: row.at(3)?,
    }))
}

/// Stores a token in the place of the one that a person had; in a transaction of the caller's.
pub async fn replace(
    db: &dyn Executor,
    (user_id, database_id): (i64, i64),
    given: NewTokens,
    now: NaiveDateTime,
    author: Option<i64>,
) -> Result<(), DbError> {
    let old = Sql::new(format!("DELETE FROM {TABLE} WHERE user_id = ? AND database_id = ?"));
    db.execute(old.bind(user_id).bind(database_id)).await?;
    db.insert_row(
        TABLE,
        vec![
            ("created_on", now.into()),
            ("changed_on", now.into()),
            ("user_id", user_id.into()),
            ("database_id", database_id.into()),
            ("access_token", given.access.into()),
            ("access_token_expiration", given.expires.into()),
            ("refresh_token", given.refresh.into()),
            ("created_by_fk", author.into()),
            ("changed_by_fk", author.into()),
        ],
    )
    .await?;
    Ok(())
}

/// Stores a refreshed token; the refresh token stays unless there is a new one.
pub async fn renew(
    db: &dyn Executor,
    id: i64,
    given: NewTokens,
    now: NaiveDateTime,
    author: i64,
) -> Result<(), DbError> {
    let mut values = vec![
        ("access_token", given.access.into()),
        ("access_token_expiration", given.expires.into()),
        ("changed_on", now.into()),
        ("changed_by_fk", author.into()),
    ];
    if let Some(refresh) = given.refresh {
        values.push(("refresh_token", refresh.into()));
    }
    db.update_row(TABLE, id, values).await?;
    Ok(())
}

/// Forgets a token.
pub async fn delete(db: &dyn Executor, id: i64) -> Result<(), DbError> {
    db.execute(Sql::new(format!("DELETE FROM {TABLE} WHERE id = ?")).bind(id)).await?;
    Ok(())
}

/// Forgets all tokens for a database. Superset 6.0.0 means the same and deletes the row whose own number is the
/// database's (`purge_oauth2_tokens`).
pub async fn purge(db: &dyn Executor, database_id: i64) -> Result<(), DbError> {
    db.execute(Sql::new(format!("DELETE FROM {TABLE} WHERE database_id = ?")).bind(database_id)).await?;
    Ok(())
}
