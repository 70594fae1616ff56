//! ORDER BY.

use std::collections::{HashMap, HashSet};

use infra::compute::check;
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

/// What is selected, by what it is looked for.
pub(super) struct Selected<'a> {
    names: HashSet<&'a str>,
    by_id: HashMap<usize, Vec<&'a Labeled>>,
}

impl<'a> Selected<'a> {
    pub fn new(selected: &'a [Labeled]) -> Self {
        let mut by_id: HashMap<usize, Vec<&Labeled>> = HashMap::new();
        for labeled in selected {
            by_id.entry(labeled.id).or_default().push(labeled);
        }
        Self { names: selected.iter().map(|labeled| labeled.name.as_str()).collect(), by_id }
    }
}

/// The words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !is_word(c)).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The word that a label begins with; none when letters are folded in more than one way.
fn words_of_label(name: &str) -> Option<String> {
    words(name).next().filter(|word| word.is_ascii())
}

impl Builder<'_> {
    /// Resolves `orderby`: adhoc metrics, selected labels, saved metrics, columns.
    pub(super) fn ordering(&self, orderby: &[(Value, bool)], metrics: &[Labeled]) -> Result<Ordering> {
        let mut ordering = Ordering::default();
        let mut by_key = HashMap::new();
        let mut by_text: HashMap<String, Vec<&Labeled>> = HashMap::new();
        if !orderby.is_empty() {
            for metric in metrics {
                // the last of several wins
                by_key.insert(metric.key.as_str(), metric);
                by_text.entry(metric.expr.render(self.dialect)).or_default().push(metric);
            }
        }
        for (item, ascending) in orderby {
            check()?;
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
                    let alike = by_text.get(&labeled.expr.render(self.dialect)).into_iter().flatten().rev();
                    let same = alike.into_iter().find(|metric| metric.expr == labeled.expr);
                    same.map_or(labeled, |metric| (*metric).clone())
                }
                Value::String(name) => {
                    if let Some(metric) = by_key.get(name.as_str()) {
                        ordering.by_metric = true;
                        (*metric).clone()
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
    pub(super) fn order_text(&self, item: &Labeled, ascending: bool, selected: &Selected<'_>) -> String {
        let caps = &self.spec.caps;
        let names_selected = selected.names.contains(item.name.as_str());
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
    fn is_selected(&self, item: &Labeled, selected: &Selected<'_>) -> bool {
        let mut same = selected.by_id.get(&item.id).into_iter().flatten();
        !self.spec.sql.orders_by_expression && same.any(|other| other.name == item.name && !other.renamed)
    }

    /// Renames labels that would hide a source column inside an ORDER BY function, on engines where they do
    /// (`make_orderby_compatible`).
    pub(super) fn avoid_hidden_columns(
        &self,
        selected: &mut [Labeled],
        ordering: &mut Ordering,
    ) -> Result<()> {
        if self.spec.caps.allows_alias_to_source_column {
            return Ok(());
        }
        let texts: Vec<_> = ordering.items.iter().map(|(item, _)| item.expr.render(self.dialect)).collect();
        // most labels occur nowhere: their first word tells so at once
        let words: HashSet<String> = texts.iter().flat_map(|text| words(text)).collect();
        for labeled in selected.iter_mut().filter(|labeled| labeled.aliased) {
            check()?;
            if words_of_label(&labeled.name).is_some_and(|first| !words.contains(&first)) {
                continue;
            }
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
        Ok(())
    }

    /// Labels and hidden ORDER BY expressions, on engines that want them selected.
    pub(super) fn with_hidden_order(&self, selected: &mut Vec<Labeled>, ordering: &Ordering) {
        if self.spec.caps.allows_hidden_orderby_agg {
            return;
        }
        let mut ids: HashSet<usize> = selected.iter().map(|other| other.id).collect();
        selected
            .extend(ordering.items.iter().filter(|(item, _)| ids.insert(item.id)).map(|(i, _)| i.clone()));
    }

    pub(super) fn label(&self, expr: Expr, label: &str) -> Labeled {
        self.labels.label(self.spec, expr, label)
    }
}

fn unknown(item: &Value) -> QueryError {
    QueryError::validation(format!("Unknown column used in orderby: {}", str_of(item)))
}
