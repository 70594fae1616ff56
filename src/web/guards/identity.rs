//! Who a request comes from (`flask_login`): session, remember cookie, guest token, in this order.

use commands::{
    Principal, Services,
    access::{load_anonymous, load_guest, load_user},
};
use hmac::{Hmac, KeyInit, Mac};
use infra::{
    Result,
    config::Config,
    crypto::{constant_time_eq, hex, random},
};
use parking_lot::Mutex;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

use super::{guest, next_url, session::cookie};
use crate::context::{Req, Session};

const REMEMBER: &str = "remember_token";
/// Our own key: a fingerprint of the password hash at the time of the login. Superset does not know it and carries
/// it along; a session that has it ends when the password changes.
const PASSWORD_MARK: &str = "_pw";
/// Our own key: a random name of the session, by which a logout ends every copy of its cookie.
const SESSION_NAME: &str = "_sid";

/// The caller of a request.
pub async fn resolve(app: &Services, req: &Req, session: &Mutex<Session>) -> Result<Principal> {
    let holds = protection_holds(&app.config, req, &mut session.lock());
    if !holds {
        return load_anonymous(app).await;
    }
    let stored = {
        let session = session.lock();
        let text = |key: &str| session.values.get(key).and_then(Value::as_str).map(str::to_owned);
        (text("_user_id"), text(PASSWORD_MARK), text(SESSION_NAME))
    };
    if let (Some(id), mark, name) = stored
        && !name.is_some_and(|name| app.revoked_sessions.contains(&name))
        && let Some(principal) = load(app, &id, mark.as_deref()).await?
    {
        return Ok(principal);
    }
    let remembered = remembered(&app.config, req, &session.lock());
    if let Some(id) = remembered {
        let found = load(app, &id, None).await?;
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

async fn load(app: &Services, id: &str, mark: Option<&str>) -> Result<Option<Principal>> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let Some((principal, password)) = load_user(app, id).await? else { return Ok(None) };
    let unchanged = mark.is_none_or(|mark| {
        let want = password_mark(&app.config, password.as_deref().unwrap_or_default());
        constant_time_eq(mark.as_bytes(), want.as_bytes())
    });
    Ok(unchanged.then_some(principal))
}

/// A user by the subject of a JSON Web Token.
pub async fn load_subject(app: &Services, subject: &str) -> Result<Option<Principal>> {
    load(app, subject, None).await
}

/// Writes a login into the session. What was there before stays: the page that posted the login still holds its
/// CSRF token, and nobody can plant a session that we signed without being able to set cookies of this site.
pub fn log_in(config: &Config, req: &Req, session: &mut Session, user_id: i64, password_hash: &str) {
    let values = &mut session.values;
    values.insert("_user_id".into(), user_id.to_string().into());
    values.insert("_fresh".into(), true.into());
    values.insert("_id".into(), identifier(req).into());
    values.insert(PASSWORD_MARK.into(), password_mark(config, password_hash).into());
    values.insert(SESSION_NAME.into(), random::url_safe::<12>().into());
    session.modified = true;
}

/// Keeps the session of somebody who changed their own password.
pub fn renew_password_mark(config: &Config, session: &mut Session, password_hash: &str) {
    if session.values.contains_key(PASSWORD_MARK) {
        session.values.insert(PASSWORD_MARK.into(), password_mark(config, password_hash).into());
        session.modified = true;
    }
}

/// Takes the login out of the session. When a person asked for it, every copy of the cookie ends too; a bare
/// request, which any other site can cause, only clears the cookie that it came with, as in the original, unless
/// `SESSION_REVOKE_ON_LOGOUT` (on in installations of our own) asks for more.
pub fn log_out(app: &Services, req: &Req, session: &mut Session) {
    if let Some(Value::String(name)) = session.values.get(SESSION_NAME)
        && (is_from_own_page(req) || app.config.bool("SESSION_REVOKE_ON_LOGOUT"))
    {
        app.revoked_sessions.insert(name);
    }
    for key in ["_user_id", "_fresh", "_id", PASSWORD_MARK, SESSION_NAME] {
        session.modified |= session.values.shift_remove(key).is_some();
    }
    if cookie(req, REMEMBER).is_some() {
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
    for key in
        ["_user_id", "_remember", "_remember_seconds", "_id", "_fresh", "next", PASSWORD_MARK, SESSION_NAME]
    {
        values.shift_remove(key);
    }
    values.insert("_remember".into(), "clear".into());
    session.modified = true;
    false
}

/// `_create_identifier`: SHA-512 of address and browser, both as Python shows bytes.
fn identifier(req: &Req) -> String {
    let address = req.header("x-forwarded-for").unwrap_or(&req.remote_addr);
    let address = address.split(',').next().unwrap_or_default().trim();
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

fn password_mark(config: &Config, password_hash: &str) -> String {
    let text = format!("password-mark\0{}\0{password_hash}", config.str("SECRET_KEY"));
    hex(&Sha256::digest(text)).chars().take(16).collect()
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
        let proxied = request(&[("x-forwarded-for", "10.0.0.1 , 10.0.0.2")]);
        assert_eq!(identifier(&proxied), hex(&Sha512::digest("b'10.0.0.1'|None")));
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
        let digest = "978fe96ae8b1a04a212e08d89e2ee1fd77535e19bd5fe906478f144c342c404c7cce940169ec604b3d2c6d7e30bfd1a931ceca5c0aa6cc6563f576d338b67b2b";
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
