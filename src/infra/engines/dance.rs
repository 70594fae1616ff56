//! What a database that wants a personal token says instead of an answer (`start_oauth2_dance`).

use std::{fmt, sync::Arc};

use super::EngineError;
use crate::error::SupersetError;

/// Makes the error that sends somebody to where they get a token. Made when a server refuses: what it holds is good
/// for minutes only.
#[derive(Clone)]
pub struct Dance(Arc<dyn Fn() -> SupersetError + Send + Sync>);

impl Dance {
    /// A dance for somebody.
    pub fn new(invitation: impl Fn() -> SupersetError + Send + Sync + 'static) -> Self {
        Self(Arc::new(invitation))
    }

    /// The invitation in the place of a refused proof (`needs_oauth2`); other failures stay what they are.
    pub(super) fn instead_of(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::Unauthorized(_) => EngineError::SignIn(Box::new((self.0)())),
            other => other,
        }
    }
}

impl fmt::Debug for Dance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dance")
    }
}
