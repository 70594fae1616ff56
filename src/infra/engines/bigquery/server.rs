//! Requests to the service: with a token, again where it is busy, and refused in the words of Google's client.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    super::{
        Source,
        error::EngineError,
        http::{self, Backoff, Cancel, Endpoint, Failure},
    },
    PAGE, TIMEOUT,
    protocol::{self, Job, Page, Refusal, in_path},
    raised,
    source::{Environment, Target},
};

/// Before a busy server is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest time between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often a server that is busy is asked.
const TRIES: u32 = 6;
/// Milliseconds that the server waits for a result before it says that it is not there yet.
const WAIT: &str = "10000";

/// The service, as one connection sees it.
pub(super) struct Server {
    endpoint: Endpoint,
    pub target: Target,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The service refuses the request.
    Refused(Refusal),
    /// Everything else.
    Failed(EngineError),
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// A job, by the number that we gave it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub id: String,
    pub location: Option<String>,
}

impl Server {
    pub fn new(source: &Source, environment: &Environment) -> Result<Self, EngineError> {
        let target = Target::from_source(source, environment)?;
        Ok(Self { endpoint: Endpoint::new(target.access.clone())?, target })
    }

    fn failed(&self, failure: &Failure, path: &str) -> EngineError {
        let text = failure.text(self.endpoint.access(), path);
        match failure.is_connecting() {
            true => EngineError::Connect(text),
            false => raised(&text),
        }
    }

    /// Something else than BigQuery answers, whose words are nobody's (T33).
    pub fn protocol(&self) -> EngineError {
        raised("the server does not speak BigQuery's REST interface")
    }

    fn full_path(&self, path: &str) -> String {
        format!("{}/bigquery/v2{path}", self.target.prefix)
    }

    /// Where the service is.
    pub fn origin(&self) -> String {
        self.endpoint.origin()
    }

    /// A refusal as `str()` of Google's client prints it.
    pub fn words(&self, method: &Method, path: &str, refusal: &Refusal) -> EngineError {
        let at = format!("{}{}?prettyPrint=false", self.origin(), self.full_path(path));
        let message = http::told(&refusal.message);
        raised(&format!("{} {method} {at}: {message}", refusal.status))
    }

    /// Whatever went wrong with a request.
    pub fn error(&self, method: &Method, path: &str, trouble: Trouble) -> EngineError {
        match trouble {
            Trouble::Refused(refusal) => self.words(method, path, &refusal),
            Trouble::Failed(error) => error,
        }
    }

    /// The body of an answer. A server that is busy is asked again, later each time; a token that it does not take is
    /// replaced once.
    async fn body(
        &self,
        (method, path, query): (&Method, &str, &[(&str, String)]),
        body: Option<&Value>,
        (limit, patience): (usize, Duration),
    ) -> Result<Vec<u8>, Trouble> {
        let mut url = self.endpoint.base().clone();
        url.set_path(&self.full_path(path));
        url.query_pairs_mut().append_pair("prettyPrint", "false").extend_pairs(query);
        let (mut backoff, mut renewed) = (Backoff::new(PAUSE, LONGEST_PAUSE, TRIES), false);
        loop {
            let token = self.target.account.token().await?;
            let mut request = self.endpoint.request(method.clone(), &url).bearer_auth(&token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = http::send(request, patience).await.map_err(|e| self.failed(&e, path))?;
            let status = answer.status();
            let after = http::retry_after(&answer);
            let read = http::body(answer, limit, patience)
                .await
                .map_err(|e| e.into_error(limit, patience, |e| self.failed(e, path)))?;
            if status.is_success() {
                return Ok(read);
            }
            let refusal = Refusal::read(status.as_u16(), &read);
            let busy = matches!(status.as_u16(), 429 | 502..=504);
            if status == StatusCode::UNAUTHORIZED && !renewed {
                self.target.account.forget(&token).await;
                renewed = true;
                continue;
            }
            let passes = busy || refusal.as_ref().is_some_and(Refusal::is_passing);
            if !passes || !backoff.again(after).await {
                let refusal = refusal.ok_or_else(|| self.protocol())?;
                return Err(Trouble::Refused(refusal));
            }
        }
    }

    /// What a question of our own is answered.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Trouble> {
        let body = self.body((&Method::GET, path, query), None, (PAGE, TIMEOUT)).await?;
        Ok(protocol::read(&body).ok_or_else(|| self.protocol())?)
    }

    fn jobs(&self) -> String {
        format!("/projects/{}/jobs", in_path(&self.target.billing))
    }

    /// Starts a job, or asks what it would read. A job that is there already is ours: the answer to its first request
    /// was lost.
    pub async fn insert(
        &self,
        sql: &str,
        place: &Place,
        dry: bool,
        patience: Duration,
    ) -> Result<Option<Job>, Trouble> {
        let mut query = self.target.query.clone();
        query.insert("query".to_owned(), sql.into());
        let mut configuration = json!({"query": query});
        if let Some(labels) = &self.target.labels {
            configuration["labels"] = labels.clone();
        }
        let mut reference = json!({"projectId": self.target.billing});
        match dry {
            true => configuration["dryRun"] = true.into(),
            false => reference["jobId"] = place.id.as_str().into(),
        }
        if let Some(location) = &place.location {
            reference["location"] = location.as_str().into();
        }
        let job = json!({"jobReference": reference, "configuration": configuration});
        match self.body((&Method::POST, &self.jobs(), &[]), Some(&job), (PAGE, patience)).await {
            Ok(body) => Ok(Some(protocol::read(&body).ok_or_else(|| self.protocol())?)),
            Err(Trouble::Refused(refusal)) if refusal.status == 409 && !dry => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Why a statement could not be begun, with the path where the original's client asks for the same.
    pub fn not_begun(&self, trouble: Trouble) -> EngineError {
        let path = format!("/projects/{}/queries", in_path(&self.target.billing));
        self.error(&Method::POST, &path, trouble)
    }

    /// A page of a job's result, or the news that there is none yet.
    pub async fn page(
        &self,
        place: &Place,
        token: Option<&str>,
        rows: usize,
        bounds: (usize, Duration),
    ) -> Result<Page, Trouble> {
        let path = format!("/projects/{}/queries/{}", in_path(&self.target.billing), in_path(&place.id));
        let mut query = vec![
            ("maxResults", rows.to_string()),
            ("timeoutMs", WAIT.to_owned()),
            ("formatOptions.useInt64Timestamp", "true".to_owned()),
        ];
        query.extend(place.location.iter().map(|location| ("location", location.clone())));
        query.extend(token.map(|token| ("pageToken", token.to_owned())));
        let body = self.body((&Method::GET, &path, &query), None, bounds).await?;
        Ok(protocol::read(&body).ok_or_else(|| self.protocol())?)
    }
}

#[async_trait]
impl Cancel for Server {
    type Statement = Place;

    async fn cancel(&self, place: Place) -> Result<(), EngineError> {
        let path = format!("{}/{}/cancel", self.jobs(), in_path(&place.id));
        let query: Vec<_> = place.location.iter().map(|location| ("location", location.clone())).collect();
        let method = Method::POST;
        match self.body((&method, &path, &query), Some(&json!({})), (PAGE, TIMEOUT)).await {
            Ok(_) => Ok(()),
            // it had not begun, or is over
            Err(Trouble::Refused(refusal)) if refusal.status == 404 => Ok(()),
            Err(trouble) => Err(self.error(&method, &path, trouble)),
        }
    }
}
