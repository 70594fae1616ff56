//! Alerts and reports (`superset.reports.models`, `superset.daos.report`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::{
    Error,
    db::{DbError, Executor, Sql},
};
use uuid::Uuid;

use crate::rows;

/// An alert or report as far as the scheduler needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduled {
    /// Its key.
    pub id: i64,
    /// `Alert` or `Report`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// When it fires.
    pub crontab: String,
    /// In which zone that is meant.
    pub timezone: String,
    /// Whether the scheduler runs it.
    pub active: bool,
    /// Seconds that a run may take.
    pub working_timeout: Option<i64>,
    /// What became of its last run.
    pub last_state: Option<String>,
    /// When its last run was, UTC.
    pub last_eval: Option<NaiveDateTime>,
    /// When it was made, in the time of the server that made it.
    pub created_on: Option<NaiveDateTime>,
    /// Days for which its log is kept.
    pub log_retention: Option<i64>,
}

/// All alerts and reports, active or not, by their keys.
pub async fn all_scheduled(db: &dyn Executor) -> Result<Vec<Scheduled>, DbError> {
    let sql = "SELECT id, type, name, crontab, timezone, active, working_timeout, last_state, last_eval_dttm, \
               created_on, log_retention FROM report_schedule ORDER BY id";
    let read = |r: &infra::db::Row| {
        Ok(Scheduled {
            id: r.at(0)?,
            kind: r.at(1)?,
            name: r.at(2)?,
            crontab: r.at(3)?,
            timezone: r.at(4)?,
            active: r.at::<Option<bool>>(5)?.unwrap_or_default(),
            working_timeout: r.at(6)?,
            last_state: r.at(7)?,
            last_eval: r.at(8)?,
            created_on: r.at(9)?,
            log_retention: r.at(10)?,
        })
    };
    db.query(Sql::new(sql)).await?.iter().map(read).collect()
}

/// Schedules and instants of which a run was logged, of those due after an instant (UTC); rows that say that nobody ran
/// them begin with `missed`.
pub async fn logged_since(
    db: &dyn Executor,
    after: NaiveDateTime,
    missed: &str,
) -> Result<Vec<(i64, NaiveDateTime)>, DbError> {
    let sql = Sql::new(
        "SELECT DISTINCT report_schedule_id, scheduled_dttm FROM report_execution_log WHERE scheduled_dttm > ? \
         AND (error_message IS NULL OR error_message NOT LIKE ?)",
    );
    db.query(sql.bind(after).bind(format!("{missed}%")))
        .await?
        .iter()
        .map(|r| Ok((r.at(0)?, r.at(1)?)))
        .collect()
}

/// What the newest row of the log with a message says, by alert or report; the marker that owners were told is none.
pub async fn last_errors(db: &dyn Executor) -> Result<HashMap<i64, String>, DbError> {
    let sql = "SELECT report_schedule_id, error_message FROM report_execution_log WHERE id IN \
               (SELECT MAX(id) FROM report_execution_log WHERE error_message IS NOT NULL \
               AND error_message <> 'Notification sent with error' GROUP BY report_schedule_id)";
    db.query(Sql::new(sql)).await?.iter().map(|r| Ok((r.at(0)?, r.at(1)?))).collect()
}

/// A row of the log for a run that is over, or that never was; times are UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry<'a> {
    /// Which alert or report.
    pub schedule: i64,
    /// Its execution.
    pub execution: Uuid,
    /// When it was due.
    pub scheduled: NaiveDateTime,
    /// Now.
    pub now: NaiveDateTime,
    /// `Error` and the like.
    pub state: &'a str,
    /// What there is to say.
    pub message: &'a str,
}

/// Writes a row of the log; the state of the alert or report is left alone.
pub async fn log(db: &dyn Executor, entry: &LogEntry<'_>) -> Result<(), DbError> {
    let values = vec![
        ("uuid", entry.execution.into()),
        ("scheduled_dttm", entry.scheduled.into()),
        ("start_dttm", entry.now.into()),
        ("end_dttm", entry.now.into()),
        ("state", entry.state.into()),
        ("error_message", entry.message.into()),
        ("report_schedule_id", entry.schedule.into()),
    ];
    db.insert_row("report_execution_log", values).await.map(drop)
}

/// An execution has come to an end that it has logged.
pub async fn has_ended(db: &dyn Executor, execution: Uuid) -> Result<bool, DbError> {
    let mut sql =
        Sql::new("SELECT id FROM report_execution_log WHERE uuid = ? AND state <> 'Working'").bind(execution);
    sql.append(db.dialect().limit(Some(1), 0));
    Ok(db.first(sql).await?.is_some())
}

/// Takes an alert or report out of the state `Working` if an execution that is gone has put it there; false when it is
/// in another one, or somebody else's run put it there.
pub async fn leave_working(
    db: &dyn Executor,
    id: i64,
    execution: Uuid,
    state: Option<&str>,
) -> Result<bool, DbError> {
    let mut newest = Sql::new(
        "SELECT uuid FROM report_execution_log WHERE report_schedule_id = ? AND state = 'Working' \
         AND error_message IS NULL ORDER BY id DESC",
    )
    .bind(id);
    newest.append(db.dialect().limit(Some(1), 0));
    let row = db.first(newest).await?;
    if row.map(|row| row.at::<Option<Uuid>>(0)).transpose()?.flatten() != Some(execution) {
        return Ok(false);
    }
    let sql = Sql::new("UPDATE report_schedule SET last_state = ? WHERE id = ? AND last_state = 'Working'");
    Ok(db.execute(sql.bind(state).bind(id)).await? > 0)
}

/// A stored alert or report as far as a change needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `Alert` or `Report`.
    pub kind: String,
    /// Name; unique within its kind.
    pub name: String,
    /// When it runs.
    pub crontab: String,
    /// What became of its last run.
    pub last_state: Option<String>,
}

/// An alert or report, if a condition over the alias `r` lets it through.
pub async fn find_where(
    db: &dyn Executor,
    id: i64,
    condition: Option<Sql>,
) -> Result<Option<Report>, DbError> {
    let sql = "SELECT r.type, r.name, r.crontab, r.last_state FROM report_schedule r WHERE r.id = ?";
    let mut sql = Sql::new(sql).bind(id);
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    let read = |r: infra::db::Row| {
        Ok(Report { kind: r.at(0)?, name: r.at(1)?, crontab: r.at(2)?, last_state: r.at(3)? })
    };
    db.first(sql).await?.map(read).transpose()
}

/// The alert or report of a name.
pub async fn id_by_name(db: &dyn Executor, kind: &str, name: &str) -> Result<Option<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM report_schedule WHERE name = ? AND type = ?").bind(name).bind(kind);
    db.first(sql).await?.map(|r| r.at(0)).transpose()
}

/// A user has made a report of a chart, of a dashboard, or with neither given, any.
pub async fn has_any(
    db: &dyn Executor,
    user_id: Option<i64>,
    chart_id: Option<i64>,
    dashboard_id: Option<i64>,
) -> Result<bool, DbError> {
    let mut sql = Sql::new("SELECT id FROM report_schedule WHERE created_by_fk = ");
    sql.push_bind(user_id);
    for (column, id) in [("dashboard_id", dashboard_id), ("chart_id", chart_id)] {
        if let Some(id) = id {
            sql.push(&format!(" AND {column} = ")).push_bind(id);
        }
    }
    Ok(db.first(sql).await?.is_some())
}

/// Names of the alerts and reports of some objects; `column` is `chart_id`, `dashboard_id` or `database_id`.
pub async fn names_using(
    db: &dyn Executor,
    column: &'static str,
    ids: &[i64],
) -> Result<Vec<String>, DbError> {
    let mut sql = Sql::new(format!("SELECT name FROM report_schedule WHERE {column} IN "));
    sql.push_list(ids.iter().copied()).push(" ORDER BY id");
    db.query(sql).await?.iter().map(|r| r.at(0)).collect()
}

/// Switches off the alerts and reports that show a tab of a dashboard.
pub async fn deactivate_of_tab(db: &dyn Executor, tab: &str) -> Result<(), DbError> {
    let sql = Sql::new("UPDATE report_schedule SET active = ? WHERE extra_json LIKE ?");
    db.execute(sql.bind(false).bind(format!("%{tab}%"))).await.map(drop)
}

/// Those of `ids` that are alerts or reports which a condition over the alias `r` lets through.
pub async fn existing(db: &dyn Executor, ids: &[i64], condition: Option<Sql>) -> Result<Vec<i64>, DbError> {
    rows::existing_where(db, ("report_schedule", "r"), ids, condition).await
}

/// Deletes alerts and reports with what belongs to them.
pub async fn delete(db: &dyn Executor, ids: &[i64]) -> Result<(), Error> {
    for table in ["report_recipient", "report_execution_log", "report_schedule_user"] {
        rows::delete_where(db, table, "report_schedule_id", ids).await?;
    }
    rows::delete(db, "report_schedule", ids).await
}
