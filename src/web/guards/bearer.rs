//! JSON Web Tokens of the API (`flask_jwt_extended`): `Authorization: Bearer …`.

use std::time::{SystemTime, UNIX_EPOCH};

use commands::{
    Principal, Services,
    access::{LogIn, LogInState, log_in::Kind as Proof},
};
use infra::{
    config::Config,
    crypto::jwt::{self, Claims, JwtError},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::session::now;
use crate::{Answer, context::Req, error::Failure};

/// Our own claim: the mark of the log-in (`commands::access::log_in`).
const MARK: &str = "pw";
/// Our own claim: the name of the log-in, the same in all tokens that came of it.
const NAME: &str = "sid";

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Calling the API.
    Access,
    /// Getting a new access token.
    Refresh,
}

/// `{"msg": …}` with a status, the form of every refusal here.
pub fn refusal(status: u16, message: &str) -> Answer {
    Answer::jsonify(status, &json!({"msg": message}))
}

fn secret(config: &Config) -> &str {
    config
        .get("JWT_SECRET_KEY")
        .as_str()
        .filter(|s| !s.is_empty())
        .unwrap_or_else(|| config.str("SECRET_KEY"))
}

fn lifetime(config: &Config, kind: Kind) -> i64 {
    match kind {
        Kind::Access => config.int("JWT_ACCESS_TOKEN_EXPIRES").unwrap_or(900),
        Kind::Refresh => config.int("JWT_REFRESH_TOKEN_EXPIRES").unwrap_or(2_592_000),
    }
}

/// As long as any token holds.
pub fn max_lifetime(config: &Config) -> i64 {
    lifetime(config, Kind::Access).max(lifetime(config, Kind::Refresh))
}

/// A new token of a log-in.
pub fn issue(config: &Config, kind: Kind, log_in: &LogIn, fresh: bool) -> String {
    let name = if kind == Kind::Access { "access" } else { "refresh" };
    let at = now();
    let mut claims = Claims::new();
    claims.insert("fresh".into(), fresh.into());
    claims.insert("iat".into(), at.into());
    claims.insert("jti".into(), Uuid::new_v4().to_string().into());
    claims.insert("type".into(), name.into());
    claims.insert("sub".into(), log_in.user_id.to_string().into());
    claims.insert("nbf".into(), at.into());
    claims.insert("csrf".into(), Uuid::new_v4().to_string().into());
    claims.insert("exp".into(), at.saturating_add(lifetime(config, kind)).into());
    for (claim, value) in [(MARK, &log_in.mark), (NAME, &log_in.name)] {
        if let Some(value) = value {
            claims.insert(claim.into(), value.as_str().into());
        }
    }
    jwt::encode(&claims, secret(config))
}

/// The log-in of the request's token, or the answer that says what is wrong with it.
pub fn verify(config: &Config, req: &Req, kind: Kind) -> Result<LogIn, Answer> {
    let token = token(req)?;
    let key = secret(config);
    if key.is_empty() {
        return Err(refusal(422, "Signature verification failed"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let claims = jwt::decode(token, key, None, now).map_err(|e| match e {
        JwtError::Expired => refusal(401, "Token has expired"),
        JwtError::Invalid(text) => refusal(422, &text),
    })?;
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::to_owned);
    let subject = text("sub").ok_or_else(|| refusal(422, "Missing claim: sub"))?;
    match (kind, text("type").as_deref() == Some("refresh")) {
        (Kind::Access, true) => return Err(refusal(422, "Only non-refresh tokens are allowed")),
        (Kind::Refresh, false) => return Err(refusal(422, "Only refresh tokens are allowed")),
        _ => {}
    }
    let user_id = subject.parse().map_err(|_| unknown(&subject))?;
    Ok(LogIn { kind: Proof::Token, user_id, mark: text(MARK), name: text(NAME).or_else(|| text("jti")) })
}

fn unknown(subject: &str) -> Answer {
    refusal(401, &format!("Error loading the user {subject}"))
}

/// The user of a token that is still good, or the answer that refuses it.
pub async fn user(app: &Services, req: &Req, kind: Kind) -> Result<(LogIn, Principal), Answer> {
    let log_in = verify(&app.config, req, kind)?;
    match log_in.state(app).await {
        Ok(LogInState::Valid(principal)) => Ok((log_in, *principal)),
        Ok(LogInState::Ended) => Err(refusal(401, "Token has been revoked")),
        Ok(LogInState::UnknownUser) => Err(unknown(&log_in.user_id.to_string())),
        Err(error) => Err(Failure(error).into_answer()),
    }
}

fn token(req: &Req) -> Result<&str, Answer> {
    let header = req.header("authorization").unwrap_or_default().trim().trim_matches(',');
    if header.is_empty() {
        return Err(refusal(401, "Missing Authorization Header"));
    }
    let mut bearers =
        header.split(',').map(str::trim).filter(|v| v.split_whitespace().next() == Some("Bearer"));
    let (Some(field), None) = (bearers.next(), bearers.next()) else {
        let text = "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'";
        return Err(refusal(401, text));
    };
    let mut words = field.split_whitespace().skip(1);
    match (words.next(), words.next()) {
        (Some(token), None) => Ok(token),
        _ => Err(refusal(422, "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'")),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn config() -> Config {
        Config::with(IndexMap::from([(
            "SECRET_KEY".to_owned(),
            json!("not-a-secret-only-for-tests-0123456789"),
        )]))
    }

    fn outcome(header: &str, kind: Kind) -> Result<String, (u16, String)> {
        let headers = if header.is_empty() { vec![] } else { vec![("authorization".into(), header.into())] };
        let req = Req { headers, ..Req::default() };
        verify(&config(), &req, kind).map(|log_in| log_in.user_id.to_string()).map_err(|a| {
            let body: Value = serde_json::from_slice(&a.body).unwrap();
            (a.status, body["msg"].as_str().unwrap().to_owned())
        })
    }

    #[test]
    fn tokens_are_good_for_one_thing() {
        let log_in = LogIn { kind: Proof::Token, user_id: 7, mark: Some("m".into()), name: Some("n".into()) };
        let access = format!("Bearer {}", issue(&config(), Kind::Access, &log_in, true));
        let refresh = format!("Bearer {}", issue(&config(), Kind::Refresh, &log_in, false));
        assert_eq!(outcome(&access, Kind::Access), Ok("7".into()));
        assert_eq!(outcome(&refresh, Kind::Refresh), Ok("7".into()));
        let said = |header: &str, kind| outcome(header, kind).unwrap_err();
        assert_eq!(said(&refresh, Kind::Access), (422, "Only non-refresh tokens are allowed".into()));
        assert_eq!(said(&access, Kind::Refresh), (422, "Only refresh tokens are allowed".into()));
    }

    #[test]
    fn headers() {
        let said = |header: &str| outcome(header, Kind::Access).unwrap_err();
        assert_eq!(said(""), (401, "Missing Authorization Header".into()));
        assert_eq!(said("Basic x").0, 401);
        assert_eq!(said("Bearer").0, 422);
        assert_eq!(said("Bearer x.y.z"), (422, "Invalid header padding".into()));
        assert_eq!(said("Bearer abc"), (422, "Not enough segments".into()));
    }
}
