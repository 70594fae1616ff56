//! `/api/v1/dashboard/<id>/filter_state` (`superset.dashboards.filter_state.api`).

use commands::{
    dashboard::find,
    explore::form_data::raise_for_owner,
    temporary_cache::{Cache, contextual_key},
};
use infra::Error;
use serde_json::{Value, json};

use crate::controllers::parse::{json_body, session_id};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::validate,
};

pub(super) fn rules() -> Vec<Rule> {
    let (read, write) = (
        Access::Protect("can_read", "DashboardFilterStateRestApi"),
        Access::Protect("can_write", "DashboardFilterStateRestApi"),
    );
    let one = "/api/v1/dashboard/<int:pk>/filter_state/<key>";
    vec![
        rule(&["POST"], "/api/v1/dashboard/<int:pk>/filter_state", write, post)
            .endpoint("DashboardFilterStateRestApi.post"),
        rule(&["PUT"], one, write, put).endpoint("DashboardFilterStateRestApi.put"),
        rule(&["GET"], one, read, get).endpoint("DashboardFilterStateRestApi.get"),
        rule(&["DELETE"], one, write, delete).endpoint("DashboardFilterStateRestApi.delete"),
    ]
}

const FIELDS: &[Field] = &[Field::new("value", FieldKind::String).required()];

/// The text of the body: JSON inside JSON.
fn value(cx: &Cx) -> Result<String, Failure> {
    let loaded = validate::load(FIELDS, &json_body(cx)?).map_err(|e| Error::bad_request(Value::Object(e)))?;
    let text = loaded.get("value").and_then(Value::as_str).unwrap_or_default();
    if !text.is_empty() && serde_json::from_str::<Value>(text).is_err() {
        return Err(Error::bad_request(json!({"value": ["JSON not valid"]})).into());
    }
    Ok(text.to_owned())
}

/// The dashboard must be the caller's to open; its id is part of every key.
async fn check(cx: &Cx) -> Result<i64, Failure> {
    let id = cx.req.int_param("pk");
    let checked = find::by_id_or_slug(&cx.caller, &id.to_string()).await;
    checked.map_err(|e| match e.status() {
        404 => Error::message(404, "Resource was not found."),
        403 => Error::message(403, "You don't have permission to modify the value."),
        _ => e,
    })?;
    Ok(id)
}

fn contextual(cx: &Cx, id: i64) -> String {
    contextual_key(&[session_id(cx), cx.req.arg("tab_id").map(str::to_owned), Some(id.to_string())])
}

async fn store(cx: &Cx, id: i64, value: String) -> Result<String, Failure> {
    let tab = cx.req.arg("tab_id");
    let key = Cache::FilterState.key_of_tab(&cx.caller, &contextual(cx, id), tab).await?;
    let entry = json!({"owner": cx.caller.user.user_id(), "value": value});
    Cache::FilterState.set(&cx.caller, &format!("{id};{key}"), &entry).await?;
    Ok(key)
}

async fn post(cx: Cx) -> Handled {
    let value = value(&cx)?;
    let id = check(&cx).await?;
    let key = store(&cx, id, value).await?;
    Ok(Answer::fab(201, &json!({"key": key})))
}

async fn put(cx: Cx) -> Handled {
    let value = value(&cx)?;
    let id = check(&cx).await?;
    let key = cx.req.param("key").to_owned();
    let key = match Cache::FilterState.get(&cx.caller.app, &format!("{id};{key}")).await? {
        Some(old) => {
            raise_for_owner(&old, &cx.caller.user)?;
            store(&cx, id, value).await?
        }
        // nothing to overwrite: the original answers with the key and writes nothing
        None => key,
    };
    Ok(Answer::fab(200, &json!({"key": key})))
}

async fn get(cx: Cx) -> Handled {
    let id = check(&cx).await?;
    let key = format!("{id};{}", cx.req.param("key"));
    let entry = Cache::FilterState.get_and_refresh(&cx.caller, &key).await?.unwrap_or_default();
    let value = entry.get("value").and_then(Value::as_str).filter(|v| !v.is_empty());
    let value = value.ok_or_else(Error::not_found)?;
    Ok(Answer::fab(200, &json!({"value": value})))
}

async fn delete(cx: Cx) -> Handled {
    let id = check(&cx).await?;
    let key = format!("{id};{}", cx.req.param("key"));
    let entry = Cache::FilterState.get(&cx.caller.app, &key).await?.ok_or_else(Error::not_found)?;
    raise_for_owner(&entry, &cx.caller.user)?;
    Cache::FilterState.delete(&cx.caller.app, &contextual(&cx, id)).await?;
    Cache::FilterState.delete(&cx.caller.app, &key).await?;
    Ok(Answer::fab(200, &json!({"message": "Deleted successfully"})))
}
