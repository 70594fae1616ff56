//! Failures of connections in the forms that the original gives them.

use infra::{
    Error,
    engine_specs::EngineSpec,
    engines::{Engine, EngineError, Source},
    error::{ErrorType, SupersetError},
};
use serde_json::json;

/// A `CommandException` that no handler has caught (`superset.views.error_handling:show_command_errors`).
pub fn command_error(status: u16, message: impl Into<String>) -> Error {
    let level = match status {
        0..400 => "info",
        400..500 => "warning",
        _ => "error",
    };
    Error::sip40(status, SupersetError::new(ErrorType::GenericCommandError, message).level(level))
}

/// There is no driver: what is missing and what to do.
pub fn no_driver(error: &EngineError) -> Error {
    command_error(422, error.to_string())
}

/// The words of a failed connection, explained where the engine's spec knows them.
pub fn explained(spec: &EngineSpec, source: &Source, raw: &str) -> Vec<SupersetError> {
    let port = source.url.port.map(|p| p.to_string());
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "None".to_owned());
    let values = [
        ("hostname", part(&source.url.host)),
        ("port", part(&port)),
        ("username", part(&source.url.username)),
        ("database", part(&source.url.database)),
    ];
    let context: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
    spec.extract_errors(&without_password(raw, source), &context)
}

/// Drivers quote their own arguments now and then: the password never leaves.
fn without_password(raw: &str, source: &Source) -> String {
    match source.url.password.as_deref().filter(|p| p.len() > 3) {
        Some(password) => raw.replace(password, infra::engine_specs::url::MASK),
        None => raw.to_owned(),
    }
}

/// The text of a failed `test_connection`: the driver's error inside an error of its own, as the original wraps it.
pub fn wrapped(engine: &Engine, error: &EngineError) -> String {
    let inner = engine.failure_text(error);
    format!(
        "(builtins.NoneType) None\n[SQL: {inner}]\n(Background on this error at: https://sqlalche.me/e/14/dbapi)"
    )
}

/// A connection that takes too long.
pub fn timed_out(source: &Source) -> Error {
    let text = "Please check your connection details and database settings, and ensure that your database is accepting \
                connections, then try connecting again.";
    let uri = source.url.clone().masked().text();
    let error =
        SupersetError::new(ErrorType::ConnectionDatabaseTimeout, text).extra("sqlalchemy_uri", json!(uri));
    Error::sip40(408, error)
}
