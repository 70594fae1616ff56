//! Users as the command line makes them (`flask fab create-admin`, `reset-password`).

use infra::{
    Error, Result,
    db::{Db, Sql, Value},
};

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Login name, unique.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address, unique.
    pub email: String,
    /// Password in clear; only its hash is stored.
    pub password: String,
    /// Name of the role.
    pub role: String,
}

/// Creates a user; returns its id.
pub async fn create_user(db: &Db, user: NewUser) -> Result<i64> {
    let hash = infra::crypto::password::hash(user.password).await?;
    let tx = db.begin().await?;
    let exec = tx.exec();
    let role = exec.first(Sql::new("SELECT id FROM ab_role WHERE name = ?").bind(&user.role)).await?;
    let role: i64 = match role {
        Some(row) => row.at(0)?,
        None => return Err(Error::unprocessable(format!("there is no role {}", user.role))),
    };
    let taken = Sql::new("SELECT username FROM ab_user WHERE lower(username) = lower(?) OR email = ?");
    if exec.first(taken.bind(&user.username).bind(&user.email)).await?.is_some() {
        let text =
            format!("a user with the name {} or the address {} exists already", user.username, user.email);
        return Err(Error::unprocessable(text));
    }
    let now = chrono::Local::now().naive_local();
    let id = exec
        .insert_row(
            "ab_user",
            vec![
                ("first_name", user.first_name.into()),
                ("last_name", user.last_name.into()),
                ("username", user.username.into()),
                ("password", hash.into()),
                ("active", true.into()),
                ("email", user.email.into()),
                ("login_count", Value::Null),
                ("fail_login_count", Value::Null),
                ("created_on", now.into()),
                ("changed_on", now.into()),
            ],
        )
        .await?;
    exec.insert_row("ab_user_role", vec![("user_id", id.into()), ("role_id", role.into())]).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sets a user's password; an unknown user is an error.
pub async fn reset_password(db: &Db, username: &str, password: String) -> Result<()> {
    let hash = infra::crypto::password::hash(password).await?;
    let tx = db.begin().await?;
    let now = chrono::Local::now().naive_local();
    let sql = Sql::new("UPDATE ab_user SET password = ?, changed_on = ? WHERE username = ?");
    let changed = tx.exec().execute(sql.bind(hash).bind(now).bind(username)).await?;
    if changed == 0 {
        return Err(Error::unprocessable(format!("there is no user {username}")));
    }
    tx.commit().await?;
    Ok(())
}

/// True while nobody can log in yet.
pub async fn nobody(db: &Db) -> Result<bool> {
    use infra::db::Executor;
    Ok(db.query(Sql::new("SELECT id FROM ab_user LIMIT 1")).await?.is_empty())
}
