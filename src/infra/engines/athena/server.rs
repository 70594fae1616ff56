//! Requests to the service: signed, again where it is busy, and refused in the words of botocore.

use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        Source,
        aws::{Credentials, Environment, Request, sign},
        error::EngineError,
        http::{self, Backoff, Cancel, Endpoint, Failure},
    },
    PAGE, TIMEOUT,
    protocol::{Begun, Refusal},
    raised,
    source::Target,
};

/// Before a busy server is asked again.
const PAUSE: Duration = Duration::from_millis(400);
/// The longest time between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often a server that is busy is asked.
const TRIES: u32 = 5;
/// How often one that fails without a reason is, as botocore does.
const FAILURES: u32 = 3;
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The service, as one connection sees it.
pub(super) struct Server {
    endpoint: Endpoint,
    pub target: Target,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The service refuses the request, and the words of that.
    Refused(Refusal, String),
    /// Everything else.
    Failed(EngineError),
}

impl Trouble {
    /// The error of a class of the driver's.
    pub fn error(self, class: &str) -> EngineError {
        match self {
            Self::Refused(_, words) => raised(class, &words),
            Self::Failed(error) => error,
        }
    }

    /// The same where no statement of SQL is behind it: nobody wraps these words.
    pub fn plain(self) -> EngineError {
        match self {
            Self::Refused(_, words) => EngineError::Connect(words),
            Self::Failed(error) => error,
        }
    }

    /// The service has surely not done what was asked for.
    pub fn is_before(&self) -> bool {
        match self {
            Self::Refused(..) => true,
            Self::Failed(error) => matches!(error, EngineError::Connect(_) | EngineError::Uri(_)),
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// A statement, as far as it is known where it runs.
#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// The answer to the request that begins it has not come. It only reads: beginning it again does no harm.
    Asked(Value),
    /// By its number.
    Begun(String),
}

impl Server {
    pub fn new(source: &Source, environment: &Environment) -> Result<Self, EngineError> {
        let target = Target::from_source(source, environment)?;
        Ok(Self { endpoint: Endpoint::new(target.access.clone())?, target })
    }

    /// Why there is no answer, as botocore words it; the reason behind it is for the log.
    fn failed(&self, failure: &Failure) -> EngineError {
        let at = format!("{}{}", self.endpoint.origin(), self.target.path);
        let reason = failure.text(self.endpoint.access(), &self.target.path);
        tracing::debug!(reason, "no answer of the service");
        match failure {
            Failure::ConnectTimedOut => {
                EngineError::Connect(format!("Connect timeout on endpoint URL: \"{at}\""))
            }
            Failure::Tls(words) => {
                EngineError::Connect(format!("SSL validation failed for {at} [SSL] {words}"))
            }
            Failure::UnknownName | Failure::Refused | Failure::Unreachable(_) => {
                EngineError::Connect(format!("Could not connect to the endpoint URL: \"{at}\""))
            }
            Failure::Protocol(words) => raised("OperationalError", words),
            _ => raised(
                "OperationalError",
                &format!(
                    "Connection was closed before we received a valid response from endpoint URL: \"{at}\"."
                ),
            ),
        }
    }

    /// Something else than Athena answers, whose words are nobody's (T33).
    pub fn protocol(&self) -> EngineError {
        self.failed(&Failure::Protocol("the server does not speak Athena's protocol".to_owned()))
    }

    fn credentials(&self) -> Result<&Credentials, EngineError> {
        match (self.target.missing, &self.target.credentials) {
            (None, Some(credentials)) => Ok(credentials),
            (missing, _) => {
                Err(EngineError::Uri(missing.unwrap_or("Unable to locate credentials").to_owned()))
            }
        }
    }

    /// What the service answers. One that is busy is asked again, later each time; keys that it does not take are
    /// replaced once, where others can be had.
    pub async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        body: &Value,
        (limit, patience): (usize, Duration),
    ) -> Result<T, Trouble> {
        let credentials = self.credentials()?;
        let body = body.to_string();
        let target = format!("AmazonAthena.{operation}");
        let mut url = self.endpoint.base().clone();
        url.set_path(&self.target.path);
        let host = self.endpoint.host();
        let (mut backoff, mut tries, mut renewed) = (Backoff::new(PAUSE, LONGEST_PAUSE, TRIES), 0, false);
        loop {
            let keys = credentials.keys().await?;
            let signed = Request {
                method: "POST",
                host: &host,
                path: url.path(),
                query: &[],
                headers: &[("content-type", CONTENT_TYPE), ("x-amz-target", &target)],
                body: body.as_bytes(),
            };
            let mut request = self.endpoint.request(Method::POST, &url).body(body.clone());
            for (name, value) in sign(&keys, (&self.target.region, "athena"), Utc::now(), &signed) {
                request = request.header(name, value);
            }
            for (name, value) in signed.headers {
                request = request.header(*name, *value);
            }
            let answer = http::send(request, patience)
                .await
                .map_err(|e| e.into_error(limit, patience, |e| self.failed(e)))?;
            let status = answer.status().as_u16();
            let after = http::retry_after(&answer);
            let read = http::body(answer, limit, patience)
                .await
                .map_err(|e| e.into_error(limit, patience, |e| self.failed(e)))?;
            if status == 200 {
                return Ok(serde_json::from_slice(&read).map_err(|_| self.protocol())?);
            }
            let refusal = Refusal::read(status, &read);
            let stale = refusal.as_ref().is_some_and(Refusal::is_stale);
            if stale && !renewed && credentials.forget(&keys).await {
                renewed = true;
                continue;
            }
            let passing = refusal.as_ref().map_or(matches!(status, 429 | 502..=504), Refusal::is_passing);
            let throttled = status < 500 || matches!(status, 502..=504);
            if passing && (throttled || tries + 1 < FAILURES) && backoff.again(after).await {
                tries += 1;
                continue;
            }
            let refusal = refusal.ok_or_else(|| self.protocol())?;
            let often = if tries > 0 { format!(" (reached max retries: {tries})") } else { String::new() };
            let words = format!(
                "An error occurred ({}) when calling the {operation} operation{often}: {}",
                refusal.kind,
                keys.masked(&refusal.message)
            );
            return Err(Trouble::Refused(refusal, words));
        }
    }

    /// The request that begins a statement. It bears a number of ours: sent twice, it begins one statement.
    pub fn statement(&self, sql: &str) -> Value {
        let target = &self.target;
        let mut body = json!({
            "ClientRequestToken": Uuid::new_v4().to_string(),
            "QueryString": sql,
            "QueryExecutionContext": {"Database": target.schema, "Catalog": target.catalog},
            "ResultConfiguration": target.results,
        });
        if let Some(group) = &target.work_group {
            body["WorkGroup"] = group.as_str().into();
        }
        if let Some(minutes) = target.reuse {
            let reuse = json!({"Enabled": true, "MaxAgeInMinutes": minutes});
            body["ResultReuseConfiguration"] = json!({"ResultReuseByAgeConfiguration": reuse});
        }
        body
    }

    /// Begins a statement; its number.
    pub async fn begin(&self, body: &Value, patience: Duration) -> Result<String, Trouble> {
        let begun: Result<Begun, _> = self.call("StartQueryExecution", body, (PAGE, patience)).await;
        begun.map(|begun| begun.query_execution_id)
    }

    /// Ends a statement.
    pub async fn stop(&self, id: &str) -> Result<(), EngineError> {
        let body = json!({"QueryExecutionId": id});
        let done: Result<Value, _> = self.call("StopQueryExecution", &body, (PAGE, TIMEOUT)).await;
        done.map(drop).map_err(|trouble| trouble.error("OperationalError"))
    }
}

#[async_trait]
impl Cancel for Server {
    type Statement = Statement;

    async fn cancel(&self, statement: Statement) -> Result<(), EngineError> {
        let id = match statement {
            Statement::Begun(id) => id,
            Statement::Asked(body) => {
                self.begin(&body, TIMEOUT).await.map_err(|trouble| trouble.error("DatabaseError"))?
            }
        };
        self.stop(&id).await
    }
}
