//! `CORS_OPTIONS`: which other sites may read answers (`flask_cors`).

use std::cmp::Reverse;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value};

/// Keys of the configuration that `flask_cors` reads itself, below `CORS_OPTIONS`.
const KEYS: &[(&str, &str)] = &[
    ("CORS_ORIGINS", "origins"),
    ("CORS_METHODS", "methods"),
    ("CORS_ALLOW_HEADERS", "allow_headers"),
    ("CORS_EXPOSE_HEADERS", "expose_headers"),
    ("CORS_SUPPORTS_CREDENTIALS", "supports_credentials"),
    ("CORS_MAX_AGE", "max_age"),
    ("CORS_SEND_WILDCARD", "send_wildcard"),
    ("CORS_AUTOMATIC_OPTIONS", "automatic_options"),
    ("CORS_VARY_HEADER", "vary_header"),
    ("CORS_RESOURCES", "resources"),
    ("CORS_INTERCEPT_EXCEPTIONS", "intercept_exceptions"),
    ("CORS_ALWAYS_SEND", "always_send"),
    ("CORS_ALLOW_PRIVATE_NETWORK", "allow_private_network"),
];

const ALL_METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// A text, or a regular expression when it looks like one (`flask_cors.core:probably_regex`).
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Compared as it is.
    Literal(String),
    /// Matched.
    Regex(Regex),
}

/// How the paths and origins are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    /// From the beginning, as Python's `re.match` does; letters count.
    Path,
    /// Whole, letters do not count. `flask_cors` lets an expression end early, so that `https://.*[.]example[.]org`
    /// lets `https://a.example.org.evil.example` in.
    Name,
}

impl Pattern {
    fn new(text: &str, compare: Compare) -> Result<Self, String> {
        let text = if text == "*" { ".*" } else { text };
        if !text.contains(['*', '\\', ']', '?', '$', '^', '[', '(', ')']) {
            return Ok(Self::Literal(text.to_owned()));
        }
        let whole = match compare {
            Compare::Path => format!("^(?:{text})"),
            Compare::Name => format!("^(?i:{text})$"),
        };
        Regex::new(&whole).map(Self::Regex).map_err(|_| {
            "CORS_OPTIONS has a regular expression that is not understood here (look-around and back-references are \
             not): write it without them, or the values one by one"
                .to_owned()
        })
    }

    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Regex(_) => None,
        }
    }

    fn matches(&self, text: &str, compare: Compare) -> bool {
        match self {
            Self::Literal(own) if compare == Compare::Path => own == text,
            Self::Literal(own) => own.eq_ignore_ascii_case(text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// What one resource allows.
#[derive(Debug, Clone)]
pub struct Allowed {
    origins: Vec<Pattern>,
    /// Any origin.
    pub all_origins: bool,
    allow_headers: Vec<Pattern>,
    /// `Access-Control-Allow-Methods`.
    pub methods: Option<String>,
    /// `Access-Control-Expose-Headers`.
    pub expose_headers: Option<String>,
    /// `Access-Control-Max-Age`.
    pub max_age: Option<String>,
    /// Cookies and credentials may come along.
    pub credentials: bool,
    /// `*` rather than the origin that asked.
    pub send_wildcard: bool,
    /// Answers vary with the origin.
    pub vary: bool,
    /// Headers also for who names no origin.
    pub always_send: bool,
    /// `Access-Control-Allow-Private-Network`.
    pub private_network: bool,
}

impl Allowed {
    /// The origin is one of those allowed.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|o| o.matches(origin, Compare::Name))
    }

    /// The first allowed origin that is written out.
    pub fn first_origin(&self) -> Option<&str> {
        self.origins.iter().filter_map(Pattern::literal).min()
    }

    /// Which origin is allowed depends on who asks.
    pub fn varies(&self) -> bool {
        self.vary && (self.origins.len() > 1 || matches!(self.origins.first(), Some(Pattern::Regex(_))))
    }

    /// Those of the headers of a request that are allowed, in order.
    pub fn headers(&self, asked: &str) -> String {
        let allowed = |h: &&str| self.allow_headers.iter().any(|p| p.matches(h, Compare::Name));
        let mut found: Vec<&str> = asked.split(',').map(str::trim).filter(allowed).collect();
        found.sort_unstable();
        found.join(", ")
    }
}

/// The resources in the order in which they are tried, and what each allows.
#[derive(Debug, Clone, Default)]
pub struct Cors(Vec<(Pattern, Allowed)>);

impl Cors {
    /// Reads the options; complaints say what is not understood.
    pub fn read(values: &IndexMap<String, Value>) -> Result<Self, Vec<String>> {
        let mut options = Map::new();
        for (key, option) in KEYS {
            if let Some(value) = values.get(*key).filter(|v| !v.is_null()) {
                options.insert((*option).to_owned(), value.clone());
            }
        }
        match values.get("CORS_OPTIONS") {
            Some(Value::Object(given)) => options.extend(given.clone()),
            None | Some(Value::Null) => {}
            Some(_) => return Err(vec!["CORS_OPTIONS is not a dictionary".to_owned()]),
        }
        let mut complaints = Vec::new();
        let mut resources = Vec::new();
        for (path, own) in by_specificity(options.remove("resources")) {
            let merged = options.clone().into_iter().chain(own).collect();
            match (Pattern::new(&path, Compare::Path), allowed(&merged)) {
                (Ok(path), Ok(allowed)) => resources.push((path, allowed)),
                (path, allowed) => complaints.extend(path.err().into_iter().chain(allowed.err())),
            }
        }
        complaints.dedup();
        let cookies_everywhere =
            values.get("SESSION_COOKIE_SAMESITE").and_then(Value::as_str) == Some("None");
        if cookies_everywhere && resources.iter().any(|(_, a)| a.all_origins && a.credentials) {
            complaints.push(
                "CORS_OPTIONS lets every site ask with credentials, and SESSION_COOKIE_SAMESITE=\"None\" sends it \
                 the session: any page could read everything in the name of its visitor. List the origins"
                    .to_owned(),
            );
        }
        if complaints.is_empty() { Ok(Self(resources)) } else { Err(complaints) }
    }

    /// What a decoded path allows; nothing when no resource matches.
    pub fn find(&self, path: &str) -> Option<&Allowed> {
        self.0.iter().find(|(pattern, _)| pattern.matches(path, Compare::Path)).map(|(_, allowed)| allowed)
    }
}

/// `flask_cors.core:parse_resources`: written-out paths before expressions, deep before shallow, long before short.
fn by_specificity(resources: Option<Value>) -> Vec<(String, Map<String, Value>)> {
    match resources {
        None | Some(Value::Null) => vec![("/*".to_owned(), Map::new())],
        Some(Value::Object(map)) => {
            let own = |v| match v {
                Value::Object(options) => options,
                _ => Map::new(),
            };
            let mut found: Vec<_> = map.into_iter().map(|(path, v)| (path, own(v))).collect();
            found.sort_by_key(|(path, _)| {
                let regex = matches!(Pattern::new(path, Compare::Path), Ok(Pattern::Regex(_)) | Err(_));
                (regex, Reverse(path.matches('/').count()), Reverse(path.len()))
            });
            found
        }
        Some(one) => texts(&one).into_iter().map(|path| (path, Map::new())).collect(),
    }
}

/// A text or a list of texts.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => vec![one.clone()],
        _ => vec![],
    }
}

/// `flask_cors.core:serialize_options`.
fn allowed(options: &Map<String, Value>) -> Result<Allowed, String> {
    if let Some(unknown) = options.keys().find(|key| !KEYS.iter().any(|(_, known)| known == key)) {
        return Err(format!("CORS_OPTIONS: flask_cors has no option {unknown:?}"));
    }
    let list = |key: &str, default: &str| match options.get(key) {
        None => vec![default.to_owned()],
        Some(value) => texts(value),
    };
    let patterns = |texts: &[String]| -> Result<Vec<Pattern>, String> {
        texts.iter().map(|text| Pattern::new(text, Compare::Name)).collect()
    };
    let joined = |key: &str| {
        let value = options.get(key)?;
        let mut all = texts(value);
        all.sort();
        Some(all.join(", ")).filter(|text| !text.is_empty())
    };
    let is = |key: &str, default: bool| options.get(key).and_then(Value::as_bool).unwrap_or(default);
    let origins = list("origins", "*");
    let allowed = Allowed {
        all_origins: origins.iter().any(|o| matches!(o.as_str(), "*" | ".*")),
        origins: patterns(&origins)?,
        allow_headers: patterns(&list("allow_headers", "*"))?,
        methods: match options.get("methods") {
            None => Some(ALL_METHODS.to_owned()),
            Some(_) => joined("methods").map(|m| m.to_ascii_uppercase()),
        },
        expose_headers: joined("expose_headers"),
        max_age: match options.get("max_age") {
            Some(Value::Number(n)) => Some(n.to_string()),
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        },
        credentials: is("supports_credentials", false),
        send_wildcard: is("send_wildcard", false),
        vary: is("vary_header", true),
        always_send: is("always_send", true),
        private_network: is("allow_private_network", false),
    };
    if allowed.all_origins && allowed.credentials && allowed.send_wildcard {
        return Err(
            "CORS_OPTIONS: supports_credentials with the origin \"*\" and send_wildcard is forbidden".into(),
        );
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(options: Value) -> Result<Cors, Vec<String>> {
        Cors::read(&IndexMap::from([("CORS_OPTIONS".to_owned(), options)]))
    }

    #[test]
    fn the_most_specific_resource_counts() {
        let cors = read(json!({
            "origins": "https://other.example",
            "resources": {"/api/*": {"origins": "https://portal.example"}, "/api/v1/me/": {"origins": []}}
        }))
        .unwrap();
        let allows = |path: &str, origin: &str| cors.find(path).is_some_and(|a| a.allows(origin));
        assert!(allows("/api/v1/chart/", "https://PORTAL.example"));
        assert!(!allows("/api/v1/chart/", "https://other.example"));
        assert!(!allows("/api/v1/me/", "https://portal.example"));
        assert!(cors.find("/login/").is_none());
    }

    #[test]
    fn expressions_match_whole_origins() {
        let cors = read(json!({"origins": [r"https://.*\.example\.org"]})).unwrap();
        let all = cors.find("/").unwrap();
        assert!(all.allows("https://a.example.org") && !all.allows("https://a.example.org.evil.test"));
        assert!(all.varies() && all.first_origin().is_none());
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        assert!(read(json!({"origin": "*"})).unwrap_err()[0].contains("\"origin\""));
        assert!(read(json!({"origins": "(?=x)*"})).is_err());
        assert!(read(json!({"supports_credentials": true, "send_wildcard": true})).is_err());
        let mut values = IndexMap::from([(
            "CORS_OPTIONS".to_owned(),
            json!({"origins": "*", "supports_credentials": true}),
        )]);
        assert!(Cors::read(&values).is_ok());
        values.insert("SESSION_COOKIE_SAMESITE".to_owned(), json!("None"));
        assert!(Cors::read(&values).is_err());
    }

    #[test]
    fn headers_and_keys_of_their_own() {
        let values = IndexMap::from([("CORS_ALLOW_HEADERS".to_owned(), json!(["X-A", "x-b.*"]))]);
        let cors = Cors::read(&values).unwrap();
        assert_eq!(cors.find("/").unwrap().headers("x-bc, Cookie, x-a"), "x-a, x-bc");
    }
}
