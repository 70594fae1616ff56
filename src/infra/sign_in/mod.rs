//! Signing in with an identity that somebody else vouches for: a directory (LDAP), or a provider of OAuth 2 and OpenID
//! Connect. Protocols only; whom an identity becomes here is decided by `commands::sign_in`.

pub mod http;
pub mod ldap;
pub mod oauth;
mod trust;
