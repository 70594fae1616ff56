//! Sessions of the service: who logs in, what proves it afterwards, and sessions that wait for their next statement.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{
        error::EngineError,
        http::{self, Backoff, Endpoint, Failure},
    },
    LONGEST_PAUSE, PAUSE, TIMEOUT, TRIES,
    protocol::{Answer, Tokens},
    raised,
    source::{Login, Target},
    worded,
};

/// How often a server that cannot be reached is tried for a log-in.
const LOGINS: u32 = 2;
/// Sessions that wait at a time.
const IDLE: usize = 8;
/// How long a session waits for its next statement.
const REST: Duration = Duration::from_secs(600);
/// How long a session is used at all; the service takes its token for an hour.
const LIFE: Duration = Duration::from_secs(3000);
/// Bytes of an answer without rows.
pub(super) const SMALL: usize = 4 << 20;
/// The session's token is no longer good, a new one can be had.
pub(super) const EXPIRED: i64 = 390_112;

/// An account, and its sessions that wait.
pub(super) struct Server {
    pub endpoint: Endpoint,
    pub target: Target,
    idle: Mutex<Vec<Session>>,
}

/// Somebody who is logged in.
pub(super) struct Session {
    pub token: String,
    master: Option<String>,
    /// The number by which other sessions know it.
    pub number: Option<String>,
    schema: Option<String>,
    begun: Instant,
    used: Instant,
    /// It has run something before.
    pub reused: bool,
}

/// A name as the service reads it where no SQL is: quoted if it would be another without quotes.
fn spelled(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    let one_case = name.to_lowercase() == name || name.to_uppercase() == name;
    if name.starts_with('"') || plain && one_case && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The proof that goes with a request of a session.
pub(super) fn proof(token: &str) -> String {
    format!("Snowflake Token=\"{token}\"")
}

impl Server {
    pub fn new(endpoint: Endpoint, target: Target) -> Self {
        Self { endpoint, target, idle: Mutex::default() }
    }

    /// What the connector says of a server that it cannot speak to; why is only logged there as well.
    pub fn failed(&self, failure: &Failure) -> EngineError {
        let text = failure.text(self.endpoint.access(), "/");
        match failure.is_connecting() {
            true => {
                tracing::warn!(reason = text, "Snowflake cannot be reached");
                EngineError::Connect(format!(
                    "250001: 250001: Could not connect to Snowflake backend after {LOGINS} attempt(s).Aborting"
                ))
            }
            false => {
                raised("OperationalError", &format!("250003: 250003: Failed to execute request: {text}"))
            }
        }
    }

    pub fn protocol(&self) -> EngineError {
        self.failed(&Failure::Protocol("the server does not speak the protocol of Snowflake".to_owned()))
    }

    fn place(&self) -> String {
        let access = self.endpoint.access();
        format!("{}:{}", access.host, access.port)
    }

    /// A request of a path of ours or one that the server has named.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.endpoint.base().clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        self.endpoint.request(method, &url).header("accept", "application/snowflake")
    }

    /// The answer to a request. A server that is busy is asked again, later each time; the request bears a number by
    /// which the service knows it.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
        limit: usize,
        patience: Duration,
    ) -> Result<Answer<T>, EngineError> {
        let mut backoff = Backoff::new(PAUSE, LONGEST_PAUSE, TRIES);
        loop {
            let answer = http::send(request(), patience).await.map_err(|e| match e {
                Failure::TimedOut(_) => EngineError::Timeout(patience),
                e => self.failed(&e),
            })?;
            let status = answer.status();
            let busy = matches!(status.as_u16(), 429 | 502..=504);
            if busy && backoff.again(http::retry_after(&answer)).await {
                continue;
            }
            let body = http::body(answer, limit, patience)
                .await
                .map_err(|e| e.into_error(limit, patience, |e| self.failed(e)))?;
            // a failure may have an answer of the protocol as well
            let read = serde_json::from_slice::<Answer<T>>(&body).ok();
            return match (status, read) {
                (StatusCode::OK, read) => read.ok_or_else(|| self.protocol()),
                (_, Some(read)) if !read.success && read.code.is_some() => Ok(read),
                // what a server that is none of Snowflake's answers is nobody's (T33)
                (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _) => Err(EngineError::Connect(format!(
                    "250001 (08001): None: Failed to connect to DB. Verify the account name is correct: {}. HTTP {}",
                    self.place(),
                    status.as_u16()
                ))),
                (status, _) => Err(EngineError::Connect(format!(
                    "250001 (08001): None: Failed to connect to DB. Service is unavailable: {}. HTTP {}",
                    self.place(),
                    status.as_u16()
                ))),
            };
        }
    }

    /// A session for a statement: one that has waited, or a new one. What writes gets one of its own.
    pub async fn session(&self, schema: Option<&str>, writes: bool) -> Result<Session, EngineError> {
        let waited = if writes { None } else { self.waiting(schema) };
        match waited {
            Some(session) => Ok(session),
            None => self.log_in(schema, writes, false).await,
        }
    }

    fn waiting(&self, schema: Option<&str>) -> Option<Session> {
        let mut idle = self.idle.lock();
        // the service forgets them in time
        idle.retain(|session| session.used.elapsed() < REST && session.begun.elapsed() < LIFE);
        let at = idle.iter().rposition(|session| session.schema.as_deref() == schema)?;
        Some(idle.remove(at))
    }

    /// Keeps a session that is as it was; the one that has waited longest gives way.
    pub fn keep(&self, mut session: Session) -> Option<Session> {
        session.used = Instant::now();
        session.reused = true;
        let mut idle = self.idle.lock();
        idle.push(session);
        (idle.len() > IDLE).then(|| idle.remove(0))
    }

    /// All sessions that wait.
    pub fn drain(&self) -> Vec<Session> {
        std::mem::take(&mut *self.idle.lock())
    }

    /// Logs in. A check makes the service refuse a database, schema, warehouse or role that is not there.
    pub async fn log_in(
        &self,
        schema: Option<&str>,
        writes: bool,
        check: bool,
    ) -> Result<Session, EngineError> {
        let body = self.login_body(writes, check)?;
        let target = &self.target;
        let id = Uuid::new_v4().to_string();
        let database = target.database.as_deref().map(spelled);
        let space = schema.or(target.schema.as_deref()).map(spelled);
        let mut parameters = vec![("request_id", id.as_str())];
        parameters.extend(database.as_deref().map(|name| ("databaseName", name)));
        parameters.extend(space.as_deref().map(|name| ("schemaName", name)));
        parameters.extend(target.warehouse.as_deref().map(|name| ("warehouse", name)));
        parameters.extend(target.role.as_deref().map(|name| ("roleName", name)));
        let mut url = self.endpoint.base().clone();
        url.query_pairs_mut().extend_pairs(&parameters);
        let path = format!("/session/v1/login-request?{}", url.query().unwrap_or_default());
        let request = || self.request(Method::POST, &path).json(&body);
        let mut backoff = Backoff::new(PAUSE, PAUSE, LOGINS);
        let answer = loop {
            let answer = self.ask::<Tokens>(request, SMALL, TIMEOUT).await;
            if matches!(answer, Err(EngineError::Connect(_))) && backoff.again(None).await {
                continue;
            }
            break answer?;
        };
        let tokens = match (answer.success, answer.data) {
            (true, Some(tokens)) => tokens,
            (_, tokens) => {
                let asked = tokens.and_then(|tokens| tokens.next_action).unwrap_or_default();
                return Err(self.refused(answer.message.as_deref().unwrap_or_default(), &asked));
            }
        };
        let token = tokens.token.ok_or_else(|| self.protocol())?;
        let now = Instant::now();
        Ok(Session {
            token,
            master: tokens.master_token,
            number: tokens.session_id.map(|number| number.text()),
            schema: schema.map(str::to_owned),
            begun: now,
            used: now,
            reused: false,
        })
    }

    /// A log-in that the service refuses.
    fn refused(&self, message: &str, action: &str) -> EngineError {
        let words = match action {
            "EXT_AUTHN_DUO_ALL" | "EXT_AUTHN_DUO_PUSH_N_PASSCODE" => {
                "The account demands a second factor, which nobody can give here: use a key pair"
            }
            "PWD_CHANGE" => "The password has to be changed",
            _ => message,
        };
        let text = format!("250001 (08001): None: Failed to connect to DB: {}. {words}", self.place());
        match self.target.login {
            // whoever brought a token may get another one
            Login::Token(..) => EngineError::Unauthorized(text),
            _ => raised("DatabaseError", &text),
        }
    }

    fn login_body(&self, writes: bool, check: bool) -> Result<Value, EngineError> {
        let target = &self.target;
        let mut parameters: Map<String, Value> = target.parameters.clone();
        parameters.insert("PYTHON_CONNECTOR_QUERY_RESULT_FORMAT".to_owned(), "JSON".into());
        // what only reads is never committed: the service undoes what it changes nevertheless
        parameters.insert("AUTOCOMMIT".to_owned(), writes.into());
        if check {
            parameters.insert("CLIENT_VALIDATE_DEFAULT_PARAMETERS".to_owned(), true.into());
        }
        let mut data = json!({
            // the service tells apart by these which clients understand what; we understand what this one does
            "CLIENT_APP_ID": "PythonConnector",
            "CLIENT_APP_VERSION": "3.15.0",
            "CLIENT_ENVIRONMENT": {
                "APPLICATION": target.application.as_deref().unwrap_or("liteset"),
                "OS": std::env::consts::OS,
            },
            "ACCOUNT_NAME": target.account,
            "LOGIN_NAME": target.user,
            "SESSION_PARAMETERS": parameters,
        });
        let mut put = |key: &str, value: &str| {
            if let Some(data) = data.as_object_mut() {
                data.insert(key.to_owned(), value.into());
            }
        };
        match &target.login {
            Login::Password(password) => put("PASSWORD", password),
            Login::KeyPair(pair) => {
                let token = pair.token(chrono::Utc::now().timestamp());
                put("AUTHENTICATOR", "SNOWFLAKE_JWT");
                put(
                    "TOKEN",
                    &token.ok_or_else(|| EngineError::Uri("The private key cannot sign".to_owned()))?,
                );
            }
            Login::Token(kind, token) => {
                put("AUTHENTICATOR", kind);
                put("TOKEN", token);
            }
            Login::Missing(words) => return Err(raised("ProgrammingError", words)),
        }
        Ok(json!({"data": data}))
    }

    /// Gets a session another token for the one that is no longer good.
    pub async fn renew(&self, session: &mut Session) -> Result<(), EngineError> {
        let over = || EngineError::Unauthorized("390114: 390114: the session has ended".to_owned());
        let master = session.master.clone().ok_or_else(over)?;
        let body = json!({"oldSessionToken": session.token, "requestType": "RENEW"});
        let path = format!("/session/token-request?requestId={}", Uuid::new_v4());
        let request =
            || self.request(Method::POST, &path).header("authorization", proof(&master)).json(&body);
        let answer = self.ask::<Tokens>(request, SMALL, TIMEOUT).await?;
        let tokens = answer.data.filter(|_| answer.success).ok_or_else(over)?;
        session.token = tokens.session_token.ok_or_else(over)?;
        session.master = tokens.master_token.or(session.master.take());
        Ok(())
    }

    /// Ends a statement by the number of its request.
    pub async fn abort(&self, session: &Session, request: &str) -> Result<(), EngineError> {
        let path = format!("/queries/v1/abort-request?requestId={}", Uuid::new_v4());
        let body = json!({"requestId": request});
        let ask = || {
            let request = self.request(Method::POST, &path);
            request.header("authorization", proof(&session.token)).json(&body)
        };
        self.ask::<Value>(ask, SMALL, TIMEOUT).await.map(drop)
    }

    /// Logs out; the service undoes what was not committed.
    pub async fn close(&self, session: &Session) {
        let path = format!("/session?delete=true&requestId={}", Uuid::new_v4());
        let ask = || {
            let request = self.request(Method::POST, &path);
            request.header("authorization", proof(&session.token)).json(&json!({}))
        };
        if let Err(error) = self.ask::<Value>(ask, SMALL, TIMEOUT).await {
            tracing::debug!(%error, "session could not be ended");
        }
    }

    /// A statement that the service refuses.
    pub fn statement_error<T>(
        &self,
        answer: &Answer<T>,
        state: Option<&str>,
        query: Option<&str>,
    ) -> EngineError {
        let code = answer.code.as_ref().and_then(super::protocol::Code::number).unwrap_or(-1);
        let text = worded(code, state, query, answer.message.as_deref().unwrap_or("Unknown error"));
        match code {
            // sessions and log-ins have a range of their own
            390_000..=390_999 => EngineError::Unauthorized(text),
            100_072 => raised("IntegrityError", &text),
            _ => raised("ProgrammingError", &text),
        }
    }
}
