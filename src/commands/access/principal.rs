//! Who asks.

use std::{collections::HashSet, sync::Arc};

use chrono::NaiveDateTime;
use serde_json::Value;

/// A row of `ab_user`, without its password.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct User {
    /// Primary key.
    pub id: i64,
    /// Login name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// May log in.
    pub active: bool,
    /// Number of logins; none before the first.
    pub login_count: Option<i64>,
    /// When the user was made, server-local.
    pub created_on: Option<NaiveDateTime>,
    /// Last login, server-local.
    pub last_login: Option<NaiveDateTime>,
}

/// A row of `ab_role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Primary key.
    pub id: i64,
    /// Name.
    pub name: String,
}

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
