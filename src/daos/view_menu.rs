//! Permissions on objects: a row of `ab_view_menu` and the pair in `ab_permission_view` that roles are granted
//! (`superset.security.manager:_insert_pvm_on_sqla_event` and its kin).

use infra::db::{DbError, Executor, Sql};

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
