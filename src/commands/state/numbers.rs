//! The present state of a running application in numbers, for whoever reads `/metrics`.

use std::borrow::Cow;

use infra::telemetry::{Kind, Sample};
use serde::Serialize;

use super::Services;
use crate::state::jobs::{JobKind, JobOutcome};

/// All kinds, so that a series is there before its first job.
const KINDS: [JobKind; 7] = [
    JobKind::Report,
    JobKind::Thumbnail,
    JobKind::Screenshot,
    JobKind::AsyncQuery,
    JobKind::SqlLab,
    JobKind::CacheWarmUp,
    JobKind::Retention,
];
const OUTCOMES: [JobOutcome; 3] = [JobOutcome::Success, JobOutcome::Failure, JobOutcome::Cancelled];

/// Numbers of one moment.
pub fn numbers(app: &Services) -> Vec<Sample> {
    let gauge = |name, help, value: usize| Sample::gauge(name, help, value as f64);
    let (running, counts) = (app.jobs.running(), app.jobs.counts());
    let of_kind = |kind: JobKind| running.iter().filter(|job| job.kind == kind).count() as f64;
    let jobs_running = KINDS.map(|kind| (vec![("kind", name(kind))], of_kind(kind)));
    let jobs = KINDS.into_iter().flat_map(|kind| OUTCOMES.map(|outcome| (kind, outcome))).map(|key| {
        let labels = vec![("kind", name(key.0)), ("outcome", name(key.1))];
        (labels, counts.get(&key).copied().unwrap_or_default() as f64)
    });
    let help = "Jobs that ended, by kind and outcome";
    let jobs = Sample { name: "liteset_jobs", help, kind: Kind::Counter, values: jobs.collect() };
    let help = "Jobs that run, by kind";
    let values = jobs_running.to_vec();
    let jobs_running = Sample { name: "liteset_jobs_running", help, kind: Kind::Gauge, values };
    let queries = &app.async_queries;
    let waiting = queries.places.taken().saturating_sub(queries.turns.taken());
    vec![
        jobs,
        jobs_running,
        gauge(
            "liteset_results_bytes",
            "Memory that results under way take, of their budget",
            app.memory.taken() << 10,
        ),
        gauge("liteset_results_budget_bytes", "The budget (MAX_RESULTS_MB)", app.memory.total() << 10),
        gauge("liteset_computing", "Pieces of work that have a turn at the processor", app.compute.running()),
        gauge("liteset_computing_waiting", "Pieces of work that wait for a turn", app.compute.waiting()),
        gauge(
            "liteset_background_queries",
            "Queries of GLOBAL_ASYNC_QUERIES that are executed",
            queries.turns.taken(),
        ),
        gauge("liteset_background_queries_waiting", "Queries of GLOBAL_ASYNC_QUERIES that wait", waiting),
        gauge(
            "liteset_sql_lab_queries",
            "Queries of SQL Lab that are executed",
            app.sql_lab.running.ids().len(),
        ),
        gauge("liteset_websockets", "Open WebSockets", app.events.listeners()),
    ]
}

/// The word that a kind or an outcome is serialised as.
fn name(value: impl Serialize) -> Cow<'static, str> {
    let word = serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned));
    word.unwrap_or_default().into()
}
