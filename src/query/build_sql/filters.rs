//! Filters of the query object as conditions.

use infra::compute::check;
use serde_json::Value;

use super::{
    Builder,
    condition::{Condition, Operand},
    expr::Expr,
    value::{Literal, Target, coerce},
};
use crate::{
    dataset::DatasetColumn,
    engine::GenericType,
    error::{QueryError, Result},
    query_object::{Column, Filter, QueryObject, column_label, is_adhoc_column},
};

/// Conditions, and the adhoc columns that were used or refused.
#[derive(Debug, Default)]
pub(super) struct Filters {
    pub conditions: Vec<Condition>,
    pub applied_adhoc: Vec<Value>,
    pub rejected_adhoc: Vec<Value>,
}

impl Builder<'_> {
    /// The conditions of all filters. `dttm_column` is what `__timestamp` stands for in time series.
    pub(super) fn filters(
        &self,
        query: &QueryObject,
        dttm_column: Option<&DatasetColumn>,
        removed: &[String],
    ) -> Result<Filters> {
        let mut out = Filters::default();
        for filter in &query.filter {
            check()?;
            if filter.op.is_empty() || !crate::query_object::truthy(&filter.col) {
                continue;
            }
            let mut adhoc = None;
            let mut column = None;
            if is_adhoc_column(&filter.col) {
                let Some(adhoc_column) = Column::from_json(filter.col.clone()) else { continue };
                adhoc = match self.adhoc_column(&adhoc_column, true)? {
                    Some(labeled) => Some(labeled.expr),
                    None => {
                        out.rejected_adhoc.push(filter.col.clone());
                        continue;
                    }
                };
                out.applied_adhoc.push(filter.col.clone());
            } else if let Some(name) = filter.col.as_str() {
                let stands_for_time = name == "__timestamp" && query.is_timeseries && dttm_column.is_some();
                column = if stands_for_time { dttm_column } else { self.dataset.column(name) };
            }
            let label = column_label(&filter.col).unwrap_or_default();
            let is_removed = |name: &str| removed.iter().any(|other| other == name);
            let alias_removed =
                label == "__timestamp" && column.is_some_and(|column| is_removed(&column.column_name));
            if is_removed(&label) || alias_removed {
                continue;
            }
            if let Some(left) = self.filter_column(filter, column, adhoc)? {
                out.conditions.push(self.condition(query, filter, column, left)?);
            }
        }
        Ok(out)
    }

    fn filter_column(
        &self,
        filter: &Filter,
        column: Option<&DatasetColumn>,
        adhoc: Option<Expr>,
    ) -> Result<Option<Expr>> {
        match (adhoc, column) {
            (Some(expr), _) => Ok(Some(expr)),
            (None, Some(column)) => match filter.grain.as_deref().filter(|grain| !grain.is_empty()) {
                Some(grain) => Ok(Some(self.timestamp(column, Some(grain), "__timestamp")?.expr)),
                None => self.column_expr(column).map(Some),
            },
            (None, None) => Ok(None),
        }
    }

    fn condition(
        &self,
        query: &QueryObject,
        filter: &Filter,
        column: Option<&DatasetColumn>,
        left: Expr,
    ) -> Result<Condition> {
        let op = filter.op.to_uppercase();
        let is_advanced = column
            .and_then(|column| column.advanced_data_type.as_deref())
            .is_some_and(|advanced| !advanced.is_empty());
        let native_type =
            column.and_then(|column| column.type_.as_deref()).filter(|native| !native.is_empty());
        let generic = native_type.filter(|_| !is_advanced).and_then(|native| self.spec.generic_type(native));
        let generic = generic.unwrap_or(GenericType::String);
        let target = Target {
            spec: self.spec,
            generic,
            native_type,
            is_like: matches!(op.as_str(), "LIKE" | "ILIKE"),
        };
        match op.as_str() {
            "IN" | "NOT IN" => return in_condition(left, &filter.val, op == "NOT IN", &target),
            "IS NULL" => return Ok(Condition::IsNull { left, negated: false }),
            "IS NOT NULL" => return Ok(Condition::IsNull { left, negated: true }),
            "IS TRUE" | "IS FALSE" => return Ok(self.boolean_condition(left, op == "IS TRUE")),
            _ => {}
        }
        // A list for an operator on one value: its first item.
        let value = match &filter.val {
            Value::Array(items) => items.first().unwrap_or(&Value::Null),
            value => value,
        };
        if op == "TEMPORAL_RANGE" {
            return self.temporal_range(query, filter, column, value);
        }
        let literal = coerce(value, &target)?;
        let Some(literal) = literal else {
            return match op.as_str() {
                "==" => Ok(Condition::IsNull { left, negated: false }),
                "!=" => Ok(Condition::IsNull { left, negated: true }),
                _ => Err(no_value()),
            };
        };
        if matches!(literal, Literal::Bool(_)) && !matches!(op.as_str(), "==" | "!=") {
            return Err(QueryError::generic(
                "Only '=', '!=', 'is_()', 'is_not()', 'is_distinct_from()', 'is_not_distinct_from()' operators can be \
                 used with None/True/False",
            ));
        }
        let compare =
            |left, operator| Condition::Compare { left, operator, right: Operand::Literal(literal.clone()) };
        let is_text = generic == GenericType::String;
        let as_text = |left| if is_text { left } else { Expr::AsText(Box::new(left)) };
        let pattern = match literal.clone() {
            Literal::Text(text) if !is_text => Literal::Pattern(text),
            other => other,
        };
        let like =
            |left, operator| Condition::Compare { left, operator, right: Operand::Literal(pattern.clone()) };
        Ok(match op.as_str() {
            "==" => compare(left, "="),
            "!=" => compare(left, "!="),
            ">" => compare(left, ">"),
            "<" => compare(left, "<"),
            ">=" => compare(left, ">="),
            "<=" => compare(left, "<="),
            "LIKE" => like(as_text(left), "LIKE"),
            "NOT LIKE" => like(as_text(left), "NOT LIKE"),
            "ILIKE" => Condition::ILike { left: as_text(left), right: pattern.clone() },
            _ => return Err(invalid_operator(&op)),
        })
    }

    fn boolean_condition(&self, left: Expr, value: bool) -> Condition {
        if self.spec.caps.use_equality_for_boolean_filters {
            Condition::Compare { left, operator: "=", right: Operand::Literal(Literal::Bool(value)) }
        } else {
            Condition::IsBoolean { left, value }
        }
    }

    fn temporal_range(
        &self,
        query: &QueryObject,
        filter: &Filter,
        column: Option<&DatasetColumn>,
        value: &Value,
    ) -> Result<Condition> {
        match (value, column) {
            (Value::Null, _) => Err(no_value()),
            (Value::String(range), Some(column)) => {
                let shift = query.time_shift.as_deref();
                let (since, until) = (self.cx.time_ranges)(Some(range), shift, &query.extras)?;
                self.time_filter(column, since, until, filter.grain.as_deref())
            }
            _ => Err(invalid_operator("TEMPORAL_RANGE")),
        }
    }
}

fn in_condition(left: Expr, value: &Value, negated: bool, target: &Target<'_>) -> Result<Condition> {
    let values = match value {
        // The original fails an assertion here.
        Value::Null => return Err(QueryError::generic("")),
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    if values.is_empty() {
        return Err(QueryError::validation("Filter value list cannot be empty"));
    }
    let literals = values.iter().map(|value| coerce(value, target)).collect::<Result<Vec<_>>>()?;
    let has_null = literals.iter().any(Option::is_none);
    let values: Vec<_> = literals.into_iter().flatten().collect();
    if !has_null {
        return Ok(Condition::In { left, values, negated });
    }
    let is_null = Condition::IsNull { left: left.clone(), negated: false };
    let either = Condition::Or(vec![is_null, Condition::In { left, values, negated: false }]);
    Ok(if negated { Condition::Not(Box::new(either)) } else { either })
}

fn no_value() -> QueryError {
    QueryError::validation("Must specify a value for filters with comparison operators")
}

fn invalid_operator(op: &str) -> QueryError {
    QueryError::validation(format!("Invalid filter operation type: {op}"))
}
