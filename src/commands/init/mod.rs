//! `superset init`: permissions and the built-in roles (`superset.cli.main:init`).

mod roles;

use std::collections::{HashMap, HashSet};

use infra::{
    Result,
    config::Config,
    db::{Db, Executor, Sql},
};

/// What the views of Superset 6.0.0 register with its default feature flags: `permission view_menu` a line.
const PERMISSIONS: &str = include_str!("permissions.txt");

/// Creates missing permissions and makes the built-in roles what their rules say. Custom roles are not touched.
///
/// As in Superset, grants made by hand to Admin, Alpha, Gamma or sql_lab are replaced.
pub async fn sync_roles(db: &Db, config: &Config) -> Result<()> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let mut wanted: Vec<(String, String)> = PERMISSIONS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(permission, view)| (permission.to_owned(), view.to_owned()))
        .collect();
    wanted.extend(object_permissions(exec).await?);

    let permissions = names(exec, "ab_permission", wanted.iter().map(|(p, _)| p.as_str())).await?;
    let views = names(exec, "ab_view_menu", wanted.iter().map(|(_, v)| v.as_str())).await?;
    let rows = exec.query(Sql::new("SELECT permission_id, view_menu_id FROM ab_permission_view")).await?;
    let mut pairs = HashSet::new();
    for row in rows {
        pairs.insert((row.at::<Option<i64>>(0)?, row.at::<Option<i64>>(1)?));
    }
    for (permission, view) in &wanted {
        let pair = (permissions.get(permission).copied(), views.get(view).copied());
        if pairs.insert(pair) {
            let values = vec![("permission_id", pair.0.into()), ("view_menu_id", pair.1.into())];
            exec.insert_row("ab_permission_view", values).await?;
        }
    }
    roles::sync(exec, config).await?;
    tx.commit().await?;
    Ok(())
}

/// Permissions that belong to the databases and datasets which are there
/// (`superset.security.manager:create_missing_perms`).
async fn object_permissions(exec: &dyn Executor) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for row in exec.query(Sql::new("SELECT id, database_name FROM dbs")).await? {
        let (id, name): (i64, String) = (row.at(0)?, row.at(1)?);
        found.push(("database_access".to_owned(), format!("[{name}].(id:{id})")));
    }
    for row in exec.query(Sql::new("SELECT perm, schema_perm, catalog_perm FROM tables")).await? {
        for (i, permission) in
            ["datasource_access", "schema_access", "catalog_access"].into_iter().enumerate()
        {
            if let Some(view) = row.at::<Option<String>>(i)?.filter(|v| !v.is_empty()) {
                found.push((permission.to_owned(), view));
            }
        }
    }
    Ok(found)
}

/// Ids of names in a table of names; missing ones are inserted.
async fn names<'a>(
    exec: &dyn Executor,
    table: &str,
    wanted: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, i64>> {
    let mut ids = HashMap::new();
    for row in exec.query(Sql::new(format!("SELECT name, id FROM {table}"))).await? {
        ids.insert(row.at::<String>(0)?, row.at::<i64>(1)?);
    }
    for name in wanted {
        if !ids.contains_key(name) {
            let id = exec.insert_row(table, vec![("name", name.into())]).await?;
            ids.insert(name.to_owned(), id);
        }
    }
    Ok(ids)
}
