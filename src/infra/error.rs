//! The one error type that crosses layers.
//!
//! A variant fixes both the HTTP status and which of Superset's envelopes the client sees; `web::error` is the
//! only place that turns it into bytes. 5xx bodies are fixed words: the cause goes to the log, never to the wire.
//!
//! - FAB envelope `{"message": …}`: most of the REST API → [`Error::Message`]
//! - SIP-40 envelope `{"errors": […]}`: queries, access to data, SQL Lab → [`Error::Sip40`]
//! - legacy envelope `{"error": "…"}` → [`Error::Legacy`]

use serde_json::{Map, Value, json};

pub use crate::error_type::ErrorType;
use crate::issue_codes::issue_codes;

/// Result with the shared [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure as the client will see it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `{"message": …}`: a string or, for field errors, an object (`{"slice_name": ["Missing data…"]}`).
    #[error("{status}: {message}")]
    Message {
        /// HTTP status.
        status: u16,
        /// Text or field errors.
        message: Value,
    },
    /// `{"errors": [{message, error_type, level, extra}]}`.
    #[error("{status}: {}", .errors.first().map_or("", |e| e.message.as_str()))]
    Sip40 {
        /// HTTP status.
        status: u16,
        /// At least one error.
        errors: Vec<SupersetError>,
    },
    /// `{"error": "…"}`.
    #[error("{status}: {error}")]
    Legacy {
        /// HTTP status.
        status: u16,
        /// Text.
        error: String,
    },
    /// Our fault or the metadata database's: 500 with a fixed body; the source is logged.
    #[error("internal error: {0}")]
    Internal(String),
}

/// One entry of a SIP-40 answer (`superset.errors:SupersetError`).
#[derive(Debug, Clone, PartialEq)]
pub struct SupersetError {
    /// Text for the person.
    pub message: String,
    /// What it is recognised by.
    pub error_type: ErrorType,
    /// `info`, `warning` or `error`.
    pub level: &'static str,
    /// Free form; `issue_codes` are added by [`SupersetError::new`] for the types that have them.
    pub extra: Option<Map<String, Value>>,
}

impl SupersetError {
    /// An error of level `error` with the issue codes of its type.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        Self { message: message.into(), error_type, level: "error", extra: None }.with_issue_codes()
    }

    /// The same error with another level.
    #[must_use]
    pub fn level(mut self, level: &'static str) -> Self {
        self.level = level;
        self
    }

    /// The same error with one more entry in `extra`, before the issue codes that are already there.
    #[must_use]
    pub fn extra(mut self, key: &str, value: Value) -> Self {
        let extra = self.extra.get_or_insert_default();
        let codes = extra.shift_remove("issue_codes");
        extra.insert(key.to_owned(), value);
        extra.extend(codes.map(|codes| ("issue_codes".to_owned(), codes)));
        self
    }

    fn with_issue_codes(mut self) -> Self {
        let codes = issue_codes(self.error_type);
        if !codes.is_empty() {
            let list = codes
                .iter()
                .map(|(code, text)| json!({"code": code, "message": format!("Issue {code} - {text}")}))
                .collect();
            self.extra.get_or_insert_default().insert("issue_codes".into(), Value::Array(list));
        }
        self
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        json!({"message": self.message, "error_type": self.error_type, "level": self.level, "extra": self.extra})
    }
}

impl Error {
    /// `{"message": text}` with a status.
    pub fn message(status: u16, message: impl Into<Value>) -> Self {
        Self::Message { status, message: message.into() }
    }
    /// 404 `{"message": "Not found"}`.
    pub fn not_found() -> Self {
        Self::message(404, "Not found")
    }
    /// 403 `{"message": "Forbidden"}`.
    pub fn forbidden() -> Self {
        Self::message(403, "Forbidden")
    }
    /// 400 `{"message": …}`.
    pub fn bad_request(message: impl Into<Value>) -> Self {
        Self::message(400, message)
    }
    /// 422 `{"message": …}`.
    pub fn unprocessable(message: impl Into<Value>) -> Self {
        Self::message(422, message)
    }
    /// One SIP-40 error.
    pub fn sip40(status: u16, error: SupersetError) -> Self {
        Self::Sip40 { status, errors: vec![error] }
    }
    /// Something that is no client's fault; `source` is only logged.
    pub fn internal(source: impl std::fmt::Display) -> Self {
        Self::Internal(source.to_string())
    }
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Message { status, .. } | Self::Sip40 { status, .. } | Self::Legacy { status, .. } => {
                *status
            }
            Self::Internal(_) => 500,
        }
    }
}
