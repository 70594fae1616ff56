//! Who a request comes from (`flask_login`): session, remember cookie, guest token, in this order.

use commands::{
    Principal, Services,
    access::{
        LogIn, LogInState, load_anonymous, load_guest,
        log_in::{Kind, MARK, SESSION_NAME, end_tokens, new_mark},
    },
};
use hmac::{Hmac, KeyInit, Mac};
use infra::{
    Result,
    config::Config,
    crypto::{constant_time_eq, hex, random},
};
use parking_lot::Mutex;
use serde_json::Value;
use sha2::{Digest, Sha512};

use super::{
    bearer, guest, next_url,
    session::{cookie, load},
};
use crate::{
    Cx,
    context::{Req, Session},
};

const REMEMBER: &str = "remember_token";
/// Flask-WTF's key. Every session of Superset has it, and so it names those that have no name of ours.
const CSRF: &str = "csrf_token";
/// What a log-in has written into the session.
const LOG_IN_KEYS: [&str; 5] = ["_user_id", "_fresh", "_id", MARK, SESSION_NAME];

/// The caller of a request.
pub async fn resolve(app: &Services, req: &Req, session: &Mutex<Session>) -> Result<Principal> {
    let holds = protection_holds(&app.config, req, &mut session.lock());
    if !holds {
        return load_anonymous(app).await;
    }
    let found = session_log_in(&session.lock());
    if let Some(log_in) = found {
        match log_in.state(app).await? {
            LogInState::Valid(principal) => return Ok(*principal),
            // a copy of the cookie is not made younger
            LogInState::Ended => forget(&mut session.lock()),
            LogInState::UnknownUser => {}
        }
    }
    let remembered = remembered(&app.config, req, &session.lock());
    if let Some(id) = remembered {
        let found = match id.parse() {
            Ok(user_id) => {
                let log_in = LogIn { kind: Kind::Session, user_id, mark: None, name: None };
                log_in.state(app).await?.principal()
            }
            Err(_) => None,
        };
        let mut session = session.lock();
        session.values.insert("_user_id".into(), id.into());
        session.values.insert("_fresh".into(), false.into());
        session.modified = true;
        if let Some(principal) = found {
            return Ok(principal);
        }
    }
    match guest::read(&app.config, req) {
        guest::Sent::Valid(token) => load_guest(app, token).await,
        // the original falls back to the rights of the Public role: an expired guest would suddenly see more
        guest::Sent::Invalid => Ok(Principal::default()),
        guest::Sent::Nothing => load_anonymous(app).await,
    }
}

/// The log-in that the session of a request shows, whatever has become of it.
pub fn request_log_in(config: &Config, req: &Req) -> Option<LogIn> {
    session_log_in(&load(config, req))
}

/// The log-in that a session shows.
fn session_log_in(session: &Session) -> Option<LogIn> {
    let text = |key: &str| session.values.get(key).and_then(Value::as_str).map(str::to_owned);
    let user_id = text("_user_id")?.parse().ok()?;
    Some(LogIn { kind: Kind::Session, user_id, mark: text(MARK), name: session_name(session) })
}

fn session_name(session: &Session) -> Option<String> {
    let text = |key: &str| session.values.get(key).and_then(Value::as_str);
    match text(SESSION_NAME) {
        Some(name) => Some(name.to_owned()),
        None => text(CSRF).map(|token| format!("{CSRF}:{token}")),
    }
}

fn forget(session: &mut Session) {
    for key in LOG_IN_KEYS {
        session.modified |= session.values.shift_remove(key).is_some();
    }
}

/// Writes a login into the session. What was there before stays: the page that posted the login still holds its
/// CSRF token, and nobody can plant a session that we signed without being able to set cookies of this site.
pub async fn log_in(cx: &Cx, user_id: i64, password_hash: &str) -> Result<()> {
    let mark = new_mark(&cx.caller.app, Kind::Session, user_id, password_hash).await?;
    let mut session = cx.session.lock();
    let values = &mut session.values;
    values.insert("_user_id".into(), user_id.to_string().into());
    values.insert("_fresh".into(), true.into());
    values.insert("_id".into(), identifier(&cx.req).into());
    values.insert(MARK.into(), mark.into());
    values.insert(SESSION_NAME.into(), random::url_safe::<12>().into());
    session.modified = true;
    Ok(())
}

/// Keeps the session of somebody who changed their own password: the mark is that of the new one.
pub fn renew_mark(session: &mut Session, mark: &str) {
    if session.values.contains_key("_user_id") {
        session.values.insert(MARK.into(), mark.into());
        session.modified = true;
    }
}

/// Takes the login out of the session. When a person asked for it, every copy of the cookie ends too, and with it the
/// user's tokens; a bare request, which any other site can cause, only clears the cookie that it came with, as in the
/// original, unless `SESSION_REVOKE_ON_LOGOUT` (on in installations of our own) asks for more. A token that is sent
/// along ends with those that were given out together with it: no other site can send one.
pub async fn log_out(cx: &Cx) {
    let (app, session) = (&cx.caller.app, &cx.session);
    let lifetime = app.config.int("PERMANENT_SESSION_LIFETIME").unwrap_or(2_678_400);
    let found = session_log_in(&session.lock());
    if let Some(log_in) = found
        && (is_from_own_page(&cx.req) || app.config.bool("SESSION_REVOKE_ON_LOGOUT"))
        && cx.caller.user.user_id() == Some(log_in.user_id)
    {
        log_in.end(app, lifetime).await;
        end_tokens(app, log_in.user_id).await;
        let mut session = cx.session.lock();
        if !session.values.contains_key(SESSION_NAME) {
            // it was the name of what has ended
            session.modified |= session.values.shift_remove(CSRF).is_some();
        }
    }
    for kind in [bearer::Kind::Access, bearer::Kind::Refresh] {
        if let Ok(log_in) = bearer::verify(&app.config, &cx.req, kind) {
            log_in.end(app, bearer::max_lifetime(&app.config)).await;
        }
    }
    let mut session = session.lock();
    forget(&mut session);
    if cookie(&cx.req, REMEMBER).is_some() {
        session.values.insert("_remember".into(), "clear".into());
        session.modified = true;
    }
}

/// Browsers say where a navigation comes from: one of our pages, or the address bar.
fn is_from_own_page(req: &Req) -> bool {
    match req.header("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => {
            let own = format!("{}://{}/", req.scheme, req.host);
            req.header("referer").is_some_and(|referer| next_url::same_origin(referer, &own))
        }
    }
}

/// The `Set-Cookie` value that deletes the remember cookie, when a logout asked for it.
pub fn forget_remember_cookie(session: &mut Session) -> Option<String> {
    let asked = session.values.shift_remove("_remember")?;
    session.modified = true;
    let gone = "remember_token=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/";
    (asked == "clear").then(|| gone.to_owned())
}

/// What `SESSION_PROTECTION` does to a session, whoever asks.
pub fn protect(config: &Config, req: &Req, session: &mut Session) {
    protection_holds(config, req, session);
}

/// `SESSION_PROTECTION`: false when the session moved to another browser and the configuration forbids that.
fn protection_holds(config: &Config, req: &Req, session: &mut Session) -> bool {
    let strong = match config.get("SESSION_PROTECTION") {
        Value::Null => false,
        Value::String(mode) if mode == "basic" => false,
        Value::String(mode) if mode == "strong" => true,
        _ => return true,
    };
    let values = &mut session.values;
    if values.is_empty() || values.get("_id").and_then(Value::as_str) == Some(&identifier(req)) {
        return true;
    }
    if !strong || values.get("_permanent") == Some(&Value::Bool(true)) {
        if values.get("_fresh") != Some(&Value::Bool(false)) {
            values.insert("_fresh".into(), false.into());
            session.modified = true;
        }
        return true;
    }
    for key in LOG_IN_KEYS.into_iter().chain(["_remember", "_remember_seconds", "next"]) {
        values.shift_remove(key);
    }
    values.insert("_remember".into(), "clear".into());
    session.modified = true;
    false
}

/// `_create_identifier`: SHA-512 of address and browser, both as Python shows bytes. The original takes the address
/// from
/// `X-Forwarded-For`, whoever wrote that; here it counts as `ENABLE_PROXY_FIX` says.
fn identifier(req: &Req) -> String {
    let address = req.remote_addr.as_str();
    let agent = req.header("user-agent").map_or_else(|| "None".to_owned(), bytes_repr);
    hex(&Sha512::digest(format!("{}|{agent}", bytes_repr(address))))
}

/// `repr()` of Python bytes.
fn bytes_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = format!("b{quote}");
    for b in text.bytes() {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b if char::from(b) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(b)),
            b => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push(quote);
    out
}

/// The user of a valid remember cookie, which Superset never issues but honours.
fn remembered(config: &Config, req: &Req, session: &Session) -> Option<String> {
    let secret = config.str("SECRET_KEY");
    if secret.is_empty() || session.values.get("_remember").is_some_and(|v| v == "clear") {
        return None;
    }
    let (id, digest) = cookie(req, REMEMBER)?.rsplit_once('|')?;
    let key: Vec<u8> = secret.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    let mac = Hmac::<Sha512>::new_from_slice(&key).ok()?.chain_update(id.as_bytes());
    let want = hex(&mac.finalize().into_bytes());
    constant_time_eq(digest.as_bytes(), want.as_bytes()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    const SECRET: &str = "not-a-secret-only-for-tests-0123456789";

    fn config(extra: &[(&str, Value)]) -> Config {
        let secret = ("SECRET_KEY".to_owned(), json!(SECRET));
        Config::with(
            extra
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.clone()))
                .chain([secret])
                .collect::<IndexMap<_, _>>(),
        )
    }

    fn request(headers: &[(&str, &str)]) -> Req {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Req { remote_addr: "127.0.0.1".into(), headers, ..Req::default() }
    }

    #[test]
    fn identifiers_are_flasks() {
        let plain = hex(&Sha512::digest("b'127.0.0.1'|b'curl/8'"));
        assert_eq!(identifier(&request(&[("user-agent", "curl/8")])), plain);
        assert_eq!(identifier(&request(&[])), hex(&Sha512::digest("b'127.0.0.1'|None")));
        let forged = request(&[("x-forwarded-for", "10.0.0.1 , 10.0.0.2")]);
        assert_eq!(identifier(&forged), hex(&Sha512::digest("b'127.0.0.1'|None")));
        assert_eq!(bytes_repr("a'b"), "b\"a'b\"");
        assert_eq!(bytes_repr("a'\"\\é"), "b'a\\'\"\\\\\\xc3\\xa9'");
    }

    #[test]
    fn navigations() {
        let from = |headers: &[(&str, &str)]| {
            is_from_own_page(&Req { scheme: "http".into(), host: "me".into(), ..request(headers) })
        };
        assert!(
            from(&[("sec-fetch-site", "same-origin")]) && from(&[("referer", "http://me/superset/welcome/")])
        );
        assert!(!from(&[]) && !from(&[("referer", "http://evil/")]));
        assert!(!from(&[("sec-fetch-site", "cross-site"), ("referer", "http://me/")]));
    }

    #[test]
    fn remember_cookies() {
        let digest = "978fe96ae8b1a04a212e08d89e2ee1fd77535e19bd5fe906478f144c342c404c7cce940169ec604b3d2c6d7e30bf\
         d1a931ceca5c0aa6cc6563f576d338b67b2b";
        let good = format!("remember_token=7|{digest}");
        let bad = format!("remember_token=8|{digest}");
        let session = Session::default();
        assert_eq!(remembered(&config(&[]), &request(&[("cookie", &good)]), &session), Some("7".into()));
        assert_eq!(remembered(&config(&[]), &request(&[("cookie", &bad)]), &session), None);
    }

    #[test]
    fn another_browser_is_less_trusted() {
        let session = || {
            let values = json!({"_user_id": "1", "_id": "x", "_fresh": true, "csrf_token": "c"});
            Session { values: values.as_object().unwrap().clone(), modified: false }
        };
        let mut basic = session();
        assert!(protection_holds(&config(&[]), &request(&[]), &mut basic));
        assert_eq!((basic.values["_fresh"].clone(), basic.modified), (json!(false), true));
        let mut strong = session();
        let strict = config(&[("SESSION_PROTECTION", json!("strong"))]);
        assert!(!protection_holds(&strict, &request(&[]), &mut strong));
        assert_eq!(Value::Object(strong.values), json!({"csrf_token": "c", "_remember": "clear"}));
        let mut empty = Session::default();
        assert!(protection_holds(&strict, &request(&[]), &mut empty) && !empty.modified);
    }
}
