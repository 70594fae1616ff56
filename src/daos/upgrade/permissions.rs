//! Permissions that are replaced by others (`superset.migrations.shared.security_converge`).

use infra::db::{DbError, Executor, Sql};

use crate::view_menu;

/// Pair of `permission` and `view_menu`, if there is one.
async fn pair(db: &dyn Executor, permission: &str, view_menu: &str) -> Result<Option<i64>, DbError> {
    let sql = Sql::new(
        "SELECT pv.id FROM ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id \
         JOIN ab_view_menu v ON v.id = pv.view_menu_id WHERE p.name = ? AND v.name = ?",
    );
    db.first(sql.bind(permission).bind(view_menu)).await?.map(|row| row.at(0)).transpose()
}

/// How many roles have one of several permissions on a view menu.
pub async fn roles_with(db: &dyn Executor, permissions: &[&str], view_menu: &str) -> Result<usize, DbError> {
    let mut sql = Sql::new(
        "SELECT count(DISTINCT x.role_id) FROM ab_permission_view_role x \
         JOIN ab_permission_view pv ON pv.id = x.permission_view_id \
         JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id \
         WHERE v.name = ",
    );
    sql.push_bind(view_menu).push(" AND p.name IN ").push_list(permissions.iter().copied());
    let count: i64 = db.first(sql).await?.map_or(Ok(0), |row| row.at(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Makes sure that a permission on a view menu is there; roles that have one of the old ones get it instead, and the
/// old ones go, with what nobody needs any more.
pub async fn converge(db: &dyn Executor, old: &[&str], new: &str, view_menu: &str) -> Result<(), DbError> {
    view_menu::ensure(db, new, view_menu).await?;
    let Some(new) = pair(db, new, view_menu).await? else {
        return Err(DbError::Query(format!("no permission {new} on {view_menu}")));
    };
    for permission in old {
        let Some(pair) = pair(db, permission, view_menu).await? else { continue };
        let roles =
            Sql::new("SELECT DISTINCT role_id FROM ab_permission_view_role WHERE permission_view_id = ?");
        for row in db.query(roles.bind(pair)).await? {
            let role: Option<i64> = row.at(0)?;
            let has = Sql::new(
                "SELECT 1 FROM ab_permission_view_role WHERE permission_view_id = ? AND role_id = ?",
            );
            if role.is_some() && db.first(has.bind(new).bind(role)).await?.is_none() {
                let values = vec![("permission_view_id", new.into()), ("role_id", role.into())];
                db.insert_row("ab_permission_view_role", values).await?;
            }
        }
        for (table, column) in
            [("ab_permission_view_role", "permission_view_id"), ("ab_permission_view", "id")]
        {
            db.execute(Sql::new(format!("DELETE FROM {table} WHERE {column} = ?")).bind(pair)).await?;
        }
        for (table, column, name) in
            [("ab_permission", "permission_id", *permission), ("ab_view_menu", "view_menu_id", view_menu)]
        {
            let unused = format!(
                "DELETE FROM {table} WHERE name = ? \
                 AND NOT EXISTS (SELECT 1 FROM ab_permission_view WHERE {column} = {table}.id)"
            );
            db.execute(Sql::new(unused).bind(name)).await?;
        }
    }
    Ok(())
}
