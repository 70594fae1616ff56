//! Failures of analytical databases, in the words that Superset's drivers use.

use std::time::Duration;

use serde_json::{Value, json};

use crate::engine_specs::spec::EngineSpec;
use crate::{
    compute::NoMemory,
    error::{Error, ErrorType, SupersetError},
};

/// Why an analytical database did not answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// The connection string cannot be used.
    #[error("{0}")]
    Uri(String),
    /// liteset has no driver for the engine.
    #[error(
        "Could not load database driver: {class}\nliteset has no driver for {name} in this version. {advice}"
    )]
    NoDriver {
        /// The original's class of the engine.
        class: String,
        /// The engine's name.
        name: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// No connection could be had; the text is the driver's.
    #[error("{0}")]
    Connect(String),
    /// The server refuses our proof, or wants one; the text is the driver's.
    #[error("{0}")]
    Unauthorized(String),
    /// The server wants a token of the person that asks, who is told where to get it.
    #[error("{}", .0.message)]
    OAuth2Redirect(Box<SupersetError>),
    /// The SSH gateway in front of the database cannot be entered.
    #[error("{0}")]
    Tunnel(String),
    /// The database refused the statement.
    #[error("{}", extract_error_message(class, message))]
    Statement {
        /// Class of the Python driver (`psycopg2.errors.UndefinedColumn`).
        class: String,
        /// The text of the Python driver.
        message: String,
    },
    /// What was to be written could not be made.
    #[error("{0}")]
    Content(String),
    /// The statement ran longer than allowed.
    #[error("The query exceeded the timeout of {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The result is larger than allowed.
    #[error("The result exceeds the allowed size of {0} MB")]
    TooLarge(usize),
    /// Other results have the memory.
    #[error("{0}")]
    NoMemory(NoMemory),
}

/// What users read: of MySQL's number and sentence only the sentence (`MySQLEngineSpec._extract_error_message`).
fn extract_error_message(class: &str, message: &str) -> String {
    let tuple = || message.strip_prefix('(')?.strip_suffix(')')?.split_once(", ");
    match tuple() {
        Some((_, quoted)) if class.starts_with("pymysql") || class.starts_with("MySQLdb") => {
            let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            inner.replace("\\n", "\n").replace("\\'", "'").replace("\\\\", "\\")
        }
        _ => message.to_owned(),
    }
}

/// The link of a class of DuckDB's Python driver, by the standard class that it belongs to.
fn duckdb_link(class: &str) -> &'static str {
    match class {
        "ConnectionException"
        | "HTTPException"
        | "IOException"
        | "OutOfMemoryException"
        | "SerializationException"
        | "TransactionException" => "e3q8",
        "ConstraintException" => "gkpj",
        "ConversionException" | "OutOfRangeException" | "TypeMismatchException" => "9h9h",
        "InternalException" => "2j85",
        "NotImplementedException" => "tw8g",
        "DependencyException"
        | "FatalException"
        | "InterruptException"
        | "PermissionException"
        | "SequenceException" => "4xp6",
        "Error" => "dbapi",
        _ => "f405",
    }
}

impl EngineError {
    /// What the client is told: where to get a token, if that is what the database wants (`OAuth2RedirectError`),
    /// or else what `other` makes of the failure.
    pub fn into_answer(self, other: impl FnOnce(Self) -> Error) -> Error {
        match self {
            Self::OAuth2Redirect(redirect) => Error::sip40(500, *redirect),
            error => other(error),
        }
    }

    /// As SQLAlchemy prints it: `(class) message`, then the statement, then a link.
    pub fn with_statement(&self, sql: &str) -> String {
        match self {
            Self::Statement { class, message } => {
                let link = match class.rsplit('.').next() {
                    Some("OperationalError") => "e3q8",
                    Some("IntegrityError") => "gkpj",
                    Some("DataError") => "9h9h",
                    Some("InternalError") => "2j85",
                    Some("NotSupportedError") => "tw8g",
                    Some("DatabaseError") => "4xp6",
                    Some(own) if class.starts_with("_duckdb.") => duckdb_link(own),
                    // psycopg2's own classes are mostly programming errors
                    _ => "f405",
                };
                let link = format!("(Background on this error at: https://sqlalche.me/e/14/{link})");
                format!("({class}) {message}\n[SQL: {sql}]\n{link}")
            }
            other => other.to_string(),
        }
    }
}

impl EngineSpec {
    /// The errors that Superset shows for a driver's message (`extract_errors`): a known one is explained, others
    /// are passed on. `context` holds `hostname`, `username`, … for the explanations.
    pub fn extract_errors(&self, raw: &str, context: &[(&str, &str)]) -> Vec<SupersetError> {
        for known in &self.errors {
            let Some(found) = known.pattern.captures(raw) else { continue };
            let mut message = known.message.clone();
            let groups = known.pattern.capture_names().flatten();
            for (name, value) in groups.filter_map(|n| Some((n, found.name(n)?.as_str()))) {
                message = message.replace(&format!("%({name})s"), value);
            }
            for (name, value) in context {
                message = message.replace(&format!("%({name})s"), value);
            }
            let mut error = SupersetError::new(known.error_type, message);
            if !known.invalid.is_empty() {
                error = error.extra("invalid", json!(known.invalid));
            }
            return vec![error.extra("engine_name", Value::String(self.name.clone()))];
        }
        let error = SupersetError::new(ErrorType::GenericDbEngineError, raw);
        vec![error.extra("engine_name", Value::String(self.name.clone()))]
    }
}

#[cfg(test)]
mod tests {
    use crate::{engine_specs::spec, error::ErrorType};

    #[test]
    fn numbers_of_mysql_are_not_told() {
        let error = super::EngineError::Statement {
            class: "pymysql.err.OperationalError".into(),
            message: "(1054, \"Unknown column 'nope' in 'SELECT'\")".into(),
        };
        assert_eq!(error.to_string(), "Unknown column 'nope' in 'SELECT'");
        assert!(error.with_statement("SELECT nope").starts_with("(pymysql.err.OperationalError) (1054, "));
    }

    #[test]
    fn known_errors_are_explained() {
        let pg = spec("postgresql", None);
        let found = pg.extract_errors("syntax error at or near \"FRM\"\nLINE 1: …", &[]);
        assert_eq!(found[0].error_type, ErrorType::SyntaxError);
        assert!(found[0].message.contains("near \"FRM\""));
        let other = pg.extract_errors("boom", &[]);
        assert_eq!(other[0].error_type, ErrorType::GenericDbEngineError);
        assert_eq!(other[0].message, "boom");
    }
}
