//! Headers of every response: content security policy (`flask_talisman`), CORS (`flask_cors`), and those of the
//! configuration.

use infra::{config::Config, crypto::random};
use serde_json::{Map, Value};

use crate::{Answer, context::Req};

/// A nonce for the scripts of one page; empty when no policy is sent.
pub fn nonce(config: &Config) -> String {
    if policy(config).is_some_and(|p| p.contains_key("content_security_policy")) {
        random::url_safe::<24>()
    } else {
        String::new()
    }
}

fn policy(config: &Config) -> Option<&Map<String, Value>> {
    if !config.bool("TALISMAN_ENABLED") {
        return None;
    }
    let key = if config.bool("DEBUG") { "TALISMAN_DEV_CONFIG" } else { "TALISMAN_CONFIG" };
    config.get(key).as_object()
}

/// Adds what the configuration demands.
pub fn add(config: &Config, req: &Req, answer: &mut Answer) {
    add_security(config, req, answer);
    add_cors(config, req, answer);
    for (name, value) in config.get("DEFAULT_HTTP_HEADERS").as_object().into_iter().flatten() {
        if !has(answer, name) {
            push(answer, name, value);
        }
    }
    for key in ["OVERRIDE_HTTP_HEADERS", "HTTP_HEADERS"] {
        for (name, value) in config.get(key).as_object().into_iter().flatten() {
            answer.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            answer.extra.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            push(answer, name, value);
        }
    }
}

fn has(answer: &Answer, name: &str) -> bool {
    answer.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
        || answer.extra.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
}

fn push(answer: &mut Answer, name: &str, value: &Value) {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    answer.extra.push((name.to_ascii_lowercase(), value));
}

fn set(answer: &mut Answer, name: &'static str, value: impl Into<String>) {
    if !has(answer, name) {
        answer.headers.push((name, value.into()));
    }
}

fn add_security(config: &Config, req: &Req, answer: &mut Answer) {
    // never a question of configuration: nothing that we send wants to be guessed at
    set(answer, "x-content-type-options", "nosniff");
    let Some(policy) = policy(config) else { return };
    set(answer, "permissions-policy", "browsing-topics=()");
    match policy.get("frame_options").unwrap_or(&Value::Null) {
        Value::Null if policy.contains_key("frame_options") => {}
        Value::String(option) => set(answer, "x-frame-options", option.clone()),
        _ => set(answer, "x-frame-options", "SAMEORIGIN"),
    }
    if let Some(directives) = policy.get("content_security_policy").and_then(Value::as_object) {
        let with_nonce: Vec<&str> = policy
            .get("content_security_policy_nonce_in")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let text = directives.iter().map(|(name, sources)| directive(name, sources, &with_nonce, &req.nonce));
        let text = text.collect::<Vec<_>>().join("; ");
        let only_report = policy.get("content_security_policy_report_only") == Some(&Value::Bool(true));
        let name =
            if only_report { "content-security-policy-report-only" } else { "content-security-policy" };
        set(answer, name, text);
    }
    set(answer, "referrer-policy", "strict-origin-when-cross-origin");
    let hsts = policy.get("strict_transport_security").and_then(Value::as_bool).unwrap_or(true);
    if hsts && req.scheme == "https" {
        set(answer, "strict-transport-security", "max-age=31556926; includeSubDomains");
    }
}

fn directive(name: &str, sources: &Value, with_nonce: &[&str], nonce: &str) -> String {
    let mut out = name.to_owned();
    let sources: Vec<&str> = match sources {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one],
        _ => vec![],
    };
    for source in sources {
        out.push(' ');
        out.push_str(source);
    }
    if with_nonce.contains(&name) && !nonce.is_empty() {
        out.push_str(&format!(" 'nonce-{nonce}'"));
    }
    out
}

fn add_cors(config: &Config, req: &Req, answer: &mut Answer) {
    if !config.bool("ENABLE_CORS") {
        return;
    }
    let options = config.get("CORS_OPTIONS");
    let origins: Vec<&str> = match options.get("origins") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => vec!["*"],
    };
    let allowed = match req.header("origin") {
        // a quirk of flask_cors: who sends no origin is told the first one
        None => origins.first().copied(),
        Some(_) if origins.contains(&"*") => Some("*"),
        Some(origin) => origins.iter().find(|o| o.eq_ignore_ascii_case(origin)).copied(),
    };
    if let Some(origin) = allowed {
        set(answer, "access-control-allow-origin", origin);
        if options.get("supports_credentials") == Some(&Value::Bool(true)) && origin != "*" {
            set(answer, "access-control-allow-credentials", "true");
        }
    }
    if origins.len() > 1 {
        vary(answer, "Origin");
    }
}

/// Adds a name to `Vary`.
pub fn vary(answer: &mut Answer, name: &str) {
    match answer.headers.iter_mut().find(|(n, _)| *n == "vary") {
        Some((_, list)) if list.split(',').any(|n| n.trim().eq_ignore_ascii_case(name)) => {}
        Some((_, list)) => {
            list.push_str(", ");
            list.push_str(name);
        }
        None => answer.headers.push(("vary", name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    fn finished(config: &Config, headers: &[(&str, &str)], scheme: &str) -> Answer {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let req = Req { headers, scheme: scheme.into(), nonce: "N".into(), ..Req::default() };
        let mut answer = Answer::html(200, "");
        add(config, &req, &mut answer);
        answer
    }

    #[test]
    fn the_policy_is_on_by_default() {
        let config = Config::with(IndexMap::new());
        let answer = finished(&config, &[], "http");
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'; "), "{policy}");
        assert!(policy.contains("script-src 'self' 'strict-dynamic' 'nonce-N'"), "{policy}");
        assert_eq!(header(&answer, "x-frame-options"), Some("SAMEORIGIN"));
        assert_eq!(header(&answer, "strict-transport-security"), None);
        assert!(header(&finished(&config, &[], "https"), "strict-transport-security").is_some());
        assert_eq!(nonce(&config).len(), 32);
        let off = Config::with(IndexMap::from([("TALISMAN_ENABLED".to_owned(), false.into())]));
        assert_eq!(header(&finished(&off, &[], "http"), "content-security-policy"), None);
        assert_eq!(nonce(&off), "");
    }

    #[test]
    fn origins() {
        let config = Config::with(IndexMap::new());
        let allowed = |origin: &[(&str, &str)]| {
            header(&finished(&config, origin, "http"), "access-control-allow-origin").map(str::to_owned)
        };
        assert_eq!(allowed(&[]).as_deref(), Some("https://tile.openstreetmap.org"));
        assert_eq!(allowed(&[("origin", "https://tile.osm.ch")]).as_deref(), Some("https://tile.osm.ch"));
        assert_eq!(allowed(&[("origin", "https://evil.example")]), None);
    }
}
