//! Who may see and do what (`superset.security.manager`): decisions, not HTTP.

mod principal;

pub use principal::{GuestToken, Principal, Role, User};
