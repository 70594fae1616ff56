//! Users, groups and roles as the REST API changes them (`flask_appbuilder.security.sqla.apis`).

use daos::{
    Selection, Table,
    base::{self, Query},
    table::Kind,
    tables::{GROUPS, PERMISSION_VIEWS, ROLES, USERS},
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor, FromValue, Sql, Value as Stored},
};
use serde_json::{Value, json};

use crate::{
    Principal, Services,
    annotation::{exists, key, require},
};

/// Related rows by relation name; absent ones stay as they are.
pub type Links = Vec<(&'static str, Vec<i64>)>;

/// Makes a user; the password is hashed.
pub async fn user_create(
    app: &Services,
    caller: &Principal,
    mut values: Values,
    links: Links,
) -> Result<i64> {
    hash_password(&mut values).await?;
    let tx = app.db.begin().await?;
    all_exist(tx.exec(), &USERS, &links, 400, "not found.").await?;
    let pk = write::insert(tx.exec(), &USERS, values, caller.user_id()).await.map_err(refused)?;
    set(tx.exec(), &USERS, &pk, &links).await?;
    tx.commit().await?;
    key(&pk)
}

/// Changes a user; somebody without role and group is refused.
pub async fn user_update(
    app: &Services,
    caller: &Principal,
    id: i64,
    mut values: Values,
    links: Links,
) -> Result<()> {
    let given = |name: &str| links.iter().find(|(n, _)| *n == name).map(|(_, ids)| ids.is_empty());
    let tx = app.db.begin().await?;
    if !exists(tx.exec(), "ab_user", id).await? {
        return Err(Error::internal("the original fails on a user that does not exist"));
    }
    let has = async |table: &str| -> Result<bool> {
        let sql = Sql::new(format!("SELECT id FROM {table} WHERE user_id = ? LIMIT 1")).bind(id);
        Ok(tx.exec().first(sql).await?.is_some())
    };
    match (given("roles"), given("groups")) {
        (Some(true), Some(true)) => {
            return Err(Error::bad_request("User must have at least one role or group!"));
        }
        (Some(true), None) if !has("ab_user_group").await? => {
            let gap = " ".repeat(29);
            let text = format!("Cannot clear all roles unless at least one group is {gap}assigned!");
            return Err(Error::bad_request(text));
        }
        (None, Some(true)) if !has("ab_user_role").await? => {
            let gap = " ".repeat(29);
            let text = format!("Cannot clear all groups unless at least one role is {gap}assigned!");
            return Err(Error::bad_request(text));
        }
        _ => {}
    }
    all_exist(tx.exec(), &USERS, &links, 404, "not found.").await?;
    hash_password(&mut values).await?;
    values.push(("changed_on", chrono::Local::now().naive_local().into()));
    values.push(("changed_by_fk", caller.user_id().into()));
    write::update(tx.exec(), &USERS, id.into(), values, caller.user_id()).await.map_err(refused)?;
    set(tx.exec(), &USERS, &id.into(), &links).await?;
    Ok(tx.commit().await?)
}

/// Makes a group.
pub async fn group_create(app: &Services, values: Values, links: Links) -> Result<i64> {
    let tx = app.db.begin().await?;
    all_exist(tx.exec(), &GROUPS, &links, 400, "do not exist.").await?;
    let pk = write::insert(tx.exec(), &GROUPS, values, None).await.map_err(refused)?;
    set(tx.exec(), &GROUPS, &pk, &links).await?;
    tx.commit().await?;
    key(&pk)
}

/// Changes a group.
pub async fn group_update(app: &Services, id: i64, values: Values, links: Links) -> Result<()> {
    let tx = app.db.begin().await?;
    require(tx.exec(), "ab_group", id).await?;
    all_exist(tx.exec(), &GROUPS, &links, 400, "do not exist.").await?;
    write::update(tx.exec(), &GROUPS, id.into(), values, None).await.map_err(refused)?;
    set(tx.exec(), &GROUPS, &id.into(), &links).await?;
    Ok(tx.commit().await?)
}

/// What a role grants: `{id, permission_name, view_menu_name}`.
pub async fn role_permissions(app: &Services, role: i64) -> Result<Vec<Value>> {
    let db = app.db.exec();
    require(db, "ab_role", role).await?;
    let condition = Sql::new(
        "ab_permission_view.id IN (SELECT permission_view_id FROM ab_permission_view_role WHERE role_id = ?)",
    );
    let selection = Selection::of(&PERMISSION_VIEWS, ["permission.name", "view_menu.name"]);
    let rows = base::fetch(db, &selection, &Query::filter(condition.bind(role))).await?;
    let name = |row: &daos::Record, relation: &str| row.one(relation).map_or(Value::Null, |r| r.json("name"));
    Ok(rows
        .iter()
        .map(|row| {
            json!({
                "id": row.json("id"),
                "permission_name": name(row, "permission"),
                "view_menu_name": name(row, "view_menu"),
            })
        })
        .collect())
}

/// Replaces what a role grants; unknown permissions are left out.
pub async fn role_grant(app: &Services, role: i64, permissions: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    require(tx.exec(), "ab_role", role).await?;
    let known = known(tx.exec(), "ab_permission_view", permissions).await?;
    set(tx.exec(), &ROLES, &role.into(), &vec![("permissions", known)]).await?;
    tx.commit().await?;
    Ok(())
}

/// Replaces the users or groups of a role; 404 when one does not exist.
pub async fn role_members(app: &Services, role: i64, relation: &'static str, ids: Vec<i64>) -> Result<()> {
    let tx = app.db.begin().await?;
    require(tx.exec(), "ab_role", role).await?;
    let target = ROLES.relation(relation).map_or("", |r| r.target.name);
    if known(tx.exec(), target, &ids).await?.len() != ids.len() {
        return Err(Error::not_found());
    }
    set(tx.exec(), &ROLES, &role.into(), &vec![(relation, ids)]).await?;
    Ok(tx.commit().await?)
}

/// What `/roles/search/` restricts and orders by.
#[derive(Debug, Clone, Default)]
pub struct RoleSearch {
    /// Has this user, permission, group: relation and key.
    pub members: Vec<(&'static str, i64)>,
    /// The name contains this.
    pub name: Option<String>,
    /// `id` or `name`.
    pub order: String,
    /// Descending.
    pub descending: bool,
    /// Rows to skip and to show.
    pub page: (i64, i64),
}

/// Roles with the keys of their users, permissions and groups.
pub async fn role_search(app: &Services, search: RoleSearch) -> Result<(i64, Vec<Value>)> {
    let db = app.db.exec();
    let mut conditions = Vec::new();
    for (relation, id) in &search.members {
        let (table, column) = match *relation {
            "user" => ("ab_user_role", "user_id"),
            "groups" => ("ab_group_role", "group_id"),
            _ => ("ab_permission_view_role", "permission_view_id"),
        };
        let text =
            format!("EXISTS (SELECT 1 FROM {table} x WHERE x.role_id = ab_role.id AND x.{column} = ?)");
        conditions.push(Sql::new(text).bind(*id));
    }
    if let Some(name) = &search.name {
        conditions.push(db.dialect().ilike(Sql::new("ab_role.name"), &format!("%{name}%"), false));
    }
    let count = base::count(db, &ROLES, &conditions).await?;
    let order = vec![base::Order { path: search.order, descending: search.descending }];
    let selection = Selection::of(&ROLES, ["name", "user.id", "permissions.id", "groups.id"]);
    let query = Query { conditions, order, limit: Some(search.page.1), offset: search.page.0 };
    let rows = base::fetch(db, &selection, &query).await?;
    let ids = |row: &daos::Record, relation: &str| -> Vec<i64> {
        let mut ids: Vec<i64> = row.many(relation).iter().filter_map(|r| r.get("id")).collect();
        ids.sort_unstable();
        ids
    };
    let result = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.json("id"),
                "name": row.json("name"),
                "user_ids": ids(row, "user"),
                "permission_ids": ids(row, "permissions"),
                "group_ids": ids(row, "groups"),
            })
        })
        .collect();
    Ok((count, result))
}

async fn hash_password(values: &mut Values) -> Result<()> {
    for (_, value) in values.iter_mut().filter(|(name, _)| *name == "password") {
        let password = String::from_value(value).unwrap_or_default();
        *value = Stored::from(infra::crypto::password::hash(password).await?);
    }
    Ok(())
}

async fn known(ex: &dyn Executor, table: &str, ids: &[i64]) -> Result<Vec<i64>> {
    let mut sql = Sql::new(format!("SELECT id FROM {table} WHERE id IN "));
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    Ok(ex.query(sql).await?.iter().map(|row| row.at(0)).collect::<Result<_, DbError>>()?)
}

/// `{"roles": ["Role(s) with ID(s) [999] not found."]}`.
async fn all_exist(ex: &dyn Executor, table: &Table, links: &Links, status: u16, ending: &str) -> Result<()> {
    for (name, ids) in links {
        let target = table.relation(name).map_or("", |r| r.target.name);
        let known = known(ex, target, ids).await?;
        let mut missing: Vec<i64> = ids.iter().copied().filter(|id| !known.contains(id)).collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.dedup();
            let noun = match *name {
                "roles" => "Role(s)",
                "groups" => "Group(s)",
                _ => "User(s)",
            };
            let text = format!("{noun} with ID(s) {missing:?} {ending}");
            return Err(Error::message(status, json!({*name: [text]})));
        }
    }
    Ok(())
}

async fn set(ex: &dyn Executor, table: &Table, pk: &Stored, links: &Links) -> Result<()> {
    for (name, ids) in links {
        if let Some(relation) = table.relation(name) {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            write::set_links(ex, relation, pk.clone(), &ids).await?;
        }
    }
    Ok(())
}

/// The driver's sentence is the answer (`str(e.orig)`).
fn refused(error: DbError) -> Error {
    match error {
        DbError::Integrity(text) => Error::unprocessable(text),
        other => other.into(),
    }
}

/// Loaded fields as values of a table's columns.
pub fn column_values(table: &Table, item: &serde_json::Map<String, Value>) -> Values {
    table
        .columns
        .iter()
        .filter_map(|column| {
            let value = match (column.kind, item.get(column.name)?) {
                (_, Value::Null) => Stored::Null,
                (Kind::Integer, v) => v.as_i64().into(),
                (Kind::Boolean, v) => v.as_bool().into(),
                (_, v) => v.as_str().into(),
            };
            Some((column.name, value))
        })
        .collect()
}
