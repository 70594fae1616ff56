//! `GET /api/v1/log/recent_activity/`: what the caller looked at lately (`superset.daos.log`).

use chrono::{Duration, Local, NaiveDateTime, Utc};
use infra::{
    db::{Executor, Sql},
    humanize,
    rison::{self, schema},
};
use serde_json::{Value, json};

use crate::{Answer, Cx, Handled, controllers::crud::computed::epoch_ms};

const ACTIONS: [&str; 2] = ["mount_explorer", "mount_dashboard"];
const MAX_PAGE_SIZE: i64 = 100;

pub(super) async fn recent_activity(cx: Cx) -> Handled {
    let args = rison::load(cx.req.arg("q"), &schema::RECENT_ACTIVITY)?;
    let int = |key: &str| args.get(key).and_then(Value::as_f64).map_or(0, |f| f as i64);
    let mut size = if int("page_size") == 0 { 20 } else { int("page_size") };
    if !(1..=MAX_PAGE_SIZE).contains(&size) {
        size = MAX_PAGE_SIZE;
    }
    let offset = int("page").max(0).saturating_mul(size);
    let distinct = args.get("distinct").and_then(Value::as_bool).unwrap_or(true);
    let given: Vec<&str> = args
        .get("actions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let actions = if given.is_empty() { ACTIONS.to_vec() } else { given };

    let db = cx.app.db.exec();
    let mut mine = Sql::new("logs.action = 'log' AND logs.user_id = ");
    mine.push_bind(cx.user.user_id()).push(" AND (");
    // the logged JSON is Python's, with a blank after the colon
    mine.push_joined(
        actions.iter().map(|a| Sql::new("logs.json LIKE ?").bind(format!("%\"event_name\": \"{a}\"%"))),
        " OR ",
    );
    mine.push(")");
    let mut sql = Sql::new(
        "SELECT l.action, l.dashboard_id, l.slice_id, l.dttm, d.slug, d.dashboard_title, s.slice_name FROM (",
    );
    if distinct {
        sql.push(
            "SELECT logs.action, logs.dashboard_id, logs.slice_id, max(logs.dttm) AS dttm FROM logs WHERE ",
        );
        sql.append(mine)
            .push(" AND logs.dttm > ")
            .push_bind(Local::now().naive_local() - Duration::days(365));
        sql.push(" AND (logs.dashboard_id IS NOT NULL OR logs.slice_id IS NOT NULL)");
        sql.push(" GROUP BY logs.dashboard_id, logs.slice_id, logs.action");
    } else {
        sql.push("SELECT logs.action, logs.dashboard_id, logs.slice_id, logs.dttm FROM logs WHERE ")
            .append(mine);
    }
    sql.push(") l LEFT JOIN dashboards d ON d.id = l.dashboard_id LEFT JOIN slices s ON s.id = l.slice_id");
    sql.push(" WHERE d.dashboard_title != '' OR s.slice_name != '' ORDER BY l.dttm DESC");
    sql.append(db.dialect().limit(Some(size), offset));

    let mut result = Vec::new();
    for row in db.query(sql).await? {
        let text = |column: &str| row.get::<Option<String>>(column);
        let (kind, url, title) =
            if let Some(id) = row.get::<Option<i64>>("dashboard_id")?.filter(|id| *id != 0) {
                let slug = text("slug")?.filter(|s| !s.is_empty()).unwrap_or_else(|| id.to_string());
                (Some("dashboard"), Some(format!("/superset/dashboard/{slug}/")), text("dashboard_title")?)
            } else if let Some(id) = row.get::<Option<i64>>("slice_id")?.filter(|id| *id != 0) {
                let name = text("slice_name")?.filter(|n| !n.is_empty()).unwrap_or_else(|| "<empty>".into());
                let url = format!("/explore/?slice_id={id}&form_data=%7B%22slice_id%22%3A%20{id}%7D");
                (Some("slice"), Some(url), Some(name))
            } else {
                (None, None, None)
            };
        let time = row.get::<Option<NaiveDateTime>>("dttm")?;
        result.push(json!({
            "action": text("action")?,
            "item_type": kind,
            "item_url": url,
            "item_title": title,
            "time": time.map(epoch_ms),
            "time_delta_humanized": time.map(|t| humanize::naturaltime(Utc::now().naive_utc() - t)),
        }));
    }
    Ok(Answer::fab(200, &json!({"result": result})))
}
