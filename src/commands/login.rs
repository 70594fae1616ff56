//! Logging in with a password, and changing it (`flask_appbuilder.security.manager:auth_user_db`).

use chrono::Local;
use daos::{
    log_in::{self, Scope},
    security::{self, Credentials},
};
use infra::{
    Result,
    config::Config,
    crypto::password,
    db::{DbError, Value},
};

use crate::{
    Services,
    access::log_in::{Kind, new_mark},
};

/// The user of a name (or e-mail address) and password; none when there is no such user, the user is not active or
/// the password is another. It takes as long for an unknown name as for a wrong password. Failures are booked.
pub async fn check(app: &Services, name: &str, secret: &str) -> Result<Option<Credentials>> {
    let ignore_case = app.config.get("AUTH_USERNAME_CI").as_bool().unwrap_or(true);
    // longer ones are in no database; PostgreSQL would refuse a NUL
    let name_is_possible = !name.is_empty() && name.len() <= 320 && !name.contains('\0');
    let found =
        if name_is_possible { security::find_login(app.db.exec(), name, ignore_case).await? } else { None };
    let Some(found) = found.filter(|c| c.user.active) else {
        password::verify_nothing(secret.to_owned()).await?;
        unless_full(security::record_failed_login(app.db.exec(), None).await);
        return Ok(None);
    };
    let stored = found.password.clone().unwrap_or_default();
    if password::verify(stored, secret.to_owned()).await? {
        Ok(Some(found))
    } else {
        unless_full(security::record_failed_login(app.db.exec(), Some(found.user.id)).await);
        Ok(None)
    }
}

/// Log-ins are counted, but a disk that is full keeps nobody out.
pub(crate) fn unless_full(booked: Result<(), DbError>) {
    if let Err(error) = booked {
        tracing::warn!(%error, "a log-in is not counted");
    }
}

/// What a user changes about a user.
#[derive(Debug, Default)]
pub struct Profile {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// New password, in clear.
    pub password: Option<String>,
}

/// Flask-AppBuilder's `AUTH_DB`: passwords are the installation's own.
const AUTH_DB: i64 = 1;

/// True when users of this installation have passwords here. Where somebody else logs them in (LDAP, OAuth, a proxy),
/// a password set here would be a second way in that the provider knows nothing of.
pub fn has_local_passwords(config: &Config) -> bool {
    config.int("AUTH_TYPE").unwrap_or(AUTH_DB) == AUTH_DB
}

/// Changes names and password of a user; a new password ends all log-ins, and a session may go on with the mark that is
/// returned. None when there is no such user or nothing about the password.
pub async fn update_profile(app: &Services, id: i64, by: i64, profile: Profile) -> Result<Option<String>> {
    let hash = match profile.password {
        Some(secret) if !secret.is_empty() => Some(password::hash(secret).await?),
        _ => None,
    };
    let mut values: Vec<(&str, Value)> =
        vec![("changed_on", Local::now().naive_local().into()), ("changed_by_fk", by.into())];
    for (column, value) in
        [("first_name", profile.first_name), ("last_name", profile.last_name), ("password", hash.clone())]
    {
        if let Some(value) = value {
            values.push((column, value.into()));
        }
    }
    let tx = app.db.begin().await?;
    let changed = tx.exec().update_row("ab_user", id, values).await?;
    let Some(hash) = hash.filter(|_| changed > 0) else {
        tx.commit().await?;
        return Ok(None);
    };
    log_in::end_all(tx.exec(), id, Scope::All).await?;
    tx.commit().await?;
    new_mark(app, Kind::Session, id, &hash).await.map(Some)
}
