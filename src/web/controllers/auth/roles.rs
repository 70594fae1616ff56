//! Roles with their users, permissions and groups (`superset.security.api:RoleRestAPI` and the additions of
//! `flask_appbuilder.security.sqla.apis.role`); the plain list and item belong to the generic model API.

use commands::roles::{self, Link, RoleQuery, replace_links};
use infra::{Error, rison};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let on_role = |permission| Access::Protect(permission, "Role");
    let path = |rest: &str| format!("/api/v1/security/roles/<int:role_id>/{rest}");
    vec![
        rule(
            &["GET"],
            "/api/v1/security/roles/search/",
            Access::Protect("can_list_roles", "RoleRestAPI"),
            search,
        )
        .endpoint("RoleRestAPI.get_list"),
        rule(&["GET"], path("permissions/"), on_role("can_list_role_permissions"), permissions)
            .endpoint("SupersetRoleApi.list_role_permissions"),
        rule(&["POST"], path("permissions"), on_role("can_add_role_permissions"), |cx| {
            replace(cx, Link::Permission, "permission_view_menu_ids")
        })
        .csrf_exempt()
        .endpoint("SupersetRoleApi.add_role_permissions"),
        rule(&["PUT"], path("users"), on_role("can_update_role_users"), |cx| {
            replace(cx, Link::User, "user_ids")
        })
        .csrf_exempt()
        .endpoint("SupersetRoleApi.update_role_users"),
        rule(&["PUT"], path("groups"), on_role("can_update_role_groups"), |cx| {
            replace(cx, Link::Group, "group_ids")
        })
        .csrf_exempt()
        .endpoint("SupersetRoleApi.update_role_groups"),
    ]
}

async fn search(cx: Cx) -> Handled {
    let q = rison::load(cx.req.arg("q"), &rison::schema::LIST)?;
    let query = role_query(&q)?;
    let mut found = roles::search(&cx.caller.app, &query).await?;
    let ids: Vec<i64> = found.roles.iter().map(|r| r.id).collect();
    let result: Vec<Value> = found
        .roles
        .into_iter()
        .map(|r| {
            json!({
                "id": r.id,
                "name": r.name,
                "user_ids": found.users.remove(&r.id).unwrap_or_default(),
                "permission_ids": found.permissions.remove(&r.id).unwrap_or_default(),
                "group_ids": found.groups.remove(&r.id).unwrap_or_default(),
            })
        })
        .collect();
    Ok(Answer::fab(200, &json!({"result": result, "count": found.count, "ids": ids})))
}

fn role_query(q: &Value) -> Result<RoleQuery, Error> {
    let column = q.get("order_column").and_then(Value::as_str).unwrap_or("id");
    if !["id", "name"].contains(&column) {
        return Err(Error::bad_request(format!("Invalid order column: {column}")));
    }
    let whole = |key: &str, default: i64| q.get(key).and_then(Value::as_i64).unwrap_or(default);
    let (page, size) = (whole("page", 0).max(0), whole("page_size", 10).max(0));
    let mut query = RoleQuery {
        by_name: column == "name",
        descending: q.get("order_direction").is_some_and(|d| d == "desc"),
        limit: size,
        offset: page.saturating_mul(size),
        ..RoleQuery::default()
    };
    for filter in q.get("filters").and_then(Value::as_array).into_iter().flatten() {
        let value = filter.get("value").unwrap_or(&Value::Null);
        let id = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        match filter.get("col").and_then(Value::as_str) {
            Some("user_ids") => query.user_id = Some(id.unwrap_or(-1)),
            Some("permission_ids") => query.permission_id = Some(id.unwrap_or(-1)),
            Some("group_ids") => query.group_id = Some(id.unwrap_or(-1)),
            Some("name") => {
                query.name = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }
            _ => {}
        }
    }
    Ok(query)
}

async fn permissions(cx: Cx) -> Handled {
    let granted = roles::permissions(&cx.caller.app, cx.req.int_param("role_id")).await?;
    let result: Vec<Value> = granted
        .into_iter()
        .map(|(id, permission, view_menu)| {
            json!({"id": id, "permission_name": permission,
            "view_menu_name": view_menu})
        })
        .collect();
    Ok(Answer::fab(200, &json!({"result": result})))
}

async fn replace(cx: Cx, link: Link, key: &'static str) -> Handled {
    let body: Value = serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        Error::bad_request(text)
    })?;
    let ids = load_ids(&body, key)?;
    replace_links(&cx.caller.app, link, cx.req.int_param("role_id"), &ids).await?;
    Ok(Answer::fab(200, &json!({"result": {key: ids}})))
}

/// A required list of whole numbers under a key, and nothing else.
fn load_ids(body: &Value, key: &str) -> Result<Vec<i64>, Error> {
    let Value::Object(body) = body else {
        return Err(Error::bad_request(json!({"_schema": ["Invalid input type."]})));
    };
    let mut errors = Map::new();
    let mut ids = Vec::new();
    match body.get(key) {
        None => drop(errors.insert(key.to_owned(), json!(["Missing data for required field."]))),
        Some(Value::Null) => drop(errors.insert(key.to_owned(), json!(["Field may not be null."]))),
        Some(Value::Array(items)) => {
            let mut wrong = Map::new();
            for (i, item) in items.iter().enumerate() {
                match item {
                    Value::Number(n) => ids.extend(n.as_i64().or_else(|| n.as_f64().map(|f| f as i64))),
                    Value::String(s) if s.trim().parse::<i64>().is_ok() => {
                        ids.extend(s.trim().parse::<i64>())
                    }
                    Value::Null => drop(wrong.insert(i.to_string(), json!(["Field may not be null."]))),
                    _ => drop(wrong.insert(i.to_string(), json!(["Not a valid integer."]))),
                }
            }
            if !wrong.is_empty() {
                errors.insert(key.to_owned(), Value::Object(wrong));
            }
        }
        Some(_) => drop(errors.insert(key.to_owned(), json!(["Not a valid list."]))),
    }
    for other in body.keys().filter(|k| *k != key) {
        errors.insert(other.clone(), json!(["Unknown field."]));
    }
    if errors.is_empty() { Ok(ids) } else { Err(Error::bad_request(Value::Object(errors))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let load = |body: Value| {
            load_ids(&body, "user_ids").map_err(|e| match e {
                Error::Message { message, .. } => message,
                _ => Value::Null,
            })
        };
        assert_eq!(load(json!({"user_ids": [1, "2"]})), Ok(vec![1, 2]));
        assert_eq!(load(json!({})), Err(json!({"user_ids": ["Missing data for required field."]})));
        assert_eq!(
            load(json!({"user_ids": ["x"]})),
            Err(json!({"user_ids": {"0": ["Not a valid integer."]}}))
        );
        assert_eq!(load(json!({"user_ids": [], "x": 1})), Err(json!({"x": ["Unknown field."]})));
    }
}
