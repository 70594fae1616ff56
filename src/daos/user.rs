//! Accounts as they are made and changed (`flask_appbuilder.security.sqla.manager:add_user`, `reset_password`), and
//! the registrations that wait to become one.

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};

use crate::{departure, security::Role, typed_row::row, write::Values};

row! {
    /// A row of `ab_register_user`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Registration over "r" {
        pub id: i64,
        pub username: String,
        pub first_name: String,
        pub last_name: String,
        pub email: String,
        pub password: Option<String>,
    }
}

/// The registration that waits for a hash; an empty one finds nothing.
pub async fn find_registration(db: &dyn Executor, hash: &str) -> Result<Option<Registration>, DbError> {
    // an empty hash must not find a row that has none
    if hash.is_empty() {
        return Ok(None);
    }
    let sql =
        format!("SELECT {} FROM ab_register_user r WHERE r.registration_hash = ?", Registration::COLUMNS);
    db.first(Sql::new(sql).bind(hash)).await?.as_ref().map(Registration::read).transpose()
}

/// A user in the list of the command line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Key.
    pub id: i64,
    /// Login name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// May log in.
    pub active: bool,
    /// Names of the roles that were given to the user, not to groups.
    pub roles: Vec<String>,
}

/// All users.
pub async fn all(db: &dyn Executor) -> Result<Vec<Listed>, DbError> {
    let sql = "SELECT u.id, u.username, u.email, u.first_name, u.last_name, u.active, r.name AS role FROM ab_user u \
         LEFT JOIN ab_user_role ur ON ur.user_id = u.id LEFT JOIN ab_role r ON r.id = ur.role_id \
         ORDER BY u.id, ur.id";
    let mut users: Vec<Listed> = Vec::new();
    for row in db.query(Sql::new(sql)).await? {
        let id = row.get("id")?;
        if users.last().is_none_or(|last| last.id != id) {
            users.push(Listed {
                id,
                username: row.get("username")?,
                email: row.get("email")?,
                first_name: row.get("first_name")?,
                last_name: row.get("last_name")?,
                active: row.get::<Option<bool>>("active")?.unwrap_or(false),
                roles: Vec::new(),
            });
        }
        if let (Some(user), Some(role)) = (users.last_mut(), row.get("role")?) {
            user.roles.push(role);
        }
    }
    Ok(users)
}

/// Deletes an account with its roles and groups.
pub async fn delete(db: &dyn Executor, user_id: i64) -> Result<(), DbError> {
    departure::let_go(db, &user_id.into()).await?;
    for table in ["ab_user_role", "ab_user_group"] {
        db.execute(Sql::new(format!("DELETE FROM {table} WHERE user_id = ?")).bind(user_id)).await?;
    }
    db.execute(Sql::new("DELETE FROM ab_user WHERE id = ?").bind(user_id)).await.map(drop)
}

/// Somebody has this name, in whatever case, or this address.
pub async fn is_taken(db: &dyn Executor, username: &str, email: &str) -> Result<bool, DbError> {
    let sql = Sql::new("SELECT username FROM ab_user WHERE lower(username) = lower(?) OR email = ?");
    Ok(db.first(sql.bind(username).bind(email)).await?.is_some())
}

/// Somebody has exactly this name, or waits for an account of it (`flask_appbuilder.validators:Unique`).
pub async fn is_name_used(db: &dyn Executor, username: &str) -> Result<bool, DbError> {
    used(db, "username", username).await
}

/// The same of an address.
pub async fn is_address_used(db: &dyn Executor, email: &str) -> Result<bool, DbError> {
    used(db, "email", email).await
}

async fn used(db: &dyn Executor, column: &str, value: &str) -> Result<bool, DbError> {
    let sql = format!(
        "SELECT {column} FROM ab_user WHERE {column} = ? UNION SELECT {column} FROM ab_register_user WHERE \
         {column} = ?"
    );
    Ok(db.first(Sql::new(sql).bind(value).bind(value)).await?.is_some())
}

/// Books a request for an account, which the hash lets become one; its id.
pub async fn insert_registration(db: &dyn Executor, values: Values) -> Result<i64, DbError> {
    db.insert_row("ab_register_user", values).await
}

/// The roles that a user has without groups.
pub async fn direct_roles(db: &dyn Executor, user_id: i64) -> Result<Vec<Role>, DbError> {
    let sql = Sql::new(
        "SELECT r.id, r.name FROM ab_role r JOIN ab_user_role ur ON ur.role_id = r.id WHERE ur.user_id = ? \
         ORDER BY r.id",
    );
    let rows = db.query(sql.bind(user_id)).await?;
    rows.iter().map(|row| Ok(Role { id: row.get("id")?, name: row.get("name")? })).collect()
}

/// Changes columns of a user.
pub async fn update(db: &dyn Executor, id: i64, values: Values) -> Result<(), DbError> {
    db.update_row("ab_user", id, values).await.map(drop)
}

/// Gives a user these roles and no others.
pub async fn set_roles(db: &dyn Executor, user_id: i64, roles: &[i64]) -> Result<(), DbError> {
    let had = Sql::new("SELECT role_id FROM ab_user_role WHERE user_id = ?").bind(user_id);
    let had: Vec<i64> = db.query(had).await?.iter().map(|row| row.at(0)).collect::<Result<_, _>>()?;
    let lost: Vec<i64> = had.iter().copied().filter(|id| !roles.contains(id)).collect();
    if !lost.is_empty() {
        let mut sql = Sql::new("DELETE FROM ab_user_role WHERE user_id = ");
        sql.push_bind(user_id).push(" AND role_id IN ").push_list(lost);
        db.execute(sql).await?;
    }
    for role in roles.iter().filter(|id| !had.contains(id)) {
        add_role(db, user_id, *role).await?;
    }
    Ok(())
}

/// True when there is any user.
pub async fn any(db: &dyn Executor) -> Result<bool, DbError> {
    Ok(db.first(Sql::new("SELECT id FROM ab_user LIMIT 1")).await?.is_some())
}

/// Makes an account with nothing but the given columns; its id.
pub async fn insert(db: &dyn Executor, values: Values) -> Result<i64, DbError> {
    db.insert_row("ab_user", values).await
}

/// Gives a user a role.
pub async fn add_role(db: &dyn Executor, user_id: i64, role_id: i64) -> Result<(), DbError> {
    let values = vec![("user_id", user_id.into()), ("role_id", role_id.into())];
    db.insert_row("ab_user_role", values).await.map(drop)
}

/// The user of a name.
pub async fn find_id(db: &dyn Executor, username: &str) -> Result<Option<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM ab_user WHERE username = ?").bind(username);
    db.first(sql).await?.map(|row| row.at(0)).transpose()
}

/// Gives a user another password; false when there is no such user.
pub async fn set_password(
    db: &dyn Executor,
    username: &str,
    hash: String,
    now: NaiveDateTime,
) -> Result<bool, DbError> {
    let sql = Sql::new("UPDATE ab_user SET password = ?, changed_on = ? WHERE username = ?");
    Ok(db.execute(sql.bind(hash).bind(now).bind(username)).await? > 0)
}
