//! What goes to the authorization server and comes back: who asked for a token, and for which database
//! (`encode_oauth2_state`, `decode_oauth2_state`).

use std::time::{SystemTime, UNIX_EPOCH};

use infra::{
    config::Config,
    crypto::jwt::{self, Algorithm, Claims, JwtError},
};
use serde_json::{Value, json};

/// How long somebody may take to say yes.
const LIFETIME: i64 = 5 * 60;

/// `OAuth2State`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The database; none while a connection is only tried.
    pub database_id: Option<i64>,
    /// Whose token it will be.
    pub user_id: i64,
    /// Where a proxy in between finds this installation.
    pub default_redirect_uri: String,
    /// The tab that waits.
    pub tab_id: String,
}

/// Why a state is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateError {
    /// As any JSON Web Token.
    Token(JwtError),
    /// It says too little; marshmallow's words.
    Fields(String),
}

/// What signs the state of an authorization.
#[derive(Clone)]
pub struct Key {
    secret: String,
    algorithm: Algorithm,
}

impl Key {
    /// The key of an installation; none when it has no secret or an algorithm that takes more than a secret.
    pub fn from_config(config: &Config) -> Option<Self> {
        let named = config.str("DATABASE_OAUTH2_JWT_ALGORITHM");
        let algorithm = Algorithm::named(if named.is_empty() { "HS256" } else { named });
        if algorithm.is_none() {
            tracing::error!("DATABASE_OAUTH2_JWT_ALGORITHM is none of HS256, HS384 and HS512");
        }
        let secret = config.str("SECRET_KEY").to_owned();
        Some(Self { secret, algorithm: algorithm? }).filter(|key| !key.secret.is_empty())
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

impl State {
    /// The signed form; its dots are written so that Google lets them be.
    pub fn encode(&self, key: &Key) -> String {
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let expires = now() as i64 + LIFETIME;
        let mut claims = Claims::new();
        claims.insert("exp".into(), expires.into());
        claims.insert("database_id".into(), json!(self.database_id));
        claims.insert("user_id".into(), self.user_id.into());
        claims.insert("default_redirect_uri".into(), self.default_redirect_uri.as_str().into());
        claims.insert("tab_id".into(), self.tab_id.as_str().into());
        jwt::encode_with(key.algorithm, &claims, &key.secret).replace('.', "%2E")
    }

    /// A state that has come back.
    pub fn decode(text: &str, key: &Key) -> Result<Self, StateError> {
        let token = text.replace("%2E", ".");
        let claims =
            jwt::decode_with(key.algorithm, &token, &key.secret, None, now()).map_err(StateError::Token)?;
        let mut wrong = Vec::new();
        let mut read = |name: &str, whole: bool| {
            let value = claims.get(name).cloned();
            let fault = match &value {
                None => "Missing data for required field.",
                Some(Value::Null) => "Field may not be null.",
                Some(value) if whole && value.as_i64().is_none() => "Not a valid integer.",
                Some(value) if !whole && !value.is_string() => "Not a valid string.",
                Some(_) => return value,
            };
            wrong.push(format!("'{name}': ['{fault}']"));
            None
        };
        let number = |value: Option<Value>| value.as_ref().and_then(Value::as_i64);
        let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        let (database, user) = (number(read("database_id", true)), number(read("user_id", true)));
        let (uri, tab) = (text(read("default_redirect_uri", false)), text(read("tab_id", false)));
        match (user, uri, tab) {
            (Some(user_id), Some(default_redirect_uri), Some(tab_id)) if database.is_some() => {
                Ok(Self { database_id: database, user_id, default_redirect_uri, tab_id })
            }
            _ => Err(StateError::Fields(format!("{{{}}}", wrong.join(", ")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: Algorithm) -> Key {
        Key { secret: "not-a-secret-only-for-tests-0123456789".into(), algorithm }
    }

    #[test]
    fn what_goes_comes_back() {
        let state = State {
            database_id: Some(7),
            user_id: 3,
            default_redirect_uri: "http://h/api/v1/database/oauth2/".into(),
            tab_id: "t".into(),
        };
        for algorithm in [Algorithm::Hs256, Algorithm::Hs512] {
            let sent = state.encode(&key(algorithm));
            assert!(!sent.contains('.') && sent.matches("%2E").count() == 2, "{sent}");
            assert_eq!(State::decode(&sent, &key(algorithm)), Ok(state.clone()));
        }
        let sent = state.encode(&key(Algorithm::Hs256));
        let other = State::decode(&sent, &key(Algorithm::Hs384));
        let words = "The specified alg value is not allowed".to_owned();
        assert_eq!(other, Err(StateError::Token(JwtError::Invalid(words))));
    }

    #[test]
    fn what_is_missing() {
        let tried =
            State { database_id: None, user_id: 3, default_redirect_uri: String::new(), tab_id: "t".into() };
        let found = State::decode(&tried.encode(&key(Algorithm::Hs256)), &key(Algorithm::Hs256));
        assert_eq!(found, Err(StateError::Fields("{'database_id': ['Field may not be null.']}".into())));
    }
}
