//! `superset init`: permissions and the built-in roles (`superset.cli.main:init`).

mod roles;

use daos::{database, dataset, view_menu};
use infra::{
    Result,
    config::Config,
    db::{Db, Executor},
};

/// What the views of Superset 6.0.0 register with its default feature flags: `permission view_menu` a line.
const PERMISSIONS: &str = include_str!("permissions.txt");

/// Creates missing permissions and makes the built-in roles what their rules say. Custom roles are not touched.
///
/// As in Superset, grants made by hand to Admin, Alpha, Gamma or sql_lab are replaced.
pub async fn sync_roles(db: &Db, config: &Config) -> Result<()> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let mut wanted = view_permissions();
    wanted.extend(object_permissions(exec).await?);

    view_menu::ensure_all(exec, &wanted).await?;
    roles::sync(exec, config).await?;
    tx.commit().await?;
    Ok(())
}

/// Permissions and view menus of all views.
pub(crate) fn view_permissions() -> Vec<(String, String)> {
    let pairs = PERMISSIONS.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(permission, view)| (permission.to_owned(), view.to_owned())).collect()
}

/// Permissions that belong to the databases and datasets which are there
/// (`superset.security.manager:create_missing_perms`).
async fn object_permissions(exec: &dyn Executor) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (id, name) in database::names(exec).await? {
        found.push(("database_access".to_owned(), format!("[{name}].(id:{id})")));
    }
    for perms in dataset::perms(exec).await? {
        for (view, permission) in
            perms.into_iter().zip(["datasource_access", "schema_access", "catalog_access"])
        {
            if let Some(view) = view.filter(|v| !v.is_empty()) {
                found.push((permission.to_owned(), view));
            }
        }
    }
    Ok(found)
}
