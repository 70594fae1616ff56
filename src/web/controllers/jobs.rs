//! `/api/v1/jobs/`: what is scheduled, what runs, and what failed. liteset's own; for administrators.

use chrono::Utc;
use commands::jobs::overview;
use infra::Error;
use serde_json::json;

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    // the permission to read the event log, which administrators have; others who were given it see no jobs
    vec![rule(&["GET"], "/api/v1/jobs/", Access::Protect("can_read", "Log"), list)]
}

/// `{"result": {"reports", "tasks", "claimed", "processes", "live"}}`; `live` is what the answering process runs.
async fn list(cx: Cx) -> Handled {
    if !cx.caller.user.is_admin {
        return Err(Error::forbidden().into());
    }
    let found = overview::schedules(&cx.caller.app, Utc::now()).await?;
    let mut result = serde_json::to_value(found).map_err(Error::internal)?;
    if let Some(result) = result.as_object_mut() {
        let live = serde_json::to_value(overview::live(&cx.caller.app)).map_err(Error::internal)?;
        result.insert("live".to_owned(), live);
    }
    Ok(Answer::json(200, &json!({"result": result})))
}
