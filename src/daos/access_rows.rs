//! Rows of permissions on many objects at once: schemas and catalogs of a database come and go by the hundred.
//!
//! A permission on an object is a row of `ab_view_menu` and a pair in `ab_permission_view`, which roles are granted.

use std::collections::HashMap;

use infra::db::{DbError, Executor, Sql};

/// Names of one statement.
const CHUNK: usize = 500;

/// Ids of view menus by name.
pub async fn view_menus(db: &dyn Executor, names: &[String]) -> Result<HashMap<String, i64>, DbError> {
    let mut found = HashMap::new();
    for chunk in names.chunks(CHUNK) {
        let mut sql = Sql::new("SELECT name, id FROM ab_view_menu WHERE name IN ");
        sql.push_list(chunk.iter().cloned());
        for row in db.query(sql).await? {
            found.insert(row.at(0)?, row.at(1)?);
        }
    }
    Ok(found)
}

/// Which of the names a permission exists on.
pub async fn granted_on(
    db: &dyn Executor,
    permission: &str,
    names: &[String],
) -> Result<Vec<String>, DbError> {
    let mut found = Vec::new();
    for chunk in names.chunks(CHUNK) {
        let mut sql = Sql::new(
            "SELECT v.name FROM ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id \
             JOIN ab_view_menu v ON v.id = pv.view_menu_id WHERE p.name = ",
        );
        sql.push_bind(permission).push(" AND v.name IN ").push_list(chunk.iter().cloned());
        for row in db.query(sql).await? {
            found.push(row.at(0)?);
        }
    }
    Ok(found)
}

/// Makes a permission on each of the names, where it is missing.
pub async fn ensure(db: &dyn Executor, permission: &str, names: &[String]) -> Result<(), DbError> {
    let mut missing = names.to_vec();
    missing.sort_unstable();
    missing.dedup();
    let known = granted_on(db, permission, &missing).await?;
    missing.retain(|n| !known.contains(n));
    if missing.is_empty() {
        return Ok(());
    }
    let row = db.first(Sql::new("SELECT id FROM ab_permission WHERE name = ?").bind(permission)).await?;
    let permission_id: i64 = match row {
        Some(row) => row.at(0)?,
        None => db.insert_row("ab_permission", vec![("name", permission.into())]).await?,
    };
    let mut ids = view_menus(db, &missing).await?;
    for name in &missing {
        let id = match ids.get(name) {
            Some(id) => *id,
            None => db.insert_row("ab_view_menu", vec![("name", name.as_str().into())]).await?,
        };
        ids.insert(name.clone(), id);
        let pair = vec![("permission_id", permission_id.into()), ("view_menu_id", id.into())];
        db.insert_row("ab_permission_view", pair).await?;
    }
    Ok(())
}

/// Gives view menus new names, unless a name is taken; roles keep what they were granted. Returns what was renamed.
pub async fn rename(db: &dyn Executor, pairs: &[(String, String)]) -> Result<Vec<(String, String)>, DbError> {
    let all: Vec<String> = pairs.iter().flat_map(|(old, new)| [old.clone(), new.clone()]).collect();
    let known = view_menus(db, &all).await?;
    let mut renamed = Vec::new();
    for (old, new) in pairs {
        let Some(id) = known.get(old).filter(|_| !known.contains_key(new)) else { continue };
        db.update_row("ab_view_menu", *id, vec![("name", new.as_str().into())]).await?;
        renamed.push((old.clone(), new.clone()));
    }
    Ok(renamed)
}

/// Takes away a database's own permission and those on its catalogs and schemas, from the roles too
/// (`superset.security.manager:_delete_vm_database_access`).
pub async fn remove_database(db: &dyn Executor, perm: &str, name: &str) -> Result<(), DbError> {
    let (prefix, length) = (format!("[{name}].["), name.chars().count() as i64 + 4);
    let sql = Sql::new(
        "SELECT pv.id, v.id FROM ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id \
         JOIN ab_view_menu v ON v.id = pv.view_menu_id \
         WHERE p.name = 'database_access' AND v.name = ? OR p.name IN ('schema_access', 'catalog_access') \
         AND substr(v.name, 1, ?) = ? AND v.name LIKE '%]'",
    );
    let (mut pairs, mut views): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    for row in db.query(sql.bind(perm).bind(length).bind(prefix)).await? {
        pairs.push(row.at(0)?);
        views.push(row.at(1)?);
    }
    views.sort_unstable();
    views.dedup();
    for (table, column, ids) in [
        ("ab_permission_view_role", "permission_view_id", &pairs),
        ("ab_permission_view", "id", &pairs),
        ("ab_view_menu", "id", &views),
    ] {
        for chunk in ids.chunks(CHUNK) {
            let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} IN "));
            sql.push_list(chunk.iter().copied());
            db.execute(sql).await?;
        }
    }
    Ok(())
}
