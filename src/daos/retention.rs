//! Rows whose time is over (`superset.commands.logs.prune`, `superset.commands.sql_lab.query`,
//! `superset.commands.report.log_prune`): found in batches, and deleted by their keys.

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};

use crate::rows;

async fn ids(db: &dyn Executor, mut sql: Sql, most: i64) -> Result<Vec<i64>, DbError> {
    sql.push(" ORDER BY id").append(db.dialect().limit(Some(most), 0));
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// Rows of the event log that are older than a time.
pub async fn old_events(db: &dyn Executor, before: NaiveDateTime, most: i64) -> Result<Vec<i64>, DbError> {
    ids(db, Sql::new("SELECT id FROM logs WHERE dttm < ?").bind(before), most).await
}

/// Queries of SQL Lab that were last changed before a time.
pub async fn old_queries(db: &dyn Executor, before: NaiveDateTime, most: i64) -> Result<Vec<i64>, DbError> {
    ids(db, Sql::new("SELECT id FROM query WHERE changed_on < ?").bind(before), most).await
}

/// Rows of the log of an alert or report that ended before a time.
pub async fn old_runs(
    db: &dyn Executor,
    schedule: i64,
    before: NaiveDateTime,
    most: i64,
) -> Result<Vec<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM report_execution_log WHERE report_schedule_id = ? AND end_dttm < ?");
    ids(db, sql.bind(schedule).bind(before), most).await
}

/// Keys of the kept results of queries.
pub async fn results_of_queries(db: &dyn Executor, ids: &[i64]) -> Result<Vec<String>, DbError> {
    let mut sql = Sql::new("SELECT results_key FROM query WHERE results_key IS NOT NULL AND id IN ");
    sql.push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// Deletes queries; tabs of SQL Lab that showed one show none.
pub async fn delete_queries(db: &dyn Executor, ids: &[i64]) -> Result<u64, DbError> {
    let mut sql = Sql::new(
        "UPDATE tab_state SET latest_query_id = NULL WHERE latest_query_id IN \
         (SELECT client_id FROM query WHERE id IN ",
    );
    sql.push_list(ids.iter().copied()).push(")");
    db.execute(sql).await?;
    rows::delete_where(db, "query", "id", ids).await
}
