//! Checks of a query object before it is executed (`QueryObject.validate`).

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{Column, QueryObject};
use crate::{
    dataset::Dataset,
    error::{QueryError, Result},
    python::str_of,
};

/// Renders the template of a WHERE or HAVING text.
pub type Sanitizer<'a> = dyn Fn(&str) -> Result<String> + 'a;

impl QueryObject {
    /// Refuses series outside the columns, labels used twice and disabled comparisons; rewrites `extras.where` and
    /// `extras.having` to their parsed form. `render` renders templates; it is used even where templates are disabled.
    pub fn validate(
        &mut self,
        dataset: &Dataset,
        date_range_offsets: bool,
        render: &Sanitizer<'_>,
    ) -> Result<()> {
        self.check_series()?;
        self.check_labels(dataset)?;
        self.check_time_offsets(date_range_offsets)?;
        self.sanitize_clauses(dataset, render)
    }

    fn check_series(&self) -> Result<()> {
        let mut known: HashMap<Option<String>, Vec<&Column>> = HashMap::new();
        for column in &self.columns {
            known.entry(column.label()).or_default().push(column);
        }
        let is_known =
            |column: &Column| known.get(&column.label()).is_some_and(|same| same.contains(&column));
        let missing = self.series_columns.iter().filter(|column| !is_known(column));
        let missing: Vec<_> = missing.map(|column| format!("\"{}\"", str_of(&column.to_json()))).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(QueryError::validation(format!(
            "The following entries in `series_columns` are missing in `columns`: {}. ",
            missing.join(", ")
        )))
    }

    fn check_labels(&self, dataset: &Dataset) -> Result<()> {
        let metrics = self.metrics.iter().flatten().map(|metric| metric.label(Some(dataset)));
        let columns = self.columns.iter().map(Column::label);
        let mut labels = Vec::new();
        for label in metrics.chain(columns) {
            let label = label.ok_or_else(|| QueryError::generic("Missing label"))?;
            if !label.is_empty() {
                labels.push(label);
            }
        }
        // Counter keeps the order of first appearance.
        let mut counts: IndexMap<&str, usize> = IndexMap::new();
        for label in &labels {
            *counts.entry(label).or_default() += 1;
        }
        counts.retain(|_, count| *count > 1);
        if counts.is_empty() {
            return Ok(());
        }
        let quoted: Vec<_> = counts.keys().map(|label| format!("\"{label}\"")).collect();
        Err(QueryError::validation(format!(
            "Duplicate column/metric labels: {}. Please make sure all columns and metrics have a unique label.",
            quoted.join(", ")
        )))
    }

    fn check_time_offsets(&self, enabled: bool) -> Result<()> {
        if enabled || !self.time_offsets.iter().any(|offset| is_date_range(offset)) {
            return Ok(());
        }
        Err(QueryError::validation(
            "Date range timeshifts are not enabled. Please contact your administrator to enable the \
             DATE_RANGE_TIMESHIFTS_ENABLED feature flag.",
        ))
    }

    fn sanitize_clauses(&mut self, dataset: &Dataset, render: &Sanitizer<'_>) -> Result<()> {
        for clause in [&mut self.extras.where_, &mut self.extras.having] {
            if let Some(text) = clause.as_deref().filter(|text| !text.is_empty()) {
                let rendered = render(text)?;
                let sanitized = crate::clause::sanitize_clause(&rendered, dataset.engine)?;
                // A template whose first rendering needs no change is rendered again, with the query around it.
                if sanitized != rendered {
                    *clause = Some(sanitized);
                }
            }
        }
        Ok(())
    }
}

/// Whether a time offset is `YYYY-MM-DD : YYYY-MM-DD`.
fn is_date_range(text: &str) -> bool {
    let date = |text: &str| chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").is_ok();
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [from, to] => date(from) && date(to),
        _ => false,
    }
}
