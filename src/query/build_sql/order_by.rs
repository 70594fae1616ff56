//! ORDER BY.

use regex::RegexBuilder;
use serde_json::Value;

use super::{
    Builder,
    expr::{Expr, Labeled},
};
use crate::{
    error::{QueryError, Result},
    python::str_of,
    query_object::is_adhoc_metric,
};

/// What the statement is ordered by.
#[derive(Debug, Default)]
pub(super) struct Ordering {
    /// Expressions with their direction.
    pub items: Vec<(Labeled, bool)>,
    /// One of them is a metric, so the query has to be grouped.
    pub by_metric: bool,
}

impl Builder<'_> {
    /// Resolves `orderby`: adhoc metrics, selected labels, saved metrics, columns.
    pub(super) fn ordering(&self, orderby: &[(Value, bool)], metrics: &[Labeled]) -> Result<Ordering> {
        let mut ordering = Ordering::default();
        for (item, ascending) in orderby {
            let labeled = match item {
                Value::Object(map) if is_adhoc_metric(item) => {
                    let mut map = map.clone();
                    if let Some(sql) =
                        map.get("sqlExpression").and_then(Value::as_str).filter(|sql| !sql.is_empty())
                    {
                        let sql = self.order_by_expression(sql)?;
                        map.insert("sqlExpression".into(), sql.into());
                    }
                    let labeled = self.adhoc_metric(&map, true)?;
                    ordering.by_metric = true;
                    // The same expression in SELECT lends its label.
                    metrics
                        .iter()
                        .rev()
                        .find(|metric| metric.expr == labeled.expr)
                        .cloned()
                        .unwrap_or(labeled)
                }
                Value::String(name) => {
                    if let Some(metric) = metrics.iter().rev().find(|metric| metric.key == *name) {
                        ordering.by_metric = true;
                        metric.clone()
                    } else if let Some(metric) = self.saved_metric(name)? {
                        ordering.by_metric = true;
                        metric
                    } else if let Some(column) = self.dataset.column(name) {
                        self.column(column, None)?
                    } else {
                        return Err(unknown(item));
                    }
                }
                other => return Err(unknown(other)),
            };
            ordering.items.push((labeled, *ascending));
        }
        Ok(ordering)
    }

    /// The text of one item, given what is selected.
    pub(super) fn order_text(&self, item: &Labeled, ascending: bool, selected: &[Labeled]) -> String {
        let caps = &self.spec.caps;
        let names_selected = selected.iter().any(|other| other.name == item.name);
        let text = if caps.allows_alias_in_select && caps.allows_hidden_cc_in_orderby && names_selected {
            self.dialect.quote(&item.name)
        } else if caps.allows_alias_in_orderby && item.aliased && self.is_selected(item, selected) {
            item.label_text(self.spec)
        } else {
            item.expr.render(self.dialect)
        };
        format!("{text} {}", if ascending { "ASC" } else { "DESC" })
    }

    /// SQLAlchemy writes the label only for the very expression that is selected under that label.
    fn is_selected(&self, item: &Labeled, selected: &[Labeled]) -> bool {
        self.spec.engine != "oracle"
            && selected.iter().any(|other| other.id == item.id && other.name == item.name && !other.renamed)
    }

    /// Renames labels that would hide a source column inside an ORDER BY function, on engines where they do
    /// (`make_orderby_compatible`).
    pub(super) fn avoid_hidden_columns(&self, selected: &mut [Labeled], ordering: &mut Ordering) {
        if self.spec.caps.allows_alias_to_source_column {
            return;
        }
        let texts: Vec<_> = ordering.items.iter().map(|(item, _)| item.expr.render(self.dialect)).collect();
        for labeled in selected.iter_mut().filter(|labeled| labeled.aliased) {
            let pattern = format!(r"\(.*\b{}\b.*\)", regex::escape(&labeled.name));
            let Ok(regex) = RegexBuilder::new(&pattern).case_insensitive(true).build() else { continue };
            if texts.iter().any(|text| regex.is_match(text)) {
                labeled.name += "__";
                labeled.renamed = true;
                for (item, _) in ordering.items.iter_mut().filter(|(item, _)| item.id == labeled.id) {
                    item.name.clone_from(&labeled.name);
                }
            }
        }
    }

    /// Labels and hidden ORDER BY expressions, on engines that want them selected.
    pub(super) fn with_hidden_order(&self, selected: &mut Vec<Labeled>, ordering: &Ordering) {
        if self.spec.caps.allows_hidden_orderby_agg {
            return;
        }
        for (item, _) in &ordering.items {
            if !selected.iter().any(|other| other.id == item.id) {
                selected.push(item.clone());
            }
        }
    }

    pub(super) fn label(&self, expr: Expr, label: &str) -> Labeled {
        self.labels.label(self.spec, expr, label)
    }
}

fn unknown(item: &Value) -> QueryError {
    QueryError::validation(format!("Unknown column used in orderby: {}", str_of(item)))
}
