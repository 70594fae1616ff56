//! Events of queries in the background (`superset.async_events.api:AsyncEventsRestApi`).

use commands::async_query;
use infra::Error;
use serde_json::json;

use crate::{
    Answer, Cx, Handled,
    guards::async_token,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    let may = Access::Protect("can_list", "AsyncEventsRestApi");
    vec![rule(&["GET"], "/api/v1/async_event/", may, events).endpoint("AsyncEventsRestApi.events")]
}

/// What has happened on the caller's channel after `last_id`. Without the feature the original fails.
async fn events(cx: Cx) -> Handled {
    if !cx.caller.app.config.flag("GLOBAL_ASYNC_QUERIES") {
        return Err(Error::internal("asynchronous queries are off").into());
    }
    let channel = async_token::channel(&cx).ok_or_else(unauthorized)?;
    let events = async_query::events(&cx.caller.app, &channel, cx.req.arg("last_id")).await?;
    Ok(Answer::fab(200, &json!({ "result": events })))
}

/// `response_401`.
pub(super) fn unauthorized() -> Error {
    Error::message(401, "Not authorized")
}
