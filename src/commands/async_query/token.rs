//! The token that names a browser's channel: a cookie with a JSON Web Token, signed with
//! `GLOBAL_ASYNC_QUERIES_JWT_SECRET` (`AsyncQueryManager.register_request_handlers`, `parse_channel_id_from_request`).

use std::time::{SystemTime, UNIX_EPOCH};

use infra::{
    config::Config,
    crypto::jwt::{self, Algorithm, Claims},
};
use serde_json::Value;
use uuid::Uuid;

use crate::Caller;

const SECRET: &str = "GLOBAL_ASYNC_QUERIES_JWT_SECRET";

/// A new channel and its token.
#[derive(Debug, Clone)]
pub struct Token {
    /// The channel's name.
    pub channel: String,
    /// What the cookie holds.
    pub text: String,
}

/// A channel for a caller; nobody's has no subject.
pub fn issue(config: &Config, user_id: Option<i64>) -> Token {
    let channel = Uuid::new_v4().to_string();
    let mut claims = Claims::new();
    claims.insert("channel".to_owned(), channel.clone().into());
    claims.insert("sub".to_owned(), user_id.map_or(Value::Null, |id| id.to_string().into()));
    Token { channel, text: jwt::encode(&claims, config.str(SECRET)) }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// The channel that a token names, and whether it was made for somebody in particular.
fn read(config: &Config, token: &str) -> Option<(String, Option<Value>)> {
    let secret = config.str(SECRET);
    if secret.is_empty() {
        return None;
    }
    let mut claims = jwt::verified(Algorithm::Hs256, token, secret, now()).ok()?;
    let channel = claims.get("channel")?.as_str().filter(|channel| !channel.is_empty())?.to_owned();
    Some((channel, claims.shift_remove("sub")))
}

/// The channel of a request that asks for data or events. The token of the anonymous has the subject null, which PyJWT
/// refuses: nothing is done in the background for them. It is good for guests, whose own token is checked as well.
pub fn channel_of_request(caller: &Caller, token: &str) -> Option<String> {
    of_request(&caller.app.config, token, caller.guest().is_some())
}

fn of_request(config: &Config, token: &str, is_guest: bool) -> Option<String> {
    let (channel, subject) = read(config, token)?;
    match subject {
        None | Some(Value::String(_)) => Some(channel),
        Some(Value::Null) if is_guest => Some(channel),
        Some(_) => None,
    }
}

/// The channel of a WebSocket, and the user whom its token was made for (Superset's WebSocket server does not look at
/// the subject).
pub fn channel_of_socket(config: &Config, token: &str) -> Option<(String, Option<i64>)> {
    let (channel, subject) = read(config, token)?;
    Some((channel, subject.and_then(|subject| subject.as_str()?.parse().ok())))
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    const KEY: &str = "not-a-secret-only-for-tests-0123456789";

    fn config() -> Config {
        Config::with(IndexMap::from([(SECRET.to_owned(), json!(KEY))]))
    }

    fn signed(claims: Value) -> String {
        jwt::encode(claims.as_object().unwrap(), KEY)
    }

    fn of_user(token: &str) -> Option<String> {
        of_request(&config(), token, false)
    }

    #[test]
    fn a_channel_is_named_by_its_token_alone() {
        let token = issue(&config(), Some(7));
        assert_eq!(of_user(&token.text), Some(token.channel.clone()));
        assert_eq!(channel_of_socket(&config(), &token.text), Some((token.channel, Some(7))));
        assert_eq!(of_user(&signed(json!({"channel": "c"}))), Some("c".to_owned()));
    }

    #[test]
    fn what_pyjwt_refuses_is_refused() {
        let nobody = issue(&config(), None);
        assert_eq!(of_user(&nobody.text), None);
        assert_eq!(of_request(&config(), &nobody.text, true), Some(nobody.channel.clone()), "a guest's");
        assert_eq!(channel_of_socket(&config(), &nobody.text), Some((nobody.channel, None)));
        let of_number = signed(json!({"channel": "c", "sub": 1}));
        let old = signed(json!({"channel": "c", "sub": "1", "exp": 1}));
        let foreign = jwt::encode(json!({"channel": "c", "sub": "1"}).as_object().unwrap(), "another-secret");
        let claims = json!({"channel": "c", "sub": "1"});
        let strong = jwt::encode_with(Algorithm::Hs512, claims.as_object().unwrap(), KEY);
        let no_channel = signed(json!({"sub": "1"}));
        for token in [&old, &foreign, &strong, &no_channel, "", "garbage", "a.b.c"] {
            assert_eq!(of_user(token), None, "{token}");
            assert_eq!(channel_of_socket(&config(), token), None, "{token}");
        }
        assert_eq!(of_user(&of_number), None);
        let none = Config::with(IndexMap::from([(SECRET.to_owned(), json!(""))]));
        assert_eq!(channel_of_socket(&none, &jwt::encode(claims.as_object().unwrap(), "")), None);
    }
}
