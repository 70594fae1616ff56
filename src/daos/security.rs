//! Users, roles, groups and what roles grant (`flask_appbuilder.security.sqla.manager`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql};
use uuid::Uuid;

use crate::log_in::Ends;

/// A row of `ab_user`, without its password.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct User {
    /// Primary key.
    pub id: i64,
    /// Login name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// May log in.
    pub active: bool,
    /// Number of logins; none before the first.
    pub login_count: Option<i64>,
    /// When the user was made, server-local.
    pub created_on: Option<NaiveDateTime>,
    /// Last login, server-local.
    pub last_login: Option<NaiveDateTime>,
}

/// A row of `ab_role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Primary key.
    pub id: i64,
    /// Name.
    pub name: String,
}

/// A permission on a view menu, granted to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role_id: i64,
    /// `ab_permission.name`.
    pub permission: String,
    /// `ab_view_menu.name`.
    pub view_menu: String,
}

/// A user and the stored password hash.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// Werkzeug hash; null for users of other providers.
    pub password: Option<String>,
}

const USER_COLUMNS: &str = "u.id, u.username, u.first_name, u.last_name, u.email, u.active, u.login_count, \
 u.created_on, u.last_login, u.password";

/// Roles of a user: direct ones and those of the user's groups, some of them twice; binds the user's id twice.
const ROLES_OF_USER: &str = "SELECT ur.role_id FROM ab_user_role ur WHERE ur.user_id = ? \
     UNION ALL SELECT gr.role_id FROM ab_user_group ug JOIN ab_group_role gr ON gr.group_id = ug.group_id WHERE \
     ug.user_id = ?";

fn user_row(row: &Row) -> Result<User, DbError> {
    Ok(User {
        id: row.get("id")?,
        username: row.get("username")?,
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
        email: row.get("email")?,
        active: row.get::<Option<bool>>("active")?.unwrap_or_default(),
        login_count: row.get("login_count")?,
        created_on: row.get("created_on")?,
        last_login: row.get("last_login")?,
    })
}

fn credentials(row: &Row) -> Result<Credentials, DbError> {
    Ok(Credentials { user: user_row(row)?, password: row.get("password")? })
}

/// A user with what decides about their requests.
#[derive(Debug, Clone)]
pub struct Known {
    /// The user.
    pub credentials: Credentials,
    /// Effective roles.
    pub roles: Vec<Role>,
    /// Log-ins that were ended.
    pub ends: Ends,
}

/// A user by id with the effective roles and what is known about the log-in of a name, in one statement.
pub async fn user_with_roles(
    db: &dyn Executor,
    id: i64,
    log_in: Option<Uuid>,
) -> Result<Option<Known>, DbError> {
    let ends = Ends::COLUMNS;
    let sql = format!(
        "SELECT {USER_COLUMNS}, r.id AS role_id, r.name AS role_name, {ends} FROM ab_user u \
         LEFT JOIN ab_role r ON r.id IN ({ROLES_OF_USER}) WHERE u.id = ? ORDER BY r.id"
    );
    let sql = Ends::bind(Sql::new(sql), id, log_in);
    let rows = db.query(sql.bind(id).bind(id).bind(id)).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut roles = Vec::new();
    for row in &rows {
        if let Some(id) = row.get::<Option<i64>>("role_id")? {
            roles.push(Role { id, name: row.get("role_name")? });
        }
    }
    Ok(Some(Known { credentials: credentials(first)?, roles, ends: Ends::from_row(first)? }))
}

/// A role by its name.
pub async fn role_by_name(db: &dyn Executor, name: &str) -> Result<Option<Role>, DbError> {
    let row = db.first(Sql::new("SELECT id, name FROM ab_role WHERE name = ?").bind(name)).await?;
    row.map(|row| Ok(Role { id: row.get("id")?, name: row.get("name")? })).transpose()
}

/// Everything that the given roles grant, in the order in which it was granted.
pub async fn grants(db: &dyn Executor, role_ids: &[i64]) -> Result<Vec<Grant>, DbError> {
    if role_ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "SELECT pvr.role_id, p.name AS permission, v.name AS view_menu FROM ab_permission_view_role pvr \
         JOIN ab_permission_view pv ON pv.id = pvr.permission_view_id \
         JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id \
         WHERE pvr.role_id IN ",
    );
    sql.push_list(role_ids.iter().copied()).push(" ORDER BY pvr.id");
    let rows = db.query(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Grant {
                role_id: row.get("role_id")?,
                permission: row.get("permission")?,
                view_menu: row.get("view_menu")?,
            })
        })
        .collect()
}

/// Who has a name.
#[derive(Debug)]
pub enum Named {
    /// Nobody.
    Nobody,
    /// One user.
    One(Box<Credentials>),
    /// Several, whose names differ by case, and none of them is meant.
    Several,
}

/// The user of a name, in any case when `ignore_case`. Of several whose names differ by case alone the oldest is found
/// by the exact name, the others not at all (the original finds none): whoever takes a name in other letters, by
/// registering for one, neither locks its owner out nor becomes known under it.
pub async fn find_named(db: &dyn Executor, name: &str, ignore_case: bool) -> Result<Named, DbError> {
    let by_name = if ignore_case { "lower(u.username) = lower(?)" } else { "u.username = ?" };
    let sql = format!("SELECT {USER_COLUMNS} FROM ab_user u WHERE {by_name} ORDER BY u.id LIMIT 2");
    let rows = db.query(Sql::new(sql).bind(name)).await?;
    let Some(first) = rows.first().map(credentials).transpose()? else { return Ok(Named::Nobody) };
    if rows.len() > 1 && first.user.username != name {
        return Ok(Named::Several);
    }
    Ok(Named::One(Box::new(first)))
}

/// A user for a login: by user name, else by the exact e-mail address.
pub async fn find_login(
    db: &dyn Executor,
    name: &str,
    ignore_case: bool,
) -> Result<Option<Credentials>, DbError> {
    if let Named::One(found) = find_named(db, name, ignore_case).await? {
        return Ok(Some(*found));
    }
    let sql = format!("SELECT {USER_COLUMNS} FROM ab_user u WHERE u.email = ? LIMIT 1");
    db.first(Sql::new(sql).bind(name)).await?.map(|row| credentials(&row)).transpose()
}

/// The roles of some names; those that do not exist are left out.
pub async fn roles_by_name(db: &dyn Executor, names: &[String]) -> Result<Vec<Role>, DbError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT id, name FROM ab_role WHERE name IN ");
    sql.push_list(names.iter().cloned()).push(" ORDER BY id");
    let rows = db.query(sql).await?;
    rows.iter().map(|row| Ok(Role { id: row.get("id")?, name: row.get("name")? })).collect()
}

/// Books a successful login.
pub async fn record_login(db: &dyn Executor, id: i64, now: NaiveDateTime) -> Result<(), DbError> {
    let sql = "UPDATE ab_user SET login_count = COALESCE(login_count, 0) + 1, last_login = ?, fail_login_count = \
     0 WHERE id = ?";
    db.execute(Sql::new(sql).bind(now).bind(id)).await.map(drop)
}

/// Books a failed login; for an unknown or inactive user the statement changes nothing but takes as long.
pub async fn record_failed_login(db: &dyn Executor, id: Option<i64>) -> Result<(), DbError> {
    let sql = "UPDATE ab_user SET fail_login_count = COALESCE(fail_login_count, 0) + 1 WHERE id = ?";
    db.execute(Sql::new(sql).bind(id)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use infra::db::{Db, DbUri};

    use super::*;
    use crate::log_in::{self, Scope};

    async fn database() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lite.db");
        let uri: DbUri = format!("sqlite:///{}", path.display()).parse().unwrap();
        let db = Db::connect(&uri, 1).await.unwrap();
        for sql in [
            "CREATE TABLE ab_user (id INTEGER PRIMARY KEY, username TEXT, first_name TEXT, last_name TEXT, email \
             TEXT, active BOOLEAN, \
             login_count INTEGER, fail_login_count INTEGER, created_on DATETIME, last_login DATETIME, password TEXT)",
            "CREATE TABLE ab_role (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE ab_user_role (user_id INTEGER, role_id INTEGER)",
            "CREATE TABLE ab_user_group (user_id INTEGER, group_id INTEGER)",
            "CREATE TABLE ab_group_role (group_id INTEGER, role_id INTEGER)",
            "CREATE TABLE ab_permission (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE ab_view_menu (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE ab_permission_view (id INTEGER PRIMARY KEY, permission_id INTEGER, view_menu_id INTEGER)",
            "CREATE TABLE ab_permission_view_role (id INTEGER PRIMARY KEY, permission_view_id INTEGER, role_id \
             INTEGER)",
            "CREATE TABLE key_value (id INTEGER PRIMARY KEY, resource TEXT, value BLOB, uuid BLOB, created_on \
             DATETIME, \
             changed_on DATETIME, expires_on DATETIME)",
            "CREATE UNIQUE INDEX ix_key_value_uuid ON key_value (uuid)",
            "INSERT INTO ab_user VALUES (7, 'Ada', 'Ada', 'L', 'ada@example.org', 1, NULL, 2, NULL, NULL, 'h')",
            "INSERT INTO ab_user VALUES (8, 'ada@example.org', 'Eve', 'L', 'eve@example.org', 1, 1, 0, NULL, \
             NULL, 'h')",
            "INSERT INTO ab_role VALUES (1, 'Gamma'), (2, 'Team'), (3, 'Other')",
            "INSERT INTO ab_user_role VALUES (7, 1), (8, 3)",
            "INSERT INTO ab_user_group VALUES (7, 5)",
            "INSERT INTO ab_group_role VALUES (5, 2), (5, 1)",
            "INSERT INTO ab_permission VALUES (1, 'can_read')",
            "INSERT INTO ab_view_menu VALUES (1, 'Chart')",
            "INSERT INTO ab_permission_view VALUES (1, 1, 1)",
            "INSERT INTO ab_permission_view_role VALUES (1, 1, 2)",
        ] {
            db.execute(Sql::new(sql)).await.unwrap();
        }
        (dir, db)
    }

    #[tokio::test]
    async fn roles_of_groups_count_once() {
        let (_dir, db) = database().await;
        let found = user_with_roles(db.exec(), 7, None).await.unwrap().unwrap();
        assert_eq!(found.credentials.user.username, "Ada");
        assert_eq!(found.roles.iter().map(|r| r.id).collect::<Vec<_>>(), [1, 2]);
        assert!(user_with_roles(db.exec(), 9, None).await.unwrap().is_none());
        let granted = grants(db.exec(), &[1, 2]).await.unwrap();
        assert_eq!(granted, [Grant { role_id: 2, permission: "can_read".into(), view_menu: "Chart".into() }]);
        assert!(grants(db.exec(), &[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_user_name_wins_over_an_address() {
        let (_dir, db) = database().await;
        let id = |found: Option<Credentials>| found.map(|c| c.user.id);
        assert_eq!(id(find_login(db.exec(), "aDA", true).await.unwrap()), Some(7));
        assert_eq!(id(find_login(db.exec(), "aDA", false).await.unwrap()), None);
        assert_eq!(id(find_login(db.exec(), "ada@example.org", true).await.unwrap()), Some(8));
        assert_eq!(id(find_login(db.exec(), "eve@example.org", true).await.unwrap()), Some(8));
        // a name taken in other letters
        let sql =
            "INSERT INTO ab_user VALUES (9, 'ADA', 'Eve', 'L', 'e@example.org', 1, 1, 0, NULL, NULL, 'h')";
        db.execute(Sql::new(sql)).await.unwrap();
        assert_eq!(id(find_login(db.exec(), "Ada", true).await.unwrap()), Some(7));
        for other in ["ADA", "ada"] {
            assert!(matches!(find_named(db.exec(), other, true).await.unwrap(), Named::Several), "{other}");
        }
        assert_eq!(id(find_login(db.exec(), "ADA", false).await.unwrap()), Some(9));
        assert_eq!(roles_by_name(db.exec(), &["Team".into(), "No".into()]).await.unwrap().len(), 1);
        let now = chrono::NaiveDate::from_ymd_opt(2026, 1, 2).unwrap().and_hms_opt(3, 4, 5).unwrap();
        record_login(db.exec(), 7, now).await.unwrap();
        record_failed_login(db.exec(), None).await.unwrap();
        let user = user_with_roles(db.exec(), 7, None).await.unwrap().unwrap().credentials.user;
        assert_eq!((user.login_count, user.last_login), (Some(1), Some(now)));
    }

    #[tokio::test]
    async fn log_ins_end_by_name_and_all_at_once() {
        let (_dir, db) = database().await;
        let name = |text| Some(log_in::name("session", text));
        let ends = async |text| user_with_roles(db.exec(), 7, name(text)).await.unwrap().unwrap().ends;
        assert_eq!(ends("a").await, Ends::default());
        let later = infra::clock::now() + chrono::TimeDelta::days(1);
        for _ in 0..2 {
            log_in::end(db.exec(), log_in::name("session", "a"), later).await.unwrap();
        }
        assert!(ends("a").await.ended && !ends("b").await.ended);
        let first = log_in::end_all(db.exec(), 7, Scope::All).await.unwrap();
        assert_eq!(ends("b").await, Ends { all: Some(first.clone()), ..Ends::default() });
        let second = log_in::end_all(db.exec(), 7, Scope::All).await.unwrap();
        let tokens = log_in::end_all(db.exec(), 7, Scope::Tokens).await.unwrap();
        assert_ne!(first, second);
        let now = Ends { ended: false, all: Some(second), tokens: Some(tokens) };
        assert_eq!((ends("b").await, Ends::find(db.exec(), 7).await.unwrap()), (now.clone(), now));
        assert_eq!(Ends::find(db.exec(), 8).await.unwrap(), Ends::default());
    }
}
