//! What the metadata database refuses (`superset.utils.decorators:on_error`).

use infra::Error;

/// Turns a failure of the database into the sentence of a command: what it refuses is the writer's fault. The
/// database's own words are only logged.
pub(crate) fn refused(message: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Internal(cause) => {
            tracing::warn!(cause, "{message}");
            Error::unprocessable(message)
        }
        other => other,
    }
}
