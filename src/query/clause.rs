//! Clauses that people write, checked before they become part of a statement.

use infra::sql;

use crate::{
    engine::EngineSpec,
    error::{QueryError, Result},
};

/// A WHERE or HAVING text in its parsed and re-printed form (`sanitize_clause`).
pub fn sanitize_clause(clause: &str, spec: &EngineSpec) -> Result<String> {
    sql::clause(clause, &spec.engine)
        .map(|fragment| fragment.text())
        .map_err(|_| QueryError::validation(format!("Invalid SQL clause: {clause}")))
}
