//! Expressions and predicates that people write: rendered, parsed, checked and printed again.

use infra::sql::{self, Fragment};

use super::{BuildContext, Builder};
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

impl Builder<'_> {
    /// The expression of an adhoc column or metric; a forbidden sub-query is an error of the query.
    pub(super) fn adhoc_expression(&self, text: &str) -> Result<String> {
        self.select_expression(text).map_err(|error| match error {
            // SqlaTable turns SupersetSecurityException into a validation error here.
            QueryError::Answer(infra::Error::Sip40 { status: 403, errors }) => QueryError::Validation(
                errors.into_iter().next().map(|error| error.message).unwrap_or_default(),
            ),
            other => other,
        })
    }

    /// An expression as it would stand behind SELECT (`_process_select_expression`).
    pub(super) fn select_expression(&self, text: &str) -> Result<String> {
        let rendered = self.cx.templates.render(text)?;
        let fragment = sql::select_expression(&rendered, &self.spec.engine).map_err(infra::Error::from)?;
        checked(fragment, self.cx)
    }

    /// An expression as it would stand behind ORDER BY (`_process_orderby_expression`).
    pub(super) fn order_by_expression(&self, text: &str) -> Result<String> {
        let rendered = self.cx.templates.render(text)?;
        let fragment = sql::order_by_expression(&rendered, &self.spec.engine).map_err(infra::Error::from)?;
        checked(fragment, self.cx)
    }
}

fn checked(mut fragment: Fragment, cx: &BuildContext<'_>) -> Result<String> {
    if fragment.has_subquery() {
        if !cx.allow_adhoc_subquery {
            return Err(QueryError::subquery_not_allowed());
        }
        fragment.apply_rls(&super::from_clause::rules(cx.dataset)?).map_err(infra::Error::from)?;
    }
    Ok(fragment.text())
}
