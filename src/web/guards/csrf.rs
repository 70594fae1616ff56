//! Cross-site request forgery (`flask_wtf.csrf`).

use infra::{
    Error,
    config::Config,
    crypto::{
        constant_time_eq, random,
        signer::{BadData, Signer},
    },
    error::SupersetError,
};
use serde_json::Value;

use super::{next_url, session::now};
use crate::{
    Answer, Cx,
    context::{Req, Session},
    error::Failure,
    routes::Rule,
};

const KEY: &str = "csrf_token";
const METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

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
    Signer::csrf(secret(&cx.app.config)).dumps(Value::String(raw).to_string().as_bytes(), now())
}

/// Refuses a writing request that does not prove that it comes from one of our pages.
pub fn check(config: &Config, rule: &Rule, req: &Req, session: &Session) -> Result<(), Answer> {
    if !config.get("WTF_CSRF_ENABLED").as_bool().unwrap_or(true)
        || rule.csrf_exempt
        || !METHODS.contains(&req.method.as_str())
    {
        return Ok(());
    }
    validate(config, req, session).and_then(|()| check_referrer(config, req)).map_err(|m| refusal(req, m))
}

fn sent(req: &Req) -> Option<&str> {
    let in_form = req.form.iter().filter(|(k, v)| k.ends_with(KEY) && !v.is_empty());
    let exact = req.field(KEY).filter(|v| !v.is_empty());
    exact
        .or_else(|| in_form.map(|(_, v)| v.as_str()).next())
        .or_else(|| req.header("x-csrftoken").filter(|v| !v.is_empty()))
        .or_else(|| req.header("x-csrf-token").filter(|v| !v.is_empty()))
}

fn validate(config: &Config, req: &Req, session: &Session) -> Result<(), &'static str> {
    let sent = sent(req).ok_or("The CSRF token is missing.")?;
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
    let error = SupersetError::new("GENERIC_BACKEND_ERROR", format!("400 Bad Request: {message}"));
    Failure(Error::sip40(400, error)).into_answer()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
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
        assert_eq!(sent(&req), Some("exact"));
        assert_eq!(sent(&Req { form: vec![], ..req }), Some("header"));
    }
}
