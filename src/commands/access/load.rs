//! Loading the caller: user → effective roles → permissions, in at most two statements.

use daos::security::{self, Known};
use infra::Result;

use crate::Services;
use crate::state::{GuestToken, Principal, Role};

/// A user who may log in; none when the user is missing or not active.
pub async fn load_user(app: &Services, id: i64) -> Result<Option<Principal>> {
    match security::user_with_roles(app.db.exec(), id, None).await? {
        Some(known) if known.credentials.user.active => principal(app, known).await.map(Some),
        _ => Ok(None),
    }
}

/// The caller that a user is.
pub(super) async fn principal(app: &Services, known: Known) -> Result<Principal> {
    let principal = with_roles(app, known.roles).await?;
    Ok(Principal { user: Some(known.credentials.user), ..principal })
}

/// Nobody: with the rights of the role `AUTH_ROLE_PUBLIC`.
pub async fn load_anonymous(app: &Services) -> Result<Principal> {
    with_named_role(app, app.config.str("AUTH_ROLE_PUBLIC")).await
}

/// A guest with a valid token: with the rights of the role `GUEST_ROLE_NAME`.
pub async fn load_guest(app: &Services, token: GuestToken) -> Result<Principal> {
    let principal = with_named_role(app, app.config.str("GUEST_ROLE_NAME")).await?;
    Ok(Principal { guest: Some(token), ..principal })
}

async fn with_named_role(app: &Services, name: &str) -> Result<Principal> {
    let role = if name.is_empty() { None } else { app.grants.role_by_name(app.db.exec(), name).await? };
    with_roles(app, role.into_iter().collect()).await
}

async fn with_roles(app: &Services, roles: Vec<Role>) -> Result<Principal> {
    let ids: Vec<i64> = roles.iter().map(|r| r.id).collect();
    let permissions = app.grants.load(app.db.exec(), &ids).await?.all.clone();
    let admin = app.config.get("AUTH_ROLE_ADMIN").as_str().unwrap_or("Admin");
    let is_admin = roles.iter().any(|r| r.name == admin);
    Ok(Principal { roles, permissions, is_admin, ..Principal::default() })
}
