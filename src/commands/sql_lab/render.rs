//! Jinja in SQL Lab (`superset.sqllab.query_render`).

use std::sync::Arc;

use infra::{Error, engines::EngineSpec};
use query::{QueryError, template::has_template_syntax};
use serde_json::{Map, Value};

use super::error::sip40;
use crate::{Principal, Services, chart_data};

/// Why a template could not be rendered.
#[derive(Debug)]
pub(super) enum Broken {
    /// It cannot be rendered: names what is not there, or may not (`jinja2.TemplateError`).
    Malformed,
    /// Something else went wrong; the text is for the person.
    Other(String),
    /// An answer of its own: 422 for what is no Jinja.
    Error(Error),
}

impl Broken {
    pub fn into_error(self) -> Error {
        match self {
            Self::Malformed => sip40(
                400,
                "INVALID_TEMPLATE_PARAMS_ERROR",
                "The query contains one or more malformed template parameters.",
            ),
            Self::Other(message) => sip40(400, "GENERIC_COMMAND_ERROR", message),
            Self::Error(error) => error,
        }
    }
}

/// The SQL with its templates rendered; as it is where templates are off.
pub(super) async fn render(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    spec: &'static EngineSpec,
    text: &str,
    params: &Map<String, Value>,
) -> Result<String, Broken> {
    if !app.config.flag("ENABLE_TEMPLATE_PROCESSING") || !has_template_syntax(text) {
        return Ok(text.to_owned());
    }
    chart_data::render_sql(app, user, spec, text, params).await.map_err(|error| match error {
        QueryError::Validation(_) => Broken::Malformed,
        QueryError::Answer(error) => Broken::Error(error),
        other => Broken::Other(other.to_string()),
    })
}

/// Names that rendering left undefined: they print themselves again (`find_undeclared_variables`).
pub(super) fn undefined_names(rendered: &str) -> Vec<String> {
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
