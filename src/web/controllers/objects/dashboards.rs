//! Reading a dashboard: itself, its charts, datasets, tabs and embedding (`superset.dashboards.api`).

use std::collections::HashSet;

use commands::{
    access::Principal,
    chart::describe::{entity, md5_hex, person},
    dashboard::{find::by_id_or_slug, tabs::tabs},
    dataset::{describe, trim::data_for_charts},
};
use daos::{
    chart::{self, Chart},
    dashboard::{self, Dashboard},
    embedded::{self, Embedded},
    person::{Owned, Person, find_many, owners},
    tag,
};
use infra::{Error, clock, db::Sql};
use serde_json::{Map, Value, json};

use super::result;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let read = Access::Protect("can_read", "Dashboard");
    vec![
        rule(&["GET"], "/api/v1/dashboard/<id_or_slug>", read, get).endpoint("DashboardRestApi.get"),
        rule(&["GET"], "/api/v1/dashboard/<id_or_slug>/charts", read, charts)
            .endpoint("DashboardRestApi.get_charts"),
        rule(&["GET"], "/api/v1/dashboard/<id_or_slug>/datasets", read, datasets)
            .endpoint("DashboardRestApi.get_datasets"),
        rule(&["GET"], "/api/v1/dashboard/<id_or_slug>/tabs", read, get_tabs)
            .endpoint("DashboardRestApi.get_tabs"),
        rule(&["GET"], "/api/v1/dashboard/<id_or_slug>/embedded", read, get_embedded)
            .endpoint("DashboardRestApi.get_embedded"),
    ]
}

/// The dashboard of the address, if the caller may open it.
pub(super) async fn of_path(cx: &Cx) -> Result<Dashboard, Failure> {
    Ok(by_id_or_slug(&cx.app, &cx.user, cx.req.param("id_or_slug")).await?)
}

async fn get(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    let db = cx.app.db.exec();
    let charts = chart::of_dashboard(db, board.id).await?;
    let owners = owners(db, Owned::Dashboard, &[board.id]).await?.remove(&board.id).unwrap_or_default();
    let roles = dashboard::roles(db, board.id).await?;
    let tags = tag::of_object(db, "dashboard", board.id).await?;
    let ids: Vec<i64> = [board.created_by_fk, board.changed_by_fk].into_iter().flatten().collect();
    let people = find_many(db, &ids).await?;
    let by = |id: Option<i64>| id.and_then(|id| people.get(&id));
    let theme = match board.theme_id {
        Some(id) => {
            let sql = Sql::new("SELECT id, theme_name, json_data FROM themes WHERE id = ?").bind(id);
            match db.first(sql).await? {
                Some(r) => {
                    let (name, data): (Option<String>, Option<String>) = (r.at(1)?, r.at(2)?);
                    json!({"id": id, "theme_name": name, "json_data": data})
                }
                None => Value::Null,
            }
        }
        None => Value::Null,
    };
    let now = clock::now();
    let names: Vec<&str> = charts.iter().map(chart_name).collect();
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("id", json!(board.id));
    put("slug", json!(board.slug));
    put("url", json!(board.url()));
    put("dashboard_title", json!(board.dashboard_title));
    put("thumbnail_url", json!(thumbnail_url(&board, &names, &cx.user)));
    put("published", json!(board.published));
    put("css", json!(board.css));
    put("theme", theme);
    put("json_metadata", json!(board.json_metadata));
    put("position_json", json!(board.position_json));
    put("certified_by", json!(board.certified_by));
    put("certification_details", json!(board.certification_details));
    put("changed_on", json!(board.changed_on.map(clock::isoformat)));
    put("created_by", json!(by(board.created_by_fk).map(person)));
    put("charts", json!(names));
    put("roles", roles.iter().map(|(id, name)| json!({"id": id, "name": name})).collect());
    put("tags", tags.iter().map(|t| json!({"id": t.id, "name": t.name, "type": t.kind_number()})).collect());
    put("changed_on_delta_humanized", json!(board.changed_on.map(|t| clock::naturaltime(t, now))));
    put("created_on_delta_humanized", json!(board.created_on.map(|t| clock::naturaltime(t, now))));
    put("is_managed_externally", json!(board.is_managed_externally));
    put("uuid", json!(board.uuid.map(|u| u.to_string())));
    // guests do not learn who works here
    if cx.user.guest_if_enabled(&cx.app.config).is_none() {
        put("owners", owners.iter().map(person).collect());
        put("changed_by", json!(by(board.changed_by_fk).map(person)));
        put("changed_by_name", json!(by(board.changed_by_fk).map(Person::full_name).unwrap_or_default()));
    }
    Ok(result(Value::Object(out)))
}

fn chart_name(chart: &Chart) -> &str {
    chart.slice_name.as_deref().filter(|n| !n.is_empty()).unwrap_or("<empty>")
}

/// Address of the dashboard's image; it changes with the dashboard and with who looks.
fn thumbnail_url(board: &Dashboard, charts: &[&str], user: &Principal) -> Option<String> {
    let executor = &user.user.as_ref()?.username;
    let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "None".to_owned());
    let digest = md5_hex(&format!(
        "{}\n{charts:?}\n{}\n{}\n{}\n{executor}",
        board.id,
        text(&board.position_json),
        text(&board.css),
        text(&board.json_metadata)
    ));
    Some(format!("/api/v1/dashboard/{}/thumbnail/{digest}/", board.id))
}

async fn charts(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    let charts = chart::of_dashboard(cx.app.db.exec(), board.id).await?;
    Ok(result(charts.iter().map(entity).collect::<Value>()))
}

async fn get_tabs(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    let tabs = tabs(board.position_json.as_deref());
    Ok(result(tabs.ok_or_else(|| Error::message(500, "Fatal error"))?))
}

/// Fields of a dataset that a dashboard is given (`DashboardDatasetSchema`).
const DATASET_FIELDS: &[&str] = &[
    "id",
    "uid",
    "column_formats",
    "database",
    "default_endpoint",
    "filter_select",
    "filter_select_enabled",
    "is_sqllab_view",
    "name",
    "datasource_name",
    "table_name",
    "type",
    "schema",
    "offset",
    "cache_timeout",
    "params",
    "perm",
    "edit_url",
    "sql",
    "select_star",
    "main_dttm_col",
    "health_check_message",
    "fetch_values_predicate",
    "template_params",
    "owners",
    "columns",
    "column_types",
    "column_names",
    "metrics",
    "order_by_choices",
    "verbose_map",
    "time_grain_sqla",
    "granularity_sqla",
    "normalize_columns",
    "always_filter_main_dttm",
];

/// Fields of its database (`DatabaseSchema`).
const DATABASE_FIELDS: &[&str] = &[
    "id",
    "name",
    "backend",
    "allows_subquery",
    "allows_cost_estimate",
    "allows_virtual_table_explore",
    "disable_data_preview",
    "disable_drill_to_detail",
    "allow_multi_catalog",
    "explore_database_id",
];

async fn datasets(cx: Cx) -> Handled {
    let board = of_path(&cx).await.map_err(legacy)?;
    let db = cx.app.db.exec();
    let charts = chart::of_dashboard(db, board.id).await?;
    let mut ids: Vec<i64> = Vec::new();
    let mut seen = HashSet::new();
    ids.extend(charts.iter().filter_map(|c| c.datasource_id).filter(|id| seen.insert(*id)));
    let described = describe::load(db, &ids).await?;
    let guest = cx.user.guest_if_enabled(&cx.app.config).is_some();
    let mut out = Vec::new();
    for id in ids {
        let Some(described) = described.get(&id) else { continue };
        let of: Vec<&Chart> = charts.iter().filter(|c| c.datasource_id == Some(id)).collect();
        let mut data = data_for_charts(described, &of);
        data.retain(|key, _| DATASET_FIELDS.contains(&key.as_str()));
        if let Some(database) = data.get_mut("database").and_then(Value::as_object_mut) {
            database.retain(|key, _| DATABASE_FIELDS.contains(&key.as_str()));
        }
        if guest {
            data.remove("owners");
            data.remove("database");
        }
        out.push(Value::Object(data));
    }
    Ok(result(Value::Array(out)))
}

/// `handle_api_exception` shows the command's own words.
fn legacy(failure: Failure) -> Failure {
    let text = match failure.0.status() {
        404 => "Dashboard not found.",
        403 => "You don't have access to this dashboard.",
        _ => return failure,
    };
    Error::Legacy { status: failure.0.status(), error: text.to_owned() }.into()
}

async fn get_embedded(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    let embedded = embedded::of_dashboard(cx.app.db.exec(), board.id).await?;
    match embedded.first() {
        Some(embedded) => Ok(result(embedded_json(&cx, embedded).await?)),
        None => Ok(Answer::fab(404, &json!({}))),
    }
}

/// `EmbeddedDashboardResponseSchema`.
pub(super) async fn embedded_json(cx: &Cx, embedded: &Embedded) -> Result<Value, Failure> {
    let ids: Vec<i64> = embedded.changed_by_fk.into_iter().collect();
    let people = find_many(cx.app.db.exec(), &ids).await?;
    let by = embedded.changed_by_fk.and_then(|id| people.get(&id)).map(
        |p| json!({"id": p.id, "username": p.username, "first_name": p.first_name, "last_name": p.last_name}),
    );
    Ok(json!({
        "uuid": embedded.uuid.to_string(),
        "allowed_domains": embedded.allowed_domains(),
        "dashboard_id": embedded.dashboard_id.to_string(),
        "changed_on": embedded.changed_on.map(clock::isoformat),
        "changed_by": by,
    }))
}
