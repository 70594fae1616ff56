//! One job: its turn, its time, its end, and the event that tells of it.

use std::time::Duration;

use infra::{Error, Result, json::ascii_json};
use serde_json::{Map, Value, json};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    Caller, Services,
    state::jobs::{JobKind, JobOutcome},
};

/// How often it is looked whether somebody is left.
const LOOK: Duration = Duration::from_secs(5);

/// How often, and how soon, it is tried to write an event while Redis is away.
const PUBLISH_TRIES: usize = 30;
const PUBLISH_AGAIN: Duration = Duration::from_secs(2);

/// What a job brings: the address of its result, or what is told of its errors.
pub(super) type Outcome = Result<String, Vec<Value>>;

/// Takes a job on; answers with what the client is told of it (`build_job_metadata`). 503 when too many wait.
pub(super) fn begin(
    Caller { app, user }: &Caller,
    channel: &str,
    about: String,
    work: impl Future<Output = Outcome> + Send + 'static,
) -> Result<Value> {
    let quota_key = user.quota_key();
    let busy = || Error::message(503, "Too many queries are waiting. Please try again in a moment.");
    let place = app.async_queries.places.try_take(&quota_key, 1).ok_or_else(busy)?;
    if app.async_queries.is_stopping() {
        return Err(busy());
    }
    app.events.note_use(channel);
    let mut metadata = Map::new();
    metadata.insert("channel_id".to_owned(), channel.into());
    metadata.insert("job_id".to_owned(), Uuid::new_v4().to_string().into());
    metadata.insert("user_id".to_owned(), user.user_id().into());
    metadata.insert("status".to_owned(), "pending".into());
    metadata.insert("errors".to_owned(), json!([]));
    metadata.insert("result_url".to_owned(), Value::Null);
    let answer = Value::Object(metadata.clone());
    let (app, channel) = (app.clone(), channel.to_owned());
    let run = async move {
        run(&app, &quota_key, &channel, metadata, about, work).await;
        drop(place);
    };
    tokio::spawn(run.in_current_span());
    Ok(answer)
}

async fn run(
    app: &Services,
    quota_key: &str,
    channel: &str,
    mut metadata: Map<String, Value>,
    about: String,
    work: impl Future<Output = Outcome> + Send + 'static,
) {
    let job = app.jobs.begin(JobKind::AsyncQuery, about);
    let done = async {
        let _turn = app.async_queries.turns.take(quota_key, 1).await;
        app.compute.spawn(quota_key, work).await.unwrap_or_else(|why| Err(vec![message(why.to_string())]))
    };
    let limit = time_limit(app);
    let (outcome, end) = tokio::select! {
        outcome = done => {
            let end = if outcome.is_ok() { JobOutcome::Success } else { JobOutcome::Failure };
            (outcome, end)
        }
        () = abandoned(app, channel) => {
            (Err(vec![message("The query was cancelled: nobody waited for it any more.")]), JobOutcome::Cancelled)
        }
        () = app.async_queries.stopping() => {
            (Err(vec![message("The query was cancelled: the server stopped.")]), JobOutcome::Cancelled)
        }
        () = tokio::time::sleep(limit) => {
            let seconds = limit.as_secs();
            let text = format!("The query was cancelled: it took longer than {seconds} seconds.");
            (Err(vec![message(text)]), JobOutcome::Failure)
        }
    };
    let cause = match outcome {
        Ok(result_url) => {
            metadata.insert("status".to_owned(), "done".into());
            metadata.insert("result_url".to_owned(), result_url.into());
            None
        }
        Err(errors) => {
            let cause = errors.iter().map(text_of).collect::<Vec<_>>().join("; ");
            metadata.insert("status".to_owned(), "error".into());
            metadata.insert("errors".to_owned(), Value::Array(errors));
            Some(cause)
        }
    };
    let published = publish(app, channel, &ascii_json(&Value::Object(metadata), true)).await;
    match (published, end) {
        (Err(error), _) => {
            tracing::error!(%error, "nobody was told that a query ended");
            job.failed("the event could not be written");
        }
        (Ok(()), JobOutcome::Success) => job.succeeded(),
        (Ok(()), JobOutcome::Failure) => job.failed(cause.unwrap_or_default()),
        // dropped: cancelled
        (Ok(()), JobOutcome::Cancelled) => {}
    }
}

/// Publishes an event; waits for a place that is away.
async fn publish(app: &Services, channel: &str, data: &str) -> Result<()> {
    let mut tries = 0;
    loop {
        match app.events.publish(channel, data).await {
            Err(_) if tries < PUBLISH_TRIES && !app.async_queries.is_stopping() => {
                tries += 1;
                tokio::time::sleep(PUBLISH_AGAIN).await;
            }
            outcome => return outcome,
        }
    }
}

/// An error as events tell it.
pub(super) fn message(text: impl Into<String>) -> Value {
    json!({"message": text.into()})
}

fn text_of(error: &Value) -> String {
    let text = error.get("message").unwrap_or(error);
    text.as_str().map_or_else(|| text.to_string(), str::to_owned)
}

/// `SQLLAB_ASYNC_TIME_LIMIT_SEC`, as in the original.
fn time_limit(app: &Services) -> Duration {
    let seconds = app.config.int("SQLLAB_ASYNC_TIME_LIMIT_SEC").and_then(|s| u64::try_from(s).ok());
    Duration::from_secs(seconds.filter(|s| *s > 0).unwrap_or(21_600))
}

/// Ends when nobody is left who would hear of the job: no WebSocket is open on its channel, and nobody has polled the
/// channel for `ASYNC_QUERIES_ABANDONED_AFTER` seconds. It never ends where events go through Redis: somebody may
/// listen to another process, or to Superset's own WebSocket server, and there the time limit alone counts.
async fn abandoned(app: &Services, channel: &str) {
    let after = app.config.int("ASYNC_QUERIES_ABANDONED_AFTER").and_then(|s| u64::try_from(s).ok());
    let after = Duration::from_secs(after.unwrap_or(120));
    if !app.events.is_of_this_process() || after.is_zero() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(LOOK.min(after)).await;
        if app.events.left(channel).is_some_and(|left| left > after) {
            return;
        }
    }
}
