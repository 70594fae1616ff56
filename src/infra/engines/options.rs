//! What a statement may take.

use std::time::Duration;

use tokio::sync::watch;

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
            progress: None,
        }
    }
}

impl QueryOptions {
    /// Tells whoever asked for it how far a statement is.
    pub(super) fn tell(&self, query_id: Option<&str>, percent: f64) {
        let Some(listener) = &self.progress else { return };
        listener.send_if_modified(|progress| {
            let told =
                Progress { query_id: query_id.map(str::to_owned), percent: percent.max(progress.percent) };
            let changed = *progress != told;
            *progress = told;
            changed
        });
    }
}
