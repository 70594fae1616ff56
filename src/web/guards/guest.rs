//! Guest tokens of embedded dashboards (`superset.security.guest_token`).

use std::time::{SystemTime, UNIX_EPOCH};

use commands::state::GuestToken;
use infra::{
    config::Config,
    crypto::jwt::{self, Algorithm, Claims},
};
use serde_json::Value;

use crate::context::Req;

/// A header or form field with a token.
#[derive(Debug, PartialEq)]
pub enum Sent {
    /// There is none.
    Nothing,
    /// One that is forged, expired or made for somebody else.
    Invalid,
    /// A good one.
    Valid(GuestToken),
}

fn audience(config: &Config) -> &str {
    config.get("GUEST_TOKEN_JWT_AUDIENCE").as_str().unwrap_or_else(|| config.str("WEBDRIVER_BASEURL"))
}

/// `GUEST_TOKEN_JWT_ALGO`; one that is not known stops the start.
fn algorithm(config: &Config) -> Algorithm {
    config.get("GUEST_TOKEN_JWT_ALGO").as_str().and_then(Algorithm::named).unwrap_or_default()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// The token of a request, when embedding is switched on.
pub fn read(config: &Config, req: &Req) -> Sent {
    if !config.flag("EMBEDDED_SUPERSET") {
        return Sent::Nothing;
    }
    let header =
        config.get("GUEST_TOKEN_HEADER_NAME").as_str().unwrap_or("X-GuestToken").to_ascii_lowercase();
    let sent = req.header(&header).or_else(|| req.field("guest_token"));
    match sent {
        None => Sent::Nothing,
        Some(token) => verify(config, token).map_or(Sent::Invalid, Sent::Valid),
    }
}

fn verify(config: &Config, token: &str) -> Option<GuestToken> {
    let secret = config.str("GUEST_TOKEN_JWT_SECRET");
    if secret.is_empty() {
        return None;
    }
    let mut claims =
        jwt::decode_with(algorithm(config), token, secret, Some(audience(config)), now()).ok()?;
    if claims.get("type").and_then(Value::as_str) != Some("guest") {
        return None;
    }
    // a token without an end would be good for ever
    claims.get("exp")?;
    let mut list = |name: &str| match claims.remove(name) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    };
    let (resources, rls_rules) = (list("resources")?, list("rls_rules")?);
    let user = claims.remove("user").filter(|u| !u.is_null())?;
    Some(GuestToken { user, resources, rls_rules })
}

/// A new token.
pub fn issue(config: &Config, user: Value, resources: Value, rls_rules: Value) -> String {
    let (iat, lifetime) = (now(), config.get("GUEST_TOKEN_JWT_EXP_SECONDS").as_f64().unwrap_or(300.0));
    let mut claims = Claims::new();
    claims.insert("user".into(), user);
    claims.insert("resources".into(), resources);
    claims.insert("rls_rules".into(), rls_rules);
    claims.insert("iat".into(), iat.into());
    claims.insert("exp".into(), (iat + lifetime).into());
    claims.insert("aud".into(), audience(config).into());
    claims.insert("type".into(), "guest".into());
    jwt::encode_with(algorithm(config), &claims, config.str("GUEST_TOKEN_JWT_SECRET"))
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config(audience: &str, lifetime: i64) -> Config {
        Config::with(IndexMap::from([
            ("GUEST_TOKEN_JWT_SECRET".to_owned(), json!("not-a-secret-only-for-tests-0123456789")),
            ("GUEST_TOKEN_JWT_AUDIENCE".to_owned(), json!(audience)),
            ("GUEST_TOKEN_JWT_EXP_SECONDS".to_owned(), json!(lifetime)),
            ("FEATURE_FLAGS".to_owned(), json!({"EMBEDDED_SUPERSET": true})),
        ]))
    }

    fn sent(config: &Config, token: String) -> Sent {
        read(config, &Req { headers: vec![("x-guesttoken".into(), token)], ..Req::default() })
    }

    #[test]
    fn only_good_tokens_count() {
        let home = config("http://home/", 300);
        let token =
            issue(&home, json!({"username": "u"}), json!([{"type": "dashboard", "id": "5"}]), json!([]));
        let Sent::Valid(guest) = sent(&home, token.clone()) else { panic!("refused") };
        assert_eq!(guest.resources, [json!({"type": "dashboard", "id": "5"})]);
        assert_eq!(sent(&config("http://else/", 300), token.clone()), Sent::Invalid);
        assert_eq!(sent(&Config::default(), token), Sent::Nothing);
        assert_eq!(sent(&home, String::new()), Sent::Invalid);
        assert_eq!(read(&home, &Req::default()), Sent::Nothing);
        let over = issue(&config("http://home/", -1), json!({}), json!([]), json!([]));
        assert_eq!(sent(&home, over), Sent::Invalid);
    }

    #[test]
    fn the_algorithm_is_the_configurations() {
        let with = |name: &str| {
            let algorithm = ("GUEST_TOKEN_JWT_ALGO".to_owned(), json!(name));
            let secret =
                ("GUEST_TOKEN_JWT_SECRET".to_owned(), json!("not-a-secret-only-for-tests-0123456789"));
            let flags = ("FEATURE_FLAGS".to_owned(), json!({"EMBEDDED_SUPERSET": true}));
            Config::with(IndexMap::from([algorithm, secret, flags]))
        };
        let token = |config: &Config| issue(config, json!({"username": "u"}), json!([]), json!([]));
        let (short, long) = (with("HS256"), with("HS512"));
        assert!(matches!(sent(&long, token(&long)), Sent::Valid(_)));
        assert_eq!(sent(&long, token(&short)), Sent::Invalid);
        assert_eq!(sent(&short, token(&long)), Sent::Invalid);
    }
}
