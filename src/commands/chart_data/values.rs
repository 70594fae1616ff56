//! The distinct values of a column, for filters (`SqlaTable.values_for_column`).

use std::sync::Arc;

use infra::{Error, Result, engines::column::Scalar};
use query::{QueryError, encode::json::write_scalar, frame::Frame};

use crate::query_run::{Clock, LoadedDataset, SqlContext, TemplateScope};
use crate::{
    Caller,
    access::{guest, objects},
};

/// The values as a JSON array.
pub async fn column_values(caller: &Caller, dataset_id: i64, column: &str) -> Result<Vec<u8>> {
    let missing = || Error::message(404, "Datasource does not exist");
    let dataset = LoadedDataset::find(caller, dataset_id).await?.ok_or_else(missing)?;
    // this endpoint tells only the sentence
    objects::raise_for_dataset(caller, &dataset.row, None).await.map_err(|e| match e {
        Error::Sip40 { status, errors } => {
            Error::message(status, errors.first().map_or(String::new(), |e| e.message.clone()))
        }
        other => other,
    })?;
    guest::raise_for_values(caller, &dataset.description, column).await?;
    let scope = Arc::new(TemplateScope::new(&serde_json::Value::Null, &[]));
    let sql = SqlContext {
        caller: caller.clone(),
        dataset,
        clock: Clock::new(&caller.app.config),
        scope,
        memory: None,
    };
    let most = caller.app.config.int("SQL_MAX_ROW").filter(|n| *n > 0);
    let limit = match (caller.app.config.int("FILTER_SELECT_ROW_LIMIT"), most) {
        (Some(limit), Some(most)) if limit > 0 => Some(limit.min(most)),
        (Some(limit), None) if limit > 0 => Some(limit),
        (_, most) => most,
    };
    let text = sql.distinct_values(column, limit).await.map_err(QueryError::into_answer)?;
    let text = text.ok_or_else(|| Error::bad_request(format!("Column name {column} does not exist")))?;
    let found = sql.rows(&text).await.map_err(QueryError::into_answer)?;
    let found = found.map_err(|e| QueryError::generic(e.with_statement(&text)).into_answer())?;
    let frame = Frame::from(found);
    let mut out = b"[".to_vec();
    if let Some(values) = frame.columns.first() {
        for row in 0..values.data.len() {
            if row > 0 {
                out.extend_from_slice(b", ");
            }
            match values.data.get(row) {
                // Flask writes days as HTTP does
                Scalar::Date(day) => {
                    out.extend_from_slice(day.format("\"%a, %d %b %Y 00:00:00 GMT\"").to_string().as_bytes());
                }
                value => write_scalar(&mut out, &value),
            }
        }
    }
    out.push(b']');
    Ok(out)
}
