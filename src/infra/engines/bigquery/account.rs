//! Who asks: a service account, which signs for a token (RFC 7523), or somebody whose refresh token is in the file that
//! the operator names (`google.oauth2.service_account`, `google.auth.default`).

use std::time::{Duration, Instant, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Url, header};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::super::{
    error::EngineError,
    http::{self, Access, Auth, Backoff, Endpoint, Verify},
};

/// What a token may do; the last is for tables that are sheets (`sqlalchemy_bigquery._helpers`).
const SCOPES: &str = "https://www.googleapis.com/auth/bigquery https://www.googleapis.com/auth/cloud-platform \
                      https://www.googleapis.com/auth/drive";
/// Whom a signature is for that Google gets, at whichever of its addresses (`google.oauth2.service_account`).
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// How long a signature is good for.
const LIFETIME: u64 = 3600;
/// How long before its end a token is no longer used.
const SLACK: Duration = Duration::from_secs(225);
/// What getting a token may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a server of tokens that is busy is asked.
const TRIES: u32 = 3;
/// Before it is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes that its answer may have.
const MOST: usize = 64 << 10;
/// Characters of its words that are told.
const MAX_WORDS: usize = 500;

/// Somebody whom tokens are given to.
pub(super) struct Account {
    proof: Proof,
    endpoint: Endpoint,
    address: Url,
    audience: String,
    token: Mutex<Option<Token>>,
}

enum Proof {
    Service { email: String, key_id: Option<String>, key: Box<RsaKeyPair> },
    Person { id: String, secret: String, refresh: String },
}

struct Token {
    text: String,
    until: Instant,
}

fn refused(text: &str) -> EngineError {
    EngineError::Uri(text.to_owned())
}

fn text<'a>(info: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    info.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

impl Account {
    /// Reads the document of credentials, which are the connection's or the operator's. Tokens are asked for on public
    /// addresses only where whoever edits a connection names them, unless the operator's own emulator is spoken to.
    pub fn new(
        info: &Map<String, Value>,
        connect: Duration,
        (is_operators, emulated): (bool, bool),
    ) -> Result<Self, EngineError> {
        let trusted = is_operators || emulated;
        let proof = match text(info, "type") {
            // of its secrets none is masked in a connection
            Some("authorized_user") if is_operators => person(info)?,
            Some("service_account") | None => service(info)?,
            Some(other) => {
                return Err(refused(&format!(
                    "Credentials of the type \"{other}\" are not supported; use a service account's key"
                )));
            }
        };
        let address = text(info, "token_uri").unwrap_or(AUDIENCE);
        let wrong = || refused("The credentials' token_uri is no address of HTTPS");
        let address = Url::parse(address).map_err(|_| wrong())?;
        let host = address.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let tls = match address.scheme() {
            "https" => Some(Verify::Public),
            "http" if emulated => None,
            _ => return Err(wrong()),
        };
        let port = address.port_or_known_default().ok_or_else(wrong)?;
        // Google's own name may lead to a private address of the operator's network (Private Service Connect)
        let own = tls.is_some() && (host == "accounts.google.com" || host.ends_with(".googleapis.com"));
        // what somebody else is sent must be of no use at Google
        let audience = if own { AUDIENCE.to_owned() } else { address.to_string() };
        let access = Access { host, port, tls, auth: Auth::Nobody, connect };
        let endpoint = if trusted || own { Endpoint::new(access) } else { Endpoint::public(access) };
        Ok(Self { proof, endpoint: endpoint?, address, audience, token: Mutex::default() })
    }

    /// A token that is good for a while.
    pub async fn token(&self) -> Result<String, EngineError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.until > Instant::now()) {
            return Ok(token.text.clone());
        }
        let token = self.fetch().await?;
        let given = token.text.clone();
        *kept = Some(token);
        Ok(given)
    }

    /// The service no longer takes a token.
    pub async fn forget(&self, text: &str) {
        let mut kept = self.token.lock().await;
        if kept.as_ref().is_some_and(|token| token.text == text) {
            *kept = None;
        }
    }

    async fn fetch(&self) -> Result<Token, EngineError> {
        #[derive(Deserialize)]
        struct Given {
            access_token: String,
            expires_in: Option<u64>,
        }
        let mut backoff = Backoff::new(PAUSE, PATIENCE, TRIES);
        let (status, body) = loop {
            let request = self.endpoint.request(Method::POST, &self.address);
            let request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(self.form().ok_or_else(|| refused("The private key cannot sign"))?);
            let failed =
                |e: http::Failure| EngineError::Connect(e.text(self.endpoint.access(), self.address.path()));
            let answer = http::send(request, PATIENCE).await.map_err(failed)?;
            let status = answer.status();
            let body = http::body(answer, MOST, PATIENCE).await.map_err(failed)?;
            let busy = status.is_server_error() || status.as_u16() == 429;
            if !busy || !backoff.again(None).await {
                break (status, body);
            }
        };
        if !status.is_success() {
            return Err(EngineError::Unauthorized(refusal(&body)));
        }
        let given: Given = serde_json::from_slice(&body).map_err(|_| {
            EngineError::Connect("the server of the account's token_uri gives no tokens".to_owned())
        })?;
        let lasts = Duration::from_secs(given.expires_in.unwrap_or(LIFETIME).min(24 * 3600));
        let until = Instant::now() + lasts.saturating_sub(SLACK).max(lasts / 2);
        Ok(Token { text: given.access_token, until })
    }

    /// What is posted for a token; none where the key does not sign.
    fn form(&self) -> Option<String> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        match &self.proof {
            Proof::Service { email, key_id, key } => {
                let assertion = assertion((email, &self.audience), key_id.as_deref(), key)?;
                let grant = encoded("urn:ietf:params:oauth:grant-type:jwt-bearer");
                Some(format!("assertion={assertion}&grant_type={grant}"))
            }
            Proof::Person { id, secret, refresh } => Some(format!(
                "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
                encoded(id),
                encoded(secret),
                encoded(refresh)
            )),
        }
    }
}

fn service(info: &Map<String, Value>) -> Result<Proof, EngineError> {
    let missing: Vec<&str> =
        ["token_uri", "client_email"].into_iter().filter(|key| text(info, key).is_none()).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(refused(&format!(
            "Service account info was not in the expected format, missing fields {missing}."
        )));
    }
    let pem = text(info, "private_key").ok_or_else(|| {
        refused("Service account info was not in the expected format, missing fields private_key.")
    })?;
    let key = private_key(pem).ok_or_else(|| refused("No key could be detected."))?;
    Ok(Proof::Service {
        email: text(info, "client_email").unwrap_or_default().to_owned(),
        key_id: text(info, "private_key_id").map(str::to_owned),
        key: Box::new(key),
    })
}

fn person(info: &Map<String, Value>) -> Result<Proof, EngineError> {
    let of = |key: &str| {
        text(info, key).map(str::to_owned).ok_or_else(|| {
            let words = "Authorized user info was not in the expected format, missing fields";
            refused(&format!("{words} {key}."))
        })
    };
    Ok(Proof::Person { id: of("client_id")?, secret: of("client_secret")?, refresh: of("refresh_token")? })
}

fn private_key(pem: &str) -> Option<RsaKeyPair> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        _ => None,
    }
}

/// A signed wish for a token.
fn assertion((email, audience): (&str, &str), key_id: Option<&str>, key: &RsaKeyPair) -> Option<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let mut head = json!({"typ": "JWT", "alg": "RS256"});
    if let (Some(id), Some(head)) = (key_id, head.as_object_mut()) {
        head.insert("kid".to_owned(), id.into());
    }
    let claims = json!({"iss": email, "aud": audience, "scope": SCOPES, "iat": now, "exp": now + LIFETIME});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The words of a refused wish (`str()` of google-auth's `RefreshError`, without the document behind them). What is no
/// answer of OAuth2 is nobody's to read.
fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        error_description: Option<String>,
    }
    let words = match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { error, error_description: Some(words) }) => format!("{error}: {words}"),
        Ok(Refusal { error, .. }) => error,
        Err(_) => "the server of the account's token_uri gives no token".to_owned(),
    };
    words.chars().take(MAX_WORDS).collect()
}
