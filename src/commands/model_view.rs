//! What Flask-AppBuilder's own forms write (`flask_appbuilder.baseviews:BaseCRUDView`): users, roles, groups, plugins.

use daos::{
    Table, base,
    record::{Record, Selection},
    rows,
    tables::{GROUPS, ROLES},
    write::{self, Values},
};
use infra::{
    Result,
    db::{DbError, Executor, Value},
};

use crate::{Caller, Services};

/// Related rows by relation; they replace those that are there.
pub type Links = Vec<(&'static str, Vec<i64>)>;

/// Makes a row, or changes the row `id`; unknown related rows are left out. A driver's refusal is the error.
pub async fn save(
    caller: &Caller,
    table: &'static Table,
    id: Option<i64>,
    values: Values,
    links: Links,
) -> Result<(), DbError> {
    let tx = caller.app.db.begin().await?;
    let pk = match id {
        Some(id) => {
            write::update(tx.exec(), table, id.into(), values, caller.user.user_id()).await?;
            Value::from(id)
        }
        None => write::insert(tx.exec(), table, values, caller.user.user_id()).await?,
    };
    set_links(tx.exec(), table, &pk, &links).await?;
    tx.commit().await?;
    caller.app.grants.clear();
    Ok(())
}

async fn set_links(ex: &dyn Executor, table: &Table, pk: &Value, links: &Links) -> Result<(), DbError> {
    for (name, ids) in links {
        if let Some(relation) = table.relation(name) {
            write::set_links(ex, relation, pk.clone(), &rows::existing(ex, relation.target.name, ids).await?)
                .await?;
        }
    }
    Ok(())
}

/// The outcome of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// Gone.
    Yes,
    /// Users hold it, and this is what the original says about it.
    InUse(&'static str),
}

/// Deletes a row and its links; roles and groups that somebody has stay.
pub async fn delete(app: &Services, table: &'static Table, id: i64) -> Result<Deleted, DbError> {
    let tx = app.db.begin().await?;
    let held = async |through, column| rows::has(tx.exec(), through, column, id).await;
    if table.name == ROLES.name && held("ab_user_role", "role_id").await? {
        return Ok(Deleted::InUse("User(s) exists in the role, cannot delete"));
    }
    if table.name == GROUPS.name && held("ab_user_group", "group_id").await? {
        return Ok(Deleted::InUse("User(s) exists in the group, cannot delete"));
    }
    write::delete(tx.exec(), table, id.into()).await?;
    tx.commit().await?;
    app.grants.clear();
    Ok(Deleted::Yes)
}

/// Copies roles with their permissions; a copy is called `NAME copy` (`RoleModelView.copy_role`).
pub async fn copy_roles(app: &Services, ids: &[i64]) -> Result<(), DbError> {
    let tx = app.db.begin().await?;
    for id in rows::existing(tx.exec(), ROLES.name, ids).await? {
        let Some(role) = find(tx.exec(), &ROLES, &["name", "permissions.id"], id).await? else { continue };
        let name = format!("{} copy", role.text("name"));
        let pk = write::insert(tx.exec(), &ROLES, vec![("name", name.into())], None).await?;
        let permissions = role.many("permissions").iter().filter_map(|p| p.get("id")).collect();
        set_links(tx.exec(), &ROLES, &pk, &vec![("permissions", permissions)]).await?;
    }
    tx.commit().await?;
    app.grants.clear();
    Ok(())
}

/// One row with the columns and relations of `paths`.
pub async fn find(
    ex: &dyn Executor,
    table: &'static Table,
    paths: &[&str],
    id: i64,
) -> Result<Option<Record>, DbError> {
    base::find(ex, &Selection::with_paths(table, paths.iter().copied()), id.into(), Vec::new()).await
}

/// Those of `ids` that are rows of a table, in order.
pub async fn existing(app: &Services, table: &Table, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    rows::existing(app.db.exec(), table.name, ids).await
}

/// True when another row than `id` has this value in a column.
pub async fn is_taken(
    app: &Services,
    table: &Table,
    column: &'static str,
    value: &str,
    id: Option<i64>,
) -> Result<bool, DbError> {
    rows::has_other(app.db.exec(), table.name, column, value, id).await
}
