//! The way to a provider and back (RFC 6749, 4.1), with state, nonce, PKCE (RFC 7636) and the issuer of the answer
//! (RFC 9207).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    ClientAuth, Provider,
    id_token::{self, Expected, TokenError},
    knowledge::Knowledge,
};
use crate::{
    crypto::random,
    sign_in::http::{Answer, HttpError, form},
};

/// Where Microsoft's keys are (`flask_appbuilder.const:MICROSOFT_KEY_SET_URL`).
const MICROSOFT_KEYS: &str = "https://login.microsoftonline.com/common/discovery/keys";

/// What is remembered of a log-in that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Where the way back leads.
    pub redirect_uri: String,
    /// What the `id_token` must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// What proves that the log-in was begun here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_verifier: Option<String>,
    /// Where to go then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// The way to a provider.
#[derive(Debug)]
pub struct Way {
    /// The address.
    pub address: String,
    /// Names the log-in on the way back.
    pub state: String,
    /// What is to be remembered.
    pub pending: Pending,
}

/// What comes back by way of the browser.
#[derive(Debug, Clone, Copy, Default)]
pub struct Back<'a> {
    /// `code`.
    pub code: Option<&'a str>,
    /// `error`.
    pub error: Option<&'a str>,
    /// `iss`.
    pub issuer: Option<&'a str>,
}

/// Why nobody gets in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The provider, or the answer, says no.
    #[error("{0}")]
    Denied(String),
    /// Nothing is known of the person.
    #[error("{0}")]
    Unknown(String),
}

fn denied(why: impl std::fmt::Display) -> Refusal {
    Refusal::Denied(why.to_string())
}

pub(super) fn unknown(why: impl std::fmt::Display) -> Refusal {
    Refusal::Unknown(why.to_string())
}

/// What the provider has given.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The token for its API.
    pub access: String,
    /// All of its answer.
    pub answer: Map<String, Value>,
    /// The claims of the `id_token`, if it was verified.
    pub claims: Option<Map<String, Value>>,
    /// What the provider says of itself.
    pub metadata: Map<String, Value>,
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

impl Provider {
    /// The way to it.
    pub async fn way(&self, known: &Knowledge, redirect_uri: String, next: String) -> Result<Way, HttpError> {
        let metadata = known.metadata(self).await?;
        let address = self.authorize_url.as_deref().or(text(&metadata, "authorization_endpoint"));
        let address = address.ok_or_else(|| HttpError::Failed("nobody says where people are sent".into()))?;
        let announced = metadata.get("code_challenge_methods_supported").and_then(Value::as_array);
        let pkce = self.pkce || announced.is_some_and(|methods| methods.iter().any(|m| m == "S256"));
        let pending = Pending {
            redirect_uri,
            nonce: self.is_openid().then(random::url_safe::<20>),
            code_verifier: pkce.then(random::url_safe::<36>),
            next,
        };
        let state = random::url_safe::<24>();
        let challenge = pending.code_verifier.as_ref().map(|v| B64.encode(Sha256::digest(v)));
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &pending.redirect_uri),
            ("state", &state),
        ];
        if !self.scope.is_empty() {
            fields.push(("scope", &self.scope));
        }
        if let Some(nonce) = &pending.nonce {
            fields.push(("nonce", nonce));
        }
        if let Some(challenge) = &challenge {
            fields.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
        }
        fields.extend(self.authorize_params.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let sign = if address.contains('?') { '&' } else { '?' };
        let address = format!("{address}{sign}{}", form(&fields));
        Ok(Way { address, state, pending })
    }

    /// Exchanges what came back for tokens, and verifies the `id_token` where one was asked for.
    pub async fn tokens(
        &self,
        known: &Knowledge,
        back: Back<'_>,
        pending: &Pending,
        now: i64,
    ) -> Result<Tokens, Refusal> {
        if let Some(error) = back.error {
            let shown: String = error.escape_debug().take(200).collect();
            return Err(denied(format!("the provider reports {shown}")));
        }
        let code = back.code.filter(|code| !code.is_empty()).ok_or_else(|| denied("there is no code"))?;
        let metadata = known.metadata(self).await.map_err(denied)?;
        self.check_issuer(back.issuer, &metadata)?;
        let answer = self.exchange(known, code, pending, &metadata).await?;
        let access = text(&answer, &self.token_key).map(str::to_owned);
        let mut claims = None;
        if self.is_openid()
            && let Some(token) = text(&answer, "id_token")
        {
            let expected = Expected {
                issuer: text(&metadata, "issuer"),
                client_id: &self.client_id,
                nonce: pending.nonce.as_deref(),
                access_token: text(&answer, "access_token"),
                now,
            };
            claims = Some(self.verified(known, token, &metadata, &expected).await.map_err(denied)?);
        }
        let access = access.ok_or_else(|| unknown(format!("the answer has no {}", self.token_key)))?;
        if self.is_openid() && claims.is_none() {
            return Err(denied("an id_token was asked for, and none came"));
        }
        Ok(Tokens { access, answer, claims, metadata })
    }

    /// Another provider's answer is not ours (RFC 9207).
    fn check_issuer(&self, said: Option<&str>, metadata: &Map<String, Value>) -> Result<(), Refusal> {
        let Some(own) = text(metadata, "issuer").filter(|own| !own.contains("{tenantid}")) else {
            return Ok(());
        };
        let announced =
            metadata.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true));
        match said {
            Some(said) if said == own => Ok(()),
            None if !announced => Ok(()),
            _ => Err(denied("the answer is another provider's")),
        }
    }

    async fn exchange(
        &self,
        known: &Knowledge,
        code: &str,
        pending: &Pending,
        metadata: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let address = self.token_url.as_deref().or(text(metadata, "token_endpoint"));
        let address = address.ok_or_else(|| denied("nobody says where tokens are"))?;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &pending.redirect_uri),
        ];
        if let Some(verifier) = &pending.code_verifier {
            fields.push(("code_verifier", verifier));
        }
        fields.extend(self.token_params.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let (name, secret) = (self.client_id.as_str(), self.client_secret.as_str());
        let announces = |method: &str| {
            let methods = metadata.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
            methods.is_none_or(|methods| methods.iter().any(|m| m == method))
        };
        let basic = match self.client_auth {
            ClientAuth::Announced => announces("client_secret_basic") || !announces("client_secret_post"),
            how => how == ClientAuth::Basic,
        };
        if !basic {
            fields.push(("client_id", name));
            if self.client_auth != ClientAuth::None {
                fields.push(("client_secret", secret));
            }
        }
        let http = known.http(self).map_err(denied)?;
        let answer = http.post_form(address, &fields, basic.then_some((name, secret))).await;
        let answer = answer.map_err(|error| match error {
            HttpError::TooLong => unknown(error),
            HttpError::Failed(_) => denied(error),
        })?;
        let status = answer.status;
        match answer.json() {
            Some(Value::Object(object)) if status < 500 && !object.contains_key("error") => Ok(object),
            Some(Value::Object(object)) => {
                let error: String =
                    text(&object, "error").unwrap_or_default().escape_debug().take(200).collect();
                Err(denied(format!(
                    "the provider answers the request for tokens with status {status} {error}"
                )))
            }
            _ => Err(denied(format!("the provider answers the request for tokens with status {status}"))),
        }
    }

    async fn verified(
        &self,
        known: &Knowledge,
        token: &str,
        metadata: &Map<String, Value>,
        expected: &Expected<'_>,
    ) -> Result<Map<String, Value>, Refusal> {
        let keys = known.keys(self, metadata, false).await.map_err(unknown)?;
        let keys = keys.ok_or_else(|| unknown("nobody says where the provider's keys are (jwks_uri)"))?;
        match id_token::verify(token, &keys, expected) {
            Err(TokenError::UnknownKey) => {
                let keys = known.keys(self, metadata, true).await.map_err(unknown)?.unwrap_or(keys);
                id_token::verify(token, &keys, expected).map_err(unknown)
            }
            other => other.map_err(unknown),
        }
    }

    /// The claims of the `id_token` for a service that is told by nothing else. The original believes Azure's as it is,
    /// and Authentik's once it is signed: here it is for us, in force, and signed with the keys as far as they are
    /// known.
    pub async fn claims(
        &self,
        known: &Knowledge,
        tokens: &Tokens,
        now: i64,
    ) -> Result<Map<String, Value>, Refusal> {
        if let Some(claims) = &tokens.claims {
            return Ok(claims.clone());
        }
        let token = text(&tokens.answer, "id_token").ok_or_else(|| unknown("there is no id_token"))?;
        let expected = Expected {
            issuer: text(&tokens.metadata, "issuer"),
            client_id: &self.client_id,
            nonce: None,
            access_token: text(&tokens.answer, "access_token"),
            now,
        };
        let mut metadata = tokens.metadata.clone();
        let is_microsofts =
            self.token_url.as_deref().and_then(|url| Url::parse(url).ok()).is_some_and(|url| {
                url.scheme() == "https" && url.host_str() == Some("login.microsoftonline.com")
            });
        if is_microsofts && !metadata.contains_key("jwks_uri") && !metadata.contains_key("jwks") {
            metadata.insert("jwks_uri".into(), MICROSOFT_KEYS.into());
        }
        if metadata.contains_key("jwks_uri") || metadata.contains_key("jwks") {
            return self.verified(known, token, &metadata, &expected).await;
        }
        id_token::read(token, &expected).map_err(unknown)
    }

    /// What its API answers at an address below `api_base_url`.
    pub async fn api(&self, known: &Knowledge, path: &str, tokens: &Tokens) -> Result<Value, Refusal> {
        let base = self.api_base_url.as_deref().ok_or_else(|| unknown("there is no api_base_url"))?;
        let address = Url::parse(base).and_then(|base| base.join(path)).map_err(unknown)?;
        self.ask(known, address.as_str(), tokens).await
    }

    /// What it answers at an address for a function of the configuration, whatever that is. The token goes to the hosts
    /// of `api_base_url` and of the `userinfo_endpoint`, and nowhere else.
    pub async fn get(&self, known: &Knowledge, path: &str, tokens: &Tokens) -> Result<Answer, Refusal> {
        let parsed = |address: &str| Url::parse(address).ok();
        let base = self.api_base_url.as_deref().and_then(parsed);
        let address = match &base {
            Some(base) => base.join(path).map_err(unknown)?,
            None => Url::parse(path).map_err(|_| unknown("there is no api_base_url"))?,
        };
        let claims = text(&tokens.metadata, "userinfo_endpoint").and_then(parsed);
        let is_own = [base, claims].into_iter().flatten().any(|own| own.origin() == address.origin());
        if !is_own {
            return Err(unknown("a function of the configuration asks somebody else than the provider"));
        }
        let http = known.http(self).map_err(unknown)?;
        http.get(address.as_str(), Some(&tokens.access)).await.map_err(unknown)
    }

    /// What it answers at its `userinfo_endpoint`.
    pub async fn user_info(&self, known: &Knowledge, tokens: &Tokens) -> Result<Value, Refusal> {
        let address = text(&tokens.metadata, "userinfo_endpoint");
        let address = address.ok_or_else(|| unknown("nobody says where claims are (userinfo_endpoint)"))?;
        let answer = self.ask(known, address, tokens).await?;
        // 5.3.2: claims about somebody else must not be used
        let about = tokens.claims.as_ref().and_then(|claims| text(claims, "sub"));
        if about.is_some_and(|sub| answer.get("sub").and_then(Value::as_str) != Some(sub)) {
            return Err(unknown("the claims are about somebody else"));
        }
        Ok(answer)
    }

    async fn ask(&self, known: &Knowledge, address: &str, tokens: &Tokens) -> Result<Value, Refusal> {
        let answer = known.http(self).map_err(unknown)?.get(address, Some(&tokens.access)).await;
        let answer = answer.map_err(unknown)?;
        let status = answer.status;
        answer
            .good_json()
            .ok_or_else(|| unknown(format!("{address} answers with status {status} and no claims")))
    }

    /// Where a log-out at the provider begins (OpenID Connect RP-Initiated Logout 1.0); none when it has none.
    pub async fn log_out(&self, known: &Knowledge, back: &str) -> Option<String> {
        let metadata = known.metadata(self).await.ok()?;
        let address = text(&metadata, "end_session_endpoint")?;
        let sign = if address.contains('?') { '&' } else { '?' };
        let fields = form(&[("client_id", &self.client_id), ("post_logout_redirect_uri", back)]);
        Some(format!("{address}{sign}{fields}"))
    }
}
