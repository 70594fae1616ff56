//! Reading a database connection (`superset.databases.api:DatabaseRestApi`).

use commands::{
    connect::{
        describe::{driver, engine, engine_information},
        tunnel,
    },
    database::find::{self, Database},
};
use infra::Error;
use serde_json::{Map, Value, json};

use crate::controllers::dataset::related_objects;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let (read, write) = (Access::Protect("can_read", "Database"), Access::Protect("can_write", "Database"));
    vec![
        rule(&["GET"], "/api/v1/database/<int:pk>", read, get).endpoint("DatabaseRestApi.get"),
        rule(&["GET"], "/api/v1/database/<int:pk>/connection", write, connection)
            .endpoint("DatabaseRestApi.get_connection"),
        rule(&["GET"], "/api/v1/database/<int:pk>/related_objects/", read, related)
            .endpoint("DatabaseRestApi.related_objects"),
    ]
}

/// The database of the address, if lists show it to the caller.
async fn listed(cx: &Cx) -> Result<Option<Database>, Failure> {
    Ok(find::listed(&cx.caller, cx.req.int_param("pk")).await?)
}

fn common_fields(d: &Database) -> Map<String, Value> {
    let Value::Object(map) = json!({
        "allow_ctas": d.allow_ctas,
        "allow_cvas": d.allow_cvas,
        "allow_dml": d.allow_dml,
        "allow_file_upload": d.allow_file_upload,
        "allow_run_async": d.allow_run_async,
        "backend": d.backend(),
        "cache_timeout": d.cache_timeout,
        "configuration_method": d.configuration_method,
        "database_name": d.database_name,
        "driver": driver(d),
        "engine_information": engine_information(d),
        "expose_in_sqllab": d.expose_in_sqllab,
        "force_ctas_schema": d.force_ctas_schema,
        "id": d.id,
        "impersonate_user": d.impersonate_user,
        "is_managed_externally": d.is_managed_externally,
        "uuid": d.uuid.map(|u| u.to_string()),
    }) else {
        return Map::new();
    };
    map
}

async fn get(cx: Cx) -> Handled {
    let database = listed(&cx).await?.ok_or_else(Error::not_found)?;
    let mut map = common_fields(&database);
    if let Some(tunnel) = &database.ssh_tunnel {
        map.insert("ssh_tunnel".into(), tunnel::describe(&cx.caller.app, tunnel));
    }
    Ok(Answer::fab(200, &json!({"id": database.id, "result": map})))
}

async fn connection(cx: Cx) -> Handled {
    let pk = cx.req.int_param("pk");
    let Some(database) = listed(&cx).await? else {
        // the original describes a database that is not there by its only default
        return Ok(Answer::fab(200, &json!({"id": pk, "result": {"is_managed_externally": false}})));
    };
    let mut map = common_fields(&database);
    let secrets = commands::connect::secrets::masked_secrets(&cx.caller.app, &database);
    map.insert("extra".into(), json!(database.extra));
    map.insert("masked_encrypted_extra".into(), json!(secrets.masked_encrypted_extra));
    let shown = secrets.masked_encrypted_extra.as_deref();
    map.insert("parameters".into(), commands::connect::uri::parameters(&database.sqlalchemy_uri, shown));
    let schema = engine(&database).parameters_schema.clone();
    map.insert("parameters_schema".into(), schema.unwrap_or_else(|| json!({})));
    map.insert("server_cert".into(), json!(secrets.server_cert));
    map.insert("sqlalchemy_uri".into(), json!(commands::connect::uri::masked(&database.sqlalchemy_uri)));
    if let Some(tunnel) = &database.ssh_tunnel {
        map.insert("ssh_tunnel".into(), tunnel::describe(&cx.caller.app, tunnel));
    }
    Ok(Answer::fab(200, &json!({"id": pk, "result": map})))
}

async fn related(cx: Cx) -> Handled {
    let database = listed(&cx).await?.ok_or_else(Error::not_found)?;
    let ids = find::dataset_ids(&cx.caller.app, database.id).await?;
    let (charts, dashboards) = related_objects(&cx, &ids).await?;
    let tabs = find::tabs(&cx.caller.app, database.id).await?;
    let tabs: Vec<Value> = tabs
        .into_iter()
        .map(|(id, label, active)| json!({"id": id, "label": label, "active": active}))
        .collect();
    let tabs = json!({"count": tabs.len(), "result": tabs});
    let answer = json!({"charts": charts, "dashboards": dashboards, "sqllab_tab_states": tabs});
    Ok(Answer::fab(200, &answer))
}
