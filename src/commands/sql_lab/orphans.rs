//! Queries that a process left behind when it ended.

use daos::query;
use infra::{
    Result,
    db::Dialect,
    error::{ErrorType, SupersetError},
    json::dumps,
};
use serde_json::{Value, json};

use super::{now_ms, status};
use crate::{
    Services,
    state::processes::{Others, Process},
};

/// So long after a query has begun its process has surely said that it runs it, once it says anything; and so much do
/// clocks of several machines differ.
const KNOWN_AFTER_MS: f64 = 60_000.0;

/// Marks queries as failed whose process has ended: nobody waits for them any more. What another living process may be
/// running is left alone until that is known, so this is to be asked again and again. Returns how many there were.
pub async fn close_orphans(app: &Services) -> Result<usize> {
    let db = app.db.exec();
    let unfinished = query::unfinished(db, now_ms()).await?;
    if unfinished.is_empty() {
        return Ok(0);
    }
    // on SQLite there is one process
    let others = match db.dialect() {
        Dialect::Sqlite => Others::default(),
        _ => app.processes.others(&app.db).await?,
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
    let own_start = app.processes.since().timestamp_millis() as f64;
    let mut closed = 0;
    for (id, begun) in unfinished {
        if !app.sql_lab.running.contains(id) && is_orphan(id, begun, own_start, &others) {
            closed += usize::from(close(app, id).await?);
        }
    }
    Ok(closed)
}

fn is_orphan(id: i64, begun: f64, own_start: f64, others: &Others) -> bool {
    let runs = |process: &Process| process.queries().is_some_and(|ids| ids.contains(&id));
    let is_known_not_to_run = |process: &Process| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
        let listed_at = process.at.timestamp_millis() as f64;
        process.queries().is_some_and(|ids| !ids.contains(&id)) && listed_at >= begun + KNOWN_AFTER_MS
    };
    let is_of_a_dead_one = others.gone.iter().any(runs) && !others.alive.iter().any(runs);
    is_of_a_dead_one || (begun < own_start && others.alive.iter().all(is_known_not_to_run))
}

async fn close(app: &Services, id: i64) -> Result<bool> {
    let db = app.db.exec();
    let Some(row) = query::find(db, id).await? else { return Ok(false) };
    let text = "The server was restarted while the query was running. You need to run it again.";
    let error = SupersetError::new(ErrorType::AsyncWorkersError, text).to_json();
    let mut extra = row.extra();
    extra.insert("errors".into(), json!([error]));
    let values = vec![
        ("status", status::FAILED.into()),
        ("error_message", text.into()),
        ("end_time", now_ms().into()),
        ("extra_json", dumps(&Value::Object(extra)).into()),
    ];
    let open = [status::PENDING, status::RUNNING, "fetching"];
    Ok(query::update_in_state(db, id, &open, values).await?)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn process(at_ms: i64, live: Value) -> Process {
        let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap();
        Process { pid: 1, since: at, at, beat: 1, live }
    }

    #[test]
    fn a_query_of_a_living_process_is_no_orphan() {
        let (id, begun, own_start) = (7, 100_000.0, 200_000.0);
        let alive = |at, live| Others { alive: vec![process(at, live)], gone: Vec::new() };
        let is = |others: &Others| is_orphan(id, begun, own_start, others);
        assert!(is(&Others::default()), "nobody else is there");
        assert!(!is_orphan(id, 300_000.0, own_start, &Others::default()), "begun after this process");
        assert!(!is(&alive(190_000, json!({"queries": [7]}))), "it says so");
        assert!(!is(&alive(110_000, json!({"queries": []}))), "it has not had the time to say so");
        assert!(!is(&alive(190_000, json!({}))), "an older release does not say");
        assert!(is(&alive(190_000, json!({"queries": [8]}))));
        let gone = vec![process(110_000, json!({"queries": [7]}))];
        let others = Others { gone, ..alive(110_000, json!({"queries": []})) };
        assert!(is(&others) && is_orphan(id, begun, 50_000.0, &others), "whoever had it is gone");
    }
}
