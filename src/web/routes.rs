//! Rules as Werkzeug understands them, and the table that holds them.

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc};

use crate::{context::Cx, error::Handled, schemas::Field};

/// A handler, boxed.
pub type BoxHandler = Arc<dyn Fn(Cx) -> Pin<Box<dyn Future<Output = Handled> + Send>> + Send + Sync>;

/// What a rule demands of the caller before the handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing; the handler decides.
    Open,
    /// `flask_appbuilder.security.decorators:protect`: 401 `{"msg"}`, 403 `{"message": "Forbidden"}`; session or JWT.
    Protect(&'static str, &'static str),
    /// `has_access` of HTML pages: redirect to the login page, or 403.
    Page(&'static str, &'static str),
    /// `has_access_api`: 401/403 `{"message": "Access is Denied", "severity": "danger"}`.
    PageApi(&'static str, &'static str),
}

/// One rule: path, methods, demands, handler.
#[derive(Clone)]
pub struct Rule {
    /// `/api/v1/chart/<int:pk>`; converters `int`, `path`, `uuid`-less default string.
    pub rule: String,
    /// `GET`, `POST`, …; `HEAD` follows `GET`.
    pub methods: &'static [&'static str],
    /// Demands.
    pub access: Access,
    /// No CSRF check although the method writes.
    pub csrf_exempt: bool,
    /// Feature flags without which the rule answers 404 before anything else.
    pub flags: Vec<&'static str>,
    /// `Class.method` of the original, the action of the event log when `logged`.
    pub endpoint: &'static str,
    /// Takes files as large as `MAX_UPLOAD_MB`.
    pub upload: bool,
    /// Reads, but may take the processor for a while: it does so where it holds nobody up.
    pub computes: bool,
    /// The name and the fields of the body, where they are described.
    pub body: Option<(String, &'static [Field])>,
    /// The handler.
    pub handler: BoxHandler,
}

/// A rule for a handler `async fn(Cx) -> Handled`.
pub fn rule<F, Fut>(
    methods: &'static [&'static str],
    rule: impl Into<String>,
    access: Access,
    handler: F,
) -> Rule
where
    F: Fn(Cx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Handled> + Send + 'static,
{
    Rule {
        rule: rule.into(),
        methods,
        access,
        csrf_exempt: false,
        flags: Vec::new(),
        endpoint: "",
        upload: false,
        computes: false,
        body: None,
        handler: Arc::new(move |cx| Box::pin(handler(cx))),
    }
}

impl Rule {
    /// Files and health checks are the same for everybody: no session, no caller.
    pub fn is_static(&self) -> bool {
        self.rule.starts_with("/static/")
            || matches!(self.rule.as_str(), "/health" | "/healthcheck" | "/ping" | "/readyz")
    }
    /// Without CSRF check.
    #[must_use]
    pub fn csrf_exempt(mut self) -> Self {
        self.csrf_exempt = true;
        self
    }
    /// 404 unless a feature flag is on.
    #[must_use]
    pub fn flag(mut self, flag: &'static str) -> Self {
        self.flags.push(flag);
        self
    }
    /// Takes large files.
    #[must_use]
    pub fn upload(mut self) -> Self {
        self.upload = true;
        self
    }
    /// May take the processor for a while.
    #[must_use]
    pub fn computes(mut self) -> Self {
        self.computes = true;
        self
    }
    /// With a described body.
    #[must_use]
    pub fn body(mut self, name: String, fields: &'static [Field]) -> Self {
        self.body = Some((name, fields));
        self
    }
    /// Names the original's endpoint.
    #[must_use]
    pub fn endpoint(mut self, endpoint: &'static str) -> Self {
        self.endpoint = endpoint;
        self
    }
}

/// The outcome of looking a path up.
pub enum Match<'a> {
    /// A rule and the values of its placeholders.
    Found(&'a Rule, HashMap<&'static str, String>),
    /// The path with a slash at its end would match: 308.
    AddSlash,
    /// The path matches, the method does not: 405 with these methods.
    MethodNotAllowed(Vec<&'static str>),
    /// 404.
    NotFound,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Static(String),
    Int(&'static str),
    Text(&'static str),
    Path(&'static str),
}

struct Compiled {
    parts: Vec<Part>,
    slash: bool,
    rule: Rule,
}

impl Compiled {
    /// The [`key`] of the paths that it has; none when they have several.
    fn key(&self) -> Option<String> {
        let fixed = |at: usize| match self.parts.get(at) {
            Some(Part::Static(text)) => Some(text.clone()),
            _ => None,
        };
        // a path as a converter takes as many parts as there are
        let has_place = !self.parts.iter().take(3).any(|part| matches!(part, Part::Path(_)));
        match (fixed(0), self.parts.len()) {
            (Some(first), 3..) if first == "api" => fixed(2).filter(|_| has_place),
            (Some(first), _) if first == "api" => Some(first).filter(|_| has_place),
            (first, 1..) => first,
            (_, 0) => Some(String::new()),
        }
    }
}

/// All rules, most specific first.
pub struct Table {
    rules: Vec<Compiled>,
    /// Places of the rules that a path with a [`key`] may have, in order.
    by_key: HashMap<String, Vec<usize>>,
    /// Places of the rules that any path may have.
    of_any_key: Vec<usize>,
}

/// What most paths differ by: the name of the resource in `/api/v1/<name>`, the first part elsewhere.
fn key<'a>(segments: &[&'a str]) -> &'a str {
    match segments {
        ["api", _, resource, ..] => resource,
        [first, ..] => first,
        [] => "",
    }
}

impl Table {
    /// Orders the rules: static parts before integers before text before paths, as Werkzeug weighs them.
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut compiled: Vec<Compiled> = rules
            .into_iter()
            .map(|rule| {
                let slash = rule.rule.ends_with('/');
                let parts = rule.rule.split('/').filter(|p| !p.is_empty()).map(part).collect();
                Compiled { parts, slash, rule }
            })
            .collect();
        // of two that begin alike the longer one says more about a path
        compiled.sort_by(|a, b| {
            let alike = a.parts.iter().zip(&b.parts).map(|(a, b)| a.cmp(b)).find(|order| order.is_ne());
            alike.unwrap_or_else(|| b.parts.len().cmp(&a.parts.len()))
        });
        let keys: Vec<Option<String>> = compiled.iter().map(Compiled::key).collect();
        let places = |wanted: Option<&str>| {
            let keys = keys.iter().enumerate();
            keys.filter(|(_, key)| key.is_none() || key.as_deref() == wanted).map(|(at, _)| at).collect()
        };
        let by_key = keys.iter().flatten().map(|key| (key.clone(), places(Some(key.as_str())))).collect();
        let of_any_key = places(None);
        Self { rules: compiled, by_key, of_any_key }
    }

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|c| &c.rule)
    }

    /// Looks a decoded path up.
    pub fn find(&self, method: &str, path: &str) -> Match<'_> {
        let slash = path.len() > 1 && path.ends_with('/');
        let segments: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let mut allowed = Vec::new();
        let mut add_slash = false;
        let places = self.by_key.get(key(&segments)).unwrap_or(&self.of_any_key);
        for c in places.iter().filter_map(|at| self.rules.get(*at)) {
            let Some(params) = capture(c, &segments, slash) else { continue };
            let takes_slash = !c.slash && matches!(c.parts.last(), Some(Part::Path(_)));
            if c.slash != slash && !segments.is_empty() && !takes_slash {
                add_slash |= c.slash && !slash && c.rule.allows(method);
                continue;
            }
            if c.rule.allows(method) {
                return Match::Found(&c.rule, params);
            }
            allowed.extend_from_slice(c.rule.methods);
        }
        match (add_slash, allowed.is_empty()) {
            (true, true) => Match::AddSlash,
            (_, false) => Match::MethodNotAllowed(allowed),
            _ => Match::NotFound,
        }
    }
}

impl Rule {
    fn allows(&self, method: &str) -> bool {
        self.methods.contains(&method) || (method == "HEAD" && self.methods.contains(&"GET"))
    }
}

fn part(text: &str) -> Part {
    let Some(inner) = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')) else {
        return Part::Static(text.to_owned());
    };
    let (converter, name) = inner.split_once(':').unwrap_or(("string", inner));
    // rules live as long as the process: a handful of leaked names
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    match converter {
        "int" => Part::Int(name),
        "path" => Part::Path(name),
        _ => Part::Text(name),
    }
}

/// The values of a rule's placeholders, if the segments of a path are its own. A path takes as many segments as the
/// rest of the rule leaves.
fn capture(rule: &Compiled, segments: &[&str], slash: bool) -> Option<HashMap<&'static str, String>> {
    let parts = &rule.parts;
    let mut params = HashMap::new();
    let mut rest = segments;
    for (i, part) in parts.iter().enumerate() {
        let behind = parts.len() - i - 1;
        let taken = if matches!(part, Part::Path(_)) { rest.len().checked_sub(behind)? } else { 1 };
        let (own, others) = rest.split_at_checked(taken)?;
        rest = others;
        let segment = *own.first()?;
        match part {
            Part::Static(s) if s == segment => {}
            Part::Int(name) if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) => {
                params.insert(*name, segment.to_owned());
            }
            Part::Text(name) => {
                params.insert(*name, segment.to_owned());
            }
            Part::Path(name) => {
                let mut value = own.join("/");
                if slash && behind == 0 && !rule.slash {
                    value.push('/');
                }
                params.insert(*name, value);
            }
            _ => return None,
        }
    }
    rest.is_empty().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rules: &[(&'static [&'static str], &str)]) -> Table {
        let handler = |_: Cx| async { Ok(crate::Answer::html(200, "")) };
        Table::new(rules.iter().map(|(m, r)| rule(m, *r, Access::Open, handler)).collect())
    }

    #[test]
    fn werkzeug_rules() {
        let t = table(&[
            (&["GET"], "/api/v1/chart/"),
            (&["GET"], "/api/v1/chart/<id_or_uuid>"),
            (&["PUT"], "/api/v1/chart/<int:pk>"),
            (&["GET"], "/api/v1/chart/_info"),
            (&["GET"], "/static/<path:filename>"),
            (&["GET"], "/star/<path:table>/"),
            (&["GET"], "/star/<path:table>/<schema>/"),
            (&["GET"], "/"),
            (&["GET"], "/api/"),
            (&["GET"], "/api/<version>/_openapi"),
            (&["GET"], "/api/<path:rest>/end"),
            (&["GET"], "/<name>/about"),
        ]);
        let found = |m: &str, p: &str| match t.find(m, p) {
            Match::Found(r, params) => format!("{} {params:?}", r.rule),
            Match::AddSlash => "308".into(),
            Match::MethodNotAllowed(m) => format!("405 {m:?}"),
            Match::NotFound => "404".into(),
        };
        assert_eq!(found("GET", "/api/v1/chart/_info"), "/api/v1/chart/_info {}");
        assert_eq!(found("GET", "/api/v1/chart/7"), "/api/v1/chart/<id_or_uuid> {\"id_or_uuid\": \"7\"}");
        assert_eq!(found("PUT", "/api/v1/chart/7"), "/api/v1/chart/<int:pk> {\"pk\": \"7\"}");
        assert_eq!(found("PUT", "/api/v1/chart/x"), "405 [\"GET\"]");
        assert_eq!(found("GET", "/api/v1/chart"), "308");
        assert_eq!(found("GET", "/api/v1/chart/7/"), "404");
        assert_eq!(found("HEAD", "/static/a/b.js"), "/static/<path:filename> {\"filename\": \"a/b.js\"}");
        assert_eq!(found("GET", "/nope"), "404");
        assert_eq!(found("GET", "/star/a.b/"), "/star/<path:table>/ {\"table\": \"a.b\"}");
        assert_eq!(found("GET", "/star/a"), "308");
        assert_eq!(found("GET", "/star/"), "404");
        assert_eq!(found("GET", "/"), "/ {}");
        assert_eq!(found("GET", "/api/"), "/api/ {}");
        assert_eq!(found("GET", "/api/v1/_openapi"), "/api/<version>/_openapi {\"version\": \"v1\"}");
        assert_eq!(found("GET", "/api/v1/chart/end"), "/api/v1/chart/<id_or_uuid> {\"id_or_uuid\": \"end\"}");
        assert_eq!(found("GET", "/api/a/b/c/end"), "/api/<path:rest>/end {\"rest\": \"a/b/c\"}");
        assert_eq!(found("GET", "/api/end"), "404");
        assert_eq!(found("GET", "/star/about"), "/<name>/about {\"name\": \"star\"}");
        let Match::Found(rule, params) = t.find("GET", "/star/a/b/c/") else { panic!() };
        assert_eq!(rule.rule, "/star/<path:table>/<schema>/");
        assert_eq!((params["table"].as_str(), params["schema"].as_str()), ("a/b", "c"));
    }
}
