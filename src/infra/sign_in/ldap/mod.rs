//! A directory over LDAP (RFC 4511), as far as signing in needs it: StartTLS, simple binds, one search. Spoken by hand:
//! it is little, and an answer has a bound in time and in bytes.

mod ber;
mod client;
mod escape;
mod filter;

pub use crate::config::sign_in::directory::{Server, Settings};
pub use client::{Connection, Entry, LdapError};
pub use escape::{escape_dn, escape_filter};
