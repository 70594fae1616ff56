//! `/api/v1/me/`: who I am (`superset.views.users.api:CurrentUserRestApi`); for sessions only, no tokens.

use std::borrow::Cow;

use commands::{
    access::load_user,
    bootstrap,
    login::{Profile, has_local_passwords, update_profile},
    state::User,
};
use infra::Error;
use serde_json::{Map, Value, json};

use super::complexity::password_complaint;
use crate::{
    Answer, Cx, Handled,
    guards::identity,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/api/v1/me/", Access::Open, get).endpoint("CurrentUserRestApi.get_me"),
        rule(&["PUT"], "/api/v1/me/", Access::Open, put).endpoint("CurrentUserRestApi.update_me"),
        rule(&["GET"], "/api/v1/me/roles/", Access::Open, roles).endpoint("CurrentUserRestApi.get_my_roles"),
    ]
}

fn unauthorized() -> Error {
    Error::message(401, "Not authorized")
}

fn view(user: &User) -> Answer {
    let result = json!({
        "email": user.email,
        "first_name": user.first_name,
        "id": user.id,
        "is_active": user.active,
        "is_anonymous": false,
        "last_name": user.last_name,
        "login_count": user.login_count,
        "username": user.username,
    });
    Answer::fab(200, &json!({"result": result}))
}

async fn get(cx: Cx) -> Handled {
    if let Some(user) = &cx.caller.user.user {
        return Ok(view(user));
    }
    let guest = cx.caller.user.guest.as_ref().ok_or_else(unauthorized)?;
    let claim = |key: &str, default: &str| {
        guest.user.get(key).and_then(Value::as_str).filter(|s| !s.is_empty()).unwrap_or(default).to_owned()
    };
    let result = json!({
        "first_name": claim("first_name", "Guest"),
        "is_active": true,
        "is_anonymous": false,
        "last_name": claim("last_name", "User"),
        "username": claim("username", "guest_user"),
    });
    Ok(Answer::fab(200, &json!({"result": result})))
}

async fn roles(cx: Cx) -> Handled {
    if cx.caller.user.is_anonymous() {
        return Err(unauthorized().into());
    }
    let data = bootstrap::user(&cx.caller).await?;
    Ok(Answer::fab(200, &json!({"result": data})))
}

async fn put(cx: Cx) -> Handled {
    if !cx.req.is_json() {
        return Err(Error::internal("PUT /api/v1/me/ without JSON").into());
    }
    let id = cx.caller.user.user_id().ok_or_else(unauthorized)?;
    let body: Value = serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        Error::bad_request(text)
    })?;
    let profile = load(&cx, &body)?;
    if profile.password.is_some() && !has_local_passwords(&cx.caller.app.config) {
        return Err(Error::forbidden().into());
    }
    if let Some(mark) = update_profile(&cx.caller.app, id, id, profile).await? {
        identity::renew_mark(&mut cx.session.lock(), &mark);
    }
    let changed = load_user(&cx.caller.app, id).await?.ok_or_else(unauthorized)?;
    changed.user.as_ref().map(view).ok_or_else(|| unauthorized().into())
}

/// `CurrentUserPutSchema`.
fn load(cx: &Cx, body: &Value) -> Result<Profile, Error> {
    let invalid = |errors: Map<String, Value>| Error::bad_request(Value::Object(errors));
    let Value::Object(body) = body else {
        return Err(invalid(Map::from_iter([("_schema".to_owned(), json!(["Invalid input type."]))])));
    };
    let mut errors = Map::new();
    let mut profile = Profile::default();
    for (key, value) in body {
        let problem: Option<Cow<'_, str>> = match (key.as_str(), value) {
            ("first_name" | "last_name" | "password", Value::Null) => Some("Field may not be null.".into()),
            ("first_name" | "last_name", Value::String(s)) if !(1..=64).contains(&s.chars().count()) => {
                Some("Length must be between 1 and 64.".into())
            }
            ("first_name", Value::String(s)) => {
                profile.first_name = Some(s.clone());
                None
            }
            ("last_name", Value::String(s)) => {
                profile.last_name = Some(s.clone());
                None
            }
            ("password", Value::String(s)) => {
                profile.password = Some(s.clone());
                password_complaint(&cx.caller.app.config, s)?.map(Cow::from)
            }
            ("first_name" | "last_name" | "password", _) => Some("Not a valid string.".into()),
            _ => Some("Unknown field.".into()),
        };
        if let Some(problem) = problem {
            errors.insert(key.clone(), json!([problem]));
        }
    }
    if !errors.is_empty() {
        return Err(invalid(errors));
    }
    if body.is_empty() {
        return Err(Error::bad_request("At least one field must be provided."));
    }
    Ok(profile)
}
