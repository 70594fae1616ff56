//! Queries that a process left behind when it ended.

use daos::query;
use infra::{Result, error::SupersetError, json::dumps};
use serde_json::{Value, json};

use super::{now_ms, status};
use crate::Services;

/// Marks queries as failed that were under way when the process before this one ended: nobody waits for them any more.
/// Returns how many there were.
pub async fn close_orphans(app: &Services) -> Result<usize> {
    let db = app.db.exec();
    let mut closed = 0;
    for id in query::unfinished(db, now_ms()).await? {
        if app.sql_lab.running.contains(id) {
            continue;
        }
        let Some(row) = query::find(db, id).await? else { continue };
        let text = "The server was restarted while the query was running. You need to run it again.";
        let error = SupersetError::new("ASYNC_WORKERS_ERROR", text).to_json();
        let mut extra = row.extra();
        extra.insert("errors".into(), json!([error]));
        let values = vec![
            ("status", status::FAILED.into()),
            ("error_message", text.into()),
            ("end_time", now_ms().into()),
            ("extra_json", dumps(&Value::Object(extra)).into()),
        ];
        let open = [status::PENDING, status::RUNNING, "fetching"];
        closed += usize::from(query::update_in_state(db, id, &open, values).await?);
    }
    Ok(closed)
}
