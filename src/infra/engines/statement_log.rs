//! Statements on analytical databases in the log.

use crate::{sql::without_values, statement_log::Statement, telemetry::Database};

/// A statement that begins.
pub(super) fn begin(engine: &'static str, sql: &str) -> Statement {
    Statement::begin(Database::Analytical, engine, sql, |sql, engine| {
        without_values(sql, engine).unwrap_or_else(|| "(a text that cannot be taken apart)".to_owned())
    })
}
