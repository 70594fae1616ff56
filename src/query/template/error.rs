//! What goes wrong in templates, and what the caller of a query sees of it.

use infra::{
    compute::Stopped,
    error::{ErrorType, SupersetError},
};
use serde_json::json;

use crate::error::QueryError;

/// The template is not Jinja (`TemplateSyntaxError`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) line: usize,
}

impl SyntaxError {
    /// 422 with the beginning of the template.
    pub(super) fn into_query_error(self, template: &str) -> QueryError {
        let unknown =
            ["No filter named", "No test named"].iter().any(|start| self.message.starts_with(start));
        let class = if unknown { "TemplateAssertionError" } else { "TemplateSyntaxError" };
        let message = format!("Jinja2 template error ({class}): {}", self.message);
        let shown: String = template.chars().take(500).collect();
        let error = SupersetError::new(ErrorType::GenericCommandError, message)
            .extra("template", shown.into())
            .extra("line", json!(self.line))
            .extra("exception_type", class.into());
        QueryError::Answer(infra::Error::sip40(422, error))
    }
}

/// The template cannot be rendered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// `UndefinedError`, `SecurityError`: Jinja's own errors.
    Template(String),
    /// `SupersetTemplateException`, `TypeError` and whatever else Python raises.
    Other(String),
    /// There is no time left, or nobody waits.
    Stopped(Stopped),
}

impl Fault {
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }

    pub(super) fn into_query_error(self) -> QueryError {
        match self {
            Self::Template(message) => QueryError::validation(message),
            Self::Other(message) => QueryError::generic(message),
            Self::Stopped(why) => why.into(),
        }
    }
}

impl From<Stopped> for Fault {
    fn from(why: Stopped) -> Self {
        Self::Stopped(why)
    }
}

pub(super) type Rendered<T> = Result<T, Fault>;
