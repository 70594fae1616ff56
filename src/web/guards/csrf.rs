//! Cross-site request forgery (`flask_wtf.csrf`).

use std::{collections::HashMap, sync::LazyLock};

use indexmap::IndexMap;
use infra::{
    Error,
    config::Config,
    crypto::{
        constant_time_eq, random,
        signer::{BadData, Signer},
    },
    error::{ErrorType, SupersetError},
};
use serde_json::Value;

use super::{next_url, session::now};
use crate::{
    Answer, Cx,
    context::{Req, Session},
    error::Failure,
    event_log::anonymous,
    routes::Rule,
};

const KEY: &str = "csrf_token";

/// Methods, rules and names of the original's view functions that write, as `WTF_CSRF_EXEMPT_LIST` names them.
const VIEWS: &str = include_str!("csrf_views.tsv");

/// The texts of a list of the configuration.
fn list<'a>(config: &'a Config, key: &str) -> impl Iterator<Item = &'a str> {
    config.get(key).as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a rule does without the check, as `WTF_CSRF_EXEMPT_LIST` is. Rules that the default list exempts lose that
/// when the configuration has a list without them.
pub fn is_exempt(config: &Config, rule: &Rule) -> bool {
    static NAMES: LazyLock<HashMap<(&str, &str), &str>> = LazyLock::new(|| {
        let columns = VIEWS.lines().map(|line| line.split('\t'));
        columns.filter_map(|mut c| Some(((c.next()?, c.next()?), c.next()?))).collect()
    });
    static BY_DEFAULT: LazyLock<Config> = LazyLock::new(|| Config::with(IndexMap::new()));
    let path = anonymous(&rule.rule);
    let name = |method: &&str| NAMES.get(&(*method, path.as_str())).copied();
    let writes = rule.methods.iter().filter(|m| !matches!(**m, "GET" | "HEAD" | "OPTIONS"));
    let names: Option<Vec<&str>> = writes.map(name).collect();
    let Some(names) = names.filter(|names| !names.is_empty()) else { return rule.csrf_exempt };
    let all_in = |config: &Config| {
        names.iter().all(|name| list(config, "WTF_CSRF_EXEMPT_LIST").any(|exempt| exempt == *name))
    };
    all_in(config) || rule.csrf_exempt && !all_in(&BY_DEFAULT)
}

fn secret(config: &Config) -> &str {
    config.get("WTF_CSRF_SECRET_KEY").as_str().unwrap_or_else(|| config.str("SECRET_KEY"))
}

/// A signed token for the caller's session, for forms and for `GET /api/v1/security/csrf_token/`.
pub fn token(cx: &Cx) -> String {
    let mut session = cx.session.lock();
    let raw = match session.values.get(KEY).and_then(Value::as_str) {
        Some(raw) => raw.to_owned(),
        None => {
            let raw = random::hex_text::<20>();
            session.values.insert(KEY.into(), raw.clone().into());
            session.modified = true;
            raw
        }
    };
    Signer::csrf(secret(&cx.caller.app.config)).dumps(Value::String(raw).to_string().as_bytes(), now())
}

/// Refuses a writing request that does not prove that it comes from one of our pages.
pub fn check(config: &Config, rule: &Rule, req: &Req, session: &Session) -> Result<(), Answer> {
    let is_on = |key: &str| config.get(key).as_bool().unwrap_or(true);
    if !is_on("WTF_CSRF_ENABLED")
        || !is_on("WTF_CSRF_CHECK_DEFAULT")
        || rule.csrf_exempt
        || !list(config, "WTF_CSRF_METHODS").any(|method| method.eq_ignore_ascii_case(&req.method))
    {
        return Ok(());
    }
    validate(config, req, session).and_then(|()| check_referrer(config, req)).map_err(|m| refusal(req, m))
}

fn sent<'a>(config: &Config, req: &'a Req) -> Option<&'a str> {
    let in_form = req.form.iter().filter(|(k, v)| k.ends_with(KEY) && !v.is_empty());
    let exact = req.field(KEY).filter(|v| !v.is_empty());
    exact.or_else(|| in_form.map(|(_, v)| v.as_str()).next()).or_else(|| {
        let mut headers = list(config, "WTF_CSRF_HEADERS").map(str::to_ascii_lowercase);
        headers.find_map(|name| req.header(&name).filter(|v| !v.is_empty()))
    })
}

fn validate(config: &Config, req: &Req, session: &Session) -> Result<(), &'static str> {
    let sent = sent(config, req).ok_or("The CSRF token is missing.")?;
    let own = session.values.get(KEY).and_then(Value::as_str).ok_or("The CSRF session token is missing.")?;
    let max_age = config.int("WTF_CSRF_TIME_LIMIT").unwrap_or(604_800);
    let payload = Signer::csrf(secret(config)).loads(sent, max_age, now()).map_err(|e| match e {
        BadData::Expired => "The CSRF token has expired.",
        BadData::Invalid => "The CSRF token is invalid.",
    })?;
    let token: String = serde_json::from_slice(&payload).map_err(|_| "The CSRF token is invalid.")?;
    if constant_time_eq(token.as_bytes(), own.as_bytes()) {
        Ok(())
    } else {
        Err("The CSRF tokens do not match.")
    }
}

fn check_referrer(config: &Config, req: &Req) -> Result<(), &'static str> {
    if req.scheme != "https" || !config.get("WTF_CSRF_SSL_STRICT").as_bool().unwrap_or(true) {
        return Ok(());
    }
    let referrer =
        req.header("referer").filter(|r| !r.is_empty()).ok_or("The referrer header is missing.")?;
    let good = format!("https://{}/", req.host);
    if next_url::same_origin(referrer, &good) { Ok(()) } else { Err("The referrer does not match the host.") }
}

/// Programs get the reason, browsers the login page (`superset.views.error_handling:refresh_csrf_token`).
fn refusal(req: &Req, message: &str) -> Answer {
    if !req.is_json() {
        return Answer::redirect(302, next_url::login_with(req));
    }
    let error = SupersetError::new(ErrorType::GenericBackendError, format!("400 Bad Request: {message}"));
    Failure(Error::sip40(400, error)).into_answer()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "not-a-secret-only-for-tests-0123456789";

    fn outcome(session_token: Option<&str>, sent: Option<&str>, scheme: &str) -> Result<(), &'static str> {
        let config = Config::with(IndexMap::from([("SECRET_KEY".to_owned(), json!(SECRET))]));
        let mut session = Session::default();
        if let Some(token) = session_token {
            session.values.insert(KEY.into(), token.into());
        }
        let headers = sent.map(|t| ("x-csrftoken".to_owned(), t.to_owned())).into_iter().collect();
        let req = Req { headers, scheme: scheme.into(), host: "h".into(), ..Req::default() };
        validate(&config, &req, &session).and_then(|()| check_referrer(&config, &req))
    }

    #[test]
    fn every_reason() {
        let signed = |raw: &str, at: i64| Signer::csrf(SECRET).dumps(format!("\"{raw}\"").as_bytes(), at);
        let good = signed("abc", now());
        assert_eq!(outcome(Some("abc"), Some(&good), "http"), Ok(()));
        assert_eq!(outcome(Some("abc"), None, "http"), Err("The CSRF token is missing."));
        assert_eq!(outcome(None, Some(&good), "http"), Err("The CSRF session token is missing."));
        assert_eq!(outcome(Some("abc"), Some("bad"), "http"), Err("The CSRF token is invalid."));
        assert_eq!(outcome(Some("other"), Some(&good), "http"), Err("The CSRF tokens do not match."));
        let old = signed("abc", now() - 604_900);
        assert_eq!(outcome(Some("abc"), Some(&old), "http"), Err("The CSRF token has expired."));
        assert_eq!(outcome(Some("abc"), Some(&good), "https"), Err("The referrer header is missing."));
    }

    #[test]
    fn the_form_comes_before_the_header() {
        let form =
            vec![("x-csrf_token".to_owned(), "prefixed".to_owned()), (KEY.to_owned(), "exact".to_owned())];
        let headers = vec![("x-csrf-token".to_owned(), "header".to_owned())];
        let req = Req { form, headers, ..Req::default() };
        let config = Config::with(IndexMap::new());
        assert_eq!(sent(&config, &req), Some("exact"));
        assert_eq!(sent(&config, &Req { form: vec![], ..req }), Some("header"));
    }

    #[test]
    fn the_list_of_exempt_views_is_the_configurations() {
        use crate::routes::{Access, rule};

        let handler = |_: Cx| async { Ok(Answer::html(200, "")) };
        let put = rule(&["PUT"], "/api/v1/dashboard/<pk>", Access::Open, handler);
        let data = rule(&["POST"], "/api/v1/chart/data", Access::Open, handler).csrf_exempt();
        let fab = rule(&["POST"], "/api/v1/security/login", Access::Open, handler).csrf_exempt();
        let with =
            |list: &[&str]| Config::with(IndexMap::from([("WTF_CSRF_EXEMPT_LIST".to_owned(), json!(list))]));
        let default = Config::with(IndexMap::new());
        assert!(!is_exempt(&default, &put) && is_exempt(&default, &data) && is_exempt(&default, &fab));
        let own = with(&["superset.dashboards.api.put"]);
        assert!(is_exempt(&own, &put) && !is_exempt(&own, &data) && is_exempt(&own, &fab));
    }
}
