//! How a run fails, in the words of the original (`superset.commands.report.exceptions`).

use infra::{
    db::DbError,
    error::SupersetError,
    python::{json_repr, str_repr},
};
use serde_json::Value;

/// Why a run of an alert or report failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.text())]
pub struct ReportError {
    /// The original's class: `AlertQueryError`.
    pub class: &'static str,
    /// Its status, as HTTP has them.
    pub status: u16,
    /// Its words.
    pub message: String,
    /// What it is made of, if it is made of several (`SupersetErrorsException`).
    pub errors: Vec<SupersetError>,
}

impl ReportError {
    /// An error of a class.
    pub fn new(class: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { class, status, message: message.into(), errors: Vec::new() }
    }

    /// Several errors under one class.
    pub fn of_errors(class: &'static str, status: u16, errors: Vec<SupersetError>) -> Self {
        Self { class, status, message: String::new(), errors }
    }

    /// What the original does not expect: an exception of Python with its words.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new("ReportScheduleUnexpectedError", 500, message)
    }

    /// `str(exception)`: the list of the errors as Python prints it, or the words.
    pub fn text(&self) -> String {
        if self.errors.is_empty() {
            return self.message.clone();
        }
        let all: Vec<String> = self.errors.iter().map(repr).collect();
        format!("[{}]", all.join(", "))
    }

    /// The words alone, several joined by `;`.
    pub fn words(&self) -> String {
        if self.errors.is_empty() {
            return self.message.clone();
        }
        let all: Vec<&str> = self.errors.iter().map(|e| e.message.as_str()).collect();
        all.join(";")
    }
}

/// `repr(SupersetError)`.
fn repr(error: &SupersetError) -> String {
    let mut extra = error.extra.clone().map_or(Value::Null, Value::Object);
    // they are added last
    if let Some(map) = extra.as_object_mut()
        && let Some(codes) = map.shift_remove("issue_codes")
    {
        map.insert("issue_codes".to_owned(), codes);
    }
    format!(
        "SupersetError(message={}, error_type=<SupersetErrorType.{type_}: '{type_}'>, level=<ErrorLevel.{}: '{}'>, \
         extra={})",
        str_repr(&error.message),
        error.level.to_uppercase(),
        error.level,
        json_repr(&extra),
        type_ = error.error_type,
    )
}

impl From<DbError> for ReportError {
    fn from(error: DbError) -> Self {
        tracing::error!(%error, "a report met the metadata database");
        Self::unexpected("Report schedule unexpected error")
    }
}

impl From<infra::Error> for ReportError {
    fn from(error: infra::Error) -> Self {
        match error {
            infra::Error::Sip40 { errors, .. } => {
                Self::of_errors("ReportScheduleUnexpectedError", 500, errors)
            }
            infra::Error::Message { message: Value::String(text), .. } => Self::unexpected(text),
            infra::Error::Legacy { error, .. } => Self::unexpected(error),
            other => {
                tracing::error!(error = %other, "a report met an error");
                Self::unexpected("Report schedule unexpected error")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use infra::error::ErrorType;

    use super::*;

    #[test]
    fn several_errors_print_as_python_prints_a_list_of_them() {
        let error = SupersetError {
            message: "[Errno 111] Connection refused".to_owned(),
            error_type: ErrorType::ReportNotificationError,
            level: "error",
            extra: None,
        };
        let both =
            ReportError::of_errors("ReportScheduleSystemErrorsException", 500, vec![error.clone(), error]);
        assert_eq!(both.words(), "[Errno 111] Connection refused;[Errno 111] Connection refused");
        assert!(both.text().starts_with(
            "[SupersetError(message='[Errno 111] Connection refused', \
             error_type=<SupersetErrorType.REPORT_NOTIFICATION_ERROR: 'REPORT_NOTIFICATION_ERROR'>, \
             level=<ErrorLevel.ERROR: 'error'>, extra=None), SupersetError("
        ));
    }
}
