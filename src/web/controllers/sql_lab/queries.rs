//! What became of queries: `/api/v1/query/updated_since` and `/api/v1/query/stop`.

use commands::sql_lab::{changed_since, stop};
use infra::{Error, rison, rison::Schema};
use serde_json::{Value, json};

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
    schemas::validate::json_body,
};

pub(super) fn rules() -> Vec<Rule> {
    let access = Access::Protect("can_read", "Query");
    vec![
        rule(&["GET"], "/api/v1/query/updated_since", access, updated_since)
            .endpoint("QueryRestApi.get_updated_since"),
        rule(&["POST"], "/api/v1/query/stop", access, post_stop).endpoint("QueryRestApi.stop_query"),
    ]
}

static SINCE: Schema = Schema {
    required: &["last_updated_ms"],
    ..Schema::object(&[("last_updated_ms", Schema::of_types(&["number"]))])
};

async fn updated_since(cx: Cx) -> Handled {
    let q = rison::load(cx.req.arg("q"), &SINCE)?;
    let since = q.get("last_updated_ms").and_then(Value::as_f64).unwrap_or_default();
    Ok(Answer::fab(200, &json!({"result": changed_since(&cx.caller, since).await?})))
}

async fn post_stop(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    // whatever the schema refuses is an unexpected error of the original
    let id = body.as_object().filter(|o| o.keys().all(|k| k == "client_id")).and_then(|o| o.get("client_id"));
    let id = id.and_then(Value::as_str).ok_or_else(|| Error::message(500, "Fatal error"))?;
    stop::stop(&cx.caller, id).await?;
    Ok(Answer::fab(200, &json!({"result": "OK"})))
}
