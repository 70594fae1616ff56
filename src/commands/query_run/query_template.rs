//! Jinja in SQL Lab (`superset.sqllab.query_render`).

use infra::{
    Error,
    engine_specs::EngineSpec,
    error::{ErrorType, SupersetError},
};
use query::{QueryError, template::has_template_syntax};
use serde_json::{Map, Value};

use crate::Caller;

/// Why a template could not be rendered.
#[derive(Debug)]
pub(crate) enum TemplateError {
    /// It cannot be rendered: names what is not there, or may not (`jinja2.TemplateError`).
    Malformed,
    /// Something else went wrong; the text is for the person.
    Other(String),
    /// An answer of its own: 422 for what is no Jinja.
    Error(Error),
}

impl TemplateError {
    pub fn into_error(self) -> Error {
        match self {
            Self::Malformed => {
                let text = "The query contains one or more malformed template parameters.";
                Error::sip40(400, SupersetError::new(ErrorType::InvalidTemplateParamsError, text))
            }
            Self::Other(message) => {
                Error::sip40(400, SupersetError::new(ErrorType::GenericCommandError, message))
            }
            Self::Error(error) => error,
        }
    }
}

/// The SQL with its templates rendered; as it is where templates are off.
pub(crate) async fn render(
    caller: &Caller,
    spec: &'static EngineSpec,
    text: &str,
    params: &Map<String, Value>,
) -> Result<String, TemplateError> {
    if !caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") || !has_template_syntax(text) {
        return Ok(text.to_owned());
    }
    super::render_sql(caller, spec, text, params).await.map_err(|error| match error {
        QueryError::Validation(_) => TemplateError::Malformed,
        QueryError::Answer(error) => TemplateError::Error(error),
        other => TemplateError::Other(other.to_string()),
    })
}

/// Names that rendering left undefined: they print themselves again (`find_undeclared_variables`).
pub(crate) fn undefined_names(rendered: &str) -> Vec<String> {
    let mut names = Vec::new();
    for piece in rendered.split("{{").skip(1) {
        let inside = piece.split("}}").next().unwrap_or_default().trim_start();
        let end = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
        let name = inside.get(..end).unwrap_or_default();
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if is_name && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_undefined() {
        assert_eq!(undefined_names("SELECT {{ a }}, {{b.c}} FROM {{ a }} {{ 'x' }}"), ["a", "b"]);
        assert!(undefined_names("SELECT 1").is_empty());
    }
}
