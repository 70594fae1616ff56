//! Whether the configuration can be honoured: everything that cannot is told at once.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    cors::Cors,
    engine_options, exports, honoured, idle,
    keys::{self, Effect},
    load::Given,
    python::{Function, Problem, Subject, manager::METHODS},
    secrets, sign_in,
    talisman::Talisman,
    tls::Tls,
    types,
};
use crate::crypto::jwt::Algorithm;

/// The operator accepts that these keys have no effect.
const ACCEPT: &str = "LITESET_ACCEPT_IGNORED";

/// What there is to say about a configuration.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Reasons not to start.
    pub complaints: Vec<String>,
    /// Things to tell the operator.
    pub warnings: Vec<String>,
}

/// Keys named in `LITESET_ACCEPT_IGNORED`: a list, or a text with commas.
pub(super) fn accepted(values: &IndexMap<String, Value>) -> HashSet<String> {
    match values.get(ACCEPT) {
        Some(Value::String(text)) => {
            text.split([',', ' ']).filter(|k| !k.is_empty()).map(str::to_owned).collect()
        }
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => HashSet::new(),
    }
}

/// Looks at the values in force, at the file that gave some of them, and at what the environment overrides.
pub(super) fn check(
    given: &Given,
    values: &IndexMap<String, Value>,
    defaults: &IndexMap<String, Value>,
    overridden: &HashSet<String>,
) -> Findings {
    let mut found = Findings::default();
    let accepted = accepted(values);
    let mut without: Vec<&str> = Vec::new();
    for problem in &given.problems {
        match &problem.subject {
            Subject::Key(key) if overridden.contains(key) => {}
            Subject::Key(key) => unread_key(problem, key, given, &accepted, &mut without, &mut found),
            Subject::Anything | Subject::Failure => {
                found.complaints.push(format!("{}: {}", place(problem), problem.text));
            }
            Subject::Statement => found.warnings.push(format!("{}: {}", place(problem), problem.text)),
        }
    }
    let mut unknown: Vec<&str> = Vec::new();
    let is_function = |key: &&String| given.functions.contains_key(*key);
    let set = values.iter().filter(|(key, value)| {
        let default = defaults.get(*key).unwrap_or(&Value::Null);
        *value != default && !(is_nothing(value) && is_nothing(default)) && !is_function(key)
    });
    for key in set.map(|(key, _)| key).chain(given.functions.keys()) {
        match keys::effect(key) {
            // a class of the file: counters are no reason not to start
            Effect::Honoured if key == "STATS_LOGGER" && given.functions.contains_key(key) => {
                found.warnings.push(format!("{}: {key} is a function here; ignored", given.place(key)));
            }
            Effect::Honoured if given.functions.contains_key(key) && !honoured::is_called(key) => {
                if !accepted.contains(key) {
                    found.complaints.push(format!(
                        "{}: {key} is a function here, and liteset takes only data for it",
                        given.place(key)
                    ));
                }
            }
            Effect::Honoured if accepted.contains(key) && honoured::is_called(key) => without.push(key),
            Effect::Honoured if key == "CUSTOM_SECURITY_MANAGER" => {
                let class = given.functions.get(key);
                let wrong = class.map(|class| overrides(class, &accepted));
                let text = wrong.unwrap_or_else(|| Some("it is no class".to_owned()));
                found.complaints.extend(text.map(|text| format!("{}: {key}: {text}", given.place(key))));
            }
            Effect::Honoured => {}
            Effect::Stops(what) if !accepted.contains(key) => {
                found.complaints.push(format!("{}: {}", given.place(key), refusal(key, what)));
            }
            Effect::Stops(_) => without.push(key),
            Effect::Idle if defaults.contains_key(key) => without.push(key),
            // also what is called as a library's key: `CACHE_REDIS_URL`, from which the dictionaries are made
            Effect::Idle if given.used.contains(key) || given.functions.contains_key(key) => {}
            Effect::Idle if keys::is_of_a_library(key) => without.push(key),
            Effect::Idle => unknown.push(key),
        }
    }
    without.retain(|key| *key != ACCEPT);
    without.sort_unstable();
    without.dedup();
    if !without.is_empty() {
        found.warnings.push(format!("set, but without effect in liteset: {}", with_reasons(&without)));
    }
    misspelt(given, &mut unknown, defaults, &mut found);
    found.warnings.extend(exports::warnings(values));
    found.warnings.extend(engine_options::warning(values));
    found.complaints.extend(exports::complaints(values));
    found.complaints.extend(secrets::weak(values));
    found.complaints.extend(Cors::read(values).err().unwrap_or_default());
    found.complaints.extend(Talisman::read(values).err().unwrap_or_default());
    found.complaints.extend(Tls::read(values).err().unwrap_or_default());
    found.complaints.extend(meanings(values));
    found.complaints.extend(lost_installation(given, values));
    found
}

fn place(problem: &Problem) -> String {
    format!("{}, line {}", problem.file.display(), problem.line)
}

fn refusal(key: &str, what: &str) -> String {
    let instead = keys::instead(key).map(|text| format!(" Instead: {text}.")).unwrap_or_default();
    format!(
        "{key} is set and liteset does not have it: {what}.{instead} Add {key} to {ACCEPT} to start nevertheless"
    )
}

/// What of a `CUSTOM_SECURITY_MANAGER` liteset does not have.
fn overrides(class: &Function, accepted: &HashSet<String>) -> Option<String> {
    const KEY: &str = "CUSTOM_SECURITY_MANAGER";
    let mut foreign = match class.foreign_overrides() {
        Ok(foreign) => foreign,
        Err(why) => return Some(why.to_owned()),
    };
    foreign.retain(|name| !accepted.contains(&format!("{KEY}.{name}")));
    if foreign.is_empty() {
        return None;
    }
    let named: Vec<String> = foreign.iter().map(|name| format!("{KEY}.{name}")).collect();
    Some(format!(
        "it overrides {}, and liteset calls only {} of such a class: rules of access are roles and row-level \
         security, pages and routes of log-ins are AUTH_TYPE with its keys. Add {} to {ACCEPT} to start without them",
        foreign.join(", "),
        METHODS.join(", "),
        named.join(", "),
    ))
}

/// The keys with the reasons why they have no effect, those of one reason together.
fn with_reasons(keys: &[&str]) -> String {
    let mut groups: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for key in keys {
        groups.entry(idle::why(key).unwrap_or_default()).or_default().push(key);
    }
    let groups = groups.iter().map(|(why, keys)| match *why {
        "" => keys.join(", "),
        why => format!("{} ({why})", keys.join(", ")),
    });
    groups.collect::<Vec<_>>().join("; ")
}

/// Names that are no keys, nor used by the file itself: perhaps misspelt ones.
fn misspelt(
    given: &Given,
    unknown: &mut Vec<&str>,
    defaults: &IndexMap<String, Value>,
    found: &mut Findings,
) {
    let others: Vec<&'static str> = honoured::HONOURED.iter().copied().chain(keys::names()).collect();
    let nearest = |key: &str| {
        let near = types::nearest(key, others.iter().copied()).map(str::to_owned);
        near.or_else(|| types::nearest(key, defaults.keys().map(|k| &**k)).map(str::to_owned))
    };
    unknown.retain(|key| match nearest(key) {
        Some(near) => {
            found.warnings.push(format!(
                "{}: {key} is not a key of Superset 6.0.0 or liteset: did you mean {near}?",
                given.place(key)
            ));
            false
        }
        None => true,
    });
    if !unknown.is_empty() {
        found.warnings.push(format!(
            "{}: not keys of Superset 6.0.0 or liteset, ignored: {}",
            given.name(),
            unknown.join(", ")
        ));
    }
}

/// A key whose value could not be read.
fn unread_key<'a>(
    problem: &'a Problem,
    key: &'a str,
    given: &'a Given,
    accepted: &HashSet<String>,
    without: &mut Vec<&'a str>,
    found: &mut Findings,
) {
    let at = place(problem);
    match keys::effect(key) {
        // a place that liteset cannot reach is no reason not to start: results are kept in this process, nothing but
        // times of day stands in Celery's configuration that matters here, and counters can be had at METRICS
        Effect::Honoured if matches!(key, "RESULTS_BACKEND" | "CELERY_CONFIG" | "STATS_LOGGER") => {
            found.warnings.push(format!("{at}: {key}: {}; ignored", problem.text));
        }
        Effect::Honoured if accepted.contains(key) && honoured::is_called(key) => without.push(key),
        Effect::Honoured => found.complaints.push(format!(
            "{at}: {key}: {}. Write the value in plain Python, or set LITESET_{key} in the environment",
            problem.text
        )),
        Effect::Stops(what) if !accepted.contains(key) => {
            found.complaints.push(format!("{at}: {}", refusal(key, what)));
        }
        Effect::Stops(_) => without.push(key),
        Effect::Idle if given.defaults_have(key) || keys::is_of_a_library(key) => without.push(key),
        // a helper of the file
        Effect::Idle if given.used.contains(key) => {}
        Effect::Idle => found.warnings.push(format!("{at}: {key}: {}; ignored", problem.text)),
    }
}

/// None, False, 0 or empty: as good as not set.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Values of honoured keys that mean what liteset does not do.
fn meanings(values: &IndexMap<String, Value>) -> Vec<String> {
    let mut complaints = Vec::new();
    complaints.extend(sign_in::complaints(values));
    let algorithm = values.get("GUEST_TOKEN_JWT_ALGO").filter(|v| !v.is_null());
    if algorithm.is_some_and(|v| v.as_str().and_then(Algorithm::named).is_none()) {
        complaints.push("GUEST_TOKEN_JWT_ALGO must be HS256, HS384 or HS512".to_owned());
    }
    if values.get("WTF_CSRF_FIELD_NAME").is_some_and(|v| v.as_str() != Some("csrf_token")) {
        complaints.push("WTF_CSRF_FIELD_NAME must be csrf_token: the frontend sends no other".to_owned());
    }
    for key in ["WTF_CSRF_EXEMPT_LIST", "WTF_CSRF_METHODS", "WTF_CSRF_HEADERS"] {
        if values.get(key).is_some_and(|v| !v.is_array()) {
            complaints.push(format!("{key} is not a list"));
        }
    }
    for key in ["SLOW_REQUEST_MS", "SLOW_STATEMENT_MS"] {
        if values.get(key).is_some_and(|v| !v.is_null() && v.as_u64().is_none()) {
            complaints.push(format!("{key} is not a number of milliseconds (0: never)"));
        }
    }
    for key in ["METRICS", "LOG_FILTER"] {
        if values.get(key).is_some_and(|v| !v.is_null() && !v.is_string()) {
            complaints.push(format!("{key} is not a text"));
        }
    }
    let engines = values.get("DBS_AVAILABLE_DENYLIST").filter(|v| !v.is_null());
    let is_map_of_lists = |v: &Value| v.as_object().is_some_and(|map| map.values().all(Value::is_array));
    if engines.is_some_and(|v| !is_map_of_lists(v)) {
        complaints.push("DBS_AVAILABLE_DENYLIST is not a dictionary of engines and their drivers".to_owned());
    }
    complaints
}

/// A file that the operator named and that gives no metadata database although parts of it were not read, or that
/// gives it as nothing, does not mean a new, empty installation.
fn lost_installation(given: &Given, values: &IndexMap<String, Value>) -> Option<String> {
    let is_set = |key: &str| values.get(key).and_then(Value::as_str).is_some_and(|v| !v.is_empty());
    if !given.is_named || is_set("SQLALCHEMY_DATABASE_URI") {
        return None;
    }
    // an unread value is that of a known name; a statement could have set any
    let is_statement = |p: &&Problem| matches!(p.subject, Subject::Anything | Subject::Statement);
    if given.problems.iter().any(|p| p.subject == Subject::Failure) {
        return None;
    }
    if values.contains_key("SQLALCHEMY_DATABASE_URI") {
        return Some(format!(
            "{} sets SQLALCHEMY_DATABASE_URI to nothing: a variable of the environment is perhaps missing. No new \
             installation is started in its place",
            given.name()
        ));
    }
    let mut places: Vec<String> = given.problems.iter().filter(is_statement).map(place).collect();
    places.dedup();
    (!places.is_empty()).then(|| {
        format!(
            "{} gives no SQLALCHEMY_DATABASE_URI, and parts of it were not read ({}): no new, empty installation is \
             started in place of an existing one. Write SQLALCHEMY_DATABASE_URI and SECRET_KEY literally, or set \
             LITESET_SQLALCHEMY_DATABASE_URI and SUPERSET_SECRET_KEY in the environment",
            given.name(),
            places.join("; ")
        )
    })
}
