//! POST, PUT and DELETE of `/api/v1/dataset/` and what hangs on it (`superset.datasets.api:DatasetRestApi`).

use commands::{
    database::uri,
    dataset::{self, describe, write},
};
use daos::dataset::id_by_name;
use infra::{Error, db::Dialect, error::SupersetError};
use serde_json::{Value, json};

use super::{dataset_schema as schema, json_body};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{validate::plain_json_body, write::ids},
    error::Failure,
    error_pages,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let write = Access::Protect("can_write", "Dataset");
    let duplicate_ = Access::Protect("can_duplicate", "Dataset");
    let get_or_create_ = Access::Protect("can_get_or_create_dataset", "Dataset");
    let base = "/api/v1/dataset";
    vec![
        rule(&["POST"], format!("{base}/"), write, post).endpoint("DatasetRestApi.post"),
        rule(&["DELETE"], format!("{base}/"), write, bulk_delete).endpoint("DatasetRestApi.bulk_delete"),
        rule(&["PUT"], format!("{base}/<pk>"), write, put).endpoint("DatasetRestApi.put"),
        rule(&["DELETE"], format!("{base}/<pk>"), write, delete).endpoint("DatasetRestApi.delete"),
        rule(&["PUT"], format!("{base}/<pk>/refresh"), write, refresh).endpoint("DatasetRestApi.refresh"),
        rule(&["POST"], format!("{base}/duplicate"), duplicate_, duplicate)
            .endpoint("DatasetRestApi.duplicate"),
        rule(&["POST"], format!("{base}/get_or_create/"), get_or_create_, get_or_create)
            .endpoint("DatasetRestApi.get_or_create_dataset"),
        rule(&["DELETE"], format!("{base}/<int:pk>/column/<int:column_id>"), write, delete_column)
            .endpoint("DatasetColumnsRestApi.delete"),
        rule(&["DELETE"], format!("{base}/<int:pk>/metric/<int:metric_id>"), write, delete_metric)
            .endpoint("DatasetMetricRestApi.delete"),
    ]
}

fn ok() -> Handled {
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

/// The id of the path; what is no number names nothing.
fn pk(cx: &Cx) -> Result<i64, Failure> {
    let id: i32 = cx.req.param("pk").parse().map_err(|_| Error::not_found())?;
    Ok(i64::from(id))
}

/// Behind `@safe`, exceptions that no handler expects are "Fatal error".
fn safe(error: Error) -> Failure {
    match error {
        Error::Sip40 { .. } | Error::Legacy { .. } => Error::internal(error).into(),
        other => other.into(),
    }
}

async fn post(cx: Cx) -> Handled {
    let fields = schema::post(&json_body(&cx)?)?;
    let id = write::create(&cx.app, &cx.user, &fields).await.map_err(safe)?;
    let described = describe::load_one(cx.app.db.exec(), id).await?.ok_or_else(Error::not_found)?;
    let mut data = Value::Object(described.data());
    // this answer alone shows the connection taken apart, its password masked
    data["database"]["parameters"] = uri::parameters(&described.database.sqlalchemy_uri);
    Ok(Answer::fab(201, &json!({"id": id, "result": fields, "data": data})))
}

async fn put(cx: Cx) -> Handled {
    let body = match plain_json_body(&cx)? {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    let fields = schema::put(&body)?;
    let id = pk(&cx)?;
    let override_columns = is_true(cx.req.arg("override_columns"));
    write::update(&cx.app, &cx.user, id, &fields, override_columns).await?;
    if override_columns && let Err(error) = dataset::refresh(&cx.app, &cx.user, id).await {
        return refresh_failed(&cx, error);
    }
    Ok(Answer::fab(200, &json!({"id": id, "result": fields})))
}

/// The change is made, its refresh failed: an exception that the original leaves to the application.
fn refresh_failed(cx: &Cx, error: Error) -> Handled {
    let Error::Message { status: 422, message: Value::String(text) } = error else {
        return Err(error.into());
    };
    if error_pages::accepts_html(&cx.req) {
        return Ok(error_pages::abort(&cx.req, 500));
    }
    let error = SupersetError::new("GENERIC_COMMAND_ERROR", text).level("warning");
    Err(Error::sip40(422, error).into())
}

/// `parse_boolean_string`.
fn is_true(text: Option<&str>) -> bool {
    let text = text.unwrap_or_default().to_lowercase();
    matches!(text.as_str(), "y" | "yes" | "true" | "t" | "1" | "on")
}

async fn delete(cx: Cx) -> Handled {
    // PostgreSQL refuses to compare a number with a text, SQLite finds nothing
    if pk(&cx).is_err() && cx.app.db.exec().dialect() == Dialect::Postgres {
        return Err(Error::unprocessable("Datasets could not be deleted.").into());
    }
    write::delete(&cx.app, &cx.user, &[pk(&cx)?]).await?;
    ok()
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    write::delete(&cx.app, &cx.user, &ids).await?;
    let noun = if ids.len() == 1 { "dataset" } else { "datasets" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

async fn refresh(cx: Cx) -> Handled {
    dataset::refresh(&cx.app, &cx.user, pk(&cx)?).await.map_err(safe)?;
    ok()
}

async fn duplicate(cx: Cx) -> Handled {
    let fields = schema::duplicate(&json_body(&cx)?)?;
    let base = fields.get("base_model_id").and_then(Value::as_i64).unwrap_or_default();
    let name = fields.get("table_name").and_then(Value::as_str).unwrap_or_default();
    let id = dataset::duplicate(&cx.app, &cx.user, base, name).await.map_err(safe)?;
    Ok(Answer::fab(201, &json!({"id": id, "result": fields})))
}

async fn get_or_create(cx: Cx) -> Handled {
    let mut fields = schema::get_or_create(&json_body(&cx)?)?;
    let database = fields.get("database_id").and_then(Value::as_i64).unwrap_or_default();
    let name = fields.get("table_name").and_then(Value::as_str).unwrap_or_default();
    let id = match id_by_name(cx.app.db.exec(), database, name).await?.as_slice() {
        [] => {
            fields.insert("database".to_owned(), database.into());
            write::create(&cx.app, &cx.user, &fields).await.map_err(safe)?
        }
        [id] => *id,
        _ => return Err(Error::internal("several datasets of that name").into()),
    };
    Ok(Answer::fab(200, &json!({"result": {"table_id": id}})))
}

async fn delete_column(cx: Cx) -> Handled {
    dataset::delete_column(&cx.app, &cx.user, cx.req.int_param("pk"), cx.req.int_param("column_id")).await?;
    ok()
}

async fn delete_metric(cx: Cx) -> Handled {
    dataset::delete_metric(&cx.app, &cx.user, cx.req.int_param("pk"), cx.req.int_param("metric_id")).await?;
    ok()
}
