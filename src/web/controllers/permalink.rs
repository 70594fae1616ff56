//! Permalinks of dashboards and of the chart builder.

use commands::{
    dashboard::find,
    explore::{access, get::get_permalink},
    permalink::Permalink,
};
use infra::Error;
use serde_json::{Map, Value, json};

use super::parse::json_body;
use crate::schemas::field_checks::{as_python, kind_error};
use crate::{
    Answer, Cx, Handled,
    guards::host,
    routes::{Access, Rule, rule},
};

pub(crate) fn rules() -> Vec<Rule> {
    let dashboard = |p| Access::Protect(p, "DashboardPermalinkRestApi");
    let explore = |p| Access::Protect(p, "ExplorePermalinkRestApi");
    vec![
        rule(&["POST"], "/api/v1/dashboard/<pk>/permalink", dashboard("can_write"), post_dashboard)
            .endpoint("DashboardPermalinkRestApi.post"),
        rule(&["GET"], "/api/v1/dashboard/permalink/<key>", dashboard("can_read"), get_dashboard)
            .endpoint("DashboardPermalinkRestApi.get"),
        rule(&["POST"], "/api/v1/explore/permalink", explore("can_write"), post_explore)
            .endpoint("ExplorePermalinkRestApi.post"),
        rule(&["GET"], "/api/v1/explore/permalink/<key>", explore("can_read"), get_explore)
            .endpoint("ExplorePermalinkRestApi.get"),
    ]
}

fn created(cx: &Cx, key: &str, path: &str) -> Answer {
    let url = host::link(&cx.req, &format!("{path}{key}/"));
    Answer::fab(201, &json!({"key": key, "url": url}))
}

/// Field errors of a state: its fields, their kinds, and pairs of texts.
fn state_errors(body: &Value, fields: &[(&str, &str)], required: &[&str]) -> Map<String, Value> {
    let Some(map) = body.as_object() else {
        return Map::from_iter([("_schema".to_owned(), json!(["Invalid input type."]))]);
    };
    let mut errors = Map::new();
    for name in required.iter().filter(|n| !map.contains_key(**n)) {
        errors.insert((*name).to_owned(), json!(["Missing data for required field."]));
    }
    for (key, kind) in fields {
        if let Some(message) = map.get(*key).and_then(|value| kind_error(kind, value)) {
            errors.insert((*key).to_owned(), message);
        }
    }
    for key in map.keys().filter(|key| !fields.iter().any(|(name, _)| name == key)) {
        errors.insert(key.clone(), json!(["Unknown field."]));
    }
    errors
}

const DASHBOARD_STATE: &[(&str, &str)] =
    &[("dataMask", "?dict"), ("activeTabs", "?strs"), ("urlParams", "?pairs"), ("anchor", "?str")];
const EXPLORE_STATE: &[(&str, &str)] = &[("formData", "dict"), ("urlParams", "?pairs")];

async fn post_dashboard(cx: Cx) -> Handled {
    let state = json_body(&cx)?;
    let errors = state_errors(&state, DASHBOARD_STATE, &[]);
    if !errors.is_empty() {
        // this API prints the errors the way Python prints a dict
        return Err(Error::bad_request(as_python(&Value::Object(errors))).into());
    }
    let dashboard = find::by_id_or_slug(&cx.caller, cx.req.param("pk")).await.map_err(dashboard_error)?;
    let value = json!({"dashboardId": dashboard.uuid.map(|u| u.to_string()), "state": state});
    let key = Permalink::Dashboard.create_once(&cx.caller, &value).await?;
    Ok(created(&cx, &key, "/superset/dashboard/p/"))
}

/// This API shows the command's own words.
fn dashboard_error(e: Error) -> Error {
    match e.status() {
        404 => Error::message(404, "Dashboard not found."),
        403 => Error::message(403, "You don't have access to this dashboard."),
        _ => e,
    }
}

async fn get_dashboard(cx: Cx) -> Handled {
    let value =
        Permalink::Dashboard.get(&cx.caller.app, cx.req.param("key")).await?.ok_or_else(Error::not_found)?;
    let id = value.get("dashboardId").and_then(Value::as_str).unwrap_or_default();
    find::by_id_or_slug(&cx.caller, id).await.map_err(|e| match e.status() {
        // a link to a dashboard that is gone breaks the original
        404 => Error::message(500, "Fatal error"),
        _ => dashboard_error(e),
    })?;
    Ok(Answer::fab(200, &value))
}

async fn post_explore(cx: Cx) -> Handled {
    let state = json_body(&cx)?;
    let errors = state_errors(&state, EXPLORE_STATE, &["formData"]);
    if !errors.is_empty() {
        return Err(Error::bad_request(Value::Object(errors)).into());
    }
    let fatal = || Error::message(500, "Fatal error");
    let datasource = state.pointer("/formData/datasource").and_then(Value::as_str).ok_or_else(fatal)?;
    let (id, kind) = datasource.split_once("__").ok_or_else(fatal)?;
    let id: i64 = id.parse().map_err(|_| fatal())?;
    let chart_id = state.pointer("/formData/slice_id").and_then(Value::as_i64);
    let checked = access::check(&cx.caller, kind, id, chart_id).await;
    checked.map_err(access::Denied::into_error)?;
    let value = json!({
        "chartId": chart_id,
        "datasourceId": id,
        "datasourceType": kind,
        "datasource": datasource,
        "state": state,
    });
    let key = Permalink::Explore.create(&cx.caller, &value).await?;
    Ok(created(&cx, &key, "/superset/explore/p/"))
}

async fn get_explore(cx: Cx) -> Handled {
    let value = get_permalink(&cx.caller, cx.req.param("key")).await?.ok_or_else(Error::not_found)?;
    Ok(Answer::fab(200, &value))
}
