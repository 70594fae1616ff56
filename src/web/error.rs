//! The only mapping from an error to a status and one of the envelopes.

use infra::Error;
use serde_json::{Value, json};

use crate::Answer;

/// What Werkzeug says of a body or form that it cannot read.
pub(crate) const BAD_REQUEST: &str =
    "400 Bad Request: The browser (or proxy) sent a request that this server could not understand.";

/// What a handler returns.
pub type Handled = Result<Answer, Failure>;

/// An error on its way to the client.
#[derive(Debug)]
pub struct Failure(pub Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(e: E) -> Self {
        Self(e.into())
    }
}

impl Failure {
    /// The response; internal errors are logged here and answered with fixed words.
    pub fn into_answer(self) -> Answer {
        match self.0 {
            Error::Message { status, message } => Answer::fab(status, &json!({"message": message})),
            Error::Sip40 { status, errors } => {
                let errors: Vec<Value> = errors.iter().map(infra::error::SupersetError::to_json).collect();
                Answer::json(status, &json!({"errors": errors}))
            }
            Error::Legacy { status, error } => Answer::json(status, &json!({"error": error})),
            Error::Internal(source) => {
                tracing::error!(error = %source, "request failed");
                Answer::fab(500, &json!({"message": "Fatal error"}))
            }
        }
    }
}
