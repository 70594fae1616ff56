//! `TALISMAN_CONFIG`: security headers and HTTPS (`flask_talisman`).

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// Every option of `flask_talisman.Talisman.init_app`; another one would stop Superset, too.
const OPTIONS: &[&str] = &[
    "content_security_policy",
    "content_security_policy_nonce_in",
    "content_security_policy_report_only",
    "content_security_policy_report_uri",
    "document_policy",
    "feature_policy",
    "force_file_save",
    "force_https",
    "force_https_permanent",
    "frame_options",
    "frame_options_allow_from",
    "permissions_policy",
    "referrer_policy",
    "session_cookie_http_only",
    "session_cookie_samesite",
    "session_cookie_secure",
    "strict_transport_security",
    "strict_transport_security_include_subdomains",
    "strict_transport_security_max_age",
    "strict_transport_security_preload",
    "x_content_type_options",
    "x_xss_protection",
];

/// The policies of one installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Talisman {
    /// Requests in clear are sent to HTTPS: with this status.
    pub force_https: Option<u16>,
    /// Directives of the content security policy, and whether they carry the nonce.
    pub csp: Vec<(String, bool)>,
    /// The policy is only reported.
    pub csp_report_only: bool,
    /// Headers that are the same for every answer.
    pub headers: Vec<(&'static str, String)>,
    /// `Strict-Transport-Security`, sent over HTTPS.
    pub hsts: Option<String>,
}

/// The configuration that is in force, when Talisman is on (`superset.initialization:configure_middlewares`).
fn options(values: &IndexMap<String, Value>) -> Option<(&'static str, &Value)> {
    let is = |key: &str| values.get(key).and_then(Value::as_bool).unwrap_or_default();
    let key = if is("DEBUG") { "TALISMAN_DEV_CONFIG" } else { "TALISMAN_CONFIG" };
    is("TALISMAN_ENABLED").then(|| (key, values.get(key).unwrap_or(&Value::Null)))
}

impl Talisman {
    /// Reads the options; `None` when it is switched off.
    pub fn read(values: &IndexMap<String, Value>) -> Result<Option<Self>, Vec<String>> {
        let Some((key, given)) = options(values) else { return Ok(None) };
        let Value::Object(given) = given else { return Err(vec![format!("{key} is not a dictionary")]) };
        let mut complaints: Vec<String> = given
            .keys()
            .filter(|option| !OPTIONS.contains(&option.as_str()))
            .map(|option| format!("{key}: flask_talisman has no option {option:?}"))
            .collect();
        let on = |option: &str, default: bool| given.get(option).map_or(default, truthy);
        let text = |option: &str| given.get(option).and_then(Value::as_str);
        let report_only = on("content_security_policy_report_only", false);
        if report_only && text("content_security_policy_report_uri").is_none() {
            complaints.push(format!(
                "{key}: content_security_policy_report_only also needs a content_security_policy_report_uri"
            ));
        }
        let debug = values.get("DEBUG").is_some_and(truthy);
        let force = on("force_https", true) && !debug;
        let talisman = Self {
            force_https: force.then(|| if on("force_https_permanent", false) { 301 } else { 302 }),
            csp: directives(given),
            csp_report_only: report_only,
            headers: headers(given),
            hsts: on("strict_transport_security", true).then(|| hsts(given)),
        };
        if complaints.is_empty() { Ok(Some(talisman)) } else { Err(complaints) }
    }

    /// Some directive carries a nonce.
    pub fn has_nonce(&self) -> bool {
        self.csp.iter().any(|(_, nonce)| *nonce)
    }
}

/// Talisman decides about the session cookie, whatever `SESSION_COOKIE_…` say.
pub(super) fn apply_to_cookies(values: &mut IndexMap<String, Value>) {
    let Some((_, Value::Object(given))) = options(values) else { return };
    let on = |option: &str| given.get(option).is_none_or(truthy);
    let (http_only, secure) = (on("session_cookie_http_only"), on("session_cookie_secure"));
    let same_site = given.get("session_cookie_samesite").cloned().unwrap_or_else(|| json!("Lax"));
    values.insert("SESSION_COOKIE_SAMESITE".to_owned(), same_site);
    if http_only {
        values.insert("SESSION_COOKIE_HTTPONLY".to_owned(), true.into());
    }
    if secure && !values.get("DEBUG").is_some_and(truthy) {
        values.insert("SESSION_COOKIE_SECURE".to_owned(), true.into());
    }
}

/// Python's truth.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
    }
}

fn directives(given: &Map<String, Value>) -> Vec<(String, bool)> {
    let default = json!({"default-src": "'self'", "object-src": "'none'"});
    let policy = given.get("content_security_policy").unwrap_or(&default);
    let with_nonce: Vec<&str> = given
        .get("content_security_policy_nonce_in")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut found: Vec<(String, bool)> = parts(policy)
        .into_iter()
        .map(|(name, sources)| {
            let nonce = with_nonce.contains(&name.as_str());
            let text = if sources.is_empty() { name } else { format!("{name} {sources}") };
            (text, nonce)
        })
        .collect();
    let uri = given.get("content_security_policy_report_uri").and_then(Value::as_str);
    if let Some(uri) =
        uri.filter(|_| !found.is_empty() && !found.iter().any(|(d, _)| d.contains("report-uri")))
    {
        found.push((format!("report-uri {uri}"), false));
    }
    found
}

/// A policy as names and contents: a dictionary, or a text with `;` between its parts.
fn parts(policy: &Value) -> Vec<(String, String)> {
    match policy {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), words(value))).collect(),
        Value::String(text) => text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once(' ').unwrap_or((part, "")))
            .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
            .collect(),
        _ => vec![],
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        _ => String::new(),
    }
}

/// `_parse_structured_header_policy`: `name=content, …`.
fn structured(policy: &Value) -> String {
    match policy {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let all: Vec<_> = map.iter().map(|(name, value)| format!("{name}={}", words(value))).collect();
            all.join(", ")
        }
        _ => String::new(),
    }
}

fn headers(given: &Map<String, Value>) -> Vec<(&'static str, String)> {
    let get = |option: &str, default: Value| given.get(option).cloned().unwrap_or(default);
    let is = |option: &str| given.get(option).is_some_and(truthy);
    let mut out = vec![
        ("feature-policy", {
            let all = parts(&get("feature_policy", json!({})));
            all.into_iter().map(|(name, content)| format!("{name} {content}")).collect::<Vec<_>>().join("; ")
        }),
        ("permissions-policy", structured(&get("permissions_policy", json!({"browsing-topics": "()"})))),
        ("document-policy", structured(&get("document_policy", json!({})))),
        ("x-frame-options", {
            let option = words(&get("frame_options", json!("SAMEORIGIN")));
            match words(&get("frame_options_allow_from", Value::Null)) {
                from if option == "ALLOW-FROM" => format!("{option} {from}"),
                _ => option,
            }
        }),
        ("referrer-policy", words(&get("referrer_policy", json!("strict-origin-when-cross-origin")))),
    ];
    if is("x_xss_protection") {
        out.push(("x-xss-protection", "1; mode=block".to_owned()));
    }
    if is("force_file_save") {
        out.push(("x-download-options", "noopen".to_owned()));
    }
    out.retain(|(_, value)| !value.is_empty());
    out
}

fn hsts(given: &Map<String, Value>) -> String {
    let age = given.get("strict_transport_security_max_age").filter(|v| v.is_number());
    let mut value = format!("max-age={}", age.unwrap_or(&json!(31_556_926)));
    if given.get("strict_transport_security_include_subdomains").is_none_or(truthy) {
        value.push_str("; includeSubDomains");
    }
    if given.get("strict_transport_security_preload").is_some_and(truthy) {
        value.push_str("; preload");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: Value) -> Result<Option<Talisman>, Vec<String>> {
        Talisman::read(&values(options))
    }

    fn values(options: Value) -> IndexMap<String, Value> {
        IndexMap::from([
            ("TALISMAN_ENABLED".to_owned(), true.into()),
            ("TALISMAN_CONFIG".to_owned(), options),
        ])
    }

    #[test]
    fn an_empty_configuration_is_that_of_flask_talisman() {
        let talisman = read(json!({})).unwrap().unwrap();
        assert_eq!(talisman.force_https, Some(302));
        assert_eq!(talisman.csp[0].0, "default-src 'self'");
        assert!(talisman.headers.contains(&("permissions-policy", "browsing-topics=()".to_owned())));
        assert_eq!(talisman.hsts.as_deref(), Some("max-age=31556926; includeSubDomains"));
        assert!(!talisman.has_nonce());
    }

    #[test]
    fn every_option() {
        let talisman = read(json!({
            "force_https": false, "frame_options": "ALLOW-FROM", "frame_options_allow_from": "https://a",
            "permissions_policy": {"camera": "()", "fullscreen": "(self)"}, "document_policy": "x=1",
            "feature_policy": {"geolocation": "'none'"}, "referrer_policy": "no-referrer",
            "strict_transport_security_max_age": 60, "strict_transport_security_preload": true,
            "strict_transport_security_include_subdomains": false, "x_xss_protection": true,
            "force_file_save": true, "content_security_policy": "default-src 'self'; script-src 'self' x",
            "content_security_policy_nonce_in": ["script-src"], "content_security_policy_report_only": true,
            "content_security_policy_report_uri": "/csp"
        }))
        .unwrap()
        .unwrap();
        let want = [
            ("feature-policy", "geolocation 'none'"),
            ("permissions-policy", "camera=(), fullscreen=(self)"),
            ("document-policy", "x=1"),
            ("x-frame-options", "ALLOW-FROM https://a"),
            ("referrer-policy", "no-referrer"),
            ("x-xss-protection", "1; mode=block"),
            ("x-download-options", "noopen"),
        ];
        assert_eq!(talisman.headers, want.map(|(k, v)| (k, v.to_owned())));
        assert_eq!(talisman.hsts.as_deref(), Some("max-age=60; preload"));
        let csp = [("default-src 'self'", false), ("script-src 'self' x", true), ("report-uri /csp", false)];
        assert_eq!(talisman.csp, csp.map(|(d, n)| (d.to_owned(), n)));
        assert!(talisman.csp_report_only && talisman.force_https.is_none());
    }

    #[test]
    fn what_flask_talisman_refuses_is_refused() {
        assert!(read(json!({"content_security": {}})).is_err());
        assert!(read(json!({"content_security_policy_report_only": true})).is_err());
        assert!(read(json!(["x"])).is_err());
    }

    #[test]
    fn it_decides_about_the_session_cookie() {
        let mut config = values(json!({}));
        config.insert("SESSION_COOKIE_SAMESITE".to_owned(), json!("None"));
        apply_to_cookies(&mut config);
        assert_eq!(config["SESSION_COOKIE_SAMESITE"], "Lax");
        assert_eq!(config["SESSION_COOKIE_SECURE"], true);
        let mut loose = values(json!({"session_cookie_secure": false, "session_cookie_samesite": "Strict"}));
        apply_to_cookies(&mut loose);
        assert_eq!(loose["SESSION_COOKIE_SAMESITE"], "Strict");
        assert!(!loose.contains_key("SESSION_COOKIE_SECURE"));
    }
}
