//! Who may see and do what (`superset.security.manager`): decisions, not HTTP.

mod grants;
pub mod lists;
mod principal;

pub use principal::{GuestToken, Principal, Role, User};
