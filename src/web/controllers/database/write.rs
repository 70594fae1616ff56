//! Writing, testing and checking connections (`superset.databases.api:DatabaseRestApi`).

use commands::{
    connect::{describe::driver, secrets, tunnel, uri},
    database::{
        DatabaseFields, SqlFields,
        find::{self, Database},
        parameters, test, validate_sql, write,
    },
};
use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use super::fields::{Loading, load, object_body};
use crate::controllers::parse::json_body;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    error_pages,
    routes::{Access, Rule, rule},
    schemas::validate,
};

pub(super) fn rules() -> Vec<Rule> {
    let (read, write) = (Access::Protect("can_read", "Database"), Access::Protect("can_write", "Database"));
    vec![
        rule(&["POST"], "/api/v1/database/", write, post).endpoint("DatabaseRestApi.post"),
        rule(&["PUT"], "/api/v1/database/<int:pk>", write, put).endpoint("DatabaseRestApi.put"),
        rule(&["DELETE"], "/api/v1/database/<int:pk>", write, delete).endpoint("DatabaseRestApi.delete"),
        rule(&["POST"], "/api/v1/database/test_connection/", write, test_connection)
            .endpoint("DatabaseRestApi.test_connection"),
        rule(&["POST"], "/api/v1/database/validate_parameters/", write, validate_parameters)
            .endpoint("DatabaseRestApi.validate_parameters"),
        rule(&["POST"], "/api/v1/database/<int:pk>/sync_permissions/", write, sync_permissions)
            .endpoint("DatabaseRestApi.sync-permissions"),
        rule(&["DELETE"], "/api/v1/database/<int:pk>/ssh_tunnel/", write, delete_tunnel)
            .endpoint("DatabaseRestApi.delete_ssh_tunnel"),
        rule(&["POST"], "/api/v1/database/<int:pk>/validate_sql/", read, check_sql)
            .endpoint("DatabaseRestApi.validate_sql"),
        rule(&["GET"], "/api/v1/database/<int:pk>/schemas_access_for_file_upload/", read, upload_schemas)
            .endpoint("DatabaseRestApi.schemas_access_for_file_upload"),
    ]
}

fn bad_request(errors: Map<String, Value>) -> Failure {
    Error::bad_request(Value::Object(errors)).into()
}

/// What the client sent, with what was made of it; secrets are masked.
fn echoed(cx: &Cx, mut item: Map<String, Value>, stored: &Database) -> Map<String, Value> {
    item.insert("sqlalchemy_uri".into(), json!(stored.sqlalchemy_uri));
    let secrets = secrets::masked_secrets(&cx.caller.app, stored);
    let parameters = uri::parameters(&stored.sqlalchemy_uri, secrets.masked_encrypted_extra.as_deref());
    if parameters.as_object().is_some_and(|p| !p.is_empty()) {
        item.insert("parameters".into(), parameters);
    }
    if let Some(secret) = item.get_mut("masked_encrypted_extra")
        && let Some(text) = secret.as_str()
    {
        *secret = json!(secrets::masked(&stored.sqlalchemy_uri, text));
    }
    if let Some(Value::Object(tunnel_fields)) = item.get_mut("ssh_tunnel") {
        tunnel::masked(tunnel_fields);
    }
    item
}

async fn post(cx: Cx) -> Handled {
    let how = Loading { fields: DatabaseFields::POST, strict: false, uri: Some(1) };
    let (echo, fields) = load(&cx.caller.app.config, object_body(&cx)?, &how).map_err(bad_request)?;
    let stored = write::create(&cx.caller, &fields).await?;
    let mut echo = echoed(&cx, echo, &stored);
    echo.insert("uuid".into(), json!(stored.uuid.map(|u| u.to_string())));
    echo.insert("expose_in_sqllab".into(), json!(stored.expose_in_sqllab));
    let driver = driver(&stored);
    if !driver.is_empty() {
        echo.insert("driver".into(), json!(driver));
    }
    Ok(Answer::fab(201, &json!({"id": stored.id, "result": echo})))
}

async fn put(cx: Cx) -> Handled {
    let how = Loading { fields: DatabaseFields::PUT, strict: false, uri: Some(0) };
    let Value::Object(body) = json_body(&cx)? else { return Err(Error::internal("no object").into()) };
    let (echo, fields) = load(&cx.caller.app.config, body, &how).map_err(bad_request)?;
    let stored = write::update(&cx.caller, cx.req.int_param("pk"), &fields).await?;
    Ok(Answer::fab(200, &json!({"id": stored.id, "result": echoed(&cx, echo, &stored)})))
}

fn done(message: &str) -> Answer {
    Answer::fab(200, &json!({"message": message}))
}

async fn delete(cx: Cx) -> Handled {
    write::delete(&cx.caller, cx.req.int_param("pk")).await?;
    Ok(done("OK"))
}

async fn test_connection(cx: Cx) -> Handled {
    let how = Loading { fields: DatabaseFields::TEST, strict: true, uri: Some(1) };
    let (_, fields) = load(&cx.caller.app.config, object_body(&cx)?, &how).map_err(bad_request)?;
    test::test_connection(&cx.caller, &fields).await?;
    Ok(done("OK"))
}

async fn validate_parameters(cx: Cx) -> Handled {
    let how = Loading { fields: DatabaseFields::PARAMETERS, strict: false, uri: None };
    let loaded = match serde_json::from_slice(&cx.req.body) {
        Ok(Value::Array(_) | Value::String(_)) if cx.req.is_json() => {
            Err(Map::from_iter([("_schema".to_owned(), json!(["Invalid input type."]))]))
        }
        _ => load(&cx.caller.app.config, object_body(&cx)?, &how),
    };
    let (_, fields) = loaded.map_err(|wrong| {
        let joined = |messages: &Value| {
            let all = messages.as_array().into_iter().flatten().filter_map(Value::as_str);
            all.collect::<Vec<_>>().join("\n")
        };
        let order = |key: &String| DatabaseFields::PARAMETERS.iter().position(|f| f.name == key);
        let mut wrong: Vec<(String, Value)> = wrong.into_iter().collect();
        wrong.sort_by_key(|(key, _)| order(key));
        let errors = wrong.iter().map(|(key, messages)| {
            SupersetError::new(ErrorType::InvalidPayloadSchemaError, joined(messages))
                .extra("invalid", json!([key]))
        });
        Failure::from(Error::Sip40 { status: 422, errors: errors.collect() })
    })?;
    parameters::validate_parameters(&cx.caller, &fields).await?;
    Ok(done("OK"))
}

async fn sync_permissions(cx: Cx) -> Handled {
    write::sync_permissions(&cx.caller, cx.req.int_param("pk")).await?;
    Ok(done("Permissions successfully synced"))
}

async fn listed(cx: &Cx) -> Result<Database, Failure> {
    let found = find::listed(&cx.caller, cx.req.int_param("pk")).await?;
    Ok(found.ok_or_else(Error::not_found)?)
}

async fn delete_tunnel(cx: Cx) -> Handled {
    find::delete_tunnel(&cx.caller, cx.req.int_param("pk")).await?;
    Ok(done("OK"))
}

async fn check_sql(cx: Cx) -> Handled {
    if !cx.req.is_json() {
        return Ok(error_pages::abort(&cx.req, 415));
    }
    let Ok(body) = serde_json::from_slice(&cx.req.body) else {
        return Ok(error_pages::abort(&cx.req, 400));
    };
    let fields = SqlFields::read(&validate::load(SqlFields::SCHEMA, &body).map_err(bad_request)?);
    let sql = fields.sql.text().unwrap_or_default();
    let found = validate_sql::validate_sql(&cx.caller, cx.req.int_param("pk"), sql).await?;
    Ok(Answer::fab(200, &json!({"result": found})))
}

/// A set that the original cannot write as JSON: it fails for every database there is. The schemas are told by
/// `schemas/?q=(upload_allowed:!t)`.
async fn upload_schemas(cx: Cx) -> Handled {
    listed(&cx).await?;
    Err(Error::internal("schemas are told by schemas/?q=(upload_allowed:!t)").into())
}
