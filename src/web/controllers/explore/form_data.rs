//! `/api/v1/explore/form_data` (`superset.explore.form_data.api`).

use commands::explore::form_data::{self as stored, FormData};
use infra::Error;
use serde_json::{Map, Value, json};

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
        Access::Protect("can_read", "ExploreFormDataRestApi"),
        Access::Protect("can_write", "ExploreFormDataRestApi"),
    );
    vec![
        rule(&["POST"], "/api/v1/explore/form_data", write, post).endpoint("ExploreFormDataRestApi.post"),
        rule(&["PUT"], "/api/v1/explore/form_data/<key>", write, put).endpoint("ExploreFormDataRestApi.put"),
        rule(&["GET"], "/api/v1/explore/form_data/<key>", read, get).endpoint("ExploreFormDataRestApi.get"),
        rule(&["DELETE"], "/api/v1/explore/form_data/<key>", write, delete)
            .endpoint("ExploreFormDataRestApi.delete"),
    ]
}

const FIELDS: &[Field] = &[
    Field::new("datasource_id", FieldKind::Integer).required(),
    Field::new("datasource_type", FieldKind::String).required(),
    Field::new("chart_id", FieldKind::Integer),
    Field::new("form_data", FieldKind::String).required(),
];

/// `DatasourceType`.
const KINDS: &[&str] = &["table", "dataset", "query", "saved_query", "view"];

fn load(cx: &Cx) -> Result<FormData, Failure> {
    let body = json_body(cx)?;
    let mut errors = Map::new();
    let loaded = validate::load(FIELDS, &body).unwrap_or_else(|e| {
        errors = e;
        Map::new()
    });
    let kind = body.get("datasource_type").and_then(Value::as_str);
    if kind.is_some_and(|k| !KINDS.contains(&k)) {
        errors.insert("datasource_type".into(), json!([format!("Must be one of: {}.", KINDS.join(", "))]));
    }
    if !errors.is_empty() {
        return Err(Error::bad_request(Value::Object(errors)).into());
    }
    let text = |key: &str| loaded.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = |key: &str| loaded.get(key).and_then(Value::as_i64);
    Ok(FormData {
        datasource_type: text("datasource_type"),
        datasource_id: id("datasource_id").unwrap_or_default(),
        chart_id: id("chart_id"),
        form_data: text("form_data"),
        tab_id: cx.req.arg("tab_id").map(str::to_owned),
        session_id: session_id(cx),
    })
}

async fn post(cx: Cx) -> Handled {
    let data = load(&cx)?;
    let key = stored::create(&cx.caller, &data).await?;
    Ok(Answer::fab(201, &json!({"key": key})))
}

async fn put(cx: Cx) -> Handled {
    let data = load(&cx)?;
    let key = stored::update(&cx.caller, cx.req.param("key"), &data).await?;
    Ok(Answer::fab(200, &json!({"key": key})))
}

async fn get(cx: Cx) -> Handled {
    let found = stored::get(&cx.caller, cx.req.param("key")).await?;
    let form_data = found.filter(|f| !f.is_empty()).ok_or_else(Error::not_found)?;
    Ok(Answer::fab(200, &json!({"form_data": form_data})))
}

async fn delete(cx: Cx) -> Handled {
    if stored::delete(&cx.caller, cx.req.param("key"), session_id(&cx)).await? {
        Ok(Answer::fab(200, &json!({"message": "Deleted successfully"})))
    } else {
        Err(Error::not_found().into())
    }
}
