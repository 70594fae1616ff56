//! Roles with their permissions as JSON (`flask_appbuilder.security.sqla.manager:export_roles`, `import_roles`).

use daos::{
    role::{self, RoleQuery},
    security, view_menu,
};
use infra::{Result, db::Db};
use serde::Deserialize;
use serde_json::{Value, json};

/// More roles than anybody has.
const ALL: i64 = 1_000_000;

/// All roles.
pub async fn export(db: &Db) -> Result<Value> {
    let (roles, _) = role::search(db.exec(), &RoleQuery { limit: ALL, ..RoleQuery::default() }).await?;
    let mut out = Vec::new();
    for found in roles {
        let permissions = role::permissions(db.exec(), found.id).await?.into_iter().map(
            |(_, permission, view)| json!({"permission": {"name": permission}, "view_menu": {"name": view}}),
        );
        out.push(json!({"name": found.name, "permissions": permissions.collect::<Vec<_>>()}));
    }
    Ok(Value::Array(out))
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Pair {
    permission: Name,
    view_menu: Name,
}

/// A role of a file.
#[derive(Deserialize)]
pub struct Imported {
    name: String,
    permissions: Vec<Pair>,
}

/// Adds to roles what the file grants them, all or nothing; roles, permissions and view menus that are not there are
/// made.
pub async fn import(db: &Db, roles: Vec<Imported>) -> Result<()> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let wanted: Vec<(String, String)> = roles
        .iter()
        .flat_map(|role| &role.permissions)
        .map(|pair| (pair.permission.name.clone(), pair.view_menu.name.clone()))
        .collect();
    view_menu::ensure_all(exec, &wanted).await?;
    let pairs = view_menu::pairs(exec).await?;
    for imported in roles {
        let id = match security::role_by_name(exec, &imported.name).await? {
            Some(role) => role.id,
            None => role::insert(exec, &imported.name).await?,
        };
        let mut granted = role::grant_ids(exec, id).await?;
        for pair in &imported.permissions {
            let same =
                |(_, p, v): &&(i64, String, String)| *p == pair.permission.name && *v == pair.view_menu.name;
            if let Some((pair, ..)) = pairs.iter().find(same)
                && !granted.contains(pair)
            {
                role::grant(exec, id, *pair).await?;
                granted.push(*pair);
            }
        }
    }
    Ok(tx.commit().await?)
}
