//! What a statement may take.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::compute::Lease;

/// How far a statement is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// The engine's own number of the statement, by which it is cancelled.
    pub query_id: Option<String>,
    /// Percent of the work.
    pub percent: f64,
}

/// Limits and surroundings of a statement.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// Schema of unqualified names.
    pub schema: Option<String>,
    /// Rows after which no more are read.
    pub max_rows: Option<usize>,
    /// Bytes of values above which the statement fails.
    pub max_bytes: usize,
    /// Time above which the statement is cancelled.
    pub timeout: Duration,
    /// The statement may change data; otherwise the database itself refuses.
    pub allow_write: bool,
    /// Where the memory of the result is counted; nowhere for results that are handed on in pieces.
    pub memory: Option<Arc<Lease>>,
    /// Where an engine that knows how far a statement is tells it.
    pub progress: Option<watch::Sender<Progress>>,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            schema: None,
            max_rows: None,
            max_bytes: 512 << 20,
            timeout: Duration::from_secs(60),
            allow_write: false,
            memory: None,
            progress: None,
        }
    }
}

impl QueryOptions {
    /// Tells whoever asked for it how far a statement is.
    pub(super) fn report_progress(&self, query_id: Option<&str>, percent: f64) {
        let Some(listener) = &self.progress else { return };
        listener.send_if_modified(|progress| {
            let next =
                Progress { query_id: query_id.map(str::to_owned), percent: percent.max(progress.percent) };
            let changed = *progress != next;
            *progress = next;
            changed
        });
    }
}
