//! From which time on a request or a statement is a line of the log.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Milliseconds where the configuration says nothing.
const DEFAULT: u64 = 5_000;

static REQUEST: AtomicU64 = AtomicU64::new(0);
static STATEMENT: AtomicU64 = AtomicU64::new(0);

/// Milliseconds from which on something is slow; 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// `SLOW_REQUEST_MS`.
    pub request: u64,
    /// `SLOW_STATEMENT_MS`.
    pub statement: u64,
}

impl Thresholds {
    /// What the configuration says, if anything.
    #[must_use]
    pub fn new(request: Option<i64>, statement: Option<i64>) -> Self {
        let read = |ms: Option<i64>| ms.map_or(DEFAULT, |ms| u64::try_from(ms).unwrap_or(0));
        Self { request: read(request), statement: read(statement) }
    }
}

/// Puts them in force.
pub fn set_thresholds(thresholds: Thresholds) {
    REQUEST.store(thresholds.request, Ordering::Relaxed);
    STATEMENT.store(thresholds.statement, Ordering::Relaxed);
}

fn is_over(threshold: &AtomicU64, took: Duration) -> bool {
    let threshold = threshold.load(Ordering::Relaxed);
    threshold > 0 && took >= Duration::from_millis(threshold)
}

/// Whether a request that took so long is a line.
pub fn request_is_slow(took: Duration) -> bool {
    is_over(&REQUEST, took)
}

/// Whether a statement that took so long is a line.
pub(crate) fn statement_is_slow(took: Duration) -> bool {
    is_over(&STATEMENT, took)
}

/// Whether any statement could be: its text has to be kept.
pub(crate) fn a_statement_can_be_slow() -> bool {
    STATEMENT.load(Ordering::Relaxed) > 0
}
