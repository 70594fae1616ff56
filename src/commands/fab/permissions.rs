//! Permissions of the registered views: made, cleaned up, brought to their new names
//! (`flask_appbuilder.security.manager:security_cleanup`, `security_converge`).

use std::collections::HashSet;

use daos::{role, security, view_menu};
use infra::{
    Error, Result,
    config::Config,
    db::{Db, Executor},
};

/// Names of the views and menus that Superset 6.0.0 registers.
const REGISTERED: &str = include_str!("registered.txt");

/// What its views were called before, and are called now.
const CONVERGE: &str = include_str!("converge.tsv");

/// A step of the way from old names of permissions to new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Who has the first gets the others: pairs of a view and a permission.
    Add((&'static str, &'static str), Vec<(&'static str, &'static str)>),
    /// Nobody has it any more.
    Revoke(&'static str, &'static str),
    /// A view that is no more.
    View(&'static str),
    /// A permission that is no more.
    Permission(&'static str),
}

/// All of them, in their order.
pub fn changes() -> Vec<Change> {
    let read = |line: &'static str| {
        let mut fields = line.split('\t');
        match (fields.next()?, fields.next()?) {
            ("view", view) => Some(Change::View(view)),
            ("permission", permission) => Some(Change::Permission(permission)),
            ("revoke", view) => Some(Change::Revoke(view, fields.next()?)),
            (_, view) => {
                let old = (view, fields.next()?);
                let mut new = Vec::new();
                while let (Some(view), Some(permission)) = (fields.next(), fields.next()) {
                    new.push((view, permission));
                }
                Some(Change::Add(old, new))
            }
        }
    };
    CONVERGE.lines().filter_map(read).collect()
}

/// Makes the permissions of all views, and grants them to administrators.
pub async fn create_permissions(db: &Db, config: &Config) -> Result<()> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let wanted = crate::init::view_permissions();
    view_menu::ensure_all(exec, &wanted).await?;
    let admin = security::role_by_name(exec, config.str("AUTH_ROLE_ADMIN")).await?;
    let admin = admin.ok_or_else(|| Error::unprocessable("there is no role of administrators"))?.id;
    let granted: HashSet<i64> = role::grant_ids(exec, admin).await?.into_iter().collect();
    let wanted: HashSet<(String, String)> = wanted.into_iter().collect();
    for (id, permission, view) in view_menu::pairs(exec).await? {
        if !granted.contains(&id) && wanted.contains(&(permission, view)) {
            role::grant(exec, admin, id).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Removes every permission on something that is no registered view or menu, with what roles were granted of it. That
/// is also every permission on single databases, schemas and datasets, until `init` makes them again.
pub async fn cleanup(db: &Db) -> Result<()> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let registered: HashSet<&str> = REGISTERED.lines().collect();
    let gone = |name: &str| !registered.contains(name);
    let pairs = view_menu::pairs(exec).await?;
    let ids: Vec<i64> = pairs.iter().filter(|(_, _, view)| gone(view)).map(|(id, ..)| *id).collect();
    view_menu::delete_pairs(exec, &ids).await?;
    let names = view_menu::names(exec).await?;
    let names: Vec<String> = names.into_iter().filter(|name| gone(name)).collect();
    view_menu::delete_unused(exec, &names).await?;
    apply(exec).await?;
    Ok(tx.commit().await?)
}

/// Brings what roles are granted under old names to the new ones.
pub async fn converge(db: &Db) -> Result<()> {
    let tx = db.begin().await?;
    apply(tx.exec()).await?;
    Ok(tx.commit().await?)
}

async fn apply(exec: &dyn Executor) -> Result<()> {
    let changes = changes();
    let query = role::RoleQuery { limit: 1_000_000, ..role::RoleQuery::default() };
    for found in role::search(exec, &query).await?.0 {
        let granted = role::permissions(exec, found.id).await?;
        let mut ids: HashSet<i64> = granted.iter().map(|(id, ..)| *id).collect();
        for (_, permission, view) in &granted {
            let new = changes.iter().filter_map(|change| match change {
                Change::Add(old, new) if *old == (view.as_str(), permission.as_str()) => Some(new),
                _ => None,
            });
            for (view, permission) in new.flatten() {
                view_menu::ensure(exec, permission, view).await?;
                let pairs = view_menu::pairs(exec).await?;
                let pair = pairs.iter().find(|(_, p, v)| p == permission && v == view);
                if let Some((pair, ..)) = pair
                    && ids.insert(*pair)
                {
                    role::grant(exec, found.id, *pair).await?;
                }
            }
        }
    }
    let revoked: HashSet<(&str, &str)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Revoke(view, permission) => Some((*view, *permission)),
            _ => None,
        })
        .collect();
    let pairs = view_menu::pairs(exec).await?;
    let is_revoked = |(_, p, v): &&(i64, String, String)| revoked.contains(&(v.as_str(), p.as_str()));
    let ids: Vec<i64> = pairs.iter().filter(is_revoked).map(|(id, ..)| *id).collect();
    view_menu::delete_pairs(exec, &ids).await?;
    let (mut views, mut permissions) = (Vec::new(), Vec::new());
    for change in &changes {
        match change {
            Change::View(name) => views.push((*name).to_owned()),
            Change::Permission(name) => permissions.push((*name).to_owned()),
            _ => {}
        }
    }
    view_menu::delete_unused(exec, &views).await?;
    Ok(view_menu::delete_unused_permissions(exec, &permissions).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_changes_are_read() {
        let changes = changes();
        assert!(changes.len() > 600);
        let first = Change::Add(("PermissionApi", "can_get"), vec![("Permission", "can_get")]);
        assert_eq!(changes[0], first);
        assert!(changes.iter().any(|c| matches!(c, Change::Add(_, new) if new.len() == 2)));
        assert!(changes.contains(&Change::View("DashboardRestApi")));
        assert!(REGISTERED.lines().any(|name| name == "Dashboard"));
    }
}
