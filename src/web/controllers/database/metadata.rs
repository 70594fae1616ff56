//! What databases tell about themselves (`superset.databases.api:DatabaseRestApi`).

use commands::{
    connect::{engine_as, oauth2},
    database::find::{self, Database},
    introspect::{partitions, tables},
    upload::schemas_for,
};
use infra::{
    Error, Result,
    engine_specs::{EngineSpec, specs},
    engines::python_drivers,
    error::{ErrorType, SupersetError},
    rison::{self, Schema},
};
use serde_json::{Value, json};

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    const READ: Access = Access::Protect("can_read", "Database");
    vec![
        rule(&["GET"], "/api/v1/database/available/", READ, available).endpoint("DatabaseRestApi.available"),
        rule(&["GET"], "/api/v1/database/<int:pk>/schemas/", READ, schemas)
            .endpoint("DatabaseRestApi.schemas"),
        rule(&["GET"], "/api/v1/database/<int:pk>/catalogs/", READ, catalogs)
            .endpoint("DatabaseRestApi.catalogs"),
        rule(&["GET"], "/api/v1/database/<int:pk>/tables/", READ, tables).endpoint("DatabaseRestApi.tables"),
        rule(&["GET"], "/api/v1/database/<int:pk>/table_metadata/", READ, table_metadata)
            .endpoint("DatabaseRestApi.table_metadata"),
        rule(&["GET"], "/api/v1/database/<int:pk>/table_metadata/extra/", READ, table_extra)
            .endpoint("DatabaseRestApi.table_extra_metadata"),
        rule(
            &["GET"],
            "/api/v1/database/<int:pk>/table/<path:table_name>/<schema_name>/",
            READ,
            table_by_path,
        )
        .endpoint("DatabaseRestApi.table_metadata_deprecated"),
        rule(
            &["GET"],
            "/api/v1/database/<int:pk>/table_extra/<path:table_name>/<schema_name>/",
            READ,
            extra_by_path,
        )
        .endpoint("DatabaseRestApi.table_extra_metadata_deprecated"),
        rule(&["GET"], "/api/v1/database/<int:pk>/select_star/<path:table_name>/", READ, select_star)
            .endpoint("DatabaseRestApi.select_star"),
        rule(
            &["GET"],
            "/api/v1/database/<int:pk>/select_star/<path:table_name>/<schema_name>/",
            READ,
            select_star,
        )
        .endpoint("DatabaseRestApi.select_star"),
        rule(&["GET"], "/api/v1/database/<int:pk>/function_names/", READ, function_names)
            .endpoint("DatabaseRestApi.function_names"),
    ]
}

/// The database of the path; the base filter of lists applies when `visible` is set.
async fn find(cx: &Cx, visible: bool) -> Result<Option<Database>> {
    let pk = cx.req.int_param("pk");
    if visible { find::listed(&cx.caller, pk).await } else { find::unchecked(&cx.caller.app, pk).await }
}

const BOOLEAN: Schema = Schema::of_types(&["boolean"]);
const STRING: Schema = Schema::of_types(&["string"]);
static SCHEMAS: Schema =
    Schema::object(&[("force", BOOLEAN), ("upload_allowed", BOOLEAN), ("catalog", STRING)]);
static CATALOGS: Schema = Schema::object(&[("force", BOOLEAN)]);
static TABLES: Schema = Schema {
    required: &["schema_name"],
    ..Schema::object(&[("force", BOOLEAN), ("schema_name", STRING), ("catalog_name", STRING)])
};

async fn schemas(cx: Cx) -> Handled {
    let question = rison::load(cx.req.arg("q"), &SCHEMAS)?;
    let found = find(&cx, true).await?.ok_or_else(Error::not_found)?;
    let upload = question.get("upload_allowed").and_then(Value::as_bool) == Some(true);
    if upload && !found.allow_file_upload {
        return Ok(Answer::fab(200, &json!({"result": []})));
    }
    let catalog = question.get("catalog").and_then(Value::as_str);
    let mut names = tables::schemas(&cx.caller, &found, catalog).await?;
    if upload {
        let allowed = schemas_for(&cx.caller, &found)?;
        if !allowed.is_empty() {
            names.retain(|n| allowed.contains(n));
        } else if !cx.caller.user.can_access_database(&found) {
            names.clear();
        }
    }
    Ok(Answer::fab(200, &json!({"result": names})))
}

async fn catalogs(cx: Cx) -> Handled {
    rison::load(cx.req.arg("q"), &CATALOGS)?;
    let found = find(&cx, true).await?.ok_or_else(Error::not_found)?;
    let names = tables::catalogs(&cx.caller, &found).await?;
    Ok(Answer::fab(200, &json!({"result": names})))
}

async fn tables(cx: Cx) -> Handled {
    let question = rison::load(cx.req.arg("q"), &TABLES)?;
    let schema = question.get("schema_name").and_then(Value::as_str).unwrap_or_default();
    let missing = || Error::Legacy { status: 404, error: "Database not found.".to_owned() };
    let found = find(&cx, true).await?.ok_or_else(missing)?;
    let catalog = question.get("catalog_name").and_then(Value::as_str);
    let payload = tables::tables(&cx.caller, &found, catalog, schema).await?;
    Ok(Answer::fab(200, &payload))
}

fn no_database() -> Error {
    Error::sip40(404, SupersetError::new(ErrorType::DatabaseNotFoundError, "No such database"))
}

/// The database and table that the arguments name, if the caller may use them.
async fn named_table(cx: &Cx) -> Result<(Database, Option<String>, String)> {
    let found = find(cx, true).await?.ok_or_else(no_database)?;
    let mut messages = serde_json::Map::new();
    for (key, _) in &cx.req.args {
        if !["name", "schema", "catalog"].contains(&key.as_str()) {
            messages.insert(key.clone(), json!(["Unknown field."]));
        }
    }
    if cx.req.arg("name").is_none() {
        messages.insert("name".to_owned(), json!(["Missing data for required field."]));
    }
    let Some(name) = cx.req.arg("name").filter(|_| messages.is_empty()) else {
        let text = "An error happened when validating the request";
        let error = SupersetError::new(ErrorType::InvalidPayloadSchemaError, text);
        let mut extra = serde_json::Map::from_iter([("messages".to_owned(), messages.into())]);
        extra.extend(error.extra.clone().unwrap_or_default());
        return Err(Error::sip40(422, SupersetError { extra: Some(extra), ..error }));
    };
    let (schema, catalog) = (cx.req.arg("schema"), cx.req.arg("catalog"));
    if !tables::raise_for_table(&cx.caller, &found, catalog, schema, name).await? {
        return Err(Error::sip40(404, SupersetError::new(ErrorType::TableNotFoundError, "No such table")));
    }
    Ok((found, schema.map(str::to_owned), name.to_owned()))
}

async fn table_metadata(cx: Cx) -> Handled {
    let (found, schema, name) = named_table(&cx).await?;
    let payload =
        tables::table_metadata(&cx.caller, &found, cx.req.arg("catalog"), (schema.as_deref(), &name)).await?;
    Ok(Answer::fab(200, &payload))
}

/// Partitions and views, of engines that tell them.
async fn table_extra(cx: Cx) -> Handled {
    let (found, schema, name) = named_table(&cx).await?;
    let (schema, catalog) = (schema.as_deref(), cx.req.arg("catalog"));
    let extra = partitions::table_extra(&cx.caller, &found, catalog, schema, &name).await?;
    Ok(Answer::fab(200, &extra))
}

/// A part of a path as the frontend writes it.
fn path_item(text: &str, undefined_is_none: bool) -> Option<String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!(undefined_is_none && matches!(text.as_str(), "undefined" | "null"))).then_some(text)
}

/// The database and table of the path, if the caller may use them.
async fn table_of_path(cx: &Cx) -> Result<(Database, Option<String>, String)> {
    let schema = Some(cx.req.param("schema_name")).filter(|s| !s.is_empty()).and_then(|s| path_item(s, true));
    let table = path_item(cx.req.param("table_name"), false).unwrap_or_default();
    if table.is_empty() {
        return Err(Error::unprocessable("Table name undefined"));
    }
    let found = find(cx, true).await?.ok_or_else(Error::not_found)?;
    if !tables::raise_for_table(&cx.caller, &found, None, schema.as_deref(), &table).await? {
        return Err(Error::not_found());
    }
    Ok((found, schema, table))
}

async fn table_by_path(cx: Cx) -> Handled {
    let (found, schema, table) = table_of_path(&cx).await?;
    let payload = tables::table_metadata(&cx.caller, &found, None, (schema.as_deref(), &table)).await;
    let payload = payload.map_err(|error| {
        // SQLAlchemy's errors are the request's fault here, the original's own keep their status
        let status = if oauth2::is_redirect(&error) { 500 } else { 422 };
        match error {
            Error::Sip40 { mut errors, .. } if !errors.is_empty() => {
                Error::message(status, errors.remove(0).message)
            }
            other => other,
        }
    })?;
    Ok(Answer::fab(200, &payload))
}

async fn extra_by_path(cx: Cx) -> Handled {
    let (found, schema, name) = table_of_path(&cx).await?;
    let extra = partitions::table_extra(&cx.caller, &found, None, schema.as_deref(), &name).await?;
    Ok(Answer::fab(200, &extra))
}

async fn select_star(cx: Cx) -> Handled {
    let (found, schema, table) = table_of_path(&cx).await?;
    let target = engine_as(&cx.caller, &found, None).await?;
    if !tables::table_exists(&target, schema.as_deref(), &table).await {
        return Err(Error::message(404, "Table not found on the database").into());
    }
    let catalog = tables::default_catalog(&found);
    let text = tables::select_star(&target, catalog.as_deref(), schema.as_deref(), &table);
    Ok(Answer::fab(200, &json!({"result": text})))
}

async fn function_names(cx: Cx) -> Handled {
    let found = find(&cx, true).await?.ok_or_else(Error::not_found)?;
    let names = tables::function_names(&cx.caller, &found).await?;
    Ok(Answer::fab(200, &json!({"function_names": names})))
}

/// `DBS_AVAILABLE_DENYLIST` names the engine's default driver (`superset.db_engine_specs:get_available_engine_specs`).
fn is_denied(cx: &Cx, spec: &EngineSpec) -> bool {
    let denied =
        cx.caller.app.config.get("DBS_AVAILABLE_DENYLIST").get(&spec.engine).and_then(Value::as_array);
    denied.into_iter().flatten().any(|driver| driver.as_str() == spec.default_driver.as_deref())
}

/// Engines with a driver, preferred ones first.
async fn available(cx: Cx) -> Handled {
    let preferred: Vec<&str> = cx
        .caller
        .app
        .config
        .get("PREFERRED_DATABASES")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut all = Vec::new();
    for spec in specs() {
        let mut drivers: Vec<&str> = python_drivers(spec).iter().map(String::as_str).collect();
        drivers.sort_unstable();
        if drivers.is_empty() || is_denied(&cx, spec) {
            continue;
        }
        let at = preferred.iter().position(|p| *p == spec.name);
        let mut payload = json!({
            "name": spec.name,
            "engine": spec.engine,
            "available_drivers": drivers,
            "sqlalchemy_uri_placeholder": spec.uri_placeholder,
            "preferred": at.is_some(),
            "engine_information": {
                "supports_file_upload": spec.caps.supports_file_upload,
                "disable_ssh_tunneling": spec.caps.disable_ssh_tunneling,
                "supports_dynamic_catalog": spec.caps.supports_dynamic_catalog,
                "supports_oauth2": spec.caps.supports_oauth2,
            },
            "supports_oauth2": spec.caps.supports_oauth2,
        });
        if let Some(driver) = spec.default_driver.as_deref().filter(|d| !d.is_empty()) {
            payload["default_driver"] = json!(driver);
        }
        let default = spec.default_driver.as_deref().unwrap_or_default();
        if let Some(schema) = spec.parameters_schema.as_ref().filter(|_| drivers.contains(&default)) {
            payload["parameters"] = schema.clone();
        }
        all.push((at.unwrap_or(usize::MAX), spec.name.clone(), payload));
    }
    all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let databases: Vec<Value> = all.into_iter().map(|(_, _, payload)| payload).collect();
    Ok(Answer::fab(200, &json!({"databases": databases})))
}
