//! What an operator sees from outside: numbers for Prometheus, counters for statsd, lines about what was slow.
//!
//! There is one set of numbers a process, like the one log. Nothing is counted until somebody has asked for it, and
//! nothing here waits. Labels are rules, engines and kinds: no value that a client chooses makes a new series.

mod metrics;
mod process;
mod slow;
mod spent;
mod statsd;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

pub use metrics::{CONTENT_TYPE, Kind, Sample, text};
pub use slow::{Thresholds, request_is_slow, set_thresholds};
pub(crate) use slow::{a_statement_can_be_slow, statement_is_slow};
pub use spent::{Spent, account, carried};
pub use statsd::{Statsd, StatsdSettings};

/// Which kind of database a statement goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// Superset's own.
    Metadata,
    /// One that charts ask.
    Analytical,
}

impl Database {
    /// Its name in numbers and lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Analytical => "analytical",
        }
    }
}

static IS_ON: AtomicBool = AtomicBool::new(false);

/// From here on numbers are kept; `state` is asked for the present state of things whenever they are read.
pub fn start(state: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
    process::begin();
    metrics::all().register(state);
    metrics::all().register(process::samples);
    IS_ON.store(true, Ordering::Relaxed);
}

/// The numbers, where they are kept.
fn metrics() -> Option<&'static metrics::Metrics> {
    IS_ON.load(Ordering::Relaxed).then(metrics::all)
}

/// A request was answered, or left without an answer (`status` is none then). `rule` is none where there was no rule.
pub fn request_ended(rule: Option<&str>, method: &str, status: Option<u16>, took: Duration) {
    if let Some(metrics) = metrics() {
        metrics.request(rule, method, status, took);
    }
}

/// A request is under way until this is dropped.
#[derive(Debug)]
pub struct UnderWay(Option<&'static metrics::Metrics>);

impl UnderWay {
    /// It begins.
    #[must_use]
    pub fn begin() -> Self {
        let metrics = metrics();
        if let Some(metrics) = metrics {
            metrics.requests_under_way.inc();
        }
        Self(metrics)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(metrics) = self.0 {
            metrics.requests_under_way.dec();
        }
    }
}

/// A statement ended.
pub(crate) fn statement_ended(
    database: Database,
    engine: &'static str,
    outcome: &'static str,
    took: Duration,
) {
    spent::statement(database, took);
    if let Some(metrics) = metrics() {
        metrics.statement(database.name(), engine, outcome, took);
    }
}

/// Waits for a connection, and counts how long that took; making one is part of it.
pub(crate) async fn connection<T>(database: Database, got: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let got = got.await;
    let took = start.elapsed();
    spent::connection(took);
    if let Some(metrics) = metrics() {
        metrics.connection(database.name(), took);
    }
    got
}

/// Somebody waited for a turn at the processor.
pub(crate) fn turn(waited: Duration) {
    spent::turn(waited);
}

/// A cache was asked.
pub(crate) fn cache_asked(cache: &'static str, hit: bool) {
    if let Some(metrics) = metrics() {
        metrics.cache(cache, hit);
    }
    if cache == "data" && hit {
        statsd::incr("loading_from_cache");
        statsd::incr("loaded_from_cache");
    }
}

/// A query was started for somebody.
pub fn query_begun() {
    if let Some(metrics) = metrics() {
        metrics.queries_begun.inc();
    }
}

/// Somebody waited for a query that was under way for somebody else.
pub fn query_joined(waited: Duration) {
    spent::joined(waited);
    if let Some(metrics) = metrics() {
        metrics.queries_joined.inc();
    }
}

/// Somebody tried to log in: `success`, `failure` or `refused`.
pub fn log_in(outcome: &'static str) {
    if let Some(metrics) = metrics() {
        metrics.log_in(outcome);
    }
}

/// A call that Superset counts was answered (`superset.views.base_api:statsd_metrics`); `function` is its
/// `Class.method` there.
pub fn call_ended(function: &str, status: u16, took: Duration) {
    let outcome = match status {
        200..400 => "success",
        400..500 => "warning",
        _ => "error",
    };
    statsd::incr(&format!("{function}.{outcome}"));
    // an exception leaves Superset before it has taken the time
    if status < 500 {
        statsd::timing(&format!("{function}.time"), took);
    }
}

/// A counter of Superset's that has a name of its own.
pub fn incr(name: &str) {
    statsd::incr(name);
}

/// Whether counters go to a statsd.
pub fn has_statsd() -> bool {
    statsd::is_on()
}
