//! DuckDB's errors, in the classes of its Python driver.

use std::fmt::Debug;

use crate::engines::error::EngineError;

/// Python's class of a failed connection.
pub(in crate::engines) const CONNECT_CLASS: &str = "_duckdb.IOException";

/// DuckDB's own words.
pub(super) fn error_text(e: duckdb::Error) -> String {
    match e {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message,
        other => other.to_string(),
    }
}

/// A failed statement.
pub(super) fn failure(e: duckdb::Error) -> EngineError {
    let message = error_text(e);
    EngineError::Statement { class: format!("_duckdb.{}", class(&message)), message }
}

/// The worker went away, or nobody waits for it.
pub(super) fn gone() -> EngineError {
    EngineError::Connect("the connection is gone".to_owned())
}

/// A statement that is refused before DuckDB sees it.
pub(super) fn refused(why: &str) -> EngineError {
    EngineError::Statement {
        class: "_duckdb.PermissionException".to_owned(),
        message: format!("Permission Error: {why}"),
    }
}

/// A type that cannot be shown.
pub(super) fn unsupported(type_: &dyn Debug) -> EngineError {
    EngineError::Statement {
        class: "_duckdb.NotImplementedException".to_owned(),
        message: format!("Not implemented Error: values of the type {type_:?} cannot be read"),
    }
}

/// Python's exception class, by the start of the message.
fn class(message: &str) -> &'static str {
    match message.split(" Error: ").next().unwrap_or_default() {
        "Parser" => "ParserException",
        "Binder" => "BinderException",
        "Catalog" => "CatalogException",
        "Connection" => "ConnectionException",
        "Constraint" => "ConstraintException",
        "Conversion" => "ConversionException",
        "Dependency" => "DependencyException",
        "FATAL" => "FatalException",
        "HTTP" => "HTTPException",
        "INTERNAL" => "InternalException",
        "INTERRUPT" => "InterruptException",
        "IO" => "IOException",
        "Invalid Input" => "InvalidInputException",
        "Invalid type" => "InvalidTypeException",
        "Not implemented" => "NotImplementedException",
        "Out of Memory" => "OutOfMemoryException",
        "Out of Range" => "OutOfRangeException",
        "Permission" => "PermissionException",
        "Sequence" => "SequenceException",
        "Serialization" => "SerializationException",
        "Syntax" => "SyntaxException",
        "TransactionContext" => "TransactionException",
        "Type Mismatch" | "Mismatch Type" => "TypeMismatchException",
        _ => "Error",
    }
}
