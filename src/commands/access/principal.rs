//! Who asks.

use std::{collections::HashSet, sync::Arc};

pub use daos::security::{Role, User};
use serde_json::Value;

/// The claims of a guest token (embedded dashboards).
#[derive(Debug, Clone, PartialEq)]
pub struct GuestToken {
    /// `user` claim.
    pub user: Value,
    /// `resources` claim: `[{"type": "dashboard", "id": …}]`.
    pub resources: Vec<Value>,
    /// `rls_rules` claim: `[{"dataset": id?, "clause": sql}]`.
    pub rls_rules: Vec<Value>,
}

/// The permissions (permission name, view menu name) that a set of roles grants.
pub type Permissions = HashSet<(String, String)>;

/// The caller of a command: a user, a guest with a token, or nobody (with the rights of the Public role).
#[derive(Debug, Clone, Default)]
pub struct Principal {
    /// The user; none for guests and anonymous callers.
    pub user: Option<User>,
    /// The guest's token.
    pub guest: Option<GuestToken>,
    /// Effective roles: direct, of groups, or Public/guest role.
    pub roles: Vec<Role>,
    /// What the roles grant.
    pub permissions: Arc<Permissions>,
    /// One of the roles is named as `AUTH_ROLE_ADMIN`.
    pub is_admin: bool,
    /// The address under which they see this server, `scheme://host`.
    pub origin: String,
}

impl Principal {
    /// `ab_user.id`; none for guests and anonymous callers.
    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|u| u.id)
    }
    /// Neither a user nor a guest.
    pub fn is_anonymous(&self) -> bool {
        self.user.is_none() && self.guest.is_none()
    }
    /// One of the roles grants the permission on the view menu (`security_manager.can_access`).
    pub fn can_access(&self, permission: &str, view_menu: &str) -> bool {
        self.permissions.contains(&(permission.to_owned(), view_menu.to_owned()))
    }
    /// View menus on which a permission is granted, for example all `datasource_access`.
    pub fn view_menus(&self, permission: &str) -> Vec<&str> {
        self.permissions.iter().filter(|(p, _)| p == permission).map(|(_, v)| v.as_str()).collect()
    }
    /// Ids of the effective roles.
    pub fn role_ids(&self) -> Vec<i64> {
        self.roles.iter().map(|r| r.id).collect()
    }
}
