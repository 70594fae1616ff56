//! Writes of annotation layers and annotations.

use commands::{
    annotation::{self, AnnotationDraft},
    schema::checks::is_json,
};
use daos::write::Values;
use infra::db::Value as Stored;
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind, write::ids},
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::validate::{self, datetime, json_body, load_or_400},
};

const LAYER_POST: &[Field] =
    &[Field::new("name", FieldKind::String).required().length(1, Some(250)), Field::text("descr")];
const LAYER_PUT: &[Field] =
    &[Field::new("name", FieldKind::String).length(1, Some(250)), Field::new("descr", FieldKind::String)];
const ANNOTATION_POST: &[Field] = &[
    Field::new("short_descr", FieldKind::String).required().length(1, Some(500)),
    Field::text("long_descr"),
    Field::new("start_dttm", FieldKind::DateTime).required(),
    Field::new("end_dttm", FieldKind::DateTime).required(),
    Field::text("json_metadata").check(is_json),
];
const ANNOTATION_PUT: &[Field] = &[
    Field::new("short_descr", FieldKind::String).length(1, Some(500)),
    Field::text("long_descr"),
    Field::new("start_dttm", FieldKind::DateTime),
    Field::new("end_dttm", FieldKind::DateTime),
    Field::text("json_metadata").check(is_json),
];

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let may = Access::Protect("can_write", "Annotation");
    let layers = "/api/v1/annotation_layer/";
    let one = "/api/v1/annotation_layer/<int:pk>";
    let below = "/api/v1/annotation_layer/<int:pk>/annotation/";
    let one_below = "/api/v1/annotation_layer/<int:pk>/annotation/<int:annotation_id>";
    vec![
        rule(&["POST"], layers, may, create_layer).endpoint("AnnotationLayerRestApi.post"),
        rule(&["DELETE"], layers, may, delete_layers).endpoint("AnnotationLayerRestApi.bulk_delete"),
        rule(&["PUT"], one, may, update_layer).endpoint("AnnotationLayerRestApi.put"),
        rule(&["DELETE"], one, may, delete_layer).endpoint("AnnotationLayerRestApi.delete"),
        rule(&["POST"], below, may, create_annotation).endpoint("AnnotationRestApi.post"),
        rule(&["DELETE"], below, may, delete_annotations).endpoint("AnnotationRestApi.bulk_delete"),
        rule(&["PUT"], one_below, may, update_annotation).endpoint("AnnotationRestApi.put"),
        rule(&["DELETE"], one_below, may, delete_annotation).endpoint("AnnotationRestApi.delete"),
    ]
}

fn columns(item: &Map<String, Value>, names: &[&'static str]) -> Values {
    let stored = |v: &Value| v.as_str().map_or(Stored::Null, Stored::from);
    names.iter().filter_map(|n| item.get(*n).map(|v| (*n, stored(v)))).collect()
}

async fn create_layer(cx: Cx) -> Handled {
    let item = load_or_400(LAYER_POST, &json_body(&cx)?)?;
    let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
    let id = annotation::layer_create(&cx.caller, name, columns(&item, &["name", "descr"])).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": item})))
}

async fn update_layer(cx: Cx) -> Handled {
    let mut item = load_or_400(LAYER_PUT, &json_body(&cx)?)?;
    let id = cx.req.int_param("pk");
    let name = item.get("name").and_then(Value::as_str);
    annotation::layer_update(&cx.caller, id, name, columns(&item, &["name", "descr"])).await?;
    item.insert("layer".into(), id.into());
    Ok(Answer::fab(200, &json!({"id": id, "result": item})))
}

async fn delete_layer(cx: Cx) -> Handled {
    annotation::layer_delete(&cx.caller.app, &[cx.req.int_param("pk")]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn delete_layers(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    annotation::layer_delete(&cx.caller.app, &ids).await?;
    let noun = if ids.len() == 1 { "annotation layer" } else { "annotation layers" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

async fn create_annotation(cx: Cx) -> Handled {
    let item = load_or_400(ANNOTATION_POST, &json_body(&cx)?)?;
    let layer = cx.req.int_param("pk");
    let id = annotation::annotation_create(&cx.caller, layer, draft(&item)?).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": echo(item, layer)})))
}

async fn update_annotation(cx: Cx) -> Handled {
    let item = load_or_400(ANNOTATION_PUT, &json_body(&cx)?)?;
    let (layer, id) = (cx.req.int_param("pk"), cx.req.int_param("annotation_id"));
    annotation::annotation_update(&cx.caller, layer, id, draft(&item)?).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": echo(item, layer)})))
}

async fn delete_annotation(cx: Cx) -> Handled {
    annotation::annotation_delete(&cx.caller.app, &[cx.req.int_param("annotation_id")]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn delete_annotations(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    annotation::annotation_delete(&cx.caller.app, &ids).await?;
    let noun = if ids.len() == 1 { "annotation" } else { "annotations" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

fn draft(item: &Map<String, Value>) -> Result<AnnotationDraft, Failure> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let (start, end) = (text("start_dttm"), text("end_dttm"));
    if let (Some(start), Some(end)) = (start, end)
        && validate::is_aware(start) != validate::is_aware(end)
    {
        // Python cannot compare the two
        return Err(infra::Error::internal("offset-naive and offset-aware datetimes").into());
    }
    let mut values = columns(item, &["short_descr", "long_descr", "json_metadata"]);
    let times = (start.and_then(datetime), end.and_then(datetime));
    values.extend(times.0.map(|t| ("start_dttm", t.into())));
    values.extend(times.1.map(|t| ("end_dttm", t.into())));
    Ok(AnnotationDraft { values, short_descr: text("short_descr").map(str::to_owned), times })
}

/// The loaded item as `jsonify` writes it: times as HTTP dates.
fn echo(mut item: Map<String, Value>, layer: i64) -> Value {
    for key in ["start_dttm", "end_dttm"] {
        let time = item.get(key).and_then(Value::as_str).and_then(datetime);
        if let Some(time) = time {
            item.insert(key.into(), time.format("%a, %d %b %Y %H:%M:%S GMT").to_string().into());
        }
    }
    item.insert("layer".into(), layer.into());
    Value::Object(item)
}
