//! Messages that the next page shows (`flask.flash`): a list in the session.

use serde_json::{Value, json};

use crate::Cx;

const KEY: &str = "_flashes";

/// Remembers a message; categories are those of the frontend's toasts: `danger`, `warning`, `info`, `success`.
pub fn add(cx: &Cx, category: &str, message: &str) {
    let mut session = cx.session.lock();
    // Flask tags tuples in its session JSON, and Superset may read this one when both take turns
    let entry = json!({" t": [category, message]});
    match session.values.get_mut(KEY) {
        Some(Value::Array(list)) => list.push(entry),
        _ => {
            session.values.insert(KEY.into(), json!([entry]));
        }
    }
    session.modified = true;
}

/// Whether a message waits for a page.
pub fn waits(cx: &Cx, message: &str) -> bool {
    let session = cx.session.lock();
    let waiting = session.values.get(KEY).and_then(Value::as_array).into_iter().flatten();
    waiting
        .map(|entry| entry.get(" t").unwrap_or(entry))
        .any(|entry| entry.get(1).is_some_and(|m| m == message))
}

/// Takes all messages out of the session, as `[category, message]`.
pub fn take(cx: &Cx) -> Value {
    let mut session = cx.session.lock();
    let Some(Value::Array(list)) = session.values.remove(KEY) else { return json!([]) };
    session.modified = true;
    list.into_iter().map(|entry| entry.get(" t").cloned().unwrap_or(entry)).collect()
}
