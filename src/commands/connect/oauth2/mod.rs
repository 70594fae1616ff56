//! Personal tokens for databases (`superset.utils.oauth2`, SIP-85).
//!
//! A database that wants a token of the person who asks refuses; they are sent to the authorization server of its
//! [`Client`], which sends them back to us with a code and the [`State`] that we gave them; [`store_token`] has
//! the code changed into tokens, which are used, and refreshed, whenever they ask again.

mod client;
mod redirect;
mod state;
mod store;
mod token;

pub use client::{Client, reach};
pub use redirect::redirect;
pub use state::{State, StateError};
pub use store::{Refused, Returned, store_token};
pub use token::access_token;

use infra::error::{ErrorType, SupersetError};
use serde_json::json;

/// The authorization failed (`OAuth2Error`).
pub fn oauth2_error(reason: &str) -> infra::Error {
    let error = SupersetError::new(ErrorType::Oauth2RedirectError, "Something went wrong while doing OAuth2");
    infra::Error::sip40(500, error.extra("error", json!(reason)))
}

/// The answer tells its reader to get a token (`OAuth2RedirectError`).
pub fn is_redirect(error: &infra::Error) -> bool {
    let infra::Error::Sip40 { errors, .. } = error else { return false };
    errors.first().is_some_and(|e| e.error_type == ErrorType::Oauth2Redirect)
}
