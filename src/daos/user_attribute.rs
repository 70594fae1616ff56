//! What a user has beside the account (`superset.models.user_attributes`).

use chrono::Local;
use infra::db::{DbError, Executor, Sql};

/// The dashboard that greets a user, if one was chosen.
pub async fn welcome_dashboard(db: &dyn Executor, user_id: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT welcome_dashboard_id FROM user_attribute WHERE user_id = ? ORDER BY id";
    let row = db.first(Sql::new(sql).bind(user_id)).await?;
    Ok(row.map(|row| row.get::<Option<i64>>("welcome_dashboard_id")).transpose()?.flatten())
}

/// E-mail address and address of the picture of a user; none when there is no such user.
pub async fn avatar(
    db: &dyn Executor,
    user_id: i64,
) -> Result<Option<(Option<String>, Option<String>)>, DbError> {
    let sql = "SELECT u.email, a.avatar_url FROM ab_user u LEFT JOIN user_attribute a ON a.user_id = u.id \
               WHERE u.id = ? ORDER BY a.id";
    let row = db.first(Sql::new(sql).bind(user_id)).await?;
    row.map(|row| Ok((row.at(0)?, row.at(1)?))).transpose()
}

/// Keeps the address of a user's picture.
pub async fn set_avatar(db: &dyn Executor, user_id: i64, url: &str) -> Result<(), DbError> {
    let now = Local::now().naive_local();
    let sql = Sql::new("UPDATE user_attribute SET avatar_url = ?, changed_on = ? WHERE user_id = ?");
    if db.execute(sql.bind(url).bind(now).bind(user_id)).await? > 0 {
        return Ok(());
    }
    let values = vec![
        ("user_id", user_id.into()),
        ("avatar_url", url.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
    ];
    db.insert_row("user_attribute", values).await.map(drop)
}
