//! `GET /api/v1/log/recent_activity/` (`superset.views.log.api`, `superset.daos.log`).

use commands::{
    chart::describe::slice_url,
    event_log::{Activity, recent_activity},
};
use infra::{clock, rison::Schema};
use serde_json::{Value, json};

use crate::controllers::parse::result;
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/api/v1/log/recent_activity/", Access::Protect("can_recent_activity", "Log"), get)
            .endpoint("LogRestApi.recent_activity"),
    ]
}

static QUERY: Schema = Schema::object(&[
    ("page", Schema::of_types(&["number"])),
    ("page_size", Schema::of_types(&["number"])),
    ("actions", Schema::array(&Schema::of_types(&["string"]))),
    ("distinct", Schema::of_types(&["boolean"])),
]);

/// More names of events than any page asks for are not looked at.
const MAX_ACTIONS: usize = 20;

async fn get(cx: Cx) -> Handled {
    let q = infra::rison::load(cx.req.arg("q"), &QUERY)?;
    let number = |key: &str| q.get(key).and_then(Value::as_f64).map(|f| f as i64);
    let page = number("page").unwrap_or_default().max(0);
    let page_size = match number("page_size").unwrap_or_default() {
        0 => 20,
        n if (1..=100).contains(&n) => n,
        _ => 100,
    };
    let actions: Vec<&str> = match q.get("actions").and_then(Value::as_array) {
        Some(list) => list.iter().filter_map(Value::as_str).take(MAX_ACTIONS).collect(),
        None => vec!["mount_explorer", "mount_dashboard"],
    };
    let distinct = q.get("distinct").and_then(Value::as_bool).unwrap_or(true);
    let seen = recent_activity(&cx.caller, &actions, distinct, (page, page_size)).await?;
    Ok(result(seen.into_iter().map(item).collect::<Value>()))
}

fn item(seen: Activity) -> Value {
    let known = |id: Option<i64>| id.filter(|id| *id != 0);
    let (kind, url, title) = match (known(seen.dashboard_id), known(seen.slice_id)) {
        (Some(id), _) => {
            let name = seen.slug.filter(|s| !s.is_empty()).unwrap_or_else(|| id.to_string());
            let url = format!("/superset/dashboard/{name}/");
            (json!("dashboard"), json!(url), json!(seen.dashboard_title))
        }
        (None, Some(id)) => {
            let name = seen.slice_name.filter(|n| !n.is_empty()).unwrap_or_else(|| "<empty>".to_owned());
            (json!("slice"), json!(slice_url(id)), json!(name))
        }
        _ => (Value::Null, Value::Null, Value::Null),
    };
    json!({
        "action": "log",
        "item_type": kind,
        "item_url": url,
        "item_title": title,
        "time": seen.dttm.and_utc().timestamp_micros() as f64 / 1000.0,
        "time_delta_humanized": clock::naturaltime(seen.dttm, clock::utc_now()),
    })
}
