//! What stands between a request and its handler: session, caller, CSRF, permission, rate limits.
//!
//! Each file is one concern; [`crate::dispatch`] calls them in the order of the original.

pub mod access;
pub mod bearer;
pub mod csrf;
pub mod guest;
pub mod identity;
pub mod next_url;
pub mod rate_limit;
pub mod session;
