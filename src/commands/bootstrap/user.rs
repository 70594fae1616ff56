//! Who looks at the page (`superset.views.utils:bootstrap_user_data`).

use std::collections::BTreeSet;

use indexmap::IndexMap;
use infra::{Result, json::dumps};
use serde_json::{Map, Value, json};

use crate::{Caller, Principal};

/// The key `user` of the bootstrap data, with what each role grants.
pub async fn user(caller: &Caller) -> Result<Value> {
    let mut data = person(caller);
    let grants = caller.app.grants.load(caller.app.db.exec(), &caller.user.role_ids()).await?;
    let mut roles = Map::new();
    for role in &caller.user.roles {
        let of_role = grants.by_role.get(&role.id).map(Vec::as_slice).unwrap_or_default();
        roles.insert(role.name.clone(), json!(of_role));
    }
    data.insert("roles".into(), Value::Object(roles));
    data.insert("permissions".into(), data_permissions(&caller.user));
    Ok(Value::Object(data))
}

/// The same as JSON. What roles grant is most of it, and is written once.
pub async fn user_text(caller: &Caller) -> Result<String> {
    let grants = caller.app.grants.load(caller.app.db.exec(), &caller.user.role_ids()).await?;
    let mut roles: IndexMap<&str, &str> = IndexMap::new();
    for role in &caller.user.roles {
        roles.insert(&role.name, grants.json_of(role.id));
    }
    let mut text = dumps(&Value::Object(person(caller)));
    text.pop();
    text.push_str(if text.len() > 1 { ", \"roles\": {" } else { "\"roles\": {" });
    for (n, (name, granted)) in roles.into_iter().enumerate() {
        let before = if n > 0 { ", " } else { "" };
        text.push_str(&format!("{before}{}: {granted}", dumps(&name.into())));
    }
    text.push_str("}, \"permissions\": ");
    text.push_str(&dumps(&data_permissions(&caller.user)));
    text.push('}');
    Ok(text)
}

/// Who it is, as far as that is said by the person alone.
fn person(caller: &Caller) -> Map<String, Value> {
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
    if let Some(user) = &caller.user.user {
        put("username", user.username.clone().into());
        put("firstName", user.first_name.clone().into());
        put("lastName", user.last_name.clone().into());
        put("userId", user.id.into());
        put("isActive", user.active.into());
        put("isAnonymous", false.into());
        put("createdOn", user.created_on.map(iso).into());
        put("email", user.email.clone().into());
        put("loginCount", user.login_count.into());
    } else if let Some(guest) = &caller.user.guest {
        let claim = |name: &str| guest.user.get(name).cloned().unwrap_or_default();
        let name = |key: &str, default: &str| match claim(key) {
            Value::String(s) if !s.is_empty() => Value::String(s),
            _ => default.into(),
        };
        put("username", name("username", "guest_user"));
        put("firstName", name("first_name", "Guest"));
        put("lastName", name("last_name", "User"));
        put("isActive", false.into());
        put("isAnonymous", false.into());
    }
    data
}

/// The data that is granted by name; a key is there only when something is.
fn data_permissions(user: &Principal) -> Value {
    let mut permissions = Map::new();
    for name in ["datasource_access", "database_access"] {
        let view_menus: BTreeSet<&str> = user.view_menus(name).into_iter().collect();
        if !view_menus.is_empty() {
            permissions.insert(name.to_owned(), json!(view_menus));
        }
    }
    Value::Object(permissions)
}

/// Python's `datetime.isoformat()`: six digits of a second, or none.
fn iso(time: chrono::NaiveDateTime) -> String {
    let micros = time.and_utc().timestamp_subsec_micros();
    time.format(if micros == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" }).to_string()
}
