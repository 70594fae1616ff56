//! Tokens: from the authorization server, from the metadata database, and refreshed (`get_oauth2_access_token`).

use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta};
use daos::oauth2_token::{self, NewTokens, Token};
use infra::{Error, Result, clock, config::Config, crypto::encrypted::FieldCipher, db::Db, outbound};
use serde_json::{Map, Value};

use super::{Client, redirect::form};
use crate::{Services, connect::secrets, lock};

/// Between two looks at a lock that somebody has.
const PAUSE: Duration = Duration::from_millis(100);
/// Longer than a lock lives.
const MOST: Duration = Duration::from_secs(35);

/// What an authorization server may find wrong (RFC 6749, 5.2; RFC 8707).
const CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

/// Asks a token endpoint; the error is for people.
pub(crate) async fn ask(
    client: &Client,
    patience: Duration,
    pairs: &[(&str, &str)],
) -> Result<Map<String, Value>, String> {
    let (content_type, body) = if client.json {
        let map: Map<String, Value> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
        ("application/json", Value::Object(map).to_string())
    } else {
        ("application/x-www-form-urlencoded", form(pairs))
    };
    let sent = outbound::post(&client.token_request_uri, client.reach, content_type, body, patience).await;
    let answer = sent.map_err(|error| {
        // what the network around us looks like is nobody's business but the administrator's
        tracing::warn!(%error, "a token endpoint cannot be asked");
        "The token endpoint cannot be asked".to_owned()
    })?;
    serde_json::from_slice(&answer).map_err(|_| "The token endpoint did not answer with JSON".to_owned())
}

/// `DATABASE_OAUTH2_TIMEOUT`.
pub(crate) fn patience(config: &Config) -> Duration {
    let seconds = config.get("DATABASE_OAUTH2_TIMEOUT").as_f64().unwrap_or(30.0);
    Duration::from_secs_f64(seconds.clamp(1.0, 600.0))
}

/// The tokens of an answer, encrypted; or what the authorization server says is wrong.
pub(crate) fn new_tokens(
    cipher: &FieldCipher,
    answer: &Map<String, Value>,
    now: NaiveDateTime,
) -> Result<Result<NewTokens, String>> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let Some(access) = text("access_token") else {
        // only the words of the standard: whoever names the endpoint must not read another server's answer (T33)
        let reason = text("error").filter(|error| CODES.contains(error));
        return Ok(Err(reason.unwrap_or("The token endpoint gave no access token").to_owned()));
    };
    let seconds = answer.get("expires_in").and_then(|v| v.as_f64().or_else(|| v.as_str()?.parse().ok()));
    let Some(seconds) = seconds.filter(|s| (0.0..1e10).contains(s)) else {
        return Ok(Err("The token endpoint did not say when the token expires".to_owned()));
    };
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let lifetime = TimeDelta::seconds(seconds as i64);
    let encrypted = |token: &str| cipher.encrypt(token).map(String::into_bytes);
    Ok(Ok(NewTokens {
        access: encrypted(access)?,
        expires: now.checked_add_signed(lifetime).ok_or_else(|| Error::internal("a token lives too long"))?,
        refresh: text("refresh_token").map(encrypted).transpose()?,
    }))
}

/// A token that is good now; none when the person has to get one first.
pub async fn access_token(
    app: &Services,
    client: &Client,
    database_id: i64,
    user_id: i64,
) -> Result<Option<String>> {
    let name = lock::name(
        "refresh_oauth2_token",
        &format!("{{\"user_id\": {user_id}, \"database_id\": {database_id}}}"),
    );
    let until = Instant::now() + MOST;
    loop {
        let Some(token) = oauth2_token::find(app.db.exec(), user_id, database_id).await? else {
            return Ok(None);
        };
        let cipher = secrets::cipher(app);
        if let Some(access) = unexpired(&token) {
            return cipher.decrypt(access).map(Some);
        }
        if token.refresh_token.is_none() {
            oauth2_token::delete(app.db.exec(), token.id).await?;
            return Ok(None);
        }
        if lock::take(&app.db, name).await? {
            let refresh = Refresh {
                db: app.db.clone(),
                cipher,
                client: client.clone(),
                patience: patience(&app.config),
                database_id,
                user_id,
            };
            // a task of its own: a server that gives a refresh token only once would have given it to nobody if the
            // caller left now
            let refreshed = tokio::spawn(async move {
                let token = refresh.run().await;
                lock::release(&refresh.db, name).await?;
                token
            });
            return refreshed.await.map_err(Error::internal)?;
        }
        if Instant::now() > until {
            return Err(Error::internal("somebody refreshes a token for too long"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn unexpired(token: &Token) -> Option<&[u8]> {
    let lives = token.access_token_expiration.is_some_and(|end| clock::now() < end);
    token.access_token.as_deref().filter(|access| lives && !access.is_empty())
}

/// What a refresh takes with it.
struct Refresh {
    db: Db,
    cipher: FieldCipher,
    client: Client,
    patience: Duration,
    database_id: i64,
    user_id: i64,
}

impl Refresh {
    /// The new access token; none when the authorization server gives none any more.
    async fn run(&self) -> Result<Option<String>> {
        // somebody else may have refreshed it before the lock was ours
        let token = oauth2_token::find(self.db.exec(), self.user_id, self.database_id).await?;
        let Some(token) = token else { return Ok(None) };
        if let Some(access) = unexpired(&token) {
            return self.cipher.decrypt(access).map(Some);
        }
        let Some(stored) = &token.refresh_token else { return Ok(None) };
        let refresh = self.cipher.decrypt(stored)?;
        let pairs = [
            ("client_id", self.client.id.as_str()),
            ("client_secret", &self.client.secret),
            ("refresh_token", &refresh),
            ("grant_type", "refresh_token"),
        ];
        let now = clock::now();
        let outcome = match ask(&self.client, self.patience, &pairs).await {
            Ok(answer) => new_tokens(&self.cipher, &answer, now)?,
            Err(reason) => Err(reason),
        };
        match outcome {
            Ok(new_tokens) => {
                let access = self.cipher.decrypt(&new_tokens.access)?;
                oauth2_token::renew(self.db.exec(), token.id, new_tokens, now, self.user_id).await?;
                Ok(Some(access))
            }
            Err(reason) => {
                tracing::warn!(reason, "a token is not refreshed");
                Ok(None)
            }
        }
    }
}
