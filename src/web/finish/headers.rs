//! Headers of every response: content security policy (`flask_talisman`), CORS (`flask_cors`), and those of the
//! configuration.

use infra::{
    config::{Config, Cors, Talisman},
    crypto::random,
};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde_json::Value;

use super::cors;
use crate::{
    Answer,
    context::Req,
    error_pages,
    guards::next_url::{self, QUOTE},
};

/// What may stand as it is in a path.
const PATH: &AsciiSet = &QUOTE.remove(b'/').remove(b':').remove(b'@').remove(b'!').remove(b'$').remove(b',');

/// Rules that are served in clear, whatever the configuration says (`superset.views.health`).
const IN_CLEAR: &[&str] = &["/health", "/healthcheck", "/ping", "/readyz"];

/// What the configuration demands of every answer, read once.
#[derive(Debug, Default)]
pub struct Headers {
    talisman: Option<Talisman>,
    /// This server encrypts itself: what comes in clear is sent on.
    encrypts: bool,
    /// The port of the address that the configuration names for people, where that is one of https.
    public_port: Option<u16>,
    cors: Option<Cors>,
    defaults: Vec<(String, String)>,
    overrides: Vec<(String, String)>,
}

impl Headers {
    /// Reads the configuration.
    pub fn new(config: &Config) -> Self {
        let named = |key: &str| -> Vec<(String, String)> {
            let map = config.get(key).as_object().into_iter().flatten();
            map.map(|(name, value)| (name.to_ascii_lowercase(), header_value(value))).collect()
        };
        let mut overrides = named("OVERRIDE_HTTP_HEADERS");
        overrides.extend(named("HTTP_HEADERS"));
        Self {
            talisman: config.talisman(),
            encrypts: config.tls().is_some(),
            public_port: public_port(config.str("WEBDRIVER_BASEURL_USER_FRIENDLY")),
            cors: config.cors(),
            defaults: named("DEFAULT_HTTP_HEADERS"),
            overrides,
        }
    }

    /// A nonce for the scripts of one page; empty when no policy wants one.
    pub fn nonce(&self) -> String {
        let wanted = self.talisman.as_ref().is_some_and(Talisman::has_nonce);
        if wanted { random::url_safe::<24>() } else { String::new() }
    }

    /// Whether a request is not answered but sent on, since it came in clear and this server encrypts.
    pub fn sends_on(&self, in_clear: bool) -> bool {
        self.encrypts && in_clear
    }

    /// The redirect of a request that came in clear although the configuration wants HTTPS. `port`: where this server
    /// listens.
    pub fn to_https(&self, req: &Req, port: Option<u16>) -> Option<Answer> {
        if self.sends_on(req.in_clear) {
            return self.send_on(req, port);
        }
        let status = self.talisman.as_ref()?.force_https?;
        if is_https(req) || IN_CLEAR.contains(&req.path.as_str()) || req.host.is_empty() {
            return None;
        }
        Some(Answer::redirect(status, https_address(req, &req.host)))
    }

    /// The same host and path at the port of https; what is no read keeps its method and body.
    fn send_on(&self, req: &Req, port: Option<u16>) -> Option<Answer> {
        if IN_CLEAR.contains(&req.path.as_str()) {
            return None;
        }
        if req.host.is_empty() {
            return Some(error_pages::abort(req, 400));
        }
        let name = match req.host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => name,
            _ => req.host.as_str(),
        };
        let host = match self.public_port.or(port) {
            None | Some(443) => name.to_owned(),
            Some(port) => format!("{name}:{port}"),
        };
        let status = if matches!(req.method.as_str(), "GET" | "HEAD") { 301 } else { 308 };
        Some(Answer::redirect(status, https_address(req, &host)))
    }

    /// Adds what the configuration demands.
    pub fn add(&self, req: &Req, answer: &mut Answer) {
        // never a question of configuration: nothing that we send wants to be guessed at
        set(answer, "x-content-type-options", "nosniff");
        if let Some(talisman) = &self.talisman {
            add_security(talisman, req, answer);
        }
        if let Some(cors) = &self.cors {
            cors::add(cors, req, answer);
        }
        for (name, value) in &self.defaults {
            if !has(answer, name) {
                answer.extra.push((name.clone(), value.clone()));
            }
        }
        for (name, value) in &self.overrides {
            answer.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            answer.extra.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            answer.extra.push((name.clone(), value.clone()));
        }
    }
}

fn https_address(req: &Req, host: &str) -> String {
    let query = if req.query_string.is_empty() { "" } else { "?" };
    let path = utf8_percent_encode(&req.path, PATH);
    format!("https://{host}{}{path}{query}{}", req.script_root, req.query_string)
}

/// The port of an address of https.
fn public_port(address: &str) -> Option<u16> {
    let (scheme, host) = next_url::split(address).filter(|(_, host)| !host.is_empty())?;
    let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or("443", |(_, port)| port);
    if scheme == "https" { port.parse().ok() } else { None }
}

fn header_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The request came over HTTPS, or a proxy says so (`flask_talisman` asks the header itself).
fn is_https(req: &Req) -> bool {
    req.scheme == "https" || req.header("x-forwarded-proto") == Some("https")
}

pub(super) fn has(answer: &Answer, name: &str) -> bool {
    answer.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
        || answer.extra.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
}

pub(super) fn set(answer: &mut Answer, name: &'static str, value: impl Into<String>) {
    if !has(answer, name) {
        answer.headers.push((name, value.into()));
    }
}

fn add_security(talisman: &Talisman, req: &Req, answer: &mut Answer) {
    for (name, value) in &talisman.headers {
        set(answer, name, value.as_str());
    }
    if !talisman.csp.is_empty() {
        let directives =
            talisman.csp.iter().map(|(directive, nonce)| match *nonce && !req.nonce.is_empty() {
                true => format!("{directive} 'nonce-{}'", req.nonce),
                false => directive.clone(),
            });
        let text = directives.collect::<Vec<_>>().join("; ");
        let report_only = talisman.csp_report_only;
        set(
            answer,
            if report_only { "content-security-policy-report-only" } else { "content-security-policy" },
            text,
        );
    }
    if let Some(hsts) = talisman.hsts.as_ref().filter(|_| is_https(req)) {
        set(answer, "strict-transport-security", hsts.as_str());
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
    use serde_json::json;

    use super::*;

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    fn nonce(config: &Config) -> String {
        Headers::new(config).nonce()
    }

    fn finished(config: &Config, headers: &[(&str, &str)], scheme: &str) -> Answer {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let req = Req { headers, scheme: scheme.into(), nonce: "N".into(), ..Req::default() };
        let mut answer = Answer::html(200, "");
        Headers::new(config).add(&req, &mut answer);
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

    #[test]
    fn clear_requests_go_to_https_where_it_is_forced() {
        let forced = |permanent: bool| {
            let options = json!({"force_https": true, "force_https_permanent": permanent});
            Headers::new(&Config::with(IndexMap::from([("TALISMAN_CONFIG".to_owned(), options)])))
        };
        let request = |path: &str, headers: &[(&str, &str)]| Req {
            path: path.into(),
            query_string: "a=1".into(),
            host: "bi.example".into(),
            scheme: "http".into(),
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Req::default()
        };
        let answer = forced(true).to_https(&request("/login/é", &[]), None).unwrap();
        assert_eq!(answer.status, 301);
        assert_eq!(header(&answer, "location"), Some("https://bi.example/login/%C3%A9?a=1"));
        assert_eq!(forced(false).to_https(&request("/", &[]), None).unwrap().status, 302);
        assert!(forced(true).to_https(&request("/health", &[]), None).is_none());
        assert!(forced(true).to_https(&request("/", &[("x-forwarded-proto", "https")]), None).is_none());
        let default = Headers::new(&Config::with(IndexMap::new()));
        assert!(default.to_https(&request("/", &[]), None).is_none());
    }

    #[test]
    fn a_server_that_encrypts_answers_nothing_in_clear() {
        let of = |more: &[(&str, Value)], req: Req, port: u16| {
            let own = [("TLS_CERTIFICATE", json!("/a")), ("TLS_KEY", json!("/b"))];
            let keys = own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), value.clone()));
            let answer = Headers::new(&Config::with(keys.collect())).to_https(&req, Some(port));
            answer.map(|answer| (answer.status, header(&answer, "location").unwrap_or_default().to_owned()))
        };
        let request = |method: &str, path: &str, host: &str| Req {
            method: method.into(),
            path: path.into(),
            query_string: "a=1".into(),
            host: host.into(),
            // what a proxy is believed does not make it encrypted
            scheme: "https".into(),
            headers: vec![("x-forwarded-proto".into(), "https".into())],
            in_clear: true,
            ..Req::default()
        };
        let to = |status: u16, address: &str| Some((status, address.to_owned()));
        let get = || request("GET", "/login/é", "bi.example:80");
        assert_eq!(of(&[], get(), 443), to(301, "https://bi.example/login/%C3%A9?a=1"));
        assert_eq!(of(&[], get(), 8443), to(301, "https://bi.example:8443/login/%C3%A9?a=1"));
        let public = [("WEBDRIVER_BASEURL_USER_FRIENDLY", json!("https://bi.example/"))];
        assert_eq!(of(&public, get(), 8443), to(301, "https://bi.example/login/%C3%A9?a=1"));
        let post = request("POST", "/api/v1/chart/data", "[::1]:80");
        assert_eq!(of(&[], post, 8443), to(308, "https://[::1]:8443/api/v1/chart/data?a=1"));
        assert_eq!(of(&[], request("GET", "/health", "bi.example"), 443), None);
        assert_eq!(of(&[], request("GET", "/", ""), 443).unwrap().0, 400);
        assert_eq!(of(&[], Req { in_clear: false, ..get() }, 443), None);
    }

    #[test]
    fn preflights_and_resources() {
        let options = json!({
            "resources": {"/api/*": {"origins": "https://portal.example"}},
            "supports_credentials": true, "expose_headers": ["X-A"], "allow_headers": ["X-CSRFToken"],
            "methods": ["GET", "POST"], "max_age": 60
        });
        let config = Config::with(IndexMap::from([("CORS_OPTIONS".to_owned(), options)]));
        let ask = |method: &str, path: &str, origin: &str| {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "x-csrftoken, x-evil"),
            ];
            let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let req = Req { method: method.into(), path: path.into(), headers, ..Req::default() };
            let mut answer = Answer::html(200, "");
            Headers::new(&config).add(&req, &mut answer);
            ["origin", "credentials", "expose-headers", "methods", "headers", "max-age"].map(|name| {
                let name = match name {
                    "expose-headers" | "max-age" => format!("access-control-{name}"),
                    _ => format!("access-control-allow-{name}"),
                };
                header(&answer, &name).map(str::to_owned)
            })
        };
        let some = |text: &str| Some(text.to_owned());
        let portal = "https://portal.example";
        assert_eq!(
            ask("OPTIONS", "/api/v1/chart/", portal),
            [some(portal), some("true"), some("X-A"), some("GET, POST"), some("x-csrftoken"), some("60")]
        );
        assert_eq!(
            ask("GET", "/api/v1/chart/", portal),
            [some(portal), some("true"), some("X-A"), None, None, None]
        );
        for (path, origin) in [("/login/", portal), ("/api/v1/chart/", "https://evil.example")] {
            assert_eq!(ask("OPTIONS", path, origin), [const { None }; 6]);
        }
    }
}
