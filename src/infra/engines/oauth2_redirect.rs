//! What is answered when a database wants a personal token (`OAuth2RedirectError`).

use std::{fmt, sync::Arc};

use super::EngineError;
use crate::error::SupersetError;

/// Makes the error that sends a user to where they get a token. Made when a server refuses: what it holds is good
/// for minutes only.
#[derive(Clone)]
pub struct OAuth2Redirect(Arc<dyn Fn() -> SupersetError + Send + Sync>);

impl OAuth2Redirect {
    /// A redirect for one caller.
    pub fn new(make: impl Fn() -> SupersetError + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// The redirect in the place of a refused login (`needs_oauth2`); other failures stay what they are.
    pub(super) fn instead_of(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::Unauthorized(_) => EngineError::OAuth2Redirect(Box::new((self.0)())),
            other => other,
        }
    }
}

impl fmt::Debug for OAuth2Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuth2Redirect")
    }
}
