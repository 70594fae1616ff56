//! The numbers, and their text for Prometheus.

use std::{borrow::Cow, fmt, sync::LazyLock, time::Duration};

use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, prometheus_text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

/// What the text is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper ends of the buckets, in seconds: from what memory answers to what a warehouse takes.
const SECONDS: [f64; 13] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0];

/// Methods with a name of their own; a client can send any.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// What stands in the place of a rule where none was found.
const NO_RULE: &str = "none";

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    rule: String,
    method: &'static str,
    /// The status, or `none` where the client left before there was one.
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RuleLabels {
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StatementLabels {
    database: &'static str,
    engine: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EngineLabels {
    database: &'static str,
    engine: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct DatabaseLabels {
    database: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CacheLabels {
    cache: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    outcome: &'static str,
}

/// All that is counted where it happens.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histograms<RuleLabels>,
    pub requests_under_way: Gauge,
    statements: Family<StatementLabels, Counter>,
    statement_seconds: Histograms<EngineLabels>,
    connection_seconds: Histograms<DatabaseLabels>,
    cache: Family<CacheLabels, Counter>,
    pub queries_begun: Counter,
    pub queries_joined: Counter,
    log_ins: Family<OutcomeLabels, Counter>,
}

/// The one set.
pub(super) fn all() -> &'static Metrics {
    static ALL: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &ALL
}

/// The text that Prometheus reads.
pub fn text() -> String {
    let mut text = String::new();
    // a `String` takes everything that it is given
    let _ = prometheus_text::encode(&mut text, &all().registry.lock());
    text
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    fn new() -> Self {
        let seconds = histogram as fn() -> Histogram;
        let all = Self {
            registry: Mutex::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            requests_under_way: Gauge::default(),
            statements: Family::default(),
            statement_seconds: Family::new_with_constructor(seconds),
            connection_seconds: Family::new_with_constructor(seconds),
            cache: Family::default(),
            queries_begun: Counter::default(),
            queries_joined: Counter::default(),
            log_ins: Family::default(),
        };
        let mut registry = all.registry.lock();
        let r = &mut *registry;
        r.register("liteset_requests", "Requests by rule, method and status", all.requests.clone());
        let help = "Seconds from a request to the head of its answer";
        r.register("liteset_request_seconds", help, all.request_seconds.clone());
        let help = "Requests that are being answered";
        r.register("liteset_requests_under_way", help, all.requests_under_way.clone());
        r.register(
            "liteset_statements",
            "Statements by database, engine and outcome",
            all.statements.clone(),
        );
        let help = "Seconds that statements took, with the wait for a connection";
        r.register("liteset_statement_seconds", help, all.statement_seconds.clone());
        let help = "Seconds that statements waited for a connection";
        r.register("liteset_connection_wait_seconds", help, all.connection_seconds.clone());
        r.register("liteset_cache_lookups", "Questions to the caches by outcome", all.cache.clone());
        r.register(
            "liteset_queries_begun",
            "Queries of charts that were executed",
            all.queries_begun.clone(),
        );
        let help = "Queries of charts that waited for the same query of somebody else";
        r.register("liteset_queries_joined", help, all.queries_joined.clone());
        r.register("liteset_log_ins", "Tries to log in by outcome", all.log_ins.clone());
        drop(registry);
        all
    }

    /// Adds what is looked at when the text is made.
    pub fn register(&self, state: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
        self.registry.lock().register_collector(Box::new(State(Box::new(state))));
    }

    pub fn request(&self, rule: Option<&str>, method: &str, status: Option<u16>, took: Duration) {
        let rule = rule.unwrap_or(NO_RULE).to_owned();
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let of_rule = RuleLabels { rule: rule.clone() };
        self.request_seconds.get_or_create(&of_rule).observe(took.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { rule, method, status }).inc();
    }

    pub fn statement(
        &self,
        database: &'static str,
        engine: &'static str,
        outcome: &'static str,
        took: Duration,
    ) {
        self.statements.get_or_create(&StatementLabels { database, engine, outcome }).inc();
        let of_engine = EngineLabels { database, engine };
        self.statement_seconds.get_or_create(&of_engine).observe(took.as_secs_f64());
    }

    pub fn connection(&self, database: &'static str, waited: Duration) {
        self.connection_seconds.get_or_create(&DatabaseLabels { database }).observe(waited.as_secs_f64());
    }

    pub fn cache(&self, cache: &'static str, hit: bool) {
        let outcome = if hit { "hit" } else { "miss" };
        self.cache.get_or_create(&CacheLabels { cache, outcome }).inc();
    }

    pub fn log_in(&self, outcome: &'static str) {
        self.log_ins.get_or_create(&OutcomeLabels { outcome }).inc();
    }
}

/// Whether a number only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Labels of a value.
pub type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// A number as it is when somebody asks, for each of its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `liteset_jobs_running`; of a counter without `_total`.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// Its values.
    pub values: Vec<(Labels, f64)>,
}

impl Sample {
    /// A gauge without labels.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, kind: Kind::Gauge, values: vec![(Vec::new(), value)] }
    }
}

struct State(Box<dyn Fn() -> Vec<Sample> + Send + Sync>);

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Sample { name, help, kind, values } in (self.0)() {
            let (counter, gauge) = (ConstCounter::new(0_f64), ConstGauge::new(0_f64));
            let metric_type = match kind {
                Kind::Counter => counter.metric_type(),
                Kind::Gauge => gauge.metric_type(),
            };
            let mut metric = encoder.encode_descriptor(name, help, None, metric_type)?;
            for (labels, value) in values {
                let one = metric.encode_family(&labels)?;
                match kind {
                    Kind::Counter => ConstCounter::new(value).encode(one)?,
                    Kind::Gauge => ConstGauge::new(value).encode(one)?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_names_types_and_no_series_that_a_client_chose() {
        let all = Metrics::new();
        all.request(Some("/api/v1/chart/<int:pk>"), "GET", Some(200), Duration::from_millis(7));
        all.request(None, "BREW", Some(405), Duration::from_millis(1));
        all.request(None, "STEEP", Some(405), Duration::from_millis(1));
        all.request(Some("/x"), "GET", None, Duration::from_millis(1));
        all.statement("analytical", "sqlite", "failed", Duration::from_secs(2));
        all.cache("data", true);
        all.register(|| {
            let values = vec![(vec![("kind", "report".into())], 3.0)];
            vec![
                Sample::gauge("liteset_results_bytes", "Bytes", 5.0),
                Sample { name: "liteset_jobs", help: "Jobs", kind: Kind::Counter, values },
            ]
        });
        let mut text = String::new();
        prometheus_text::encode(&mut text, &all.registry.lock()).unwrap();
        let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        has("# TYPE liteset_requests_total counter");
        has(r#"liteset_requests_total{rule="/api/v1/chart/<int:pk>",method="GET",status="200"} 1"#);
        has(r#"liteset_requests_total{rule="none",method="other",status="405"} 2"#);
        has(r#"liteset_requests_total{rule="/x",method="GET",status="none"} 1"#);
        has(r#"liteset_request_seconds_bucket{rule="/api/v1/chart/<int:pk>",le="0.01"} 1"#);
        has(r#"liteset_statements_total{database="analytical",engine="sqlite",outcome="failed"} 1"#);
        has(r#"liteset_cache_lookups_total{cache="data",outcome="hit"} 1"#);
        has("# TYPE liteset_results_bytes gauge");
        has("liteset_results_bytes 5.0");
        has(r#"liteset_jobs_total{kind="report"} 3.0"#);
    }
}
