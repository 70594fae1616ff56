//! Links to the state of an editor (`superset.sqllab.permalink.api`).

use commands::permalink::Permalink;
use infra::Error;
use serde_json::{Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    guards::host,
    routes::{Access, Rule, rule},
    schemas::validate,
};

pub(super) fn rules() -> Vec<Rule> {
    let protect = |permission| Access::Protect(permission, "SqlLabPermalinkRestApi");
    vec![
        rule(&["POST"], "/api/v1/sqllab/permalink", protect("can_write"), post)
            .endpoint("SqlLabPermalinkRestApi.post"),
        rule(&["GET"], "/api/v1/sqllab/permalink/<key>", protect("can_read"), get)
            .endpoint("SqlLabPermalinkRestApi.get"),
    ]
}

/// `SqlLabPermalinkSchema`.
const STATE: &[Field] = &[
    Field::new("autorun", FieldKind::Boolean),
    Field::new("dbId", FieldKind::Integer).required(),
    Field::new("name", FieldKind::String).required(),
    Field::new("schema", FieldKind::String).nullable(),
    Field::new("catalog", FieldKind::String).nullable(),
    Field::new("sql", FieldKind::String).required(),
    Field::new("templateParams", FieldKind::String).nullable(),
];

async fn post(cx: Cx) -> Handled {
    let state = validate::load_or_400(STATE, &validate::json_body(&cx)?)?;
    let key = Permalink::SqlLab.create(&cx.caller, &Value::Object(state)).await?;
    let url = host::link(&cx.req, &format!("/sqllab/p/{key}/"));
    Ok(Answer::fab(201, &json!({"key": key, "url": url})))
}

async fn get(cx: Cx) -> Handled {
    let key = cx.req.param("key");
    let found = match key.strip_prefix("kv:") {
        Some(id) => commands::sql_lab::start::old_link(&cx.caller.app, id).await?,
        None => Permalink::SqlLab.get(&cx.caller.app, key).await?,
    };
    Ok(Answer::fab(200, &found.ok_or_else(Error::not_found)?))
}
