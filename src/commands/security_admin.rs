//! Users and groups as the REST API changes them (`flask_appbuilder.security.sqla.apis`).

use daos::{
    Table,
    rows::{self, exists, key, require},
    table::Kind,
    tables::{GROUPS, USERS},
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor, FromValue, Value as Stored},
};
use serde_json::{Value, json};

use crate::{Caller, Services};

/// Related rows by relation name; absent ones stay as they are.
pub type Links = Vec<(&'static str, Vec<i64>)>;

/// Makes a user; the password is hashed.
pub async fn user_create(caller: &Caller, mut values: Values, links: Links) -> Result<i64> {
    hash_password(&mut values).await?;
    let tx = caller.app.db.begin().await?;
    all_exist(tx.exec(), &USERS, &links, 400, "not found.").await?;
    let pk = write::insert(tx.exec(), &USERS, values, caller.user.user_id()).await.map_err(refused)?;
    set(tx.exec(), &USERS, &pk, &links).await?;
    tx.commit().await?;
    Ok(key(&pk)?)
}

/// Changes a user; somebody without role and group is refused.
pub async fn user_update(caller: &Caller, id: i64, mut values: Values, links: Links) -> Result<()> {
    let given = |name: &str| links.iter().find(|(n, _)| *n == name).map(|(_, ids)| ids.is_empty());
    let tx = caller.app.db.begin().await?;
    if !exists(tx.exec(), "ab_user", id).await? {
        return Err(Error::internal("the original fails on a user that does not exist"));
    }
    let has = async |table: &'static str| rows::has(tx.exec(), table, "user_id", id).await;
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
    values.push(("changed_by_fk", caller.user.user_id().into()));
    write::update(tx.exec(), &USERS, id.into(), values, caller.user.user_id()).await.map_err(refused)?;
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
    Ok(key(&pk)?)
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

async fn hash_password(values: &mut Values) -> Result<()> {
    for (_, value) in values.iter_mut().filter(|(name, _)| *name == "password") {
        let password = String::from_value(value).unwrap_or_default();
        *value = Stored::from(infra::crypto::password::hash(password).await?);
    }
    Ok(())
}

/// `{"roles": ["Role(s) with ID(s) [999] not found."]}`.
async fn all_exist(ex: &dyn Executor, table: &Table, links: &Links, status: u16, ending: &str) -> Result<()> {
    for (name, ids) in links {
        let target = table.relation(name).map_or("", |r| r.target.name);
        let known = rows::existing(ex, target, ids).await?;
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
        // PostgreSQL's own words end with a line of detail
        DbError::Integrity(text) if text.contains("\nDETAIL:") => Error::unprocessable(format!("{text}\n")),
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
