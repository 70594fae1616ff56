//! POST, PUT and DELETE of `/api/v1/chart/` (`superset.charts.api:ChartRestApi`).

use commands::chart::{ChartFields, write};
use infra::Error;
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::write::ids,
    controllers::parse::json_body,
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::{
        Field,
        validate::{self, both_bounds},
    },
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

/// The fields of a body as they are echoed, and as the command takes them.
fn load(cx: &Cx, schema: &[Field]) -> Result<(Map<String, Value>, ChartFields), Failure> {
    let loaded = validate::load(schema, &json_body(cx)?).map_err(|mut errors| {
        both_bounds(&mut errors);
        Error::bad_request(Value::Object(errors))
    })?;
    let fields = ChartFields::read(&loaded);
    Ok((loaded, fields))
}

fn pk(cx: &Cx) -> Result<i64, Failure> {
    Ok(cx.req.param("pk").parse().map_err(|_| Error::not_found())?)
}

async fn post(cx: Cx) -> Handled {
    let (echo, fields) = load(&cx, ChartFields::POST)?;
    let id = write::create(&cx.caller, &fields).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": echo})))
}

async fn put(cx: Cx) -> Handled {
    let (echo, fields) = load(&cx, ChartFields::PUT)?;
    let id = pk(&cx)?;
    write::update(&cx.caller, id, &fields).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": echo})))
}

async fn delete(cx: Cx) -> Handled {
    write::delete(&cx.caller, &[pk(&cx)?]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    write::delete(&cx.caller, &ids).await?;
    let noun = if ids.len() == 1 { "chart" } else { "charts" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}
