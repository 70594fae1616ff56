//! What Flask-AppBuilder's own forms write (`flask_appbuilder.baseviews:BaseCRUDView`): users, roles, groups, plugins.

use daos::{
    Table, base,
    record::{Record, Selection},
    tables::{GROUPS, ROLES},
    write::{self, Values},
};
use infra::{
    Result,
    db::{DbError, Executor, Sql, Value},
};

use crate::{Principal, Services};

/// Related rows by relation; they replace those that are there.
pub type Links = Vec<(&'static str, Vec<i64>)>;

/// Makes a row, or changes the row `id`; unknown related rows are left out. A driver's refusal is the error.
pub async fn save(
    app: &Services,
    caller: &Principal,
    table: &'static Table,
    id: Option<i64>,
    values: Values,
    links: Links,
) -> Result<(), DbError> {
    let tx = app.db.begin().await?;
    let pk = match id {
        Some(id) => {
            write::update(tx.exec(), table, id.into(), values, caller.user_id()).await?;
            Value::from(id)
        }
        None => write::insert(tx.exec(), table, values, caller.user_id()).await?,
    };
    set_links(tx.exec(), table, &pk, &links).await?;
    tx.commit().await?;
    app.grants.clear();
    Ok(())
}

async fn set_links(ex: &dyn Executor, table: &Table, pk: &Value, links: &Links) -> Result<(), DbError> {
    for (name, ids) in links {
        if let Some(relation) = table.relation(name) {
            write::set_links(ex, relation, pk.clone(), &existing(ex, relation.target, ids).await?).await?;
        }
    }
    Ok(())
}

/// Those of `ids` that are rows of a table, in order.
pub async fn existing(ex: &dyn Executor, table: &Table, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new(format!("SELECT id FROM {} WHERE id IN ", table.name));
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    sql.push(" ORDER BY id");
    ex.query(sql).await?.iter().map(|row| row.at(0)).collect()
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
    let held = async |through: &str, column: &str| -> Result<bool, DbError> {
        let sql = Sql::new(format!("SELECT 1 FROM {through} WHERE {column} = ? LIMIT 1")).bind(id);
        Ok(tx.exec().first(sql).await?.is_some())
    };
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
    for id in existing(tx.exec(), &ROLES, ids).await? {
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
    let condition = Sql::new(format!("{} = ?", table.qualified(table.pk))).bind(id);
    let selection = Selection::of(table, paths.iter().copied());
    Ok(base::fetch(ex, &selection, &base::Query::filter(condition)).await?.into_iter().next())
}

/// True when another row than `id` has this value in a column.
pub async fn taken(
    ex: &dyn Executor,
    table: &Table,
    column: &str,
    value: &str,
    id: Option<i64>,
) -> Result<bool, DbError> {
    let sql = Sql::new(format!("SELECT id FROM {} WHERE \"{column}\" = ? AND id <> ? LIMIT 1", table.name));
    Ok(ex.first(sql.bind(value).bind(id.unwrap_or(-1))).await?.is_some())
}
