//! Why an upgrade does not happen.

use infra::db::DbError;

/// Why a database was not upgraded.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// For a reason that the operator can do something about.
    #[error("{0}")]
    Refused(String),
    /// The database said no.
    #[error("{0}")]
    Database(#[from] DbError),
}

pub(super) type Result<T, E = UpgradeError> = std::result::Result<T, E>;

pub(super) fn refused(reason: impl Into<String>) -> UpgradeError {
    UpgradeError::Refused(reason.into())
}
