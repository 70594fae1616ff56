//! Expressions and predicates that people write: rendered, parsed, checked and printed again.

use infra::sql::{self, Effect, Fragment, RlsRules};

use super::{BuildContext, Builder, condition::Condition, from_clause::rules};
use crate::error::{QueryError, Result};

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
        Ok(checked(fragment, self.cx)?.text())
    }

    /// The same as one of the conditions of WHERE or HAVING.
    pub(super) fn condition_expression(&self, text: &str) -> Result<Condition> {
        let rendered = self.cx.templates.render(text)?;
        let fragment = sql::select_expression(&rendered, &self.spec.engine).map_err(infra::Error::from)?;
        let fragment = checked(fragment, self.cx)?;
        Ok(Condition::Written { bare: fragment.text(), grouped: fragment.condition_text() })
    }

    /// An expression that the dataset holds: a calculated column, a saved metric, a predicate. The original takes the
    /// text as it is; for a caller with row-level rules it has to be one expression, and tables that it names have
    /// theirs.
    pub(super) fn stored_expression(&self, text: &str) -> Result<String> {
        let rendered = self.cx.templates.render(text)?;
        if self.dataset.rls.is_empty() && self.dataset.inner_rls.as_ref().is_some_and(RlsRules::is_empty) {
            return Ok(rendered);
        }
        let mut fragment =
            sql::select_expression(&rendered, &self.spec.engine).map_err(infra::Error::from)?;
        let names_tables = !fragment.tables().is_empty();
        fragment.apply_rls(rules(self.dataset)?).map_err(infra::Error::from)?;
        // a comment could hide what is put behind the text
        let has_comment = ["--", "/*", "#", "//"].iter().any(|mark| rendered.contains(mark));
        Ok(if names_tables || has_comment { fragment.text() } else { rendered })
    }

    /// An expression as it would stand behind ORDER BY (`_process_orderby_expression`).
    pub(super) fn order_by_expression(&self, text: &str) -> Result<String> {
        let rendered = self.cx.templates.render(text)?;
        let fragment = sql::order_by_expression(&rendered, &self.spec.engine).map_err(infra::Error::from)?;
        Ok(checked(fragment, self.cx)?.text())
    }
}

/// Refuses what does more than to compute, and sub-queries where they are not allowed; puts row-level rules into
/// others.
fn checked(mut fragment: Fragment, cx: &BuildContext<'_>) -> Result<Fragment> {
    // a dictionary that is asked for one value is what charts are made of; who has row-level rules is asked for later
    if let Some((name, _)) = fragment.effects().into_iter().find(|(_, effect)| *effect != Effect::LooksUp) {
        let name = crate::python::repr_str(&name);
        return Err(QueryError::validation(format!(
            "SQL statement contains disallowed function(s): {{{name}}}"
        )));
    }
    if fragment.has_subquery() && !cx.allow_adhoc_subquery {
        return Err(QueryError::subquery_not_allowed());
    }
    fragment.apply_rls(rules(cx.dataset)?).map_err(infra::Error::from)?;
    Ok(fragment)
}
