//! Why a text is no time range. The messages are on the wire.

use thiserror::Error;

/// Counterparts: `TimeRangeAmbiguousError`, `TimeRangeParseFailError`, `TimeDeltaAmbiguousError` and Python's
/// `ValueError`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeRangeError {
    /// `5 days` says neither before nor after.
    #[error("Time string is ambiguous. Please specify [{0} ago] or [{0} later].")]
    Ambiguous(String),
    /// No reader understands the text.
    #[error("Cannot parse time string [{0}]")]
    ParseFail(String),
    /// A delta without `ago` or `later`.
    #[error("Time delta is ambiguous. Please specify [{0} ago] or [{0} later].")]
    DeltaAmbiguous(String),
    /// Any other unusable value.
    #[error("{0}")]
    Value(String),
}

impl TimeRangeError {
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::Value(message.into())
    }

    pub(crate) fn parse_fail(text: &str) -> Self {
        Self::ParseFail(text.to_owned())
    }
}
