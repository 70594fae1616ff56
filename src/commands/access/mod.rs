//! Who may see and do what (`superset.security.manager`): decisions, not HTTP.

mod grant_cache;
mod grants;
pub mod lists;
mod load;
mod principal;

pub use grant_cache::{GrantCache, RoleGrants};
pub use load::{load_anonymous, load_guest, load_user};
pub use principal::{GuestToken, Permissions, Principal, Role, User};
