//! What a run of an alert or report reads and writes (`superset.daos.report`): the schedule, its recipients, its log.

use chrono::{Local, NaiveDateTime};
use infra::db::{DbError, Executor, FromValue, Sql, Value};
use uuid::Uuid;

use crate::{typed_row::row, write::Values};

row! {
    /// A row of `report_schedule` as a run needs it.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Schedule over "r" {
        pub id: i64,
        pub type_: String = "r.type",
        pub name: String,
        pub description: Option<String>,
        pub active: Option<bool>,
        pub report_format: Option<String>,
        pub sql: Option<String>,
        pub chart_id: Option<i64>,
        pub dashboard_id: Option<i64>,
        pub database_id: Option<i64>,
        pub last_eval_dttm: Option<NaiveDateTime>,
        pub last_state: Option<String>,
        pub last_value: Option<f64>,
        pub last_value_row_json: Option<String>,
        pub validator_type: Option<String>,
        pub validator_config_json: Option<String>,
        pub grace_period: Option<i64>,
        pub working_timeout: Option<i64>,
        pub force_screenshot: Option<bool>,
        pub custom_width: Option<i64>,
        pub custom_height: Option<i64>,
        pub extra_json: Option<String>,
        pub email_subject: Option<String>,
        pub created_by_fk: Option<i64>,
        pub changed_by_fk: Option<i64>,
    }
}

/// A row of `report_recipient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Primary key.
    pub id: i64,
    /// `Email`, `Slack` or `SlackV2`.
    pub kind: String,
    /// `recipient_config_json`.
    pub config: Option<String>,
}

/// A row of `report_execution_log` to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The schedule.
    pub schedule_id: i64,
    /// The run.
    pub execution: Uuid,
    /// When it was due, UTC.
    pub scheduled: NaiveDateTime,
    /// When it began, UTC.
    pub start: NaiveDateTime,
    /// Now, UTC.
    pub end: NaiveDateTime,
    /// What the alert's query returned, for an operator.
    pub value: Option<f64>,
    /// The same for `not null`.
    pub value_row_json: Option<String>,
    /// The state that was reached.
    pub state: &'static str,
    /// Why, if it is an error.
    pub error_message: Option<String>,
}

/// What a run asks of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last<'a> {
    /// The last success.
    Success,
    /// The last time that it began to work.
    Working,
    /// The last entry with this message.
    Message(&'a str),
    /// The last entry before a moment that is neither an error nor the beginning of work.
    OtherBefore(NaiveDateTime),
}

/// An alert or report by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Schedule>, DbError> {
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM report_schedule r WHERE r.id = ?", Schedule::COLUMNS);
    db.first(Sql::new(sql).bind(id)).await?.as_ref().map(Schedule::read).transpose()
}

/// Its recipients.
pub async fn recipients(db: &dyn Executor, id: i64) -> Result<Vec<Recipient>, DbError> {
    let sql = "SELECT id, type, recipient_config_json FROM report_recipient WHERE report_schedule_id = ? ORDER BY id";
    let rows = db.query(Sql::new(sql).bind(id)).await?;
    rows.iter().map(|r| Ok(Recipient { id: r.at(0)?, kind: r.at(1)?, config: r.at(2)? })).collect()
}

/// Gives a recipient another kind and address.
pub async fn set_recipient(
    db: &dyn Executor,
    recipient: &Recipient,
    user_id: Option<i64>,
) -> Result<(), DbError> {
    let values = vec![
        ("type", recipient.kind.as_str().into()),
        ("recipient_config_json", recipient.config.clone().into()),
        ("changed_on", Local::now().naive_local().into()),
        ("changed_by_fk", user_id.into()),
    ];
    db.update_row("report_recipient", recipient.id, values).await.map(drop)
}

/// Name and address of each of several users, in this order: owners in the order in which they were added.
pub async fn owners(db: &dyn Executor, id: i64) -> Result<Vec<(i64, String, Option<String>)>, DbError> {
    let sql = "SELECT u.id, u.username, u.email FROM ab_user u JOIN report_schedule_user o ON o.user_id = u.id \
               WHERE o.report_schedule_id = ? ORDER BY o.id";
    let rows = db.query(Sql::new(sql).bind(id)).await?;
    rows.iter().map(|r| Ok((r.at(0)?, r.at(1)?, r.at(2)?))).collect()
}

/// Writes a state, as somebody, if the state is still `before` where that is said; false if it is not, or the
/// schedule is gone.
pub async fn move_to(
    db: &dyn Executor,
    id: i64,
    before: Option<Option<&str>>,
    mut values: Values,
    user_id: Option<i64>,
) -> Result<bool, DbError> {
    values.push(("changed_on", Local::now().naive_local().into()));
    values.push(("changed_by_fk", user_id.into()));
    let mut sql = Sql::new("UPDATE report_schedule SET ");
    for (i, (column, value)) in values.into_iter().enumerate() {
        sql.push(if i > 0 { ", \"" } else { "\"" }).push(column).push("\" = ").push_bind(value);
    }
    sql.push(" WHERE id = ").push_bind(id);
    match before {
        Some(Some(state)) => drop(sql.push(" AND last_state = ").push_bind(state)),
        Some(None) => drop(sql.push(" AND last_state IS NULL")),
        None => {}
    }
    Ok(db.execute(sql).await? > 0)
}

/// Writes an entry of the log.
pub async fn insert_log(db: &dyn Executor, entry: Entry) -> Result<(), DbError> {
    let values: Vec<(&str, Value)> = vec![
        ("uuid", entry.execution.into()),
        ("scheduled_dttm", entry.scheduled.into()),
        ("start_dttm", entry.start.into()),
        ("end_dttm", entry.end.into()),
        ("value", entry.value.into()),
        ("value_row_json", entry.value_row_json.into()),
        ("state", entry.state.into()),
        ("error_message", entry.error_message.into()),
        ("report_schedule_id", entry.schedule_id.into()),
    ];
    db.insert_row("report_execution_log", values).await.map(drop)
}

/// When the last entry of a kind ended, UTC.
pub async fn last_end(db: &dyn Executor, id: i64, last: Last<'_>) -> Result<Option<NaiveDateTime>, DbError> {
    let mut sql = Sql::new("SELECT MAX(end_dttm) FROM report_execution_log WHERE report_schedule_id = ");
    sql.push_bind(id).push(" AND ");
    match last {
        Last::Success => sql.push("state = 'Success'"),
        Last::Working => sql.push("state = 'Working' AND error_message IS NULL"),
        Last::Message(text) => sql.push("error_message = ").push_bind(text),
        Last::OtherBefore(moment) => {
            sql.push("state NOT IN ('Error', 'Working') AND end_dttm < ").push_bind(moment)
        }
    };
    let found = db.first(sql).await?;
    let value: Option<Value> = found.map(|row| row.at::<Value>(0)).transpose()?;
    Ok(value.and_then(|v| NaiveDateTime::from_value(&v)))
}
