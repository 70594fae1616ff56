//! The cookie that names a browser's channel of events (`AsyncQueryManager.register_request_handlers`).

use commands::{
    Services,
    async_query::{self, channel_of_request},
};
use infra::config::Config;
use serde_json::Value;

use super::session::cookie;
use crate::{
    Answer, Cx,
    context::{Req, Session},
};

const CHANNEL: &str = "async_channel_id";
const USER: &str = "async_user_id";

/// Who a request comes from, as far as tokens are concerned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Callers {
    /// Who was logged in when it came.
    pub before: Option<i64>,
    /// Who asked: by the session, or by a token.
    pub asking: Option<i64>,
}

/// The user whom a session names.
pub fn of_session(session: &Session) -> Option<i64> {
    session.values.get("_user_id")?.as_str()?.parse().ok()
}

/// Gives a new channel to a browser that has no token, or one of somebody else: whoever logs in or out leaves the
/// events of before behind.
pub fn renew(app: &Services, req: &Req, session: &mut Session, callers: Callers, answer: &mut Answer) {
    let config = &app.config;
    if !config.flag("GLOBAL_ASYNC_QUERIES")
        || !config.get("GLOBAL_ASYNC_QUERIES_REGISTER_REQUEST_HANDLERS").as_bool().unwrap_or(true)
    {
        return;
    }
    let user = match (callers.before, of_session(session)) {
        (_, Some(now)) => Some(now),
        (Some(_), None) => None,
        (None, None) => callers.asking,
    };
    let is_set = cookie(req, name(config)).is_some_and(|token| !token.is_empty());
    let values = &session.values;
    if is_set && values.contains_key(CHANNEL) && values.get(USER).is_some_and(|v| v.as_i64() == user) {
        return;
    }
    let token = async_query::issue(config, user);
    session.values.insert(CHANNEL.to_owned(), token.channel.into());
    session.values.insert(USER.to_owned(), user.map_or(Value::Null, Value::from));
    session.modified = true;
    answer.headers.push(("set-cookie", format!("{}={}; {}", name(config), token.text, attributes(config))));
}

/// The channel of a request.
pub fn channel(cx: &Cx) -> Option<String> {
    let config = &cx.caller.app.config;
    channel_of_request(&cx.caller, cookie(&cx.req, name(config))?)
}

/// The name of the cookie.
pub fn name(config: &Config) -> &str {
    config.get("GLOBAL_ASYNC_QUERIES_JWT_COOKIE_NAME").as_str().unwrap_or("async-token")
}

/// Attributes as Werkzeug orders them.
fn attributes(config: &Config) -> String {
    let mut out = String::new();
    let text = |key: &str| config.get(key).as_str().filter(|text| !text.is_empty());
    if let Some(domain) = text("GLOBAL_ASYNC_QUERIES_JWT_COOKIE_DOMAIN") {
        out.push_str(&format!("Domain={domain}; "));
    }
    if config.bool("GLOBAL_ASYNC_QUERIES_JWT_COOKIE_SECURE") {
        out.push_str("Secure; ");
    }
    out.push_str("HttpOnly; Path=/");
    if let Some(same_site) = text("GLOBAL_ASYNC_QUERIES_JWT_COOKIE_SAMESITE") {
        out.push_str(&format!("; SameSite={same_site}"));
    }
    out
}
