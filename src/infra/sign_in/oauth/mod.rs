//! Providers of OAuth 2 (RFC 6749) and OpenID Connect: the way there, the way back, tokens, and what they say about a
//! person. As Authlib does it for the original, where that is safe.

mod flow;
mod id_token;
mod knowledge;
pub mod services;

pub use crate::config::sign_in::provider::{ClientAuth, Provider, providers};
pub use flow::{Back, Pending, Refusal, Tokens, Way};
pub use id_token::{Expected, TokenError};
pub use knowledge::Knowledge;
