//! Ending a query (`QueryDAO.stop_query`).

use crate::connect;
use daos::{database, query};
use infra::{Error, Result, engine_specs::facts::Cancel};

use super::{now_ms, status};
use crate::Caller;

/// Stops a query of the caller's, here or in the process that runs it. One that is over stays as it is.
///
/// The original stops anybody's query; here somebody else's is not found unless all queries are granted.
pub async fn stop(caller: &Caller, client_id: &str) -> Result<()> {
    let db = caller.app.db.exec();
    let found = query::find_by_client_id(db, client_id).await?;
    let found = found
        .filter(|q| q.user_id.is_some() && q.user_id == caller.user.user_id() || caller.user.all_queries());
    let missing = || Error::message(404, format!("Query with client_id {client_id} not found"));
    let query = found.ok_or_else(missing)?;
    if matches!(query.status.as_deref(), Some(status::FAILED | status::SUCCESS | status::TIMED_OUT)) {
        return Ok(());
    }
    if !caller.app.sql_lab.running.stop(query.id) && !cancel_elsewhere(caller, &query).await? {
        return Err(Error::unprocessable("Could not cancel query"));
    }
    let values = vec![("status", status::STOPPED.into()), ("end_time", now_ms().into())];
    let open = [status::PENDING, status::RUNNING, "fetching", "scheduled"];
    query::update_in_state(db, query.id, &open, values).await?;
    Ok(())
}

/// Cancels a query that another process runs, by what that process noted (`cancel_query`).
async fn cancel_elsewhere(caller: &Caller, query: &query::Query) -> Result<bool> {
    let Some(database) = database::find(caller.app.db.exec(), query.database_id).await? else {
        return Ok(false);
    };
    match crate::connect::describe::engine(&database).sql.cancel {
        Cancel::Unable => Ok(false),
        Cancel::Implicit => Ok(true),
        Cancel::ByNumber => {
            let noted = query.extra().get("cancel_query").cloned().unwrap_or_default();
            let number = noted.as_i64().map(|n| n.to_string()).or_else(|| noted.as_str().map(str::to_owned));
            let Some(number) = number else { return Ok(false) };
            let engine = connect::engine_as(caller, &database, query.catalog.as_deref()).await?;
            Ok(engine.cancel(&number).await.unwrap_or(false))
        }
    }
}
