//! POST, PUT and DELETE of `/api/v1/dashboard/`, copies, filters, colours and embedding (`superset.dashboards.api`).

use chrono::{Local, NaiveDateTime, TimeZone};
use commands::dashboard::write;
use infra::Error;
use serde_json::{Map, Value, json};

use super::{
    dashboards::{embedded_json, of_path},
    json_body, result,
    schema::{both_bounds, int_list, json_text, kind_error, metadata_text, uuid_text},
};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind, validate, write::ids},
    error::Failure,
    routes::{Access, Rule, rule},
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

const POST: &[Field] = &[
    Field::text("dashboard_title").length(0, Some(500)),
    Field::text("slug").length(1, Some(255)),
    Field::new("owners", FieldKind::List),
    Field::new("roles", FieldKind::List),
    Field::new("position_json", FieldKind::String),
    Field::new("css", FieldKind::String),
    Field::new("theme_id", FieldKind::Integer).nullable(),
    Field::new("json_metadata", FieldKind::String),
    Field::new("published", FieldKind::Boolean),
    Field::text("certified_by"),
    Field::text("certification_details"),
    Field::new("is_managed_externally", FieldKind::Boolean).nullable(),
    Field::text("external_url"),
    Field::text("uuid"),
];

const PUT: &[Field] = &[
    Field::text("dashboard_title").length(0, Some(500)),
    Field::text("slug").length(0, Some(255)),
    Field::new("owners", FieldKind::Other("List")),
    Field::new("roles", FieldKind::Other("List")),
    Field::text("position_json"),
    Field::text("css"),
    Field::new("theme_id", FieldKind::Integer).nullable(),
    Field::text("json_metadata"),
    Field::new("published", FieldKind::Boolean).nullable(),
    Field::text("certified_by"),
    Field::text("certification_details"),
    Field::new("is_managed_externally", FieldKind::Boolean).nullable(),
    Field::text("external_url"),
    Field::new("tags", FieldKind::Other("List")),
    Field::text("uuid"),
];

const COPY: &[Field] = &[
    Field::text("dashboard_title").length(0, Some(500)),
    Field::new("css", FieldKind::String),
    Field::new("json_metadata", FieldKind::String).required(),
    Field::new("duplicate_slices", FieldKind::Boolean),
];

fn load(cx: &Cx, fields: &[Field]) -> Result<Map<String, Value>, Failure> {
    let body = json_body(cx)?;
    let (mut loaded, mut errors) = match validate::load(fields, &body) {
        Ok(loaded) => (loaded, Map::new()),
        Err(errors) => (Map::new(), errors),
    };
    both_bounds(&mut errors);
    // the schema of changes lets nulls into its lists; nobody has such an id
    let changes = fields.iter().any(|f| f.name == "tags");
    json_text(&body, "position_json", &mut errors);
    metadata_text(&body, "json_metadata", &mut errors);
    for key in ["owners", "roles", "tags"] {
        int_list(&body, key, &mut loaded, &mut errors, changes);
    }
    uuid_text(&body, "uuid", &mut loaded, &mut errors);
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
    let fields = load(&cx, POST)?;
    let id = write::create(&cx.app, &cx.user, &fields).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": fields})))
}

async fn put(cx: Cx) -> Handled {
    let fields = load(&cx, PUT)?;
    let id = pk(&cx)?;
    let changed = write::update(&cx.app, &cx.user, id, &fields).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": fields, "last_modified_time": epoch(changed)})))
}

async fn delete(cx: Cx) -> Handled {
    write::delete(&cx.app, &cx.user, &[pk(&cx)?]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    write::delete(&cx.app, &cx.user, &ids).await?;
    let noun = if ids.len() == 1 { "dashboard" } else { "dashboards" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

/// A body of fields of simple kinds.
fn simple(cx: &Cx, fields: &[(&str, &str)]) -> Result<Map<String, Value>, Failure> {
    let Value::Object(body) = json_body(cx)? else {
        return Err(Error::bad_request(json!({"_schema": ["Invalid input type."]})).into());
    };
    let mut errors = Map::new();
    for (key, value) in &body {
        let message = match fields.iter().find(|(name, _)| name == key) {
            Some((_, kind)) => kind_error(kind, value),
            None => Some(json!(["Unknown field."])),
        };
        if let Some(message) = message {
            errors.insert(key.clone(), message);
        }
    }
    if errors.is_empty() { Ok(body) } else { Err(Error::bad_request(Value::Object(errors)).into()) }
}

async fn filters(cx: Cx) -> Handled {
    let change = simple(&cx, &[("deleted", "strs"), ("modified", "raws"), ("reordered", "strs")])?;
    let id = pk(&cx)?;
    Ok(result(write::update_filters(&cx.app, &cx.user, id, &change).await?))
}

async fn colors(cx: Cx) -> Handled {
    let colors = simple(
        &cx,
        &[
            ("color_namespace", "?str"),
            ("color_scheme", "?str"),
            ("map_label_colors", "dict"),
            ("shared_label_colors", "colors"),
            ("label_colors", "dict"),
            ("color_scheme_domain", "strs"),
        ],
    )?;
    let mark =
        !matches!(cx.req.arg("mark_updated"), Some("false" | "False" | "0" | "f" | "no" | "n" | "off"));
    write::update_colors(&cx.app, &cx.user, pk(&cx)?, &colors, mark).await?;
    Ok(Answer::fab(200, &json!({})))
}

async fn copy(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    let fields = load(&cx, COPY)?;
    let (id, changed) = write::copy(&cx.app, &cx.user, &board, &fields).await?;
    Ok(result(json!({"id": id, "last_modified_time": epoch(changed)})))
}

async fn set_embedded(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    let body = json_body(&cx)?;
    let fields = &[Field::new("allowed_domains", FieldKind::Other("List")).required()];
    let (loaded, mut errors) = match validate::load(fields, &body) {
        Ok(loaded) => (loaded, Map::new()),
        Err(errors) => (Map::new(), errors),
    };
    if let Some(wrong) = body.get("allowed_domains").and_then(|domains| kind_error("strs", domains)) {
        errors.insert("allowed_domains".into(), wrong);
    }
    if !errors.is_empty() {
        return Err(Error::bad_request(Value::Object(errors)).into());
    }
    let domains = loaded.get("allowed_domains").and_then(Value::as_array).into_iter().flatten();
    let domains: Vec<String> = domains.filter_map(|d| d.as_str().map(str::to_owned)).collect();
    let embedded = write::set_embedded(&cx.app, &cx.user, &board, &domains).await?;
    Ok(result(embedded_json(&cx, &embedded).await?))
}

async fn delete_embedded(cx: Cx) -> Handled {
    let board = of_path(&cx).await?;
    write::delete_embedded(&cx.app, &board).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}
