//! `GET /api/v1/log/recent_activity/` (`superset.views.log.api`, `superset.daos.log`).

use chrono::{Local, NaiveDateTime, TimeDelta};
use commands::chart::describe::slice_url;
use infra::{
    clock,
    db::{Row, Sql},
    rison::Schema,
};
use serde_json::{Value, json};

use super::result;
use crate::{
    Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/api/v1/log/recent_activity/", Access::Protect("can_recent_activity", "Log"), get)
            .endpoint("LogRestApi.recent_activity"),
    ]
}

static QUERY: Schema = Schema::object(&[
    ("page", Schema::of(&["number"])),
    ("page_size", Schema::of(&["number"])),
    ("actions", Schema::array(&Schema::of(&["string"]))),
    ("distinct", Schema::of(&["boolean"])),
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
    let Some(user_id) = cx.user.user_id() else { return Ok(result(json!([]))) };

    let mut sql =
        Sql::new("SELECT l.dttm, l.dashboard_id, l.slice_id, b.slug, b.dashboard_title, s.slice_name FROM ");
    if distinct {
        sql.push("(SELECT dashboard_id, slice_id, action, MAX(dttm) AS dttm FROM logs WHERE ");
        own_events(&mut sql, user_id, &actions);
        sql.push(" AND dttm > ").push_bind(Local::now().naive_local() - TimeDelta::days(365));
        sql.push(" AND (dashboard_id IS NOT NULL OR slice_id IS NOT NULL) GROUP BY dashboard_id, slice_id, action)");
    } else {
        sql.push("(SELECT dashboard_id, slice_id, dttm FROM logs WHERE ");
        own_events(&mut sql, user_id, &actions);
        sql.push(")");
    }
    sql.push(" l LEFT JOIN dashboards b ON b.id = l.dashboard_id LEFT JOIN slices s ON s.id = l.slice_id");
    sql.push(" WHERE (b.dashboard_title <> '' OR s.slice_name <> '') ORDER BY l.dttm DESC");
    sql.append(cx.app.db.exec().dialect().limit(Some(page_size), page.saturating_mul(page_size)));
    let rows = cx.app.db.exec().query(sql).await?;
    Ok(result(rows.iter().map(item).collect::<Result<Value, Failure>>()?))
}

fn own_events(sql: &mut Sql, user_id: i64, actions: &[&str]) {
    sql.push("action = 'log' AND user_id = ").push_bind(user_id).push(" AND (1 = 0");
    for action in actions {
        sql.push(" OR json LIKE ").push_bind(format!("%\"event_name\": \"{action}\"%"));
    }
    sql.push(")");
}

fn item(row: &Row) -> Result<Value, Failure> {
    let dttm: NaiveDateTime = row.at(0)?;
    let (dashboard, chart): (Option<i64>, Option<i64>) = (row.at(1)?, row.at(2)?);
    let (kind, url, title) = match (dashboard.filter(|id| *id != 0), chart.filter(|id| *id != 0)) {
        (Some(id), _) => {
            let slug: Option<String> = row.at(3)?;
            let name = slug.filter(|s| !s.is_empty()).unwrap_or_else(|| id.to_string());
            let title: Option<String> = row.at(4)?;
            (json!("dashboard"), json!(format!("/superset/dashboard/{name}/")), json!(title))
        }
        (None, Some(id)) => {
            let name: Option<String> = row.at(5)?;
            let name = name.filter(|n| !n.is_empty()).unwrap_or_else(|| "<empty>".to_owned());
            (json!("slice"), json!(slice_url(id)), json!(name))
        }
        _ => (Value::Null, Value::Null, Value::Null),
    };
    Ok(json!({
        "action": "log",
        "item_type": kind,
        "item_url": url,
        "item_title": title,
        "time": dttm.and_utc().timestamp_micros() as f64 / 1000.0,
        "time_delta_humanized": clock::naturaltime(dttm, clock::utc_now()),
    }))
}
