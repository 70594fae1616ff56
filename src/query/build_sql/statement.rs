//! The statement of a query object, clause by clause in the order of the original.

use std::collections::HashSet;

use indexmap::IndexMap;
use infra::compute::check;
use serde_json::Value;

use super::{
    Builder, BuiltQuery,
    condition::Condition,
    expr::{Expr, Labeled},
    filters::Filters,
    from_clause::From,
    order_by::{Ordering, Selected},
    select::Select,
    series_limit::{Limit, Series, grouped_columns, metrics},
};
use crate::{
    dataset::DatasetColumn,
    engine::compatible_label,
    error::{QueryError, Result},
    query_object::{Column, QueryObject, is_adhoc_column},
};

/// SELECT and GROUP BY as they take shape.
#[derive(Debug, Default)]
struct Shape {
    selected: Vec<Labeled>,
    grouped: IndexMap<String, Labeled>,
    series: IndexMap<String, Labeled>,
}

/// Everything behind FROM.
struct Clauses<'a> {
    time_filters: Vec<Condition>,
    filters: Vec<Condition>,
    having: Vec<Condition>,
    has_granularity: bool,
    predicate: Option<Condition>,
    dttm_column: Option<&'a DatasetColumn>,
}

impl Builder<'_> {
    /// `get_sqla_query`.
    pub(super) fn statement(&self, query: &QueryObject) -> Result<BuiltQuery> {
        let granularity = self.granularity(query);
        if granularity.is_none() && query.is_timeseries {
            return Err(QueryError::validation(
                "Datetime column not provided as part table configuration and is required by this type of chart",
            ));
        }
        if metrics(query).is_empty() && query.columns.is_empty() && query.groupby.is_empty() {
            return Err(QueryError::validation("Empty query?"));
        }
        let mut metric_exprs =
            metrics(query).iter().map(|metric| self.metric(metric)).collect::<Result<Vec<_>>>()?;
        let main_metric = metric_exprs
            .first()
            .cloned()
            .unwrap_or_else(|| self.label(Expr::Literal("COUNT(*)".into()), "ccount"));
        let mut ordering = self.ordering(&query.orderby, &metric_exprs)?;
        let need_groupby = query.metrics.is_some() || !query.groupby.is_empty() || ordering.by_metric;
        let dttm_column = granularity.as_deref().and_then(|name| self.dataset.column(name));
        let mut shape = if need_groupby {
            self.grouped_shape(query, granularity.as_deref())?
        } else {
            // A raw query has no metrics, even where they were asked for by ORDER BY alone.
            if !query.columns.is_empty() {
                metric_exprs.clear();
            }
            Shape { selected: self.raw_columns(query)?, ..Shape::default() }
        };
        // FROM before the filters: a template in it may take filters over.
        let from = self.source()?;
        let removed = self.cx.templates.removed_filters();
        let time_filters = match (granularity.as_deref(), dttm_column) {
            (None, _) => Vec::new(),
            (Some(name), None) => {
                let text = format!("Time column \"{name}\" does not exist in dataset");
                return Err(QueryError::validation(text));
            }
            (Some(_), Some(column)) => {
                if query.is_timeseries {
                    let grain = query.extras.time_grain_sqla.as_deref();
                    let timestamp = self.timestamp(column, grain, "__timestamp")?;
                    shape.grouped.insert(timestamp.name.clone(), timestamp.clone());
                    shape.selected.insert(0, timestamp);
                }
                self.time_filters(query, column, &removed)?
            }
        };
        shape.selected.extend(metric_exprs);
        let mut seen = HashSet::new();
        shape.selected.retain(|labeled| seen.insert(labeled.name.clone()));
        let labels_expected: Vec<_> = shape.selected.iter().map(|labeled| labeled.key.clone()).collect();
        self.with_hidden_order(&mut shape.selected, &ordering);

        let filters = self.filters(query, dttm_column, &removed)?;
        let clauses = self.clauses(query, granularity.is_some(), time_filters, &filters, dttm_column)?;
        self.avoid_hidden_columns(&mut shape.selected, &mut ordering)?;
        let mut prequeries = Vec::new();
        let sql = self.render(query, &shape, &ordering, &clauses, &main_metric, &from, &mut prequeries)?;
        let (sql, labels_expected) = if query.is_rowcount {
            (self.row_count(&sql)?, vec!["rowcount".to_owned()])
        } else {
            (sql, labels_expected)
        };
        Ok(self.built(query, from.with_prefix(sql), labels_expected, prequeries, filters))
    }

    /// The time column: the one asked for if it is one of the dataset's, else the main one.
    fn granularity(&self, query: &QueryObject) -> Option<String> {
        let asked = query.granularity.as_deref()?;
        let name =
            if self.dataset.is_dttm_col(asked) { Some(asked) } else { self.dataset.main_dttm_col.as_deref() };
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// Dimensions of an aggregated query.
    fn grouped_shape(&self, query: &QueryObject, granularity: Option<&str>) -> Result<Shape> {
        let mut shape = Shape::default();
        let series_labels: HashSet<_> = query
            .series_columns
            .iter()
            .filter_map(Column::label)
            .map(|label| compatible_label(self.spec, &label))
            .collect();
        for column in grouped_columns(query) {
            check()?;
            if column.name() == Some("__timestamp") && query.groupby.is_empty() {
                continue;
            }
            let labeled = self.dimension(query, column, granularity)?;
            let is_series = query.is_timeseries && series_labels.is_empty();
            if is_series || series_labels.contains(&labeled.name) {
                shape.series.insert(labeled.name.clone(), labeled.clone());
            }
            shape.grouped.insert(labeled.name.clone(), labeled.clone());
            shape.selected.push(labeled);
        }
        Ok(shape)
    }

    fn dimension(&self, query: &QueryObject, column: &Column, granularity: Option<&str>) -> Result<Labeled> {
        let Column::Name(name) = column else {
            return self.adhoc_column(column, false)?.ok_or_else(|| QueryError::generic("Column not found"));
        };
        match self.dataset.column(name) {
            Some(known) if granularity == Some(name) => {
                self.timestamp(known, query.extras.time_grain_sqla.as_deref(), name)
            }
            Some(known) => self.column(known, None),
            None => {
                let text = self.select_expression(name)?;
                Ok(self.label(Expr::Literal(format!("({text})")), &text))
            }
        }
    }

    /// Columns of a query without aggregation.
    fn raw_columns(&self, query: &QueryObject) -> Result<Vec<Labeled>> {
        let columns = query.columns.iter().filter(|column| column.name() != Some("__timestamp"));
        columns.map(|column| self.raw_column(column)).collect()
    }

    fn raw_column(&self, column: &Column) -> Result<Labeled> {
        check()?;
        let (sql, label) = match column {
            Column::Name(name) => {
                if let Some(known) = self.dataset.column(name) {
                    return self.column(known, Some(name));
                }
                (self.dialect.quote(name), name.clone())
            }
            Column::Adhoc(_) => {
                let label = column.label().ok_or_else(|| QueryError::generic("Missing label"))?;
                (column.sql_expression().unwrap_or_default().to_owned(), label)
            }
        };
        let text = self.select_expression(&sql)?;
        // The text of a column's name, quoted or not, means the column.
        match self.quoted(&text) {
            Some(known) => self.column(known, Some(&label)),
            None => Ok(self.label(Expr::Literal(text), &label)),
        }
    }

    fn time_filters(
        &self,
        query: &QueryObject,
        column: &DatasetColumn,
        removed: &[String],
    ) -> Result<Vec<Condition>> {
        let is_removed = |name: &str| removed.iter().any(|other| other == name);
        let mut conditions = Vec::new();
        let main = self.dataset.main_dttm_col.as_deref().filter(|name| !name.is_empty());
        if let Some(main) = main.and_then(|name| self.dataset.column(name))
            && self.dataset.always_filter_main_dttm
            && main.column_name != column.column_name
            && !is_removed(&main.column_name)
        {
            conditions.push(self.time_filter(main, query.from_dttm, query.to_dttm, None)?);
        }
        if !is_removed(&column.column_name) && !is_removed("__timestamp") {
            conditions.push(self.time_filter(column, query.from_dttm, query.to_dttm, None)?);
        }
        Ok(conditions)
    }

    fn clauses<'a>(
        &self,
        query: &QueryObject,
        has_granularity: bool,
        time_filters: Vec<Condition>,
        filters: &Filters,
        dttm_column: Option<&'a DatasetColumn>,
    ) -> Result<Clauses<'a>> {
        let mut conditions = filters.conditions.clone();
        let mut time_filters = time_filters;
        let rls = self.row_level_filters()?;
        let has_rls = !rls.is_empty();
        if has_rls {
            let all = conditions.iter_mut().chain(&mut time_filters);
            all.for_each(|condition| condition.keep_together(self.dialect));
        }
        conditions.extend(rls);
        let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(text) = text(&query.extras.where_) {
            // Superset leaves the text bare, so that `a OR b` escapes the row-level rules and all other filters.
            conditions.push(match self.condition_expression(&text)? {
                Condition::Written { bare, .. } if has_rls => Condition::Text(format!("({bare})")),
                written => written,
            });
        }
        let mut having = Vec::new();
        if let Some(text) = text(&query.extras.having) {
            having.push(self.condition_expression(&text)?);
        }
        let predicate =
            if query.apply_fetch_values_predicate { self.fetch_values_predicate(has_rls)? } else { None };
        Ok(Clauses { time_filters, filters: conditions, having, has_granularity, predicate, dttm_column })
    }

    fn fetch_values_predicate(&self, has_rls: bool) -> Result<Option<Condition>> {
        let Some(text) = self.dataset.fetch_values_predicate.as_deref().filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        let text = self.stored_expression(text)?;
        if !has_rls {
            return Ok(Some(Condition::Text(text)));
        }
        // it must not close the parenthesis that keeps it from the row-level rules
        crate::clause::sanitize_clause(&text, self.spec)?;
        Ok(Some(Condition::Text(format!("({text})"))))
    }

    /// Row-level rules of the dataset: rules of one group are alternatives.
    fn row_level_filters(&self) -> Result<Vec<Condition>> {
        let mut all = Vec::new();
        let mut groups: IndexMap<&str, Vec<Condition>> = IndexMap::new();
        for rule in &self.dataset.rls {
            let clause = self.cx.templates.render(&rule.clause).map_err(in_rule)?;
            let clause = Condition::Text(format!("({clause})"));
            match rule.group_key.as_deref().filter(|key| !key.is_empty()) {
                Some(key) => groups.entry(key).or_default().push(clause),
                None => all.push(clause),
            }
        }
        all.extend(groups.into_values().map(Condition::Or));
        Ok(all)
    }

    #[expect(clippy::too_many_arguments, reason = "the pieces of one statement")]
    fn render(
        &self,
        query: &QueryObject,
        shape: &Shape,
        ordering: &Ordering,
        clauses: &Clauses<'_>,
        main_metric: &Labeled,
        from: &From,
        prequeries: &mut Vec<String>,
    ) -> Result<String> {
        let mut select = Select::of(self.spec, &shape.selected, from.text.clone());
        select.nested = query.is_rowcount;
        select.group_by = shape.grouped.values().map(|labeled| labeled.group_text(self.spec)).collect();
        let mut criteria = clauses.filters.clone();
        if clauses.has_granularity {
            criteria.splice(0..0, clauses.time_filters.iter().cloned());
        }
        select.filters = clauses.predicate.iter().cloned().collect();
        if !criteria.is_empty() {
            select.filters.push(Condition::And(criteria));
        }
        select.having = (!clauses.having.is_empty()).then(|| Condition::And(clauses.having.clone()));
        let selected = Selected::new(&shape.selected);
        let order = |(item, ascending): &(Labeled, bool)| self.order_text(item, *ascending, &selected);
        select.order_by = ordering.items.iter().map(order).collect();
        select.limit = query.row_limit.filter(|limit| *limit != 0);
        select.offset = Some(query.row_offset).filter(|offset| *offset != 0);
        if query.series_limit == 0 || shape.series.is_empty() {
            return Ok(select.render());
        }
        let series = Series {
            columns: &shape.series,
            main_metric,
            conditions: &clauses.filters,
            dttm_column: clauses.dttm_column,
        };
        let others = query.group_others_when_limit_reached;
        // which lose the bounds
        let wrappers = if others { 0 } else { select.wrappers() };
        match self.series_limit(query, &series, &from.text, wrappers)? {
            Limit::Unknown => {}
            Limit::Join(text) => {
                select.from = text;
                if others {
                    self.sum_up_others(&mut select, shape, |name| self.is_kept(name));
                }
            }
            Limit::Groups(condition, sql) => {
                prequeries.push(sql);
                if others {
                    self.sum_up_others(&mut select, shape, |_| condition.clone());
                } else {
                    let text = condition.render(self.dialect);
                    let several = matches!(&condition, Condition::Or(groups) if groups.len() > 1);
                    select.filters.push(if several {
                        Condition::Text(format!("({text})"))
                    } else {
                        condition
                    });
                }
            }
        }
        Ok(select.render())
    }

    /// Rebuilds SELECT and GROUP BY with the other series under one name. The original loses ORDER BY and LIMIT here.
    fn sum_up_others(&self, select: &mut Select, shape: &Shape, kept: impl Fn(&str) -> Condition) {
        let rewritten = |labeled: &Labeled, name: &str| {
            if shape.series.contains_key(name) {
                self.or_others(labeled, kept(name))
            } else {
                labeled.clone()
            }
        };
        let columns: Vec<_> =
            shape.selected.iter().map(|labeled| rewritten(labeled, &labeled.name)).collect();
        select.set_columns(self.spec, &columns);
        select.group_by = shape
            .grouped
            .iter()
            .map(|(name, labeled)| rewritten(labeled, name).group_text(self.spec))
            .collect();
        select.order_by.clear();
        select.limit = None;
        select.offset = None;
    }

    fn row_count(&self, sql: &str) -> Result<String> {
        if !self.spec.caps.allows_subqueries {
            return Err(QueryError::validation("Database does not support subqueries"));
        }
        let count = self.label(Expr::Literal("COUNT(*)".into()), "rowcount");
        let from = self.dialect.subquery(sql, "rowcount_qry");
        Ok(Select::of(self.spec, [&count], from).render())
    }

    fn built(
        &self,
        query: &QueryObject,
        sql: String,
        labels_expected: Vec<String>,
        prequeries: Vec<String>,
        filters: Filters,
    ) -> BuiltQuery {
        let applied_template_filters = self.cx.templates.applied_filters();
        let in_template = |name: Option<&str>| {
            name.is_some_and(|name| applied_template_filters.iter().any(|other| other == name))
        };
        let is_column = |name: Option<&str>| name.is_some_and(|name| self.dataset.column(name).is_some());
        let columns = query.filter.iter().map(|filter| &filter.col);
        let columns = columns.filter(|col| crate::query_object::truthy(col) && !is_adhoc_column(col));
        let (mut applied, mut rejected): (Vec<Value>, Vec<Value>) =
            columns.cloned().partition(|col| is_column(col.as_str()) || in_template(col.as_str()));
        applied.extend(filters.applied_adhoc);
        rejected.extend(filters.rejected_adhoc);
        BuiltQuery {
            sql,
            labels_expected,
            prequeries,
            applied_filter_columns: applied,
            rejected_filter_columns: rejected,
            applied_template_filters,
        }
    }

    /// `values_for_column`.
    pub(super) fn distinct_values(&self, column: &str, limit: Option<i64>) -> Result<Option<String>> {
        let Some(column) = self.dataset.column(column) else { return Ok(None) };
        let from = self.source()?;
        let labeled = self.column(column, Some("column_values"))?;
        let mut select = Select::of(self.spec, [&labeled], from.text.clone());
        select.distinct = true;
        select.limit = limit.filter(|limit| *limit != 0);
        let rls = self.row_level_filters()?;
        select.filters.extend(self.fetch_values_predicate(!rls.is_empty())?);
        if !rls.is_empty() {
            select.filters.push(Condition::And(rls));
        }
        Ok(Some(from.with_prefix(select.render())))
    }
}

/// What is wrong with the template of a row-level rule.
fn in_rule(error: QueryError) -> QueryError {
    let text = match error {
        QueryError::Validation(text) => text,
        QueryError::Answer(infra::Error::Sip40 { status: 422, errors }) => {
            errors.into_iter().next().map(|e| e.message).unwrap_or_default()
        }
        other => return other,
    };
    QueryError::validation(format!("Error in jinja expression in RLS filters: {text}"))
}
