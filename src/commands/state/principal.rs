//! Who asks.

use std::{collections::HashSet, sync::Arc};

pub use daos::security::{Role, User};
use infra::config::Config;
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
    /// Where they call from.
    pub address: String,
    /// The address under which they see this server: `scheme://host`, if it is known, and `script_root`.
    pub origin: String,
    /// What paths of this server begin with for them, without a slash at its end (`request.script_root`).
    pub script_root: String,
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
    /// The guest's token, when embedding is switched on (`is_guest_user`).
    pub fn guest_if_enabled(&self, config: &Config) -> Option<&GuestToken> {
        self.guest.as_ref().filter(|_| config.flag("EMBEDDED_SUPERSET"))
    }
    /// May read the list of users, and so their e-mail addresses (T4).
    pub fn manages_users(&self) -> bool {
        self.is_admin || self.can_access("can_get", "User")
    }
    /// One of the roles grants the permission on the view menu (`security_manager.can_access`).
    pub fn can_access(&self, permission: &str, view_menu: &str) -> bool {
        self.permissions.contains(&(permission.to_owned(), view_menu.to_owned()))
    }
    /// View menus on which a permission is granted, for example all `datasource_access`.
    pub fn view_menus(&self, permission: &str) -> Vec<&str> {
        self.permissions.iter().filter(|(p, _)| p == permission).map(|(_, v)| v.as_str()).collect()
    }
    /// The name under which time and memory are counted; guests and the anonymous are told apart by their address.
    pub fn quota_key(&self) -> String {
        let address = &self.address;
        match (self.user_id(), &self.guest) {
            (Some(id), _) => format!("user {id}"),
            (None, Some(_)) => format!("guest {address}"),
            (None, None) => format!("anonymous {address}"),
        }
    }
    /// Ids of the effective roles.
    pub fn role_ids(&self) -> Vec<i64> {
        self.roles.iter().map(|r| r.id).collect()
    }
}
