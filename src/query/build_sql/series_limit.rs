//! Keeping the top series only: by a JOIN with their names, or, on engines without joins, by a query before the query.

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Builder, Question,
    condition::{Condition, Operand},
    expr::{Expr, Labeled, label_text},
    select::Select,
    value::Literal,
};
use crate::{
    dataset::DatasetColumn,
    engine::compatible_label,
    error::Result,
    query_object::{Column, Metric, QueryObject},
};

/// What the series limit needs of the statement it limits.
pub(super) struct Series<'a> {
    /// Dimensions that make a series, by name.
    pub columns: &'a IndexMap<String, Labeled>,
    /// First metric, or a count of rows.
    pub main_metric: &'a Labeled,
    /// Conditions of the statement but for its time filter.
    pub conditions: &'a [Condition],
    /// Time column.
    pub dttm_column: Option<&'a DatasetColumn>,
}

/// How the other series are told apart.
pub(super) enum Limit {
    /// FROM with the joined sub-query.
    Join(String),
    /// A condition, found by a query before.
    Groups(Condition, String),
    /// Unknown until the caller has run the query before.
    Unknown,
}

impl Builder<'_> {
    /// The limit as a JOIN, or as a condition where the engine has no joins.
    pub(super) fn series_limit(
        &self,
        query: &QueryObject,
        series: &Series<'_>,
        from: &str,
        wrappers: usize,
    ) -> Result<Limit> {
        if self.spec.caps.allows_joins && self.spec.caps.allows_subqueries {
            self.joined(query, series, from, wrappers).map(Limit::Join)
        } else {
            self.by_prequery(query, series)
        }
    }

    /// FROM with the sub-query, whose own wrappers count on from those of the statement.
    fn joined(
        &self,
        query: &QueryObject,
        series: &Series<'_>,
        from: &str,
        wrappers: usize,
    ) -> Result<String> {
        let inner: Vec<_> = series
            .columns
            .iter()
            .map(|(name, column)| self.label(column.expr.clone(), &format!("{name}__")))
            .collect();
        let main = self.label(series.main_metric.expr.clone(), "mme_inner__");
        let mut selected = inner.clone();
        selected.push(main.clone());
        let mut select = Select::of(self.spec, &selected, from.to_owned());
        select.number += wrappers;
        select.nested = true;
        let mut conditions = series.conditions.to_vec();
        if let Some(column) = series.dttm_column.filter(|_| !self.spec.caps.time_groupby_inline) {
            let start = query.inner_from_dttm.or(query.from_dttm);
            let end = query.inner_to_dttm.or(query.to_dttm);
            conditions.push(self.time_filter(column, start, end, None)?);
        }
        select.filters = vec![Condition::And(conditions)];
        select.group_by = inner.iter().map(|column| column.group_text(self.spec)).collect();
        let order = match &query.series_limit_metric {
            Some(metric) => self.series_order(metric)?,
            None => main,
        };
        select.order_by = vec![self.series_order_text(&order, !query.order_desc, &selected)];
        select.limit = Some(query.series_limit);
        let on = series.columns.iter().map(|(name, column)| Condition::Compare {
            left: column.expr.clone(),
            operator: "=",
            right: Operand::Text(self.inner_label(name)),
        });
        let on = Condition::And(on.collect()).render(self.dialect);
        let kind = if query.group_others_when_limit_reached { "LEFT OUTER JOIN" } else { &self.dialect.join };
        let limited = self.dialect.subquery(&select.render(), "series_limit");
        let text = format!("{from} {kind} {limited} ON {on}");
        Ok(if self.dialect.joins_in_parentheses { format!("({text})") } else { text })
    }

    fn series_order_text(&self, order: &Labeled, ascending: bool, selected: &[Labeled]) -> String {
        // Unlike in the outer statement, engine flags play no part here.
        let is_selected = selected.iter().any(|other| other.id == order.id);
        let text = if order.aliased && is_selected && !self.spec.sql.orders_by_expression {
            order.label_text(self.spec)
        } else {
            order.expr.render(self.dialect)
        };
        format!("{text} {}", if ascending { "ASC" } else { "DESC" })
    }

    /// What the sub-query calls a dimension.
    fn inner_label(&self, name: &str) -> String {
        label_text(self.spec, &compatible_label(self.spec, &format!("{name}__")))
    }

    /// The condition that a series is one of the kept ones, on the joined sub-query.
    pub(super) fn is_kept(&self, name: &str) -> Condition {
        let text = format!("{}.{}", self.dialect.quote("series_limit"), self.inner_label(name));
        Condition::IsNull { left: Expr::Literal(text), negated: true }
    }

    /// `CASE WHEN kept THEN column ELSE 'Others' END`.
    pub(super) fn or_others(&self, column: &Labeled, condition: Condition) -> Labeled {
        let value = Box::new(column.expr.clone());
        let expr = Expr::OrOthers { condition: Box::new(condition), value };
        self.label(expr, &column.name)
    }

    fn by_prequery(&self, query: &QueryObject, series: &Series<'_>) -> Result<Limit> {
        let orderby = match &query.series_limit_metric {
            Some(metric) => vec![(metric.clone(), !query.order_desc)],
            None => query.orderby.clone(),
        };
        let prequery = QueryObject {
            is_timeseries: false,
            row_limit: Some(query.series_limit),
            row_offset: 0,
            from_dttm: query.inner_from_dttm.or(query.from_dttm),
            to_dttm: query.inner_to_dttm.or(query.to_dttm),
            inner_from_dttm: None,
            inner_to_dttm: None,
            is_rowcount: false,
            orderby,
            columns: query.columns.iter().filter(|column| !column.is_base_axis()).cloned().collect(),
            order_desc: true,
            series_limit: 0,
            series_columns: Vec::new(),
            series_limit_metric: None,
            group_others_when_limit_reached: false,
            time_shift: None,
            ..query.clone()
        };
        let built = match super::build(&prequery, self.cx)? {
            super::Step::Ready(built) => built,
            super::Step::Probes(all) => {
                self.ask(all);
                return Ok(Limit::Unknown);
            }
            super::Step::Prequery(built) => built,
        };
        let Some(columns) = self.cx.answers.prequeries.get(&built.sql) else {
            self.question.borrow_mut().get_or_insert(Question::Prequery(built));
            return Ok(Limit::Unknown);
        };
        let is_metric =
            |label: &str| query.metrics.iter().flatten().any(|metric| metric.name() == Some(label));
        let dimensions: Vec<_> = columns
            .iter()
            .filter(|(label, _)| !is_metric(label))
            .filter_map(|(label, values)| Some((label, series.columns.get(label)?, values)))
            .collect();
        let rows = dimensions.first().map_or(0, |(_, _, values)| values.len());
        let groups = (0..rows).map(|row| {
            let equal = dimensions.iter().map(|(label, column, values)| {
                let value = values.get(row).unwrap_or(&Value::Null);
                match self.prequery_value(label, value) {
                    Some(literal) => Condition::Compare {
                        left: column.expr.clone(),
                        operator: "=",
                        right: Operand::Literal(literal),
                    },
                    None => Condition::IsNull { left: column.expr.clone(), negated: false },
                }
            });
            Condition::And(equal.collect())
        });
        Ok(Limit::Groups(Condition::Or(groups.collect()), built.sql))
    }

    /// A value of the first query as a literal; text of a temporal column becomes a date literal of the engine.
    fn prequery_value(&self, label: &str, value: &Value) -> Option<Literal> {
        let column = self.dataset.column(label);
        Some(match value {
            Value::Null => return None,
            Value::Bool(b) => Literal::Bool(*b),
            Value::Number(n) if !n.is_f64() => Literal::Int(n.to_string()),
            Value::Number(n) => Literal::Float(n.as_f64()?),
            Value::String(text) => {
                let date = column
                    .filter(|column| column.is_temporal(self.spec))
                    .and_then(|column| self.spec.time_literal(column.type_.as_deref()?, parse_dttm(text)?));
                date.map_or_else(|| Literal::Text(text.clone()), Literal::Sql)
            }
            other => Literal::Text(other.to_string()),
        })
    }
}

fn parse_dttm(text: &str) -> Option<chrono::NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

/// The dimensions of a query object that carry their own expression, for callers that only have labels.
pub(super) fn grouped_columns(query: &QueryObject) -> &[Column] {
    if query.groupby.is_empty() { &query.columns } else { &query.groupby }
}

/// Whether the query has metrics at all.
pub(super) fn metrics(query: &QueryObject) -> &[Metric] {
    query.metrics.as_deref().unwrap_or_default()
}
