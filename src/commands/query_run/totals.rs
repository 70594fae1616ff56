//! Totals for contributions (`ensure_totals_available`): a query without columns tells them to its siblings.

use infra::engines::column::ColumnData;
use query::{QueryError, frame::Frame, query_object::QueryObject};
use serde_json::{Map, Value, json};

use super::SqlContext;

/// Puts the totals into the options of every `contribution`, when one of the queries asks for totals.
pub async fn provide(sql: &SqlContext, queries: &mut [QueryObject]) -> Result<(), QueryError> {
    let Some(query) = wanted(queries) else { return Ok(()) };
    let fetched = sql.fetch(&query).await?;
    let mut frame = fetched.frame;
    if !frame.is_empty() {
        sql.normalize(&mut frame, &query)?;
    }
    fill(queries, &frame);
    Ok(())
}

/// The query that tells the totals, where a contribution is among the queries. It is no longer limited.
pub fn wanted(queries: &mut [QueryObject]) -> Option<QueryObject> {
    if !queries.iter().any(|q| q.post_processing.iter().any(is_contribution)) {
        return None;
    }
    let asks_totals = |q: &&mut QueryObject| {
        q.columns.is_empty()
            && q.metrics.as_ref().is_some_and(|m| !m.is_empty())
            && q.post_processing.is_empty()
    };
    let query = queries.iter_mut().find(asks_totals)?;
    query.row_limit = None;
    Some(query.clone())
}

fn is_contribution(step: &Value) -> bool {
    step.get("operation").and_then(Value::as_str) == Some("contribution")
}

/// Puts the totals of a frame into the options of every `contribution`.
pub fn fill(queries: &mut [QueryObject], frame: &Frame) {
    let mut totals = Map::new();
    for column in &frame.columns {
        let Some(name) = column.label.text() else { continue };
        let total = match &column.data {
            // integers with nulls are objects to pandas, and left out
            ColumnData::Int(v) if v.iter().all(Option::is_some) => {
                json!(v.iter().flatten().fold(0_i64, |a, b| a.wrapping_add(*b)))
            }
            ColumnData::Float(v) => json!(v.iter().flatten().filter(|f| !f.is_nan()).sum::<f64>()),
            ColumnData::Bool(v) if v.iter().all(Option::is_some) => {
                json!(v.iter().flatten().filter(|b| **b).count())
            }
            _ => continue,
        };
        totals.insert(name.to_owned(), total);
    }
    for step in queries.iter_mut().flat_map(|q| &mut q.post_processing) {
        if is_contribution(step)
            && let Some(options) = step.get_mut("options").and_then(Value::as_object_mut)
        {
            options.insert("contribution_totals".to_owned(), Value::Object(totals.clone()));
        }
    }
}
