//! Making a user of a registration whose address was confirmed (`superset.views.auth:SupersetRegisterUserView`).

use infra::{
    Result,
    db::{DbError, Sql},
};

use crate::Services;

/// Who has just become a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    /// Login name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

/// Why nobody became a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotActivated {
    /// No registration waits for this hash.
    Unknown,
    /// The name or the address is taken by now.
    Taken,
}

/// Turns the registration with a hash into a user with the role of `AUTH_USER_REGISTRATION_ROLE`.
pub async fn activate(app: &Services, hash: &str) -> Result<std::result::Result<Activated, NotActivated>> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let sql = "SELECT id, username, first_name, last_name, email, password FROM ab_register_user \
               WHERE registration_hash = ?";
    // an empty hash must not find a row that has none
    let row = if hash.is_empty() { None } else { db.first(Sql::new(sql).bind(hash)).await? };
    let Some(row) = row else { return Ok(Err(NotActivated::Unknown)) };
    let who = Activated {
        username: row.get("username")?,
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
    };
    let now = chrono::Local::now().naive_local();
    let values = vec![
        ("username", who.username.clone().into()),
        ("first_name", who.first_name.clone().into()),
        ("last_name", who.last_name.clone().into()),
        ("email", row.get::<String>("email")?.into()),
        ("password", row.get::<Option<String>>("password")?.into()),
        ("active", true.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
    ];
    let user_id = match db.insert_row("ab_user", values).await {
        Ok(id) => id,
        Err(DbError::Integrity(_)) => return Ok(Err(NotActivated::Taken)),
        Err(error) => return Err(error.into()),
    };
    let role = daos::security::role_by_name(db, app.config.str("AUTH_USER_REGISTRATION_ROLE")).await?;
    if let Some(role) = role {
        db.insert_row("ab_user_role", vec![("user_id", user_id.into()), ("role_id", role.id.into())]).await?;
    }
    db.execute(Sql::new("DELETE FROM ab_register_user WHERE id = ?").bind(row.get::<i64>("id")?)).await?;
    tx.commit().await?;
    Ok(Ok(who))
}
