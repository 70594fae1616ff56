//! Handlers of single objects that the generic resources do not cover.

mod chart_writes;
mod charts;
mod dashboard_writes;
mod dashboards;
mod database_fields;
mod database_oauth2;
mod database_upload;
mod database_writes;
mod databases;
mod dataset_schema;
mod dataset_writes;
mod datasets;
mod datasource;
mod embedded;
mod explore;
mod favorites;
mod filter_state;
mod form_data;
mod permalinks;
mod recent_activity;
mod schema;
mod small;
mod tagged;

use serde_json::{Value, json};

use crate::{Answer, Cx, error::Failure, routes::Rule};

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [
        chart_writes::rules(),
        charts::rules(),
        dashboard_writes::rules(),
        dashboards::rules(),
        database_oauth2::rules(),
        database_upload::rules(),
        database_writes::rules(),
        databases::rules(),
        dataset_writes::rules(),
        datasets::rules(),
        datasource::rules(),
        embedded::rules(),
        explore::rules(),
        favorites::rules(),
        filter_state::rules(),
        form_data::rules(),
        permalinks::rules(),
        recent_activity::rules(),
        small::rules(),
        tagged::rules(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// 200 `{"result": …}`.
fn result(value: impl Into<Value>) -> Answer {
    Answer::fab(200, &json!({"result": value.into()}))
}

/// The JSON body behind `@requires_json` inside `@safe`: anything else than JSON is a 500 of the original.
fn json_body(cx: &Cx) -> Result<Value, Failure> {
    if !cx.req.is_json() {
        return Err(infra::Error::message(500, "Fatal error").into());
    }
    serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        infra::Error::bad_request(text).into()
    })
}

/// `_id` of the session, what temporary values of a browser are kept apart by.
fn session_id(cx: &Cx) -> Option<String> {
    cx.session.lock().values.get("_id").and_then(Value::as_str).map(str::to_owned)
}

/// An argument read with `type=int`: what is no integer counts as absent.
fn int_arg(cx: &Cx, name: &str) -> Option<i64> {
    cx.req.arg(name)?.trim().parse().ok()
}
