//! What the log says of a request: a span that every line written meanwhile carries, and a line at its end.
//!
//! The span has the request's id, which is also sent back as `X-Request-ID`, its method, rule and user. The line at the
//! end, at info (at debug for files and health checks), adds status and time. Query strings, headers and bodies,
//! which may hold secrets, are in neither.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use commands::Principal;
use infra::telemetry::{self, Spent, UnderWay};
use salvo::http::{HeaderMap, Method};
use tracing::{Span, field::Empty};

use crate::{event_log::function_of, routes::Rule};

/// What the lines of ended requests are filtered by.
const TARGET: &str = "liteset::access";
/// What the lines of slow ones are filtered by.
const SLOW: &str = "liteset::slow";

/// Characters of an id that a client or a proxy gives; a longer one is not taken over.
const MAX_ID: usize = 64;

/// Bytes of a path or method; more are left out.
const MAX_TEXT: usize = 256;

/// The header that carries the id, in both directions.
pub(crate) const HEADER: &str = "x-request-id";

/// Placeholders whose values let in whoever knows them: an address with one is a secret.
const SECRET_PARAMS: &[&str] = &["activation_hash", "cache_key", "key", "permalink"];

/// Where such an address is one even if it misses its rule.
const SECRET_PATHS: &str = "/register/activation";

/// A request under way. Its line is written when this is dropped, also when the client leaves before the answer.
pub(crate) struct RequestLog {
    span: Span,
    id: String,
    start: Instant,
    /// As it was sent: percent-encoded, so without control characters.
    path: Option<String>,
    is_quiet: bool,
    status: Option<u16>,
    method: String,
    rule: Option<String>,
    /// The rule's function in Superset, where a statsd counts it.
    function: Option<&'static str>,
    spent: Arc<Spent>,
    _under_way: UnderWay,
}

impl RequestLog {
    /// A request for a rule, or for none.
    pub fn begin(method: &Method, path: &str, headers: &HeaderMap, rule: Option<&Rule>) -> Self {
        let id = id(headers);
        let method = clipped(method.as_str());
        let pattern = rule.map(|rule| rule.rule.as_str());
        // at error: a line of any level has the id, whatever the filter
        let span = tracing::error_span!(
            target: "liteset::request", "request", id, method, rule = pattern, user = Empty
        );
        let path = (!is_secret(path, pattern)).then(|| clipped(path).to_owned());
        Self {
            span,
            id,
            start: Instant::now(),
            path,
            is_quiet: rule.is_some_and(Rule::is_static),
            status: None,
            method: method.to_owned(),
            rule: pattern.map(str::to_owned),
            function: rule.filter(|_| telemetry::has_statsd()).and_then(|rule| function_of(method, rule)),
            spent: Arc::default(),
            _under_way: UnderWay::begin(),
        }
    }

    /// The span in which it is answered.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Where the time goes that it takes.
    pub fn spent(&self) -> Arc<Spent> {
        self.spent.clone()
    }

    /// The id for the answer.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The answer is there; its body may still have to be sent.
    pub fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}

impl RequestLog {
    /// What Superset's decorators count (`superset.views.base_api:statsd_metrics`, `superset.views.health:health`).
    fn tell_statsd(&self, took: Duration) {
        if !telemetry::has_statsd() {
            return;
        }
        // whoever is nobody is sent away before anything is counted
        if let (Some(function), Some(status)) = (self.function, self.status)
            && status != 401
        {
            telemetry::call_ended(function, status, took);
        }
        if matches!(self.rule.as_deref(), Some("/health" | "/healthcheck" | "/ping")) {
            telemetry::incr("health");
        }
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        let took = self.start.elapsed();
        telemetry::request_ended(self.rule.as_deref(), &self.method, self.status, took);
        self.tell_statsd(took);
        let ms = took.as_micros() as f64 / 1000.0;
        let (status, path) = (self.status, self.path.as_deref());
        let message = if status.is_some() { "request" } else { "request without answer" };
        // entered: a filter by the id counts only then
        self.span.in_scope(|| {
            if self.is_quiet {
                tracing::debug!(target: TARGET, path, status, ms, "{message}");
            } else {
                tracing::info!(target: TARGET, path, status, ms, "{message}");
            }
            if telemetry::request_is_slow(took) {
                let (cause, spent) = (self.spent.cause(took), self.spent.to_string());
                tracing::info!(target: SLOW, path, status, ms, cause, spent, "slow request");
            }
        });
    }
}

/// Whose the request of the current span is, as soon as that is known.
pub(crate) fn record_user(user: &Principal) {
    if let Some(id) = user.user_id() {
        Span::current().record("user", id);
    }
}

/// The id that came with the request where nothing can be forged with it; else a new one.
fn id(headers: &HeaderMap) -> String {
    let is_safe = |id: &&str| {
        (1..=MAX_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let mut sent = headers.get_all(HEADER).iter();
    match (sent.next().and_then(|id| id.to_str().ok()).filter(is_safe), sent.next()) {
        (Some(id), None) => id.to_owned(),
        _ => uuid::Uuid::new_v4().simple().to_string(),
    }
}

fn is_secret(path: &str, pattern: Option<&str>) -> bool {
    path.starts_with(SECRET_PATHS)
        || pattern.is_some_and(|pattern| {
            pattern.split(['<', '>']).skip(1).step_by(2).any(|param| SECRET_PARAMS.contains(&param))
        })
}

fn clipped(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_are_taken_over() {
        let given = |ids: &[&str]| {
            let mut headers = HeaderMap::new();
            for id in ids {
                headers.append(HEADER, id.parse().unwrap());
            }
            id(&headers)
        };
        for taken in ["a", "4f1c9d2e-77aa-4b10-9d9b-0a5f0b8d3c11", "edge_7.42", &"x".repeat(64)] {
            assert_eq!(given(&[taken]), taken);
        }
        for refused in [&[][..], &[""], &["a b"], &["a\"b"], &["é"], &["a\tb"], &["{}"], &["a", "b"]] {
            let made = given(refused);
            assert!(made.len() == 32 && made.bytes().all(|b| b.is_ascii_hexdigit()), "{refused:?}: {made}");
        }
        assert_eq!(given(&[&"x".repeat(65)]).len(), 32);
        assert_ne!(given(&[]), given(&[]));
    }

    #[test]
    fn paths_that_are_secrets_are_left_out() {
        assert!(!is_secret("/api/v1/chart/7", Some("/api/v1/chart/<int:pk>")));
        assert!(!is_secret("/nope", None));
        assert!(is_secret("/superset/dashboard/p/x/", Some("/superset/dashboard/p/<key>/")));
        assert!(is_secret("/register/activation/x", Some("/register/activation/<activation_hash>")));
        assert!(is_secret("/register/activation/x/", None));
    }
}
