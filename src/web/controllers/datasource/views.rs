//! Datasets as older pages ask for them: `/datasource/get/…`, `/superset/fetch_datasource_metadata`.

use commands::{
    access::objects,
    dataset::{self, describe, find},
};
use infra::Error;
use serde_json::Value;

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

fn missing() -> Failure {
    Error::Legacy { status: 404, error: "Datasource does not exist".to_owned() }.into()
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
    if cx.req.param("datasource_type") != "table" {
        return Err(missing());
    }
    let described = described(&cx, cx.req.param("datasource_id")).await?;
    if !objects::can_access_dataset(&cx.caller, &described.dataset).await? {
        return Err(missing());
    }
    Ok(plain(described.data(&cx.caller.app.config)))
}

async fn save(cx: Cx) -> Handled {
    let legacy = |error: String| Failure(Error::Legacy { status: 500, error });
    let data = cx.req.field("data").ok_or_else(|| legacy("Request missing data field.".to_owned()))?;
    let data: serde_json::Map<String, Value> =
        serde_json::from_str(data).map_err(|e| legacy(e.to_string()))?;
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
