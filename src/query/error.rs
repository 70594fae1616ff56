//! What can go wrong between a query object and its SQL.
//!
//! The counterpart of `superset.exceptions:QueryObjectValidationError` and of the exceptions that pass by it: the
//! chart data command shows the first kind inside the answer (`Error: …`), the others end the request.

use infra::error::{ErrorType, SupersetError};

/// Result with [`QueryError`].
pub type Result<T, E = QueryError> = std::result::Result<T, E>;

/// A query object that cannot become SQL.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// `QueryObjectValidationError`: while validating a 400 `{"message": …}`, while querying the `error` of the
    /// payload.
    #[error("{0}")]
    Validation(String),
    /// An answer of its own: SIP-40 errors for forbidden sub-queries (403), SQL that does not parse (422)…
    #[error("{0}")]
    Answer(#[from] infra::Error),
    /// Any other exception of the original: 500 `GENERIC_BACKEND_ERROR` with this text.
    #[error("{0}")]
    Generic(String),
}

impl From<infra::compute::Stopped> for QueryError {
    fn from(why: infra::compute::Stopped) -> Self {
        Self::Answer(why.into())
    }
}

impl QueryError {
    /// `QueryObjectValidationError`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }

    /// An exception that Superset does not expect.
    pub fn generic(message: impl Into<String>) -> Self {
        Self::Generic(message.into())
    }

    /// `SupersetSecurityException` of an adhoc expression with a sub-query.
    pub fn subquery_not_allowed() -> Self {
        let error = SupersetError::new(
            ErrorType::AdhocSubqueryNotAllowedError,
            "Custom SQL fields cannot contain sub-queries.",
        );
        Self::Answer(infra::Error::sip40(403, error))
    }

    /// The error for the web layer when it ends the request (`validate()`, query context loading).
    pub fn into_answer(self) -> infra::Error {
        match self {
            Self::Validation(message) => infra::Error::bad_request(message),
            Self::Answer(error) => error,
            Self::Generic(message) => {
                infra::Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, message))
            }
        }
    }
}
