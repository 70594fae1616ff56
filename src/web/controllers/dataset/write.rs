//! POST, PUT and DELETE of `/api/v1/dataset/` and what hangs on it (`superset.datasets.api:DatasetRestApi`).

use commands::{
    connect::uri,
    dataset::{self, DatasetFields, DuplicateFields, find, write},
    schema::Sent,
};
use infra::{
    Error,
    db::Executor,
    error::{ErrorType, SupersetError},
};
use serde_json::{Value, json};

use super::schema;
use crate::controllers::parse::json_body;
use crate::{
    Answer, Cx, Handled,
    controllers::crud::write::ids,
    error::Failure,
    error_pages,
    routes::{Access, Rule, rule},
    schemas::validate::plain_json_body,
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
    let echo = schema::post(&json_body(&cx)?)?;
    let id = write::create(&cx.caller, &DatasetFields::read(&echo)).await.map_err(safe)?;
    let described = find::described(&cx.caller.app, id).await?.ok_or_else(Error::not_found)?;
    let mut data = Value::Object(described.data(&cx.caller.app.config));
    // this answer alone shows the connection taken apart, its password masked
    data["database"]["parameters"] = uri::parameters(&described.database.sqlalchemy_uri, None);
    Ok(Answer::fab(201, &json!({"id": id, "result": echo, "data": data})))
}

async fn put(cx: Cx) -> Handled {
    let body = match plain_json_body(&cx)? {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    let echo = schema::put(&body)?;
    let id = pk(&cx)?;
    let override_columns = is_true(cx.req.arg("override_columns"));
    write::update(&cx.caller, id, &DatasetFields::read(&echo), override_columns).await?;
    if override_columns && let Err(error) = dataset::refresh(&cx.caller, id).await {
        return refresh_failed(&cx, error);
    }
    Ok(Answer::fab(200, &json!({"id": id, "result": echo})))
}

/// The change is made, its refresh failed: an exception that the original leaves to the application.
fn refresh_failed(cx: &Cx, error: Error) -> Handled {
    let Error::Message { status: 422, message: Value::String(text) } = error else {
        return Err(error.into());
    };
    if error_pages::accepts_html(&cx.req) {
        return Ok(error_pages::abort(&cx.req, 500));
    }
    let error = SupersetError::new(ErrorType::GenericCommandError, text).level("warning");
    Err(Error::sip40(422, error).into())
}

/// `parse_boolean_string`.
fn is_true(text: Option<&str>) -> bool {
    let text = text.unwrap_or_default().to_lowercase();
    matches!(text.as_str(), "y" | "yes" | "true" | "t" | "1" | "on")
}

async fn delete(cx: Cx) -> Handled {
    // PostgreSQL refuses to compare a number with a text, SQLite finds nothing
    if pk(&cx).is_err() && cx.caller.app.db.dialect().is_strict() {
        return Err(Error::unprocessable("Datasets could not be deleted.").into());
    }
    write::delete(&cx.caller, &[pk(&cx)?]).await?;
    ok()
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    write::delete(&cx.caller, &ids).await?;
    let noun = if ids.len() == 1 { "dataset" } else { "datasets" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

async fn refresh(cx: Cx) -> Handled {
    dataset::refresh(&cx.caller, pk(&cx)?).await.map_err(safe)?;
    ok()
}

async fn duplicate(cx: Cx) -> Handled {
    let echo = schema::duplicate(&json_body(&cx)?)?;
    let fields = DuplicateFields::read(&echo);
    let base = fields.base_model_id.get().unwrap_or_default();
    let name = fields.table_name.text().unwrap_or_default();
    let id = dataset::duplicate(&cx.caller, base, name).await.map_err(safe)?;
    Ok(Answer::fab(201, &json!({"id": id, "result": echo})))
}

async fn get_or_create(cx: Cx) -> Handled {
    let mut fields = DatasetFields::read(&schema::get_or_create(&json_body(&cx)?)?);
    let database = fields.database_id.get().unwrap_or_default();
    let name = fields.table_name.text().unwrap_or_default();
    let id = match find::ids_by_name(&cx.caller.app, database, name).await?.as_slice() {
        [] => {
            fields.database = Sent::Value(database);
            write::create(&cx.caller, &fields).await.map_err(safe)?
        }
        [id] => *id,
        _ => return Err(Error::internal("several datasets of that name").into()),
    };
    Ok(Answer::fab(200, &json!({"result": {"table_id": id}})))
}

async fn delete_column(cx: Cx) -> Handled {
    dataset::delete_column(&cx.caller, cx.req.int_param("pk"), cx.req.int_param("column_id")).await?;
    ok()
}

async fn delete_metric(cx: Cx) -> Handled {
    dataset::delete_metric(&cx.caller, cx.req.int_param("pk"), cx.req.int_param("metric_id")).await?;
    ok()
}
