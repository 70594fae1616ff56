//! Writes of users and groups.

use commands::security_admin::{self as admin, Links, column_values};
use daos::tables::{GROUPS, USERS};
use infra::Error;
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::{
        auth::password_complaint,
        crud::{Field, FieldKind},
    },
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::validate::{both_bounds, int_list, json_body, load, load_or_400},
};

const USER_POST: &[Field] = &[
    Field::new("active", FieldKind::Boolean),
    Field::new("email", FieldKind::String).required(),
    Field::new("first_name", FieldKind::String).required(),
    Field::new("last_name", FieldKind::String).required(),
    Field::new("password", FieldKind::String).required(),
    Field::new("roles", FieldKind::List),
    Field::new("groups", FieldKind::List),
    Field::new("username", FieldKind::String).required().length(1, Some(250)),
];
const USER_PUT: &[Field] = &[
    Field::new("active", FieldKind::Boolean),
    Field::new("email", FieldKind::String),
    Field::new("first_name", FieldKind::String),
    Field::new("last_name", FieldKind::String),
    Field::new("password", FieldKind::String),
    Field::new("roles", FieldKind::List),
    Field::new("groups", FieldKind::List),
    Field::new("username", FieldKind::String).length(1, Some(250)),
];
const GROUP_POST: &[Field] = &[
    Field::new("name", FieldKind::String).required().length(1, Some(100)),
    Field::text("label").length(0, Some(150)),
    Field::text("description").length(0, Some(512)),
    Field::new("roles", FieldKind::List),
    Field::new("users", FieldKind::List),
];
const GROUP_PUT: &[Field] = &[
    Field::new("name", FieldKind::String).length(1, Some(100)),
    Field::text("label").length(0, Some(150)),
    Field::text("description").length(0, Some(512)),
    Field::new("roles", FieldKind::List),
    Field::new("users", FieldKind::List),
];

/// Rules of this file; FAB exempts its own API from CSRF.
pub(super) fn rules() -> Vec<Rule> {
    let fab = [
        rule(&["POST"], "/api/v1/security/users/", Access::Protect("can_post", "User"), create_user)
            .endpoint("SupersetUserApi.post"),
        rule(&["PUT"], "/api/v1/security/users/<pk>", Access::Protect("can_put", "User"), update_user)
            .endpoint("SupersetUserApi.put"),
        rule(&["POST"], "/api/v1/security/groups/", Access::Protect("can_post", "Group"), create_group)
            .endpoint("GroupApi.post"),
        rule(&["PUT"], "/api/v1/security/groups/<pk>", Access::Protect("can_put", "Group"), update_group)
            .endpoint("GroupApi.put"),
    ];
    fab.map(Rule::csrf_exempt).into()
}

fn links(item: &Map<String, Value>, names: &[&'static str]) -> Links {
    names.iter().filter(|n| item.contains_key(**n)).map(|n| (*n, int_list(item, n))).collect()
}

/// A body whose password is as complex as the installation wants them (`FAB_PASSWORD_COMPLEXITY_ENABLED`).
fn load_user(fields: &[Field], cx: &Cx) -> Result<Map<String, Value>, Failure> {
    let item = load_or_400(fields, &json_body(cx)?)?;
    let password = item.get("password").and_then(Value::as_str);
    let complaint =
        password.map(|password| password_complaint(&cx.caller.app.config, password)).transpose()?;
    if let Some(complaint) = complaint.flatten() {
        return Err(Error::bad_request(json!({"password": [complaint]})).into());
    }
    Ok(item)
}

async fn create_user(cx: Cx) -> Handled {
    let item = load_user(USER_POST, &cx)?;
    if int_list(&item, "roles").is_empty() && int_list(&item, "groups").is_empty() {
        let text = "At least one of 'roles' or 'groups' must be provided and non-empty.";
        return Err(Error::bad_request(json!({"_schema": [text]})).into());
    }
    let links = links(&item, &["roles", "groups"]);
    let id = admin::user_create(&cx.caller, column_values(&USERS, &item), links).await?;
    Ok(Answer::fab(201, &json!({"id": id})))
}

async fn update_user(cx: Cx) -> Handled {
    let item = load_user(USER_PUT, &cx)?;
    let id = cx.req.pk()?;
    let links = links(&item, &["roles", "groups"]);
    admin::user_update(&cx.caller, id, column_values(&USERS, &item), links).await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}

/// The body of a group; its bounds are told from zero.
fn load_group(fields: &[Field], cx: &Cx) -> Result<Map<String, Value>, Failure> {
    load(fields, &json_body(cx)?).map_err(|mut errors| {
        both_bounds(&mut errors);
        Failure(Error::bad_request(Value::Object(errors)))
    })
}

async fn create_group(cx: Cx) -> Handled {
    let item = load_group(GROUP_POST, &cx)?;
    let id =
        admin::group_create(&cx.caller.app, column_values(&GROUPS, &item), links(&item, &["roles", "users"]))
            .await?;
    Ok(Answer::fab(201, &json!({"id": id})))
}

async fn update_group(cx: Cx) -> Handled {
    let item = load_group(GROUP_PUT, &cx)?;
    let id = cx.req.pk()?;
    admin::group_update(&cx.caller.app, id, column_values(&GROUPS, &item), links(&item, &["roles", "users"]))
        .await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}
