//! Reading a dashboard: itself, its charts, datasets, tabs and embedding (`superset.dashboards.api`).

use std::collections::HashSet;

use commands::{
    chart::describe::{entity, person},
    dashboard::{
        detail::{self, Chart, Embedded, Person},
        find::{Dashboard, by_id_or_slug},
        tabs::tabs,
    },
    dataset::{find, trim::data_for_charts},
};
use infra::{Error, clock};
use serde_json::{Map, Value, json};

use crate::controllers::{parse::result, thumbnail};
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
pub(crate) async fn of_path(cx: &Cx) -> Result<Dashboard, Failure> {
    Ok(by_id_or_slug(&cx.caller, cx.req.param("id_or_slug")).await?)
}

async fn get(cx: Cx) -> Handled {
    let dashboard = of_path(&cx).await?;
    let detail = detail::load(&cx.caller.app, &dashboard).await?;
    let theme =
        detail.theme.map(|t| json!({"id": t.id, "theme_name": t.theme_name, "json_data": t.json_data}));
    let now = clock::now();
    let names: Vec<&str> = detail.charts.iter().map(chart_name).collect();
    let thumbnail_url = thumbnail::of_dashboards(&cx, vec![dashboard.id]).await?.remove(&dashboard.id);
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("id", json!(dashboard.id));
    put("slug", json!(dashboard.slug));
    put("url", json!(dashboard.url()));
    put("dashboard_title", json!(dashboard.dashboard_title));
    put("thumbnail_url", json!(thumbnail_url));
    put("published", json!(dashboard.published));
    put("css", json!(dashboard.css));
    put("theme", json!(theme));
    put("json_metadata", json!(dashboard.json_metadata));
    put("position_json", json!(dashboard.position_json));
    put("certified_by", json!(dashboard.certified_by));
    put("certification_details", json!(dashboard.certification_details));
    put("changed_on", json!(dashboard.changed_on.map(clock::isoformat)));
    put("created_by", json!(detail.created_by.as_ref().map(person)));
    put("charts", json!(names));
    put("roles", detail.roles.iter().map(|(id, name)| json!({"id": id, "name": name})).collect());
    put(
        "tags",
        detail.tags.iter().map(|t| json!({"id": t.id, "name": t.name, "type": t.kind_number()})).collect(),
    );
    put("changed_on_delta_humanized", json!(dashboard.changed_on.map(|t| clock::naturaltime(t, now))));
    put("created_on_delta_humanized", json!(dashboard.created_on.map(|t| clock::naturaltime(t, now))));
    put("is_managed_externally", json!(dashboard.is_managed_externally));
    put("uuid", json!(dashboard.uuid.map(|u| u.to_string())));
    // guests do not learn who works here
    if cx.caller.guest().is_none() {
        put("owners", detail.owners.iter().map(person).collect());
        put("changed_by", json!(detail.changed_by.as_ref().map(person)));
        put("changed_by_name", json!(detail.changed_by.as_ref().map(Person::full_name).unwrap_or_default()));
    }
    Ok(result(Value::Object(out)))
}

fn chart_name(chart: &Chart) -> &str {
    chart.slice_name.as_deref().filter(|n| !n.is_empty()).unwrap_or("<empty>")
}

async fn charts(cx: Cx) -> Handled {
    let dashboard = of_path(&cx).await?;
    let charts = detail::charts(&cx.caller.app, &dashboard).await?;
    Ok(result(charts.iter().map(entity).collect::<Value>()))
}

async fn get_tabs(cx: Cx) -> Handled {
    let dashboard = of_path(&cx).await?;
    let tabs = tabs(dashboard.position_json.as_deref());
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
    let dashboard = of_path(&cx).await.map_err(legacy)?;
    let charts = detail::charts(&cx.caller.app, &dashboard).await?;
    let mut ids: Vec<i64> = Vec::new();
    let mut seen = HashSet::new();
    ids.extend(charts.iter().filter_map(|c| c.datasource_id).filter(|id| seen.insert(*id)));
    let described = find::described_many(&cx.caller.app, &ids).await?;
    let guest = cx.caller.guest().is_some();
    let mut out = Vec::new();
    for id in ids {
        let Some(described) = described.get(&id) else { continue };
        let of: Vec<&Chart> = charts.iter().filter(|c| c.datasource_id == Some(id)).collect();
        let mut data = data_for_charts(&cx.caller.app.config, described, &of);
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
    let dashboard = of_path(&cx).await?;
    match detail::embedding(&cx.caller.app, &dashboard).await? {
        Some(embedded) => Ok(result(embedded_json(&cx, &embedded).await?)),
        None => Ok(Answer::fab(404, &json!({}))),
    }
}

/// `EmbeddedDashboardResponseSchema`.
pub(crate) async fn embedded_json(cx: &Cx, embedded: &Embedded) -> Result<Value, Failure> {
    let by = detail::embedding_changed_by(&cx.caller.app, embedded).await?.map(
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
