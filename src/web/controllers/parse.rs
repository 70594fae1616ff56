//! What handlers read of a request and answer alike.

use commands::access::guest;
use infra::Error;
use serde_json::{Value, json};

use crate::{Answer, Cx, error::Failure};

/// 200 `{"result": …}`.
pub(super) fn result(value: impl Into<Value>) -> Answer {
    Answer::fab(200, &json!({"result": value.into()}))
}

/// The JSON body behind `@requires_json` inside `@safe`: anything else than JSON is a 500 of the original.
pub(super) fn json_body(cx: &Cx) -> Result<Value, Failure> {
    if !cx.req.is_json() {
        return Err(infra::Error::message(500, "Fatal error").into());
    }
    serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        infra::Error::bad_request(text).into()
    })
}

/// `_id` of the session, what temporary values of a browser are kept apart by.
pub(super) fn session_id(cx: &Cx) -> Option<String> {
    cx.session.lock().values.get("_id").and_then(Value::as_str).map(str::to_owned)
}

/// An argument read with `type=int`: what is no integer counts as absent.
pub(super) fn int_arg(cx: &Cx, name: &str) -> Option<i64> {
    cx.req.arg(name)?.trim().parse().ok()
}

/// An error on its way to the caller: guests see no SQL.
pub(super) fn failure_for(cx: &Cx, error: Error) -> Failure {
    let is_guest = cx.caller.guest().is_some();
    Failure(if is_guest { guest::error_without_sql(error) } else { error })
}
