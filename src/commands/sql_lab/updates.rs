//! What became of the caller's queries (`QueryDAO.get_queries_changed_after`).

use daos::query;
use infra::Result;
use serde_json::{Value, json};

use super::describe;
use crate::Caller;

/// The caller's queries that changed since a time in milliseconds; their times are text here.
pub async fn changed_since(caller: &Caller, ms: f64) -> Result<Vec<Value>> {
    let Some(user_id) = caller.user.user_id() else { return Ok(Vec::new()) };
    let micros = if ms.is_finite() { (ms * 1000.0) as i64 } else { 0 };
    let since = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc();
    let found = query::changed_since(caller.app.db.exec(), user_id, since).await?;
    Ok(found
        .iter()
        .map(|query| {
            let mut shown = describe(&caller.app.config, query);
            for (key, time) in [("startDttm", query.start_time), ("endDttm", query.end_time)] {
                shown[key] = json!(time.map(|t| format!("{t:.6}")));
            }
            shown
        })
        .collect())
}
