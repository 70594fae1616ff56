//! Permissions on objects: a row of `ab_view_menu` and the pair in `ab_permission_view` that roles are granted
//! (`superset.security.manager:_insert_pvm_on_sqla_event` and its kin).

use std::collections::{HashMap, HashSet};

use infra::db::{DbError, Dialect, Executor, Sql};

/// Makes a permission on a view menu, unless it is there.
pub async fn ensure(db: &dyn Executor, permission: &str, view_menu: &str) -> Result<(), DbError> {
    let permission = id_or_insert(db, "ab_permission", permission).await?;
    let view_menu = id_or_insert(db, "ab_view_menu", view_menu).await?;
    let known = Sql::new("SELECT id FROM ab_permission_view WHERE permission_id = ? AND view_menu_id = ?");
    if db.first(known.bind(permission).bind(view_menu)).await?.is_none() {
        let values = vec![("permission_id", permission.into()), ("view_menu_id", view_menu.into())];
        db.insert_row("ab_permission_view", values).await?;
    }
    Ok(())
}

/// Takes a permission on a view menu away, from the roles too, with the view menu.
pub async fn remove(db: &dyn Executor, permission: &str, view_menu: &str) -> Result<(), DbError> {
    let pair = Sql::new(
        "SELECT pv.id, pv.view_menu_id FROM ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id \
         JOIN ab_view_menu v ON v.id = pv.view_menu_id WHERE p.name = ? AND v.name = ?",
    );
    let Some(row) = db.first(pair.bind(permission).bind(view_menu)).await? else { return Ok(()) };
    let (pair, view_menu): (i64, i64) = (row.at(0)?, row.at(1)?);
    for (table, column, id) in [
        ("ab_permission_view_role", "permission_view_id", pair),
        ("ab_permission_view", "id", pair),
        ("ab_view_menu", "id", view_menu),
    ] {
        db.execute(Sql::new(format!("DELETE FROM {table} WHERE {column} = ?")).bind(id)).await?;
    }
    Ok(())
}

/// There is a view menu of this name.
pub async fn exists(db: &dyn Executor, name: &str) -> Result<bool, DbError> {
    Ok(id(db, "ab_view_menu", name).await?.is_some())
}

/// Gives a view menu another name; whoever was granted something on it keeps it.
pub async fn rename(db: &dyn Executor, old: &str, new: &str) -> Result<(), DbError> {
    let sql = Sql::new("UPDATE ab_view_menu SET name = ? WHERE name = ?").bind(new).bind(old);
    db.execute(sql).await.map(drop)
}

async fn id(db: &dyn Executor, table: &str, name: &str) -> Result<Option<i64>, DbError> {
    let row = db.first(Sql::new(format!("SELECT id FROM {table} WHERE name = ?")).bind(name)).await?;
    row.map(|r| r.at(0)).transpose()
}

async fn id_or_insert(db: &dyn Executor, table: &str, name: &str) -> Result<i64, DbError> {
    match id(db, table, name).await? {
        Some(id) => Ok(id),
        None => db.insert_row(table, vec![("name", name.into())]).await,
    }
}

/// Makes the pairs of a permission and a view menu that are missing.
pub async fn ensure_all(db: &dyn Executor, wanted: &[(String, String)]) -> Result<(), DbError> {
    let permissions = ids_or_insert(db, "ab_permission", wanted.iter().map(|(p, _)| p.as_str())).await?;
    let views = ids_or_insert(db, "ab_view_menu", wanted.iter().map(|(_, v)| v.as_str())).await?;
    let mut pairs = HashSet::new();
    for row in db.query(Sql::new("SELECT permission_id, view_menu_id FROM ab_permission_view")).await? {
        pairs.insert((row.at::<Option<i64>>(0)?, row.at::<Option<i64>>(1)?));
    }
    for (permission, view) in wanted {
        let pair = (permissions.get(permission).copied(), views.get(view).copied());
        if pairs.insert(pair) {
            let values = vec![("permission_id", pair.0.into()), ("view_menu_id", pair.1.into())];
            db.insert_row("ab_permission_view", values).await?;
        }
    }
    Ok(())
}

/// Id, permission and view menu of everything that can be granted.
pub async fn pairs(db: &dyn Executor) -> Result<Vec<(i64, String, String)>, DbError> {
    let sql = Sql::new(
        "SELECT pv.id, p.name, v.name AS view FROM ab_permission_view pv \
         JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id \
         ORDER BY pv.id",
    );
    db.query(sql).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?))).collect()
}

/// Names of all view menus.
pub async fn names(db: &dyn Executor) -> Result<Vec<String>, DbError> {
    db.query(Sql::new("SELECT name FROM ab_view_menu ORDER BY id"))
        .await?
        .iter()
        .map(|row| row.at(0))
        .collect()
}

/// Ids of one statement.
const CHUNK: usize = 500;

/// Takes pairs away, also from the roles that grant them.
pub async fn delete_pairs(db: &dyn Executor, ids: &[i64]) -> Result<(), DbError> {
    for chunk in ids.chunks(CHUNK) {
        for (table, column) in
            [("ab_permission_view_role", "permission_view_id"), ("ab_permission_view", "id")]
        {
            let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} IN "));
            sql.push_list(chunk.iter().copied());
            db.execute(sql).await?;
        }
    }
    Ok(())
}

/// Removes view menus on which nothing can be granted any more.
pub async fn delete_unused(db: &dyn Executor, names: &[String]) -> Result<(), DbError> {
    delete_names(db, ("ab_view_menu", "view_menu_id"), names).await
}

/// Removes permissions that exist on no view menu any more.
pub async fn delete_unused_permissions(db: &dyn Executor, names: &[String]) -> Result<(), DbError> {
    delete_names(db, ("ab_permission", "permission_id"), names).await
}

async fn delete_names(
    db: &dyn Executor,
    (table, key): (&str, &str),
    names: &[String],
) -> Result<(), DbError> {
    for chunk in names.chunks(CHUNK) {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE name IN "));
        sql.push_list(chunk.iter().cloned());
        sql.push(&format!(
            " AND NOT EXISTS (SELECT 1 FROM ab_permission_view pv WHERE pv.{key} = {table}.id)"
        ));
        db.execute(sql).await?;
    }
    Ok(())
}

/// Ids of names in a table of names; missing ones are inserted.
async fn ids_or_insert<'a>(
    db: &dyn Executor,
    table: &'static str,
    wanted: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, i64>, DbError> {
    let mut ids = HashMap::new();
    for row in db.query(Sql::new(format!("SELECT name, id FROM {table}"))).await? {
        ids.insert(row.at::<String>(0)?, row.at::<i64>(1)?);
    }
    for name in wanted {
        if !ids.contains_key(name) {
            let id = match db.dialect() {
                Dialect::Sqlite | Dialect::Postgres => {
                    db.insert_row(table, vec![("name", name.into())]).await?
                }
                // `User` is there and means `user`, too: names are compared without case
                Dialect::Mysql => id_or_insert(db, table, name).await?,
            };
            ids.insert(name.to_owned(), id);
        }
    }
    Ok(ids)
}
