//! Who may see and do what (`superset.security.manager`): decisions, not HTTP.

mod grant_cache;
mod grants;
pub mod guest_payload;
pub mod lists;
mod load;
pub mod objects;
pub mod ownership;
mod principal;
mod revoked;
pub mod row_level;
pub mod sql_tables;
mod via_dashboard;

pub use grant_cache::{GrantCache, RoleGrants};
pub use load::{load_anonymous, load_guest, load_user};
pub use principal::{GuestToken, Permissions, Principal, Role, User};
pub use revoked::RevokedSessions;
