//! Users as the command line makes them (`flask fab create-admin`, `reset-password`).

use daos::{
    log_in::{self, Scope},
    security, user as accounts,
};
use infra::{
    Error, Result,
    db::{Db, DbError, Executor, Value},
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
    let Some(role) = security::role_by_name(exec, &user.role).await? else {
        return Err(Error::unprocessable(format!("there is no role {}", user.role)));
    };
    if accounts::is_taken(exec, &user.username, &user.email).await? {
        let text =
            format!("a user with the name {} or the address {} exists already", user.username, user.email);
        return Err(Error::unprocessable(text));
    }
    let now = chrono::Local::now().naive_local();
    let values = vec![
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
    ];
    let id = accounts::insert(exec, values).await?;
    accounts::add_role(exec, id, role.id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sets a user's password; an unknown user is an error.
pub async fn reset_password(db: &Db, username: &str, password: String) -> Result<()> {
    let hash = infra::crypto::password::hash(password).await?;
    let tx = db.begin().await?;
    let now = chrono::Local::now().naive_local();
    if !accounts::set_password(tx.exec(), username, hash, now).await? {
        return Err(Error::unprocessable(format!("there is no user {username}")));
    }
    if let Some(id) = accounts::find_id(tx.exec(), username).await? {
        log_in::end_all(tx.exec(), id, Scope::All).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Somebody has the name or the address.
pub async fn is_taken(db: &Db, username: &str, email: &str) -> Result<bool> {
    Ok(accounts::is_taken(db.exec(), username, email).await?)
}

/// There is such a user.
pub async fn exists(db: &Db, username: &str) -> Result<bool> {
    Ok(accounts::find_id(db.exec(), username).await?.is_some())
}

/// There is such a role.
pub async fn has_role(db: &Db, name: &str) -> Result<bool> {
    Ok(security::role_by_name(db.exec(), name).await?.is_some())
}

/// All users with their roles.
pub async fn list(db: &Db) -> Result<Vec<accounts::Listed>> {
    Ok(accounts::all(db.exec()).await?)
}

/// The user of a name; without one an error.
async fn known(db: &dyn Executor, username: &str) -> Result<i64> {
    let found = accounts::find_id(db, username).await?;
    found.ok_or_else(|| Error::unprocessable(format!("there is no user {username}")))
}

/// Gives a user these roles and no others.
pub async fn set_roles(db: &Db, username: &str, roles: &[String]) -> Result<()> {
    let tx = db.begin().await?;
    let id = known(tx.exec(), username).await?;
    let mut ids = Vec::new();
    for name in roles {
        let role = security::role_by_name(tx.exec(), name).await?;
        let role = role.ok_or_else(|| Error::unprocessable(format!("there is no role {name}")))?;
        if !ids.contains(&role.id) {
            ids.push(role.id);
        }
    }
    accounts::set_roles(tx.exec(), id, &ids).await?;
    Ok(tx.commit().await?)
}

/// Deletes a user. Who owns or has made something cannot be deleted, as over the REST API; the last one who may
/// administer stays.
pub async fn delete(db: &Db, username: &str, admin_role: &str) -> Result<()> {
    let tx = db.begin().await?;
    let id = known(tx.exec(), username).await?;
    let users = accounts::all(tx.exec()).await?;
    let is_admin = |user: &&accounts::Listed| user.active && user.roles.iter().any(|role| role == admin_role);
    if users.iter().filter(is_admin).all(|user| user.id == id) {
        return Err(Error::unprocessable(format!("{username} is the last one with the role {admin_role}")));
    }
    let deleted = accounts::delete(tx.exec(), id).await;
    deleted.map_err(|error| match error {
        DbError::Integrity(_) => Error::unprocessable(format!(
            "{username} owns or has made something: take the roles away instead (`users set-roles {username}`), or \
             give what is there to somebody else"
        )),
        other => other.into(),
    })?;
    Ok(tx.commit().await?)
}

/// True while nobody can log in yet.
pub async fn nobody(db: &Db) -> Result<bool> {
    Ok(!accounts::any(db).await?)
}
