//! Rows of `logs` (`superset.models.core.Log`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql, Value};

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

/// What a user has looked at.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Activity {
    pub dttm: NaiveDateTime,
    pub dashboard_id: Option<i64>,
    pub slice_id: Option<i64>,
    pub slug: Option<String>,
    pub dashboard_title: Option<String>,
    pub slice_name: Option<String>,
}

/// Which activities are wanted.
#[derive(Debug, Clone)]
pub struct ActivityQuery<'a> {
    /// Whose.
    pub user_id: i64,
    /// Names of events.
    pub actions: &'a [&'a str],
    /// Only the last on each object, since this time.
    pub distinct_since: Option<NaiveDateTime>,
    /// Rows of the page.
    pub limit: i64,
    /// Rows before the page.
    pub offset: i64,
}

/// A page of what a user has looked at, newest first.
pub async fn activities(db: &dyn Executor, query: &ActivityQuery<'_>) -> Result<Vec<Activity>, DbError> {
    let mut sql =
        Sql::new("SELECT l.dttm, l.dashboard_id, l.slice_id, b.slug, b.dashboard_title, s.slice_name FROM ");
    if let Some(since) = query.distinct_since {
        sql.push("(SELECT dashboard_id, slice_id, action, MAX(dttm) AS dttm FROM logs WHERE ");
        own_events(&mut sql, query);
        sql.push(" AND dttm > ").push_bind(since);
        sql.push(" AND (dashboard_id IS NOT NULL OR slice_id IS NOT NULL) GROUP BY dashboard_id, slice_id, action)");
    } else {
        sql.push("(SELECT dashboard_id, slice_id, dttm FROM logs WHERE ");
        own_events(&mut sql, query);
        sql.push(")");
    }
    sql.push(" l LEFT JOIN dashboards b ON b.id = l.dashboard_id LEFT JOIN slices s ON s.id = l.slice_id");
    sql.push(" WHERE (b.dashboard_title <> '' OR s.slice_name <> '') ORDER BY l.dttm DESC");
    sql.append(db.dialect().limit(Some(query.limit), query.offset));
    let read = |row: &Row| {
        Ok(Activity {
            dttm: row.at(0)?,
            dashboard_id: row.at(1)?,
            slice_id: row.at(2)?,
            slug: row.at(3)?,
            dashboard_title: row.at(4)?,
            slice_name: row.at(5)?,
        })
    };
    db.query(sql).await?.iter().map(read).collect()
}

fn own_events(sql: &mut Sql, query: &ActivityQuery<'_>) {
    sql.push("action = 'log' AND user_id = ").push_bind(query.user_id).push(" AND (1 = 0");
    for action in query.actions {
        sql.push(" OR json LIKE ").push_bind(format!("%\"event_name\": \"{action}\"%"));
    }
    sql.push(")");
}
