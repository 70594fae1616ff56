//! Writes of users, groups and roles, and what a role grants.

use commands::security_admin::{self as admin, Links, RoleSearch, column_values};
use daos::tables::{GROUPS, USERS};
use infra::{
    Error,
    rison::{self, schema},
};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{
        Field, FieldKind,
        validate::{int_list, integer, json_body, load_or_400},
    },
    error::Failure,
    routes::{Access, Rule, rule},
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
pub fn rules() -> Vec<Rule> {
    let role = |permission| Access::Protect(permission, "Role");
    let fab = [
        rule(&["POST"], "/api/v1/security/users/", Access::Protect("can_post", "User"), create_user)
            .endpoint("SupersetUserApi.post"),
        rule(&["PUT"], "/api/v1/security/users/<pk>", Access::Protect("can_put", "User"), update_user)
            .endpoint("SupersetUserApi.put"),
        rule(&["POST"], "/api/v1/security/groups/", Access::Protect("can_post", "Group"), create_group)
            .endpoint("GroupApi.post"),
        rule(&["PUT"], "/api/v1/security/groups/<pk>", Access::Protect("can_put", "Group"), update_group)
            .endpoint("GroupApi.put"),
        rule(
            &["GET"],
            "/api/v1/security/roles/<int:role_id>/permissions/",
            role("can_list_role_permissions"),
            list_role_permissions,
        )
        .endpoint("SupersetRoleApi.list_role_permissions"),
        rule(
            &["POST"],
            "/api/v1/security/roles/<int:role_id>/permissions",
            role("can_add_role_permissions"),
            add_role_permissions,
        )
        .endpoint("SupersetRoleApi.add_role_permissions"),
        rule(
            &["PUT"],
            "/api/v1/security/roles/<int:role_id>/users",
            role("can_update_role_users"),
            update_role_users,
        )
        .endpoint("SupersetRoleApi.update_role_users"),
        rule(
            &["PUT"],
            "/api/v1/security/roles/<int:role_id>/groups",
            role("can_update_role_groups"),
            update_role_groups,
        )
        .endpoint("SupersetRoleApi.update_role_groups"),
    ];
    let search = rule(
        &["GET"],
        "/api/v1/security/roles/search/",
        Access::Protect("can_list_roles", "RoleRestAPI"),
        search_roles,
    )
    .endpoint("RoleRestAPI.get_list");
    fab.into_iter().map(Rule::csrf_exempt).chain([search]).collect()
}

fn links(item: &Map<String, Value>, names: &[&'static str]) -> Links {
    names.iter().filter(|n| item.contains_key(**n)).map(|n| (*n, int_list(item, n))).collect()
}

async fn create_user(cx: Cx) -> Handled {
    let item = load_or_400(USER_POST, &json_body(&cx)?)?;
    if int_list(&item, "roles").is_empty() && int_list(&item, "groups").is_empty() {
        let text = "At least one of 'roles' or 'groups' must be provided and non-empty.";
        return Err(Error::bad_request(json!({"_schema": [text]})).into());
    }
    let links = links(&item, &["roles", "groups"]);
    let id = admin::user_create(&cx.app, &cx.user, column_values(&USERS, &item), links).await?;
    Ok(Answer::fab(201, &json!({"id": id})))
}

async fn update_user(cx: Cx) -> Handled {
    let item = load_or_400(USER_PUT, &json_body(&cx)?)?;
    let id = cx.req.param("pk").parse().unwrap_or(-1);
    let links = links(&item, &["roles", "groups"]);
    admin::user_update(&cx.app, &cx.user, id, column_values(&USERS, &item), links).await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}

async fn create_group(cx: Cx) -> Handled {
    let item = load_or_400(GROUP_POST, &json_body(&cx)?)?;
    let id = admin::group_create(&cx.app, column_values(&GROUPS, &item), links(&item, &["roles", "users"]))
        .await?;
    Ok(Answer::fab(201, &json!({"id": id})))
}

async fn update_group(cx: Cx) -> Handled {
    let item = load_or_400(GROUP_PUT, &json_body(&cx)?)?;
    let id = cx.req.param("pk").parse().unwrap_or(-1);
    admin::group_update(&cx.app, id, column_values(&GROUPS, &item), links(&item, &["roles", "users"]))
        .await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}

async fn list_role_permissions(cx: Cx) -> Handled {
    let result = admin::role_permissions(&cx.app, cx.req.int_param("role_id")).await?;
    Ok(Answer::fab(200, &json!({"result": result})))
}

/// The body's one list of keys.
fn one_list(cx: &Cx, name: &'static str) -> Result<(Map<String, Value>, Vec<i64>), Failure> {
    let field = [Field::new(name, FieldKind::List).required()];
    let item = load_or_400(&field, &json_body(cx)?)?;
    let ids = int_list(&item, name);
    Ok((item, ids))
}

async fn add_role_permissions(cx: Cx) -> Handled {
    let (item, ids) = one_list(&cx, "permission_view_menu_ids")?;
    admin::role_grant(&cx.app, cx.req.int_param("role_id"), &ids).await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}

async fn update_role_users(cx: Cx) -> Handled {
    let (item, ids) = one_list(&cx, "user_ids")?;
    admin::role_members(&cx.app, cx.req.int_param("role_id"), "user", ids).await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}

async fn update_role_groups(cx: Cx) -> Handled {
    let (item, ids) = one_list(&cx, "group_ids")?;
    admin::role_members(&cx.app, cx.req.int_param("role_id"), "groups", ids).await?;
    Ok(Answer::fab(200, &json!({"result": item})))
}

async fn search_roles(cx: Cx) -> Handled {
    let args = rison::load(cx.req.arg("q"), &schema::LIST)?;
    let text = |key: &str, default: &str| args.get(key).and_then(Value::as_str).unwrap_or(default).to_owned();
    let int = |key: &str, default: i64| args.get(key).and_then(integer).unwrap_or(default);
    let order = text("order_column", "id");
    if order != "id" && order != "name" {
        return Err(Error::bad_request(format!("Invalid order column: {order}")).into());
    }
    let size = int("page_size", 10).clamp(0, 10_000);
    let mut search = RoleSearch {
        order,
        descending: text("order_direction", "asc") != "asc",
        page: (int("page", 0).max(0).saturating_mul(size), size),
        ..RoleSearch::default()
    };
    for filter in args.get("filters").and_then(Value::as_array).into_iter().flatten() {
        let value = filter.get("value").unwrap_or(&Value::Null);
        let relation = match filter.get("col").and_then(Value::as_str) {
            Some("user_ids") => "user",
            Some("permission_ids") => "permissions",
            Some("group_ids") => "groups",
            Some("name") => {
                search.name = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                continue;
            }
            _ => continue,
        };
        search.members.push((relation, integer(value).filter(|i| i32::try_from(*i).is_ok()).unwrap_or(-1)));
    }
    let (count, result) = admin::role_search(&cx.app, search).await?;
    let ids: Vec<Value> = result.iter().map(|r| r["id"].clone()).collect();
    Ok(Answer::fab(200, &json!({"count": count, "ids": ids, "result": result})))
}
