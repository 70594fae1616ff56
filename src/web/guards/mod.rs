//! What stands between a request and its handler: session, caller, CSRF, permission, rate limits.
//!
//! Each file is one concern; [`crate::dispatch`] calls them in the order of the original.

pub mod access;
pub mod async_token;
pub mod bearer;
pub mod csrf;
pub mod guest;
pub mod host;
pub mod identity;
pub mod login_limit;
pub mod next_url;
pub mod rate_limit;
pub mod remote_user;
pub mod session;
