//! The session cookie (`flask.sessions:SecureCookieSessionInterface`).
//!
//! Values stay in Flask's tagged form (`{" t": […]}` for a tuple): we and Superset can take turns on one cookie.

use std::time::{SystemTime, UNIX_EPOCH};

use infra::{config::Config, crypto::signer::Signer, json::ascii_json};
use serde_json::{Map, Value};

use crate::{
    answer::sorted,
    context::{Req, Session},
};

/// Seconds since the epoch.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or_default())
}

/// The session of a request; empty when there is no cookie, or one that is forged or too old.
pub fn load(config: &Config, req: &Req) -> Session {
    let values = cookie(req, cookie_name(config)).and_then(|text| decode(config, text)).unwrap_or_default();
    Session { values, modified: false }
}

fn decode(config: &Config, text: &str) -> Option<Map<String, Value>> {
    let secret = config.str("SECRET_KEY");
    if secret.is_empty() {
        return None;
    }
    let max_age = config.int("PERMANENT_SESSION_LIFETIME").unwrap_or(2_678_400);
    let payload = Signer::session(secret).loads(text, max_age, now()).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The `Set-Cookie` value that a changed session needs.
pub fn save(config: &Config, session: &Session) -> Option<String> {
    let secret = config.str("SECRET_KEY");
    if !session.modified || secret.is_empty() {
        return None;
    }
    let name = cookie_name(config);
    if session.values.is_empty() {
        let expired = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; ";
        return Some(format!("{name}=; {expired}{}", attributes(config)));
    }
    let text = ascii_json(&sorted(&Value::Object(session.values.clone())), false);
    let signed = Signer::session(secret).dumps(text.as_bytes(), now());
    let permanent = session.values.get("_permanent") == Some(&Value::Bool(true));
    let expires = if permanent { expires(config) } else { String::new() };
    Some(format!("{name}={signed}; {expires}{}", attributes(config)))
}

fn expires(config: &Config) -> String {
    let seconds = config.int("PERMANENT_SESSION_LIFETIME").unwrap_or(2_678_400);
    let at = chrono::Utc::now() + chrono::TimeDelta::try_seconds(seconds).unwrap_or_default();
    format!("Expires={}; ", at.format("%a, %d %b %Y %H:%M:%S GMT"))
}

/// Attributes as Werkzeug orders them; Talisman makes every session cookie `HttpOnly` and `SameSite=Lax`.
fn attributes(config: &Config) -> String {
    let mut out = String::new();
    if let Some(domain) = config.get("SESSION_COOKIE_DOMAIN").as_str().filter(|d| !d.is_empty()) {
        out.push_str(&format!("Domain={domain}; "));
    }
    if config.bool("SESSION_COOKIE_SECURE") {
        out.push_str("Secure; ");
    }
    if config.get("SESSION_COOKIE_HTTPONLY").as_bool().unwrap_or(true) {
        out.push_str("HttpOnly; ");
    }
    let path = ["SESSION_COOKIE_PATH", "APPLICATION_ROOT"].map(|key| config.str(key));
    let path = path.into_iter().find(|p| !p.is_empty()).unwrap_or("/");
    out.push_str(&format!("Path={path}"));
    if let Some(same_site) = config.get("SESSION_COOKIE_SAMESITE").as_str() {
        out.push_str(&format!("; SameSite={same_site}"));
    }
    out
}

fn cookie_name(config: &Config) -> &str {
    config.get("SESSION_COOKIE_NAME").as_str().unwrap_or("session")
}

/// The first cookie of a name.
pub fn cookie<'a>(req: &'a Req, name: &str) -> Option<&'a str> {
    req.headers
        .iter()
        .filter(|(k, _)| k == "cookie")
        .flat_map(|(_, v)| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(k, _)| *k == name)
        .map(|(_, v)| v.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config() -> Config {
        let secret = json!("not-a-secret-only-for-tests-0123456789");
        Config::with(IndexMap::from([("SECRET_KEY".to_owned(), secret)]))
    }

    fn with_cookie(value: &str) -> Req {
        let cookies = format!("a=b; session={value}; c=d");
        Req { headers: vec![("cookie".into(), cookies)], ..Req::default() }
    }

    #[test]
    fn a_session_survives_the_round_trip() {
        let config = config();
        let values = json!({"_user_id": "1", "_flashes": [{" t": ["danger", "é"]}]});
        let session = Session { values: values.as_object().unwrap().clone(), modified: true };
        let cookie = save(&config, &session).unwrap();
        let (value, attributes) = cookie.strip_prefix("session=").unwrap().split_once("; ").unwrap();
        assert_eq!(attributes, "HttpOnly; Path=/; SameSite=Lax");
        let again = load(&config, &with_cookie(value));
        assert_eq!(Value::Object(again.values.clone()), values);
        assert_eq!(save(&config, &again), None);
        assert!(load(&config, &with_cookie(&value[1..])).values.is_empty());
    }

    #[test]
    fn an_emptied_session_deletes_the_cookie() {
        let cookie = save(&config(), &Session { values: Map::new(), modified: true }).unwrap();
        assert!(
            cookie.starts_with("session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; "),
            "{cookie}"
        );
    }
}
