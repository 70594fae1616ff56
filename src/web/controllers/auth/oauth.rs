//! The way to a provider and back (`flask_appbuilder.security.views:AuthOAuthView`).
//!
//! What is remembered of a log-in lies in the session under a name with its state, as Authlib keeps it: a way back is
//! good once, for an hour, in one browser, for one provider. The provider's tokens are forgotten when somebody is in.

use commands::sign_in::oauth::{self, Outcome};
use infra::sign_in::oauth::{Back, Pending, Way};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled, flash,
    guards::{identity, next_url, session::now},
    incoming::is_host,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/login/<provider>", Access::Open, login).endpoint("AuthOAuthView.login"),
        rule(&["GET"], "/oauth-authorized/<provider>", Access::Open, authorized)
            .endpoint("AuthOAuthView.oauth_authorized"),
    ]
}

const INVALID: &str = "Invalid login. Please try again.";
const DENIED: &str = "The request to sign in was denied.";
/// What Authlib's keys begin with.
const STATE: &str = "_state_";
/// Log-ins of one browser that are remembered at once: a cookie has room for little.
const MOST_PENDING: usize = 4;
/// Bytes that they may have together, besides the newest.
const ROOM: usize = 1_500;
/// Bytes of `next` that are remembered.
const MOST_NEXT: usize = 2_000;
/// Seconds for the way to the provider and back.
const HOUR: i64 = 3_600;

async fn login(cx: Cx) -> Handled {
    if cx.caller.user.user.is_some() {
        return Ok(never_kept(Answer::redirect(302, cx.req.url_for("/"))));
    }
    let next = cx.req.arg("next").filter(|next| next.len() <= MOST_NEXT).unwrap_or_default().to_owned();
    // the provider sends nobody back to an address that it was not told: the request's own host will do
    let own = || is_host(&cx.req.host).then(|| format!("{}://{}", cx.req.scheme, cx.req.host));
    let origin = cx.req.origin.clone().or_else(own).unwrap_or_default();
    let origin = format!("{origin}{}", cx.req.script_root);
    let Some(way) = oauth::way(&cx.caller.app, cx.req.param("provider"), &origin, next).await else {
        flash::add(&cx, "warning", INVALID);
        return Ok(never_kept(Answer::redirect(302, cx.req.url_for("/"))));
    };
    remember(&mut cx.session.lock().values, cx.req.param("provider"), &way);
    cx.session.lock().modified = true;
    Ok(never_kept(Answer::redirect(302, way.address)))
}

async fn authorized(cx: Cx) -> Handled {
    let name = cx.req.param("provider");
    let refused = |category: &str, message: &str| {
        flash::add(&cx, category, message);
        Ok(never_kept(Answer::redirect(302, cx.req.url_for("/login/"))))
    };
    let Some(provider) = oauth::provider(&cx.caller.app.config, name) else {
        return refused("warning", "Provider not supported.");
    };
    let pending = {
        let mut session = cx.session.lock();
        let pending = recall(&mut session.values, name, cx.req.arg("state").unwrap_or_default());
        session.modified |= pending.is_some();
        pending
    };
    let Some(pending) = pending else { return refused("error", DENIED) };
    let back = Back { code: cx.req.arg("code"), error: cx.req.arg("error"), issuer: cx.req.arg("iss") };
    match Box::pin(oauth::arrive(&cx.caller.app, &provider, back, &pending)).await? {
        Outcome::In(user) => {
            identity::log_in(&cx, user.user.id, &user.password.unwrap_or_default()).await?;
            let next = next_url::safe(&cx.caller.app.config, &cx.req, &pending.next);
            Ok(never_kept(Answer::redirect(302, next)))
        }
        Outcome::Denied => refused("error", DENIED),
        Outcome::NotAuthorized => refused("warning", "You are not authorized."),
        Outcome::Invalid => refused("warning", INVALID),
    }
}

fn key(provider: &str, state: &str) -> String {
    format!("{STATE}{provider}_{state}")
}

/// Writes a log-in down; the oldest ones make room.
fn remember(values: &mut Map<String, Value>, provider: &str, way: &Way) {
    let expires = |value: &Value| value.get("exp").and_then(Value::as_i64).unwrap_or_default();
    values.retain(|key, value| !key.starts_with(STATE) || expires(value) > now());
    let pending = values.iter().filter(|(key, _)| key.starts_with(STATE));
    let size = |(key, value): (&String, &Value)| key.len() + value.to_string().len();
    let mut pending: Vec<_> =
        pending.map(|(key, value)| (expires(value), key.clone(), size((key, value)))).collect();
    pending.sort_unstable();
    while pending.len() >= MOST_PENDING || pending.iter().map(|(.., size)| size).sum::<usize>() > ROOM {
        let (_, key, _) = pending.remove(0);
        values.shift_remove(&key);
    }
    values.insert(key(provider, &way.state), json!({"data": way.pending, "exp": now() + HOUR}));
}

/// Takes a log-in out.
fn recall(values: &mut Map<String, Value>, provider: &str, state: &str) -> Option<Pending> {
    if state.is_empty() {
        return None;
    }
    let mut kept = values.shift_remove(&key(provider, state))?;
    let is_good = kept.get("exp").and_then(Value::as_i64).is_some_and(|at| at > now());
    let data = kept.get_mut("data").map(Value::take)?;
    serde_json::from_value(data).ok().filter(|_| is_good)
}

fn never_kept(answer: Answer) -> Answer {
    answer
        .header("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
        .header("pragma", "no-cache")
        .header("expires", "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(state: &str) -> Way {
        let pending = Pending {
            redirect_uri: "u".into(),
            nonce: Some("n".into()),
            code_verifier: None,
            next: "/x".into(),
        };
        Way { address: "a".into(), state: state.into(), pending }
    }

    #[test]
    fn a_way_back_is_good_once_and_for_one_provider() {
        let mut values = Map::new();
        remember(&mut values, "okta", &way("s1"));
        assert_eq!(recall(&mut values, "google", "s1"), None);
        assert_eq!(recall(&mut values, "okta", ""), None);
        assert_eq!(recall(&mut values, "okta", "s1"), Some(way("s1").pending));
        assert_eq!(recall(&mut values, "okta", "s1"), None);
        for n in 0..20 {
            remember(&mut values, "okta", &way(&format!("s{n}")));
        }
        assert_eq!(values.len(), MOST_PENDING);
        assert!(values.keys().any(|k| k.ends_with("_s19")), "the newest is always remembered");
        values.insert(key("okta", "old"), json!({"data": way("old").pending, "exp": now() - 1}));
        assert_eq!(recall(&mut values, "okta", "old"), None);
    }
}
