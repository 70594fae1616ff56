//! POST, PUT and DELETE of `/api/v1/chart/` (`superset.charts.api:ChartRestApi`).

use commands::chart::write;
use infra::Error;
use serde_json::{Map, Value, json};

use super::{
    json_body,
    schema::{both_bounds, int_list, json_text, uuid_text},
};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind, validate, write::ids},
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let write = Access::Protect("can_write", "Chart");
    vec![
        rule(&["POST"], "/api/v1/chart/", write, post).endpoint("ChartRestApi.post"),
        rule(&["DELETE"], "/api/v1/chart/", write, bulk_delete).endpoint("ChartRestApi.bulk_delete"),
        rule(&["PUT"], "/api/v1/chart/<pk>", write, put).endpoint("ChartRestApi.put"),
        rule(&["DELETE"], "/api/v1/chart/<pk>", write, delete).endpoint("ChartRestApi.delete"),
    ]
}

const POST: &[Field] = &[
    Field::new("slice_name", FieldKind::String).required().length(1, Some(250)),
    Field::text("description"),
    Field::new("viz_type", FieldKind::String).length(0, Some(250)),
    Field::new("owners", FieldKind::List),
    Field::text("params"),
    Field::text("query_context"),
    Field::new("query_context_generation", FieldKind::Boolean).nullable(),
    Field::new("cache_timeout", FieldKind::Integer).nullable(),
    Field::new("datasource_id", FieldKind::Integer).required(),
    Field::new("datasource_type", FieldKind::String).required(),
    Field::text("datasource_name"),
    Field::new("dashboards", FieldKind::List),
    Field::text("certified_by"),
    Field::text("certification_details"),
    Field::new("is_managed_externally", FieldKind::Boolean).nullable(),
    Field::text("external_url"),
    Field::text("uuid"),
];

const PUT: &[Field] = &[
    Field::text("slice_name").length(0, Some(250)),
    Field::text("description"),
    Field::text("viz_type").length(0, Some(250)),
    Field::new("owners", FieldKind::List),
    Field::text("params"),
    Field::text("query_context"),
    Field::new("query_context_generation", FieldKind::Boolean).nullable(),
    Field::new("cache_timeout", FieldKind::Integer).nullable(),
    Field::new("datasource_id", FieldKind::Integer).nullable(),
    Field::text("datasource_type"),
    Field::new("dashboards", FieldKind::List),
    Field::text("certified_by"),
    Field::text("certification_details"),
    Field::new("is_managed_externally", FieldKind::Boolean).nullable(),
    Field::text("external_url"),
    Field::new("tags", FieldKind::List),
    Field::text("uuid"),
];

/// `DatasourceType`.
const KINDS: &[&str] = &["table", "dataset", "query", "saved_query", "view"];

fn load(cx: &Cx, fields: &[Field]) -> Result<Map<String, Value>, Failure> {
    let body = json_body(cx)?;
    let (mut loaded, mut errors) = match validate::load(fields, &body) {
        Ok(loaded) => (loaded, Map::new()),
        Err(errors) => (Map::new(), errors),
    };
    both_bounds(&mut errors);
    json_text(&body, "params", &mut errors);
    // only the schema of new charts looks into the query context
    if fields.iter().any(|f| f.name == "datasource_id" && f.required) {
        json_text(&body, "query_context", &mut errors);
    }
    for key in ["owners", "dashboards", "tags"] {
        int_list(&body, key, &mut loaded, &mut errors, false);
    }
    uuid_text(&body, "uuid", &mut loaded, &mut errors);
    if let Some(kind) = body.get("datasource_type").and_then(Value::as_str)
        && !KINDS.contains(&kind)
    {
        let text = format!("Must be one of: {}.", KINDS.join(", "));
        errors.insert("datasource_type".into(), json!([text]));
    }
    if errors.is_empty() { Ok(loaded) } else { Err(Error::bad_request(Value::Object(errors)).into()) }
}

fn pk(cx: &Cx) -> Result<i64, Failure> {
    Ok(cx.req.param("pk").parse().map_err(|_| Error::not_found())?)
}

async fn post(cx: Cx) -> Handled {
    let fields = load(&cx, POST)?;
    let id = write::create(&cx.app, &cx.user, &fields).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": fields})))
}

async fn put(cx: Cx) -> Handled {
    let fields = load(&cx, PUT)?;
    let id = pk(&cx)?;
    write::update(&cx.app, &cx.user, id, &fields).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": fields})))
}

async fn delete(cx: Cx) -> Handled {
    write::delete(&cx.app, &cx.user, &[pk(&cx)?]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    write::delete(&cx.app, &cx.user, &ids).await?;
    let noun = if ids.len() == 1 { "chart" } else { "charts" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}
