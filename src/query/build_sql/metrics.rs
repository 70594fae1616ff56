//! Saved and adhoc metrics.

use serde_json::{Map, Value};

use super::{
    Builder,
    expr::{Aggregate, Expr, Labeled},
};
use crate::{
    error::{QueryError, Result},
    python::repr_str,
    query_object::Metric,
};

impl Builder<'_> {
    /// A metric of the query.
    pub(super) fn metric(&self, metric: &Metric) -> Result<Labeled> {
        infra::compute::check()?;
        match metric {
            Metric::Name(name) => self.saved_metric(name)?.ok_or_else(|| missing(name)),
            Metric::Adhoc(map) => self.adhoc_metric(map, false),
        }
    }

    /// A saved metric: its expression verbatim, after template rendering.
    pub(super) fn saved_metric(&self, name: &str) -> Result<Option<Labeled>> {
        let Some(metric) = self.dataset.metric(name) else { return Ok(None) };
        let text = self.stored_expression(&metric.expression)?;
        Ok(Some(self.label(Expr::Literal(text), name)))
    }

    /// An adhoc metric. `processed` says that its SQL has been parsed and printed already.
    pub(super) fn adhoc_metric(&self, map: &Map<String, Value>, processed: bool) -> Result<Labeled> {
        let metric = Metric::Adhoc(map.clone());
        let label = metric.label(None).ok_or_else(|| QueryError::generic("Missing label"))?;
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let expr = match text("expressionType") {
            Some("SIMPLE") => {
                let column = map.get("column").and_then(Value::as_object);
                let column = column.ok_or_else(|| QueryError::generic("'column'"))?;
                let name = column.get("column_name").ok_or_else(|| QueryError::generic("'column_name'"))?;
                let name = name.as_str().unwrap_or_default();
                let argument = match self.dataset.column(name) {
                    Some(column) => self.column_expr(column)?,
                    None => Expr::Column(name.to_owned()),
                };
                let aggregate = text("aggregate").unwrap_or_default();
                let function =
                    Aggregate::named(aggregate).ok_or_else(|| QueryError::generic(repr_str(aggregate)))?;
                Expr::Aggregate { function, argument: Box::new(argument) }
            }
            Some("SQL") => {
                let sql = text("sqlExpression").unwrap_or_default();
                Expr::Literal(if processed { sql.to_owned() } else { self.adhoc_expression(sql)? })
            }
            _ => return Err(QueryError::validation("Adhoc metric expressionType is invalid")),
        };
        Ok(self.label(expr, &label))
    }

    /// The metric that ranks series (`_get_series_orderby`).
    pub(super) fn series_order(&self, metric: &Value) -> Result<Labeled> {
        match metric {
            Value::Object(map) if map.contains_key("expressionType") => self.adhoc_metric(map, false),
            Value::String(name) => self.saved_metric(name)?.ok_or_else(|| missing(name)),
            other => Err(missing(&crate::python::str_of(other))),
        }
    }
}

fn missing(name: &str) -> QueryError {
    QueryError::validation(format!("Metric '{name}' does not exist"))
}
