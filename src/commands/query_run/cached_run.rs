//! The cache of results, seen from inside an execution.

use std::{future::Future, sync::Arc, time::Instant};

use infra::{compute::Lease, telemetry};
use query::QueryError;

use super::cache_keys;
use crate::{Caller, state::QueryRun};

/// Where the outcome of a query is kept.
#[derive(Debug, Clone)]
pub(crate) struct CachedRun {
    /// The cache key.
    pub key: String,
    /// Seconds that it is kept.
    pub timeout: i64,
    /// `<id>__table` of the dataset.
    pub uid: String,
    /// Whether an outcome that is there answers, too; a forced query only leaves its own.
    pub answers: bool,
    /// Whether it is for everybody who has the key.
    pub shared: bool,
}

type Outcome = Result<(Arc<QueryRun>, Arc<Lease>), QueryError>;

impl CachedRun {
    /// Executes, and keeps what comes of it before anybody gets it. It looks into the cache once more: the execution
    /// that the caller could have joined may have ended after the caller's own look. Where the cache is in Redis, one
    /// process executes for all.
    pub async fn or_execute<F>(self, caller: Caller, execute: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome>,
    {
        let cache = &caller.app.data_cache;
        if self.answers
            && let Some(run) = cache.get_again(&self.key).await
        {
            return Ok((run, caller.lease().await?));
        }
        let since = Instant::now();
        let mut turn = None;
        if self.shared && self.timeout >= 0 {
            match cache.made_or_turn(&self.key).await {
                Ok(run) => {
                    telemetry::query_joined(since.elapsed());
                    return Ok((run, caller.lease().await?));
                }
                Err(ours) => turn = ours,
            }
        }
        let (run, memory) = execute().await?;
        if run.error.is_none() {
            telemetry::incr("loaded_from_source");
            if self.answers {
                telemetry::incr("loaded_from_source_without_force");
            }
        }
        if run.error.is_none() && self.shared {
            cache.insert(self.key.clone(), run.clone(), run.bytes(), self.timeout).await;
            cache_keys::remember(&caller.app, &self.key, self.timeout, &self.uid).await;
            if let Some(turn) = turn {
                turn.made().await;
            }
        }
        Ok((run, memory))
    }
}
