//! POST, PUT and DELETE of `/api/v1/dashboard/`, copies, filters, colours and embedding (`superset.dashboards.api`).

use chrono::{Local, NaiveDateTime, TimeZone};
use commands::dashboard::{ColorFields, CopyFields, DashboardFields, EmbeddedFields, FilterChanges, write};
use infra::Error;
use serde_json::{Map, Value, json};

use super::item::{embedded_json, of_path};
use crate::{
    Answer, Cx, Handled,
    controllers::{
        crud::write::ids,
        parse::{json_body, result},
    },
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::{
        Field,
        field_checks::metadata_text,
        validate::{self, both_bounds, load_or_400},
    },
};

pub(super) fn rules() -> Vec<Rule> {
    let write = Access::Protect("can_write", "Dashboard");
    let embed = Access::Protect("can_set_embedded", "Dashboard");
    vec![
        rule(&["POST"], "/api/v1/dashboard/", write, post).endpoint("DashboardRestApi.post"),
        rule(&["DELETE"], "/api/v1/dashboard/", write, bulk_delete).endpoint("DashboardRestApi.bulk_delete"),
        rule(&["PUT"], "/api/v1/dashboard/<pk>", write, put).endpoint("DashboardRestApi.put"),
        rule(&["DELETE"], "/api/v1/dashboard/<pk>", write, delete).endpoint("DashboardRestApi.delete"),
        rule(&["PUT"], "/api/v1/dashboard/<pk>/filters", write, filters)
            .endpoint("DashboardRestApi.put_filters"),
        rule(&["PUT"], "/api/v1/dashboard/<pk>/colors", write, colors)
            .endpoint("DashboardRestApi.put_colors"),
        rule(&["POST"], "/api/v1/dashboard/<id_or_slug>/copy/", write, copy)
            .endpoint("DashboardRestApi.copy_dash"),
        rule(&["POST", "PUT"], "/api/v1/dashboard/<id_or_slug>/embedded", embed, set_embedded)
            .endpoint("DashboardRestApi.set_embedded"),
        rule(&["DELETE"], "/api/v1/dashboard/<id_or_slug>/embedded", embed, delete_embedded)
            .endpoint("DashboardRestApi.delete_embedded"),
    ]
}

/// The fields of a body as they are echoed.
fn load(cx: &Cx, schema: &[Field]) -> Result<Map<String, Value>, Failure> {
    let body = json_body(cx)?;
    let (mut loaded, mut errors) = match validate::load(schema, &body) {
        Ok(loaded) => (loaded, Map::new()),
        Err(errors) => (Map::new(), errors),
    };
    both_bounds(&mut errors);
    metadata_text(&body, "json_metadata", &mut errors);
    if !errors.is_empty() {
        return Err(Error::bad_request(Value::Object(errors)).into());
    }
    if let Some(slug) = loaded.get("slug").and_then(Value::as_str).filter(|s| !s.is_empty()) {
        let slug = slug.trim().replace(' ', "-");
        let slug: String = slug.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
        loaded.insert("slug".into(), json!(slug));
    }
    Ok(loaded)
}

fn pk(cx: &Cx) -> Result<i64, Failure> {
    Ok(cx.req.param("pk").parse().map_err(|_| Error::not_found())?)
}

/// Whole seconds of a server-local time, as the frontend compares them.
fn epoch(t: NaiveDateTime) -> f64 {
    Local.from_local_datetime(&t).earliest().map_or(0, |t| t.timestamp()) as f64
}

async fn post(cx: Cx) -> Handled {
    let echo = load(&cx, DashboardFields::POST)?;
    let id = write::create(&cx.caller, &DashboardFields::read(&echo)).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": echo})))
}

async fn put(cx: Cx) -> Handled {
    let echo = load(&cx, DashboardFields::PUT)?;
    let id = pk(&cx)?;
    let changed = write::update(&cx.caller, id, &DashboardFields::read(&echo)).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": echo, "last_modified_time": epoch(changed)})))
}

async fn delete(cx: Cx) -> Handled {
    write::delete(&cx.caller, &[pk(&cx)?]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    write::delete(&cx.caller, &ids).await?;
    let noun = if ids.len() == 1 { "dashboard" } else { "dashboards" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

async fn filters(cx: Cx) -> Handled {
    let change = FilterChanges::read(&load_or_400(FilterChanges::SCHEMA, &json_body(&cx)?)?);
    let id = pk(&cx)?;
    Ok(result(write::update_filters(&cx.caller, id, &change).await?))
}

async fn colors(cx: Cx) -> Handled {
    let colors = ColorFields::read(&load_or_400(ColorFields::SCHEMA, &json_body(&cx)?)?);
    let mark =
        !matches!(cx.req.arg("mark_updated"), Some("false" | "False" | "0" | "f" | "no" | "n" | "off"));
    write::update_colors(&cx.caller, pk(&cx)?, &colors, mark).await?;
    Ok(Answer::fab(200, &json!({})))
}

async fn copy(cx: Cx) -> Handled {
    let dashboard = of_path(&cx).await?;
    let fields = CopyFields::read(&load(&cx, CopyFields::SCHEMA)?);
    let (id, changed) = write::copy(&cx.caller, &dashboard, &fields).await?;
    Ok(result(json!({"id": id, "last_modified_time": epoch(changed)})))
}

async fn set_embedded(cx: Cx) -> Handled {
    let dashboard = of_path(&cx).await?;
    let fields = EmbeddedFields::read(&load_or_400(EmbeddedFields::SCHEMA, &json_body(&cx)?)?);
    let domains = fields.allowed_domains.items().unwrap_or_default();
    let embedded = write::set_embedded(&cx.caller, &dashboard, domains).await?;
    Ok(result(embedded_json(&cx, &embedded).await?))
}

async fn delete_embedded(cx: Cx) -> Handled {
    let dashboard = of_path(&cx).await?;
    write::delete_embedded(&cx.caller.app, &dashboard).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}
