//! The event log (`superset.utils.log:DBEventLogger`): a row of `logs` for every call that Superset logs.
//!
//! Which calls those are, and under which names, stands in `event_log_actions.tsv`: method, rule, action, and the
//! function of the original when it differs. Rows are written by a task of their own, those of a moment at a time: the
//! original lets every request wait for its row.

use std::{collections::HashMap, sync::Arc, sync::LazyLock, time::Duration};

use chrono::Utc;
use commands::Services;
use commands::event_log::Event;
use infra::{Error, json::dumps};
use serde_json::{Map, Value};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    Cx, Handled,
    context::Req,
    error::BAD_REQUEST,
    routes::{Access, Rule, rule},
};

/// Events that may wait; when the database is that far behind, further ones are dropped and counted.
const QUEUE: usize = 8192;
/// How long rows are gathered. Each transaction makes every connection to a SQLite file forget the pages that it holds.
const GATHERED: Duration = Duration::from_millis(100);
/// Rows of one statement.
const BATCH: usize = 200;
/// Events of one request (`explode`).
const MAX_RECORDS: usize = 1000;
/// Longer documents are left out of their row.
const MAX_JSON: usize = 1 << 20;
/// How long a shutdown waits for the last rows.
const FLUSH: Duration = Duration::from_secs(5);

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

struct Action {
    name: &'static str,
    /// `Class.method` of the original; empty where it logs none.
    object_ref: &'static str,
}

impl Action {
    /// One of the generic functions that get the key of the path by its place, so that the log does not see it.
    fn is_headless(&self) -> bool {
        self.object_ref.is_empty()
    }
}

static ACTIONS: LazyLock<HashMap<(&'static str, String), Action>> = LazyLock::new(|| {
    let lines = include_str!("event_log_actions.tsv").lines();
    lines
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let (method, rule, name) = (columns.next()?, columns.next()?, columns.next()?);
            Some(((method, anonymous(rule)), Action { name, object_ref: columns.next().unwrap_or(name) }))
        })
        .collect()
});

/// A rule without the names of its placeholders: `/api/v1/chart/<>`.
pub(crate) fn anonymous(rule: &str) -> String {
    let mut out = String::with_capacity(rule.len());
    let mut inside = false;
    for c in rule.chars() {
        match c {
            '<' => {
                inside = true;
                out.push(c);
            }
            '>' => {
                inside = false;
                out.push(c);
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

enum Message {
    Events(Vec<Event>),
    Flush(oneshot::Sender<()>),
}

/// The writing end; cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    queue: mpsc::Sender<Message>,
    /// Somebody waits for the rows, or there are many.
    hurry: Arc<Notify>,
}

impl EventLog {
    /// Starts the task that writes; it ends when the last clone is dropped.
    pub fn start(app: Arc<Services>) -> Self {
        let (queue, mut messages) = mpsc::channel::<Message>(QUEUE);
        let hurry = Arc::new(Notify::new());
        let hurried = hurry.clone();
        tokio::spawn(async move {
            while let Some(first) = messages.recv().await {
                let _ = tokio::time::timeout(GATHERED, hurried.notified()).await;
                let (mut events, mut waiting) = (Vec::new(), Vec::new());
                let mut next = Some(first);
                while let Some(message) = next {
                    match message {
                        Message::Events(more) => events.extend(more),
                        Message::Flush(done) => waiting.push(done),
                    }
                    next = if events.len() < BATCH { messages.try_recv().ok() } else { None };
                }
                while !events.is_empty() {
                    let rest = events.split_off(events.len().min(BATCH));
                    write(&app, std::mem::replace(&mut events, rest)).await;
                }
                for done in waiting {
                    let _ = done.send(());
                }
            }
        });
        Self { queue, hurry }
    }

    /// Notes a call that was answered; never waits and never fails.
    pub fn record(&self, cx: &Cx, rule: &Rule, answered: &Handled, duration: Duration) {
        let method = if cx.req.method == "HEAD" { "GET" } else { cx.req.method.as_str() };
        let Some(action) = action_of(method, rule) else { return };
        if answered.as_ref().is_err_and(|failure| !is_logged(&failure.0, action)) {
            return;
        }
        let events = events(cx, rule, action, duration);
        if self.queue.try_send(Message::Events(events)).is_err() {
            tracing::warn!(action = action.name, "event log is behind: an event is dropped");
        }
        if self.queue.capacity() < QUEUE - BATCH {
            self.hurry.notify_one();
        }
    }

    /// Waits until everything noted so far is written, but not for ever.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            self.hurry.notify_one();
            let _ = tokio::time::timeout(FLUSH, written).await;
        }
    }
}

fn action_of(method: &str, rule: &Rule) -> Option<&'static Action> {
    let method = *METHODS.iter().find(|m| **m == method)?;
    ACTIONS.get(&(method, anonymous(&rule.rule)))
}

/// The function of the original that answers a rule, as `Class.method`; none where Superset logs no call of it.
pub(crate) fn function_of(method: &str, rule: &Rule) -> Option<&'static str> {
    let method = if method == "HEAD" { "GET" } else { method };
    let action = action_of(method, rule)?;
    let function = if action.object_ref.is_empty() { action.name } else { action.object_ref };
    function.contains('.').then_some(function)
}

/// Whether the original logs a call that is refused so. What its function returns is logged, what it raises is not,
/// except where the log stands around the function that catches it (`…_headless`). `q` is judged before either, and a
/// body that is no JSON is raised.
fn is_logged(error: &Error, action: &Action) -> bool {
    let Error::Message { status, message } = error else { return action.is_headless() };
    let raised = message.as_str().is_some_and(|text| {
        text.starts_with("Not a valid rison") || text == BAD_REQUEST || text == "Request is not JSON"
    });
    !raised && matches!(status, 400 | 403 | 404 | 409 | 422)
}

async fn write(app: &Services, events: Vec<Event>) {
    let number = events.len();
    if let Err(error) = commands::event_log::write(app, events).await {
        tracing::error!(%error, number, "events could not be logged");
    }
}

fn events(cx: &Cx, rule: &Rule, action: &Action, duration: Duration) -> Vec<Event> {
    let payload = payload(&cx.req, rule, action);
    let form_data = payload.get("form_data");
    let dashboard_id = whole(payload.get("dashboard_id"));
    let slice_id = match form_data {
        Some(form_data) => whole(form_data.get("slice_id")),
        None => whole(payload.get("slice_id")),
    };
    let exploded =
        payload.get("explode").and_then(Value::as_str).and_then(|field| payload.get(field)?.as_str());
    let records = match exploded.and_then(|text| serde_json::from_str::<Vec<Map<String, Value>>>(text).ok()) {
        Some(records) => records,
        None => vec![payload],
    };
    let referrer =
        cx.req.header("referer").filter(|r| !r.is_empty()).map(|r| r.chars().take(1000).collect::<String>());
    let duration_ms = i64::try_from(duration.as_millis()).ok();
    let dttm = Utc::now().naive_utc();
    records
        .into_iter()
        .take(MAX_RECORDS)
        .map(|record| Event {
            action: action.name.to_owned(),
            user_id: cx.caller.user.user_id(),
            dashboard_id: dashboard_id.or_else(|| whole(record.get("dashboard_id"))),
            slice_id: slice_id.or_else(|| whole(record.get("slice_id"))),
            json: Some(dumps(&Value::Object(record))).filter(|json| json.len() <= MAX_JSON),
            dttm,
            duration_ms,
            referrer: referrer.clone(),
        })
        .collect()
}

/// `collect_request_payload`, and the placeholders of the rule.
fn payload(req: &Req, rule: &Rule, action: &Action) -> Map<String, Value> {
    let mut payload = Map::new();
    payload.insert("path".into(), req.path.clone().into());
    for (name, value) in req.form.iter().rev().chain(req.args.iter().rev()) {
        payload.insert(name.clone(), value.clone().into());
    }
    if req.is_json()
        && req.body.len() <= MAX_JSON
        && let Ok(Value::Object(body)) = serde_json::from_slice(&req.body)
    {
        payload.extend(body);
    }
    if rule.rule != req.path {
        payload.insert("url_rule".into(), rule.rule.clone().into());
    }
    if !action.is_headless() {
        payload.insert("object_ref".into(), action.object_ref.into());
        for (name, value) in &req.params {
            let value = if rule.rule.contains(&format!("<int:{name}>")) {
                value.parse::<i64>().map_or_else(|_| value.clone().into(), Value::from)
            } else {
                value.clone().into()
            };
            payload.insert((*name).to_owned(), value);
        }
    }
    let read =
        action.is_headless() && [".get", ".get_list", ".info"].iter().any(|f| action.name.ends_with(f));
    match payload.get("q").and_then(Value::as_str).filter(|q| !q.is_empty()) {
        Some(q) => payload.extend(infra::rison::parse(q).ok().map(|q| ("rison".to_owned(), q))),
        None if read => drop(payload.insert("rison".into(), Value::Object(Map::new()))),
        None => {}
    }
    if let Some(Value::String(text)) = payload.get("form_data")
        && let Ok(form_data @ Value::Object(_)) = serde_json::from_str(text)
    {
        payload.insert("form_data".into(), form_data);
    }
    for (key, value) in &mut payload {
        redact(key, value);
    }
    payload
}

/// The original stores passwords and connection strings of logged calls as they were sent; nobody needs them here.
fn redact(key: &str, value: &mut Value) {
    const SECRETS: [&str; 13] = [
        "password",
        "conf_password",
        "sqlalchemy_uri",
        "encrypted_extra",
        "masked_encrypted_extra",
        "server_cert",
        "private_key",
        "private_key_password",
        "credentials_info",
        "access_token",
        "refresh_token",
        "guest_token",
        "csrf_token",
    ];
    if SECRETS.contains(&key) || key.ends_with("passwords") || key.ends_with("private_keys") {
        *value = "XXXXXXXXXX".into();
        return;
    }
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| redact(key, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| redact("", item)),
        _ => {}
    }
}

/// Superset's `to_int`, with 0 as nothing.
fn whole(value: Option<&Value>) -> Option<i64> {
    let number = match value? {
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    // the columns hold 32 bits
    number.filter(|n| *n != 0 && i32::try_from(*n).is_ok())
}

/// The rule by which the frontend reports what people do.
pub fn rules() -> Vec<Rule> {
    let log = |_: Cx| async { Ok(crate::Answer::html(200, "")) };
    let access = Access::Page("can_log", "Superset");
    vec![rule(&["POST"], "/superset/log/", access, log).csrf_exempt().endpoint("Superset.log")]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn a_rule(text: &str) -> Rule {
        rule(&["GET"], text, Access::Open, |_: Cx| async { Ok(crate::Answer::html(200, "")) })
    }

    #[test]
    fn actions_are_found_by_rule() {
        let action =
            |method: &'static str, rule: &str| ACTIONS.get(&(method, anonymous(rule))).map(|a| a.name);
        assert_eq!(action("GET", "/api/v1/chart/<whatever>"), Some("ChartRestApi.get"));
        assert_eq!(action("POST", "/superset/log/"), Some("log"));
        assert_eq!(action("GET", "/health"), None);
    }

    #[test]
    fn payloads() {
        let req = Req {
            path: "/api/v1/database/7".into(),
            args: vec![("q".into(), "(a:1)".into())],
            params: HashMap::from([("pk", "7".to_owned())]),
            headers: vec![("content-type".into(), "application/json".into())],
            body: r#"{"sqlalchemy_uri": "x://u:secret@h", "ssh_tunnel": {"password": "secret"}, "n": 1}"#
                .into(),
            ..Req::default()
        };
        let action = |object_ref| Action { name: "A.get", object_ref };
        let got = Value::Object(payload(&req, &a_rule("/api/v1/database/<int:pk>"), &action("A.b")));
        let mut want = json!({
            "path": "/api/v1/database/7", "q": "(a:1)", "url_rule": "/api/v1/database/<int:pk>", "rison": {"a": 1},
            "pk": 7, "n": 1, "object_ref": "A.b", "sqlalchemy_uri": "XXXXXXXXXX",
            "ssh_tunnel": {"password": "XXXXXXXXXX"},
        });
        assert_eq!(got, want);
        let headless = Value::Object(payload(&req, &a_rule("/api/v1/database/<int:pk>"), &action("")));
        for key in ["pk", "object_ref"] {
            want.as_object_mut().unwrap().shift_remove(key);
        }
        assert_eq!(headless, want);
    }

    #[test]
    fn refusals_that_are_returned_are_logged() {
        let logged = |error: &Error, object_ref| is_logged(error, &Action { name: "A.b", object_ref });
        for error in [Error::not_found(), Error::forbidden(), Error::unprocessable("no")] {
            assert!(logged(&error, "A.b") && logged(&error, ""), "{error}");
        }
        let raised = Error::Legacy { status: 400, error: "Invalid order by column: x".into() };
        assert!(logged(&raised, "") && !logged(&raised, "A.b"));
        for text in ["Not a valid rison/json argument", BAD_REQUEST] {
            assert!(!logged(&Error::bad_request(text), "") && !logged(&Error::bad_request(text), "A.b"));
        }
    }

    #[test]
    fn ids_are_small_numbers() {
        let whole = |v: Value| super::whole(Some(&v));
        assert_eq!(whole(json!("12")), Some(12));
        assert_eq!(whole(json!(0)), None);
        assert_eq!(whole(json!("x")), None);
        assert_eq!(whole(json!(99_999_999_999_i64)), None);
    }
}
