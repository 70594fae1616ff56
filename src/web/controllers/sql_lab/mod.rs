//! SQL Lab: `/api/v1/sqllab/` (`superset.sqllab.api`), what became of queries, and the tabs.

mod execute;
mod export;
mod permalinks;
mod queries;
mod tabs;

use commands::sql_lab::Failure as SqlFailure;
use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Value, json};

use crate::{Answer, Cx, Handled, error::Failure, routes::Rule};

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [execute::rules(), export::rules(), permalinks::rules(), queries::rules(), tabs::rules()]
        .into_iter()
        .flatten()
        .collect()
}

/// The body behind `@requires_json`, where nothing turns its refusal into a "Fatal error".
fn json_body(cx: &Cx) -> Result<Value, Failure> {
    let broken = |text: &str| {
        Failure(Error::sip40(400, SupersetError::new(ErrorType::InvalidPayloadFormatError, text)))
    };
    if !cx.req.is_json() {
        return Err(broken("Request is not JSON"));
    }
    serde_json::from_slice(&cx.req.body).map_err(|_| broken(crate::error::BAD_REQUEST))
}

/// `json_success`: JSON without a charset.
fn success(status: u16, body: impl Into<bytes::Bytes>) -> Answer {
    Answer::new(status, "application/json", body)
}

/// A failure in SQL Lab's own envelope.
fn failed(failure: SqlFailure) -> Handled {
    match failure {
        SqlFailure::Error(error) => Err(error.into()),
        SqlFailure::Plain { status, error } => Ok(Answer::fab(status, &json!({"errors": [error]}))),
    }
}
