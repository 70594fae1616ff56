//! What roles are linked with: permissions, users, groups.

use daos::{
    role::{self, Links},
    security::Role,
};
use infra::{Error, Result};

use crate::Services;

pub use daos::role::{Link, RoleQuery};

/// Gives a role exactly these permissions, users or groups. Unknown permissions are skipped, unknown users and
/// groups are refused, as in the original.
pub async fn replace_links(app: &Services, link: Link, role_id: i64, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    if !role::exists(tx.exec(), role_id).await? {
        return Err(Error::not_found());
    }
    let known = role::existing(tx.exec(), link, ids).await?;
    if known.len() != ids.len() && !matches!(link, Link::Permission) {
        return Err(Error::not_found());
    }
    role::replace_links(tx.exec(), link, role_id, &known).await?;
    tx.commit().await?;
    app.grants.clear();
    Ok(())
}

/// A page of roles with what they are linked with.
#[derive(Debug, Clone)]
pub struct Page {
    /// The roles.
    pub roles: Vec<Role>,
    /// Number of all that match.
    pub count: i64,
    /// Users who hold them.
    pub users: Links,
    /// Permissions on view menus that they grant.
    pub permissions: Links,
    /// Groups that hold them.
    pub groups: Links,
}

/// Roles as the role pages list them.
pub async fn search(app: &Services, query: &RoleQuery) -> Result<Page> {
    let db = app.db.exec();
    let (roles, count) = role::search(db, query).await?;
    let ids: Vec<i64> = roles.iter().map(|r| r.id).collect();
    let users = role::links(db, Link::User, &ids).await?;
    let permissions = role::links(db, Link::Permission, &ids).await?;
    let groups = role::links(db, Link::Group, &ids).await?;
    Ok(Page { roles, count, users, permissions, groups })
}

/// Id, permission and view menu of everything that a role grants; 404 without such a role.
pub async fn permissions(app: &Services, role_id: i64) -> Result<Vec<(i64, String, String)>> {
    let db = app.db.exec();
    if !role::exists(db, role_id).await? {
        return Err(Error::not_found());
    }
    Ok(role::permissions(db, role_id).await?)
}
