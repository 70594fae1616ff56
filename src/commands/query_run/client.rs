//! Answers of type `post_processed`: the table as the browser would show it (`apply_client_processing`).

use std::collections::HashMap;

use infra::config::Config;
use query::{
    QueryError,
    client_processing::{Processed, from_records, process, read_csv},
    encode::csv::to_csv,
    frame::FrameError,
    query_object::ResultFormat,
};
use serde_json::Value;

use super::{
    column_hint as hint,
    payload::{Answer, ChartData, Rows, with_verbose_names},
};

impl ChartData {
    /// Replaces the rows of every query by what its chart shows. Takes a while.
    pub fn process(&mut self, config: &Config) -> Result<(), QueryError> {
        let Some(form_data) = self.form_data.as_ref().and_then(Value::as_object) else { return Ok(()) };
        let viz_type = form_data.get("viz_type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(viz_type, "pivot_table_v2" | "table") {
            return Ok(());
        }
        let description = self.dataset.description.clone();
        let names = description.columns.iter().map(|c| c.column_name.as_str());
        let names = names.chain(description.metrics.iter().map(|m| m.metric_name.as_str()));
        let verbose: HashMap<String, String> = names
            .chain(["__timestamp"])
            .map(|name| (name.to_owned(), description.verbose_name(name).to_owned()))
            .collect();
        for query in &mut self.queries {
            let Answer::Rows(rows) = query else {
                // answers without rows have no format that could be looked at
                return Err(QueryError::generic("'result_format'"));
            };
            if rows.run.error.is_some() {
                return Err(QueryError::generic("'result_format'"));
            }
            let table = match self.result_format {
                ResultFormat::Json => from_records(&rows.run.frame),
                ResultFormat::Csv => {
                    let text = exported(rows, config)?;
                    if text.trim().is_empty() {
                        continue;
                    }
                    read_csv(text.trim())
                }
                ResultFormat::Xlsx => {
                    let text = "cannot access local variable 'df' where it is not associated with a value";
                    return Err(QueryError::generic(text));
                }
            };
            let hints = |label: &str| hint(&description, label);
            rows.processed = process(table, form_data, &verbose, hints).map_err(unexpected)?.map(Box::new);
        }
        Ok(())
    }
}

fn exported(rows: &Rows, config: &Config) -> Result<String, QueryError> {
    let frame = with_verbose_names(rows);
    let text = to_csv(&frame, &crate::query_run::payload::csv_options(&frame, config))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Nothing that goes wrong here is expected.
fn unexpected(error: FrameError) -> QueryError {
    match error {
        FrameError::Stopped(why) => why.into(),
        other => QueryError::generic(other.to_string()),
    }
}

/// The processed table of a file; its JSON is for the answer.
pub(crate) fn json(processed: &Processed) -> Result<Vec<u8>, QueryError> {
    processed.json().map_err(unexpected)
}
