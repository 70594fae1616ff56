//! Ending a query (`QueryDAO.stop_query`).

use std::sync::Arc;

use daos::{database, query};
use infra::{Error, Result, engines::QueryOptions};

use super::{now_ms, status};
use crate::{Principal, Services, databases};

/// Stops a query of the caller's, here or in the process that runs it. One that is over stays as it is.
///
/// The original stops anybody's query; here somebody else's is not found unless all queries are granted.
pub async fn stop(app: &Arc<Services>, user: &Arc<Principal>, client_id: &str) -> Result<()> {
    let db = app.db.exec();
    let found = query::find_by_client_id(db, client_id).await?;
    let found = found.filter(|q| q.user_id.is_some() && q.user_id == user.user_id() || user.all_queries());
    let missing = || Error::message(404, format!("Query with client_id {client_id} not found"));
    let query = found.ok_or_else(missing)?;
    if matches!(query.status.as_deref(), Some(status::FAILED | status::SUCCESS | status::TIMED_OUT)) {
        return Ok(());
    }
    if !app.sql_lab.running.stop(query.id) && !cancel_elsewhere(app, user, &query).await? {
        return Err(Error::unprocessable("Could not cancel query"));
    }
    let values = vec![("status", status::STOPPED.into()), ("end_time", now_ms().into())];
    let open = [status::PENDING, status::RUNNING, "fetching", "scheduled"];
    query::update_in_state(db, query.id, &open, values).await?;
    Ok(())
}

/// Cancels a query that another process runs, by what that process noted (`cancel_query`).
async fn cancel_elsewhere(app: &Services, user: &Principal, query: &query::Query) -> Result<bool> {
    let noted = query.extra().get("cancel_query").cloned().unwrap_or_default();
    if let Some(done) = cancel_by_number(app, user, query, &noted).await? {
        return Ok(done);
    }
    let Some(pid) = noted.as_i64().or_else(|| noted.as_str()?.parse().ok()) else { return Ok(false) };
    let Some(database) = database::find(app.db.exec(), query.database_id).await? else { return Ok(false) };
    let engine = databases::engine_as(app, user, &database, query.catalog.as_deref()).await?;
    let ask = async |sql: &str| engine.query(sql, &QueryOptions::default()).await;
    Ok(match crate::database::describe::engine(&database).engine.as_str() {
        "postgresql" => {
            let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid}");
            ask(&sql).await.is_ok_and(|found| found.row_count() > 0)
        }
        "mysql" | "mariadb" => ask(&format!("KILL CONNECTION {pid}")).await.is_ok(),
        _ => false,
    })
}

/// Cancels a query of an engine that numbers its statements; `None` for other engines.
async fn cancel_by_number(
    app: &Services,
    user: &Principal,
    query: &query::Query,
    noted: &serde_json::Value,
) -> Result<Option<bool>> {
    let Some(database) = database::find(app.db.exec(), query.database_id).await? else { return Ok(None) };
    match (crate::database::describe::engine(&database).engine.as_str(), noted.as_str()) {
        // whoever runs it sees the row's state with its next note, and gives up (`has_implicit_cancel`)
        ("presto", _) => Ok(Some(true)),
        ("trino", Some(number)) => {
            let engine = databases::engine_as(app, user, &database, query.catalog.as_deref()).await?;
            Ok(Some(engine.cancel(number).await.unwrap_or(false)))
        }
        _ => Ok(None),
    }
}
