//! Reading a database connection (`superset.databases.api:DatabaseRestApi`).

use commands::{
    access::lists,
    database::{
        describe::{driver, engine, engine_information},
        tunnel,
    },
};
use daos::database::{self, Database};
use infra::{Error, db::Sql};
use serde_json::{Map, Value, json};

use super::datasets::related_objects;
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
    let pk = cx.req.int_param("pk");
    Ok(database::find_where(cx.app.db.exec(), pk, lists::databases(&cx.user, "d")).await?)
}

fn shown(d: &Database) -> Map<String, Value> {
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
    let mut map = shown(&database);
    if let Some(tunnel) = &database.ssh_tunnel {
        map.insert("ssh_tunnel".into(), tunnel::shown(&cx.app, tunnel));
    }
    Ok(Answer::fab(200, &json!({"id": database.id, "result": map})))
}

async fn connection(cx: Cx) -> Handled {
    let pk = cx.req.int_param("pk");
    let Some(database) = listed(&cx).await? else {
        // the original describes a database that is not there by its only default
        return Ok(Answer::fab(200, &json!({"id": pk, "result": {"is_managed_externally": false}})));
    };
    let mut map = shown(&database);
    let secrets = commands::database::secrets::shown(&cx.app, &database);
    map.insert("extra".into(), json!(database.extra));
    map.insert("masked_encrypted_extra".into(), json!(secrets.masked_encrypted_extra));
    map.insert("parameters".into(), commands::database::uri::parameters(&database.sqlalchemy_uri));
    let schema = engine(&database).parameters_schema.clone();
    map.insert("parameters_schema".into(), schema.unwrap_or_else(|| json!({})));
    map.insert("server_cert".into(), json!(secrets.server_cert));
    map.insert("sqlalchemy_uri".into(), json!(commands::database::uri::masked(&database.sqlalchemy_uri)));
    if let Some(tunnel) = &database.ssh_tunnel {
        map.insert("ssh_tunnel".into(), tunnel::shown(&cx.app, tunnel));
    }
    Ok(Answer::fab(200, &json!({"id": pk, "result": map})))
}

async fn related(cx: Cx) -> Handled {
    let database = listed(&cx).await?.ok_or_else(Error::not_found)?;
    let db = cx.app.db.exec();
    let sql = Sql::new("SELECT id FROM tables WHERE database_id = ?").bind(database.id);
    let ids: Vec<i64> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    let (charts, dashboards) = related_objects(db, &ids).await?;
    let sql = Sql::new("SELECT id, label, active FROM tab_state WHERE database_id = ? ORDER BY id");
    let mut tabs = Vec::new();
    for row in db.query(sql.bind(database.id)).await? {
        let (id, label, active): (i64, Option<String>, Option<bool>) = (row.at(0)?, row.at(1)?, row.at(2)?);
        tabs.push(json!({"id": id, "label": label, "active": active}));
    }
    let tabs = json!({"count": tabs.len(), "result": tabs});
    let answer = json!({"charts": charts, "dashboards": dashboards, "sqllab_tab_states": tabs});
    Ok(Answer::fab(200, &answer))
}
