//! Datasets as older pages ask for them: `/datasource/get/…`, `/superset/fetch_datasource_metadata`.

use commands::{
    access::objects,
    dataset::{self, describe, find},
};
use daos::filter::python_type;
use infra::{Error, json_error::json_error};
use serde_json::Value;

use super::kinds::{dataset_id, missing};
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(
            &["GET"],
            "/datasource/get/<datasource_type>/<datasource_id>/",
            Access::PageApi("can_get", "Datasource"),
            get,
        )
        .endpoint("Datasource.get"),
        rule(&["POST"], "/datasource/save/", Access::PageApi("can_save", "Datasource"), save)
            .endpoint("Datasource.save"),
        rule(
            &["GET"],
            "/superset/fetch_datasource_metadata",
            Access::PageApi("can_fetch_datasource_metadata", "Superset"),
            fetch,
        )
        .endpoint("Superset.fetch_datasource_metadata"),
    ]
}

async fn described(cx: &Cx, id: &str) -> Result<describe::Described, Failure> {
    let id: i64 = id.parse().map_err(|_| missing())?;
    find::described(&cx.caller.app, id).await?.ok_or_else(missing)
}

fn plain(map: serde_json::Map<String, Value>) -> Answer {
    let mut answer = Answer::json(200, &Value::Object(map));
    answer.headers = vec![("content-type", "application/json".to_owned())];
    answer
}

/// The original hands every dataset to everybody; we hide those that the caller may not use.
async fn get(cx: Cx) -> Handled {
    let id = dataset_id(cx.req.param("datasource_type"), cx.req.param("datasource_id"))?;
    let described = find::described(&cx.caller.app, id).await?.ok_or_else(missing)?;
    if !objects::can_access_dataset(&cx.caller, &described.dataset).await? {
        return Err(missing());
    }
    Ok(plain(described.data(&cx.caller.app.config)))
}

/// What the original does not find in the body is a `KeyError` there, which it answers with the key.
async fn save(cx: Cx) -> Handled {
    let legacy = |error: String| Failure(Error::Legacy { status: 500, error });
    let text = cx.req.field("data").ok_or_else(|| legacy("Request missing data field.".to_owned()))?;
    let data: Value =
        serde_json::from_str(text).map_err(|e| legacy(json_error(text).unwrap_or_else(|| e.to_string())))?;
    let no_get = |value: &Value| legacy(format!("'{}' object has no attribute 'get'", python_type(value)));
    let Value::Object(data) = data else { return Err(no_get(&data)) };
    match data.get("database") {
        None => return Err(legacy("'database'".to_owned())),
        Some(Value::Object(_)) => {}
        Some(other) => return Err(no_get(other)),
    }
    let kind = match data.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        None | Some(Value::Null) => return Err(legacy("None is not a valid DatasourceType".to_owned())),
        Some(other) => return Err(legacy(format!("{other} is not a valid DatasourceType"))),
    };
    let id = data.get("id").map(Value::to_string).unwrap_or_default();
    dataset_id(kind, id.trim_matches('"'))?;
    if let Some(key) = ["owners", "columns"].into_iter().find(|key| !data.contains_key(*key)) {
        return Err(legacy(format!("'{key}'")));
    }
    let id = dataset::save(&cx.caller, &data).await?;
    let saved = find::described(&cx.caller.app, id).await?.ok_or_else(missing)?;
    Ok(plain(saved.data(&cx.caller.app.config)))
}

async fn fetch(cx: Cx) -> Handled {
    let bad = crate::error::BAD_REQUEST;
    let bad = || Failure(Error::Legacy { status: 400, error: bad.to_owned() });
    let key = cx.req.arg("datasourceKey").ok_or_else(bad)?;
    let (id, kind) = key.split_once("__").ok_or_else(bad)?;
    if kind != "table" {
        return Err(missing());
    }
    let described = described(&cx, id).await?;
    objects::raise_for_dataset(&cx.caller, &described.dataset, None).await?;
    Ok(plain(described.data(&cx.caller.app.config)))
}
