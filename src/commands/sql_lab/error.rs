//! Failures in the envelopes that SQL Lab uses.

use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

/// Why a request of SQL Lab failed.
#[derive(Debug)]
pub enum Failure {
    /// Like everywhere else.
    Error(Error),
    /// `SqlLabException`: `{"errors": [{message, error_type?, extra?}]}` without a level.
    Plain {
        /// HTTP status.
        status: u16,
        /// The entry.
        error: Value,
    },
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(e: E) -> Self {
        Self::Error(e.into())
    }
}

impl Failure {
    /// An exception that nobody expected around a query (`SqlLabException`).
    pub fn unexpected(details: &str, reason: &str) -> Self {
        Self::Plain {
            status: 500,
            error: json!({"message": format!("Failed to execute {details}: {reason}")}),
        }
    }

    /// The query may not be executed (`QueryIsForbiddenToAccessException`): what the wrapped error says wins.
    pub fn forbidden(details: &str, cause: Error) -> Self {
        let mut error = Map::from_iter([
            ("message".to_owned(), json!(format!("Failed to execute {details}: can not access the query"))),
            ("error_type".to_owned(), json!("QUERY_SECURITY_ACCESS_ERROR")),
        ]);
        match cause {
            Error::Sip40 { errors, .. } => {
                if let Some(SupersetError { message, error_type, extra, .. }) = errors.into_iter().next() {
                    error.insert("message".into(), json!(message));
                    error.insert("error_type".into(), json!(error_type));
                    if let Some(extra) = extra.filter(|extra| !extra.is_empty()) {
                        error.insert("extra".into(), Value::Object(extra));
                    }
                }
            }
            Error::Internal(source) => return Self::Error(Error::Internal(source)),
            Error::Message { .. } | Error::Legacy { .. } => {}
        }
        Self::Plain { status: 403, error: Value::Object(error) }
    }
}

/// One SIP-40 error with the status that sync runs answer with.
pub(super) fn sip40(status: u16, error_type: ErrorType, message: impl Into<String>) -> Error {
    Error::sip40(status, SupersetError::new(error_type, message))
}

/// What is wrong with SQL that may not run, or could not: the errors of a failed query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    /// Stored in `query.error_message`.
    pub message: String,
    /// Shown.
    pub errors: Vec<SupersetError>,
}

impl Refusal {
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        let error = SupersetError::new(error_type, message);
        Self { message: error.message.clone(), errors: vec![error] }
    }
}

impl From<infra::sql::ParseError> for Refusal {
    fn from(error: infra::sql::ParseError) -> Self {
        let message = error.message.clone();
        match Error::from(error) {
            Error::Sip40 { errors, .. } => Self { message, errors },
            _ => Self::new(ErrorType::InvalidSqlError, message),
        }
    }
}
