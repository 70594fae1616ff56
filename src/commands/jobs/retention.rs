//! What is removed when its time is over (`superset.commands.logs.prune`, `superset.commands.sql_lab.query`,
//! `superset.commands.report.log_prune`). Each batch is a transaction of its own: who is interrupted goes on the next
//! time.

use chrono::{NaiveDateTime, TimeDelta};
use daos::{key_value, report, retention, rows};
use infra::{Result, clock};

use crate::Services;

/// Rows of a batch: SQLite once took no more values in a statement.
const BATCH: i64 = 999;

/// The time before which everything is too old.
fn before(now: NaiveDateTime, days: i64) -> NaiveDateTime {
    let age = TimeDelta::try_days(days).and_then(|age| now.checked_sub_signed(age));
    age.unwrap_or(if days < 0 { NaiveDateTime::MAX } else { NaiveDateTime::MIN })
}

/// Deletes rows of the event log that are older than so many days, by the server's own time as in Superset; how many.
pub async fn prune_logs(app: &Services, days: i64) -> Result<u64> {
    let before = before(clock::now(), days);
    let mut deleted = 0;
    loop {
        let ids = retention::old_events(app.db.exec(), before, BATCH).await?;
        if ids.is_empty() {
            return Ok(deleted);
        }
        let tx = app.db.begin().await?;
        deleted += rows::delete_where(tx.exec(), "logs", "id", &ids).await?;
        tx.commit().await?;
    }
}

/// Deletes queries of SQL Lab that were last changed before so many days, and their results; how many.
pub async fn prune_queries(app: &Services, days: i64) -> Result<u64> {
    let before = before(clock::now(), days);
    let mut deleted = 0;
    loop {
        let ids = retention::old_queries(app.db.exec(), before, BATCH).await?;
        if ids.is_empty() {
            return Ok(deleted);
        }
        let results = retention::results_of_queries(app.db.exec(), &ids).await?;
        let tx = app.db.begin().await?;
        deleted += retention::delete_queries(tx.exec(), &ids).await?;
        tx.commit().await?;
        for key in results {
            app.sql_lab.results.remove(&key).await;
        }
    }
}

/// Deletes rows in the logs of alerts and reports that ended before the `log_retention` of each, active or not; how
/// many. Without a `log_retention` everything stays, and so does what has not ended.
pub async fn prune_report_logs(app: &Services) -> Result<u64> {
    let now = clock::utc_now();
    let mut deleted = 0;
    for schedule in report::all_scheduled(app.db.exec()).await? {
        let Some(days) = schedule.log_retention else { continue };
        let before = before(now, days);
        loop {
            let ids = retention::old_runs(app.db.exec(), schedule.id, before, BATCH).await?;
            if ids.is_empty() {
                break;
            }
            let tx = app.db.begin().await?;
            deleted += rows::delete_where(tx.exec(), "report_execution_log", "id", &ids).await?;
            tx.commit().await?;
        }
    }
    Ok(deleted)
}

/// Deletes what has expired in the key-value store: caches, locks, claims and log-ins that are over; how many.
pub async fn prune_expired(app: &Services) -> Result<u64> {
    let now = clock::now();
    let mut deleted = 0;
    loop {
        let ids = key_value::expired_ids(app.db.exec(), now, BATCH).await?;
        if ids.is_empty() {
            return Ok(deleted);
        }
        let tx = app.db.begin().await?;
        deleted += rows::delete_where(tx.exec(), "key_value", "id", &ids).await?;
        tx.commit().await?;
    }
}
