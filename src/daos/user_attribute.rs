//! What a user has beside the account (`superset.models.user_attributes`).

use infra::db::{DbError, Executor, Sql};

/// The dashboard that greets a user, if one was chosen.
pub async fn welcome_dashboard(db: &dyn Executor, user_id: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT welcome_dashboard_id FROM user_attribute WHERE user_id = ? ORDER BY id";
    let row = db.first(Sql::new(sql).bind(user_id)).await?;
    Ok(row.map(|row| row.get::<Option<i64>>("welcome_dashboard_id")).transpose()?.flatten())
}

/// Address of a user's picture; none when there is no such user, `Some(None)` when the user has no picture.
pub async fn avatar(db: &dyn Executor, user_id: i64) -> Result<Option<Option<String>>, DbError> {
    let sql = "SELECT a.avatar_url FROM ab_user u LEFT JOIN user_attribute a ON a.user_id = u.id \
               WHERE u.id = ? ORDER BY a.id";
    let row = db.first(Sql::new(sql).bind(user_id)).await?;
    row.map(|row| row.get::<Option<String>>("avatar_url")).transpose()
}
