//! Rows of `logs` (`superset.models.core.Log`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql, Value};

/// A row to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What was done.
    pub action: String,
    /// By whom.
    pub user_id: Option<i64>,
    /// The request as JSON.
    pub json: Option<String>,
    /// When, UTC.
    pub dttm: NaiveDateTime,
    /// On which dashboard.
    pub dashboard_id: Option<i64>,
    /// On which chart.
    pub slice_id: Option<i64>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// From which page.
    pub referrer: Option<String>,
}

/// Writes all events in one statement; none for an empty list.
pub async fn insert(db: &dyn Executor, events: Vec<Event>) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(
        "INSERT INTO logs (action, user_id, json, dttm, dashboard_id, slice_id, duration_ms, referrer) VALUES ",
    );
    let rows = events.into_iter().map(|e| {
        let mut row = Sql::default();
        row.push_list::<Value>([
            e.action.into(),
            e.user_id.into(),
            e.json.into(),
            e.dttm.into(),
            e.dashboard_id.into(),
            e.slice_id.into(),
            e.duration_ms.into(),
            e.referrer.into(),
        ]);
        row
    });
    sql.push_joined(rows, ", ");
    db.execute(sql).await.map(drop)
}
