//! Why an installation was not copied.

use infra::db::{DbError, UriError};

/// Why an installation was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// For a reason that the operator can do something about.
    #[error("{0}")]
    Refused(String),
    /// One of the databases said no.
    #[error("{0}")]
    Database(#[from] DbError),
    /// The target is no database.
    #[error("{0}")]
    Uri(#[from] UriError),
    /// The file of the target.
    #[error("{0}")]
    File(#[from] std::io::Error),
}

pub(super) type Result<T, E = CopyError> = std::result::Result<T, E>;

pub(super) fn refused(reason: impl Into<String>) -> CopyError {
    CopyError::Refused(reason.into())
}
