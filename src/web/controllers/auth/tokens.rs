//! Tokens: CSRF, JSON Web Tokens of the API, guest tokens (`/api/v1/security/…`).

use std::sync::Arc;

use commands::{
    access::{
        LogIn,
        log_in::{Kind as Proof, new_mark},
    },
    dashboard::{detail, find},
    sign_in::{self, Allowed},
    state::functions,
};
use infra::{Error, config::Config, crypto::random};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    guards::{
        bearer::{self, Kind},
        csrf, guest,
        login_limit::LoginLimit,
    },
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules(limit: &Arc<LoginLimit>) -> Vec<Rule> {
    let limit = limit.clone();
    let read = Access::Protect("can_read", "SecurityRestApi");
    let grant = Access::Protect("can_grant_guest_token", "SecurityRestApi");
    vec![
        rule(&["GET"], "/api/v1/security/csrf_token/", read, csrf_token)
            .endpoint("SecurityRestApi.csrf_token"),
        rule(&["POST"], "/api/v1/security/guest_token/", grant, guest_token)
            .endpoint("SecurityRestApi.guest_token"),
        rule(&["POST"], "/api/v1/security/login", Access::Open, move |cx| login(cx, limit.clone()))
            .csrf_exempt()
            .endpoint("SecurityApi.login"),
        rule(&["POST"], "/api/v1/security/refresh", Access::Open, refresh)
            .csrf_exempt()
            .endpoint("SecurityApi.refresh"),
    ]
}

async fn csrf_token(cx: Cx) -> Handled {
    Ok(Answer::fab(200, &json!({"result": csrf::token(&cx)})))
}

fn body(cx: &Cx) -> Result<Value, Error> {
    serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        Error::bad_request(text)
    })
}

async fn login(cx: Cx, limit: Arc<LoginLimit>) -> Handled {
    if !cx.req.is_json() {
        return Err(Error::bad_request("Request payload is not JSON").into());
    }
    let (name, password, provider, wants_refresh) = load_login(&cx.caller.app.config, &body(&cx)?)?;
    let attempt = match limit.admit_program(&cx, &name).await {
        Ok(attempt) => attempt,
        Err(refusal) => return Ok(refusal),
    };
    // the original fails over a missing provider
    let provider = provider.ok_or_else(|| Error::internal("login without provider"))?;
    let found = sign_in::by_api(&cx.caller.app, &provider, &name, &password).await?;
    let Some(found) = found else {
        attempt.failed();
        return Err(Error::message(401, "Not authorized").into());
    };
    attempt.succeeded();
    let hash = found.password.unwrap_or_default();
    let log_in = LogIn {
        kind: Proof::Token,
        user_id: found.user.id,
        mark: Some(new_mark(&cx.caller.app, Proof::Token, found.user.id, &hash).await?),
        name: Some(random::url_safe::<12>()),
    };
    let issue = |kind, fresh| Value::from(bearer::issue(&cx.caller.app.config, kind, &log_in, fresh));
    let mut answer = Map::from_iter([("access_token".to_owned(), issue(Kind::Access, true))]);
    if wants_refresh {
        answer.insert("refresh_token".into(), issue(Kind::Refresh, false));
    }
    Ok(Answer::fab(200, &Value::Object(answer)))
}

/// `LoginPost`: name, password, provider, and whether a refresh token is wanted.
fn load_login(config: &Config, body: &Value) -> Result<(String, String, Option<String>, bool), Error> {
    let Value::Object(body) = body else {
        return Err(Error::bad_request(json!({"_schema": ["Invalid input type."]})));
    };
    let mut errors = Map::new();
    let mut fail = |key: &str, text: &str| {
        errors.insert(key.to_owned(), json!([text]));
    };
    let mut text = |key: &str| match body.get(key) {
        None => {
            fail(key, "Missing data for required field.");
            String::new()
        }
        Some(Value::String(s)) if s.is_empty() => {
            fail(key, "Shorter than minimum length 1.");
            String::new()
        }
        Some(Value::String(s)) if key == "password" && s.chars().all(|c| c == '\0') => {
            fail(key, "Password null is not allowed");
            String::new()
        }
        Some(Value::String(s)) => s.clone(),
        Some(Value::Null) => {
            fail(key, "Field may not be null.");
            String::new()
        }
        Some(_) => {
            fail(key, "Not a valid string.");
            String::new()
        }
    };
    let (name, password) = (text("username"), text("password"));
    let provider = match body.get("provider") {
        None => None,
        Some(Value::String(s)) => {
            let mut complaints = Vec::new();
            if s != "db" && s != "ldap" {
                complaints.push("Must be one of: db, ldap.");
            }
            if sign_in::allowed(config, s) == Allowed::OtherProvider {
                complaints.push("Alternative authentication provider is not allowed");
            }
            if !complaints.is_empty() {
                errors.insert("provider".into(), json!(complaints));
            }
            Some(s.clone())
        }
        Some(Value::Null) => {
            errors.insert("provider".into(), json!(["Field may not be null."]));
            None
        }
        Some(_) => {
            errors.insert("provider".into(), json!(["Not a valid string."]));
            None
        }
    };
    let refresh = match body.get("refresh").map(infra::json::boolean) {
        None => false,
        Some(Some(refresh)) => refresh,
        Some(None) => {
            errors.insert("refresh".into(), json!(["Not a valid boolean."]));
            false
        }
    };
    for key in body.keys() {
        if !["username", "password", "provider", "refresh"].contains(&key.as_str()) {
            errors.insert(key.clone(), json!(["Unknown field."]));
        }
    }
    if errors.is_empty() {
        Ok((name, password, provider, refresh))
    } else {
        Err(Error::bad_request(Value::Object(errors)))
    }
}

async fn refresh(cx: Cx) -> Handled {
    let log_in = match bearer::user(&cx.caller.app, &cx.req, Kind::Refresh).await {
        Ok((log_in, _)) => log_in,
        Err(refusal) => return Ok(refusal),
    };
    let token = bearer::issue(&cx.caller.app.config, Kind::Access, &log_in, false);
    Ok(Answer::fab(200, &json!({"access_token": token})))
}

async fn guest_token(cx: Cx) -> Handled {
    let body =
        if cx.req.is_json() { body(&cx)? } else { return Err(Error::message(415, UNSUPPORTED).into()) };
    let request = load_guest_request(&body)?;
    for resource in &request.resources {
        let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
        if !embeds(&cx, id).await? {
            return Err(Error::bad_request("EmbeddedDashboard not found.").into());
        }
    }
    if !functions::allows_guest_token(&cx.caller, request.body())? {
        return Err(Error::bad_request(json!({"_schema": ["Guest token validation failed"]})).into());
    }
    // the original fails over a missing user
    let user = request.user.ok_or_else(|| Error::internal("guest token without user"))?;
    let (resources, rls) = (Value::Array(request.resources), Value::Array(request.rls));
    if cx.caller.app.config.str("GUEST_TOKEN_JWT_SECRET").is_empty() {
        return Err(Error::internal("GUEST_TOKEN_JWT_SECRET is not set").into());
    }
    Ok(Answer::fab(200, &json!({"token": guest::issue(&cx.caller.app.config, user, resources, rls)})))
}

const UNSUPPORTED: &str = "415 Unsupported Media Type: Did not attempt to load JSON data because the request \
     Content-Type was not 'application/json'.";

/// A dashboard of that id or slug, or one that is embedded under that UUID.
async fn embeds(cx: &Cx, id: &str) -> Result<bool, Error> {
    Ok(find::unchecked(&cx.caller.app, id).await?.is_some()
        || detail::embedding_of(&cx.caller.app, id).await?.is_some())
}

struct GuestRequest {
    user: Option<Value>,
    resources: Vec<Value>,
    rls: Vec<Value>,
}

impl GuestRequest {
    /// What the schema made of the body.
    fn body(&self) -> Value {
        let mut body = Map::from_iter([
            ("resources".to_owned(), Value::Array(self.resources.clone())),
            ("rls".to_owned(), Value::Array(self.rls.clone())),
        ]);
        if let Some(user) = &self.user {
            body.insert("user".to_owned(), user.clone());
        }
        Value::Object(body)
    }
}

/// `GuestTokenCreateSchema`: keys that it does not know are dropped.
fn load_guest_request(body: &Value) -> Result<GuestRequest, Error> {
    let Value::Object(body) = body else {
        return Err(Error::bad_request(json!({"_schema": ["Invalid input type."]})));
    };
    let mut errors = Map::new();
    let user = match body.get("user") {
        None => None,
        Some(Value::Object(user)) => {
            let (user, wrong) = pick(user, &["username", "first_name", "last_name"], &[]);
            if !wrong.is_empty() {
                errors.insert("user".into(), Value::Object(wrong));
            }
            Some(Value::Object(user))
        }
        Some(Value::Null) => {
            errors.insert("user".into(), json!(["Field may not be null."]));
            None
        }
        Some(_) => {
            errors.insert("user".into(), json!({"_schema": ["Invalid input type."]}));
            None
        }
    };
    let resources = list(body, "resources", &mut errors, |resource| {
        let (picked, mut wrong) = pick(resource, &["type", "id"], &["type", "id"]);
        if picked.get("type").is_some_and(|t| t != "dashboard") {
            wrong.insert("type".into(), json!(["Must be one of: dashboard."]));
        }
        (picked, wrong)
    });
    let rls = list(body, "rls", &mut errors, |rule| {
        let (mut picked, mut wrong) = pick(rule, &["clause"], &["clause"]);
        match rule.get("dataset") {
            None => {}
            Some(Value::Null) => {
                wrong.insert("dataset".into(), json!(["Field may not be null."]));
            }
            Some(value) => {
                let number = match value {
                    Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
                    Value::String(s) => s.trim().parse().ok(),
                    _ => None,
                };
                match number {
                    Some(n) => drop(picked.insert("dataset".into(), n.into())),
                    None => drop(wrong.insert("dataset".into(), json!(["Not a valid integer."]))),
                }
            }
        }
        (picked, wrong)
    });
    if errors.is_empty() {
        Ok(GuestRequest { user, resources, rls })
    } else {
        Err(Error::bad_request(Value::Object(errors)))
    }
}

type Picked = (Map<String, Value>, Map<String, Value>);

/// The texts of an object under the given names, and what is wrong with them.
fn pick(object: &Map<String, Value>, names: &[&str], required: &[&str]) -> Picked {
    let (mut picked, mut wrong) = (Map::new(), Map::new());
    for name in names {
        match object.get(*name) {
            None if required.contains(name) => {
                wrong.insert((*name).to_owned(), json!(["Missing data for required field."]));
            }
            None => {}
            Some(value @ Value::String(_)) => {
                picked.insert((*name).to_owned(), value.clone());
            }
            Some(Value::Null) => {
                wrong.insert((*name).to_owned(), json!(["Field may not be null."]));
            }
            Some(_) => {
                wrong.insert((*name).to_owned(), json!(["Not a valid string."]));
            }
        }
    }
    (picked, wrong)
}

/// A required list of objects; errors are filed under the position of the object.
fn list(
    body: &Map<String, Value>,
    key: &str,
    errors: &mut Map<String, Value>,
    load: impl Fn(&Map<String, Value>) -> Picked,
) -> Vec<Value> {
    let items = match body.get(key) {
        Some(Value::Array(items)) => items,
        other => {
            let text = match other {
                None => "Missing data for required field.",
                Some(Value::Null) => "Field may not be null.",
                Some(_) => "Not a valid list.",
            };
            errors.insert(key.to_owned(), json!([text]));
            return Vec::new();
        }
    };
    let (mut out, mut wrong) = (Vec::new(), Map::new());
    for (i, item) in items.iter().enumerate() {
        let (picked, bad) = match item {
            Value::Object(item) => load(item),
            _ => (Map::new(), Map::from_iter([("_schema".to_owned(), json!(["Invalid input type."]))])),
        };
        if !bad.is_empty() {
            wrong.insert(i.to_string(), Value::Object(bad));
        }
        out.push(Value::Object(picked));
    }
    if !wrong.is_empty() {
        errors.insert(key.to_owned(), Value::Object(wrong));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(result: Result<T, Error>) -> Value {
        match result {
            Err(Error::Message { status: 400, message }) => message,
            _ => Value::Null,
        }
    }

    #[test]
    fn login_requests() {
        let load = |body: Value| load_login(&Config::default(), &body);
        let good = json!({"username": "a", "password": "b", "provider": "db", "refresh": "yes"});
        assert_eq!(load(good).unwrap(), ("a".into(), "b".into(), Some("db".into()), true));
        assert_eq!(
            message(load(json!({"username": "", "password": 1, "provider": "ldap", "x": 1}))),
            json!({
                "username": ["Shorter than minimum length 1."], "password": ["Not a valid string."],
                "provider": ["Alternative authentication provider is not allowed"], "x": ["Unknown field."],
            })
        );
        assert_eq!(message(load(json!([]))), json!({"_schema": ["Invalid input type."]}));
    }

    #[test]
    fn guest_requests() {
        let load = |body: Value| load_guest_request(&body);
        let missing = json!(["Missing data for required field."]);
        assert_eq!(message(load(json!({}))), json!({"resources": missing, "rls": missing}));
        assert_eq!(
            message(load(
                json!({"user": {}, "resources": [{"type": "chart", "id": "1"}], "rls": [{"dataset": "x"}]})
            )),
            json!({
                "resources": {"0": {"type": ["Must be one of: dashboard."]}},
                "rls": {"0": {"clause": missing, "dataset": ["Not a valid integer."]}},
            })
        );
        let ok = load(
            json!({"user": {"username": "g", "evil": 1}, "resources": [], "rls": [{"clause": "a", "dataset": "3"}]}),
        );
        let ok = ok.unwrap_or_else(|_| panic!("refused"));
        assert_eq!(ok.user, Some(json!({"username": "g"})));
        assert_eq!(ok.rls, [json!({"clause": "a", "dataset": 3})]);
    }
}
