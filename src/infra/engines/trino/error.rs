//! Failures as trino-python-client and PyHive raise them.

use reqwest::StatusCode;
use serde::Deserialize;

use super::{
    super::{
        error::EngineError,
        http::{self, Access, Failure},
    },
    Flavour,
};

/// A statement's error as the server tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryError {
    message: Option<String>,
    error_name: Option<String>,
    error_type: Option<String>,
}

impl Flavour {
    /// Python's class of a failed connection.
    pub fn connect_class(self) -> &'static str {
        "requests.exceptions.ConnectionError"
    }

    /// A server that could not be reached, or was lost.
    pub fn failure(self, failure: &Failure, access: &Access) -> EngineError {
        let text = failure.text(access, "/v1/statement");
        if failure.is_connecting() {
            return EngineError::Connect(text);
        }
        EngineError::Statement { class: self.connect_class().to_owned(), message: text }
    }

    /// An answer that is not of the protocol, mostly a refused login. Only its status is told, in the words of the
    /// standard: a connection may lead to any server that this machine reaches, and its answer is nobody's (T33).
    pub fn refused(self, status: u16) -> EngineError {
        let kind = match (self, status) {
            // `TrinoAuthError`
            (Self::Trino, 401) => EngineError::Unauthorized,
            _ => EngineError::Connect,
        };
        let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
        kind(match (self, status, reason) {
            (Self::Trino, 502, _) => "error 502: bad gateway".to_owned(),
            (Self::Trino, 503, _) => "error 503: service unavailable".to_owned(),
            (Self::Trino, 504, _) => "error 504: gateway timeout".to_owned(),
            (Self::Trino, _, Some(reason)) => format!("error {status}: {reason}"),
            (Self::Trino, _, None) => format!("error {status}"),
            (Self::Presto, ..) => format!("Unexpected status code {status}"),
        })
    }

    /// A statement's error.
    pub(super) fn raised(self, error: &QueryError, query_id: &str) -> EngineError {
        let kind = error.error_type.as_deref();
        let or_none = |t: Option<&str>| t.unwrap_or("None").to_owned();
        match self {
            Self::Trino => {
                let class = match kind {
                    Some("USER_ERROR") => "TrinoUserError",
                    Some("EXTERNAL") => "TrinoExternalError",
                    Some("INTERNAL_ERROR") => "TrinoInternalError",
                    _ => "TrinoQueryError",
                };
                let words = error.message.as_deref().unwrap_or("Trino did not return an error message");
                let words = http::told(words);
                let name = or_none(error.error_name.as_deref());
                let kind = or_none(kind);
                EngineError::Statement {
                    class: format!("trino.exceptions.{class}"),
                    message: format!(
                        "{class}(type={kind}, name={name}, message=\"{words}\", query_id={query_id})"
                    ),
                }
            }
            Self::Presto => {
                let words = error.message.as_deref().unwrap_or("Unknown Presto Error");
                EngineError::Statement {
                    class: "pyhive.exc.DatabaseError".to_owned(),
                    message: http::told(words),
                }
            }
        }
    }
}

impl QueryError {
    /// An error as only Trino and Presto tell it.
    pub fn is_of_protocol(&self) -> bool {
        self.error_name.is_some() && self.error_type.is_some()
    }

    /// The server's own clock has ended the statement.
    pub fn is_timeout(&self) -> bool {
        matches!(self.error_name.as_deref(), Some("EXCEEDED_TIME_LIMIT"))
    }
}

/// The table or schema that was asked for is not there.
pub(super) fn is_missing(error: &EngineError) -> bool {
    let EngineError::Statement { message, .. } = error else { return false };
    ["name=TABLE_NOT_FOUND", "name=SCHEMA_NOT_FOUND"].iter().any(|n| message.contains(n))
        || message.contains("does not exist") && (message.contains("Table ") || message.contains("Schema "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    #[test]
    fn words_of_the_drivers() {
        let text = r#"{"message": "line 1:8: Column 'x' cannot be resolved", "errorName": "COLUMN_NOT_FOUND",
                       "errorType": "USER_ERROR", "errorCode": 47}"#;
        let error: QueryError = serde_json::from_str(text).unwrap();
        let EngineError::Statement { class, message } = Flavour::Trino.raised(&error, "q1") else { panic!() };
        assert_eq!(class, "trino.exceptions.TrinoUserError");
        assert_eq!(
            message,
            "TrinoUserError(type=USER_ERROR, name=COLUMN_NOT_FOUND, message=\"line 1:8: Column 'x' cannot be \
             resolved\", \
             query_id=q1)"
        );
        let shown = Flavour::Presto.raised(&error, "q1").to_string();
        let presto = crate::engine_specs::spec("presto", None);
        assert_eq!(presto.extract_errors(&shown, &[])[0].error_type, ErrorType::ColumnDoesNotExistError);
    }
}
