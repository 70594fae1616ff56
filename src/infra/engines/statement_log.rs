//! Statements on analytical databases in the log.

use crate::{
    sql::without_values,
    statement_log::{Database, Statement},
};

/// A statement that begins.
pub(super) fn begin(engine: &'static str, sql: &str) -> Option<Statement> {
    let unknown = || "(a text that cannot be taken apart)".to_owned();
    Statement::begin(Database::Analytical, engine, || without_values(sql, engine).unwrap_or_else(unknown))
}
