//! `CUSTOM_SECURITY_MANAGER`: a class of the file that changes how people sign in, and nothing else.
//!
//! A method of it that asks for something outside (an answer of the provider, a role, the user whom the original would
//! let in) is not made to wait: the call ends with a [`Question`], and is made again with the answer. So nothing is
//! written before a method has come to its end, and the interpreter reaches no network.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::TextSize;
use serde_json::{Map, Value as Json};

use super::{
    call::{CallError, Function, Input, made, object, returned},
    error::{Done, Problem},
    function::Body,
    interp::{Interp, OF_A_CALL},
    value::{Arguments, Class, Method, Object, Record, Value},
};

/// Methods that liteset calls.
pub const METHODS: &[&str] = &[
    "auth_user_db",
    "auth_user_ldap",
    "auth_user_oauth",
    "auth_user_remote_user",
    "get_oauth_user_info",
    "oauth_user_info",
];

/// All names that Superset's security manager and those above it have: `superset.security.manager` of 6.0.0,
/// `flask_appbuilder.security.manager` and `.sqla.manager` of 5.0.2.
const NAMES: &str = include_str!("security_manager.txt");

/// What one call may ask, in all.
const MOST_QUESTIONS: usize = 16;

/// What a method asks of liteset.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// `oauth_remotes[provider].get(path)`: `{"status": …, "text": …}`.
    Get {
        /// The provider's name.
        provider: String,
        /// An address, or one below the provider's `api_base_url`.
        path: String,
    },
    /// `oauth_remotes[provider].userinfo()`: the claims.
    UserInfo {
        /// The provider's name.
        provider: String,
    },
    /// `super().get_oauth_user_info(…)`: what liteset makes of the provider's answers.
    Person {
        /// The provider's name.
        provider: String,
    },
    /// `super().auth_user_…(…)`: the user who would get in, or null.
    Admit {
        /// The method.
        method: String,
        /// Its arguments.
        arguments: Vec<Json>,
    },
    /// `find_user(username=…)`: a user who may sign in, or null.
    User(String),
    /// `find_role(…)`: a role, or null.
    Role(String),
    /// `get_roles_from_keys(…)`: roles of `AUTH_ROLES_MAPPING`.
    RolesOfKeys(Vec<String>),
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its result.
    Done(Json),
    /// It needs an answer first.
    Asks(Question),
}

/// What a method sees of the object that it belongs to.
#[derive(Debug, Clone, Default)]
pub struct Manager {
    /// Names of the providers.
    pub providers: Vec<String>,
    /// `auth_user_registration` and the like.
    pub settings: Map<String, Json>,
}

/// Questions and their answers, of one call.
pub type Answers = Vec<(Question, Json)>;

impl Function {
    /// What keeps liteset from taking the class: names of Superset's that it overrides, in their order, or that it is
    /// none of Superset's managers.
    pub fn foreign_overrides(&self) -> Result<Vec<String>, &'static str> {
        let Value::Class(class) = &self.value else { return Err("it is no class") };
        let is_superset =
            |above: &Value| matches!(above, Value::Known(n) if n.ends_with("SupersetSecurityManager"));
        if !class.line().iter().any(is_superset) {
            return Err("it is no class below SupersetSecurityManager, which Superset demands, too");
        }
        let mut found = self.class_members();
        found.retain(|name| NAMES.split_whitespace().any(|known| known == name));
        found.retain(|name| match class.find(name) {
            Some(Value::Function(f)) if name == "__init__" => !is_plain(f.body),
            Some(value) => !(METHODS.contains(&name.as_str()) && value.is_callable()),
            None => false,
        });
        found.dedup();
        Ok(found)
    }

    /// The class has a method of its own.
    pub fn has_method(&self, name: &str) -> bool {
        matches!(&self.value, Value::Class(class) if class.find(name).is_some_and(|v| v.is_callable()))
    }

    /// Calls a method of the class, within bounds of time and memory, with what was answered before.
    pub fn call_method(
        &self,
        name: &str,
        manager: &Manager,
        arguments: &[Json],
        answers: &Arc<Answers>,
    ) -> Result<Outcome, CallError> {
        let method = match &self.value {
            Value::Class(class) => class.find(name).map(|found| (class, found)),
            _ => None,
        };
        let mut interp = Interp::new(&self.world, self.frame.clone(), OF_A_CALL, true);
        interp.answers = Some(answers.clone());
        let named = |fault| {
            let mut error = self.error(fault);
            error.key = format!("{}.{name}", self.name);
            tracing::error!(%error, "a function of the configuration failed");
            error
        };
        let Some((class, method)) = method else {
            return Err(named(interp.stop("there is no such method", TextSize::default())));
        };
        let own = Value::Object(Arc::new(Object { class: class.clone(), attributes: Default::default() }));
        fill(&own, class, manager);
        for name in ["superset.appbuilder", "flask.current_app.appbuilder"] {
            interp.ambient.insert(name, appbuilder(manager));
        }
        let bound = Value::Bound(Arc::new((own, Method::Function(method))));
        let arguments = Arguments::of(arguments.iter().map(|a| made(&Input::Data(a.clone()))).collect());
        let done = interp.call(&bound, arguments, TextSize::default());
        let done = done.and_then(|value| match value.not_data().filter(|_| !is_object(&value)) {
            Some(why) => {
                Err(interp.stop(format!("it returned {why}, which is not data"), TextSize::default()))
            }
            None => Ok(returned(&value)),
        });
        for frame in interp.circles.drain(..).filter_map(|f| f.upgrade()) {
            frame.names.lock().clear();
        }
        if let Some(question) = interp.asked.take() {
            return if answers.len() < MOST_QUESTIONS {
                Ok(Outcome::Asks(question))
            } else {
                Err(named(interp.stop("it asks for too much", TextSize::default())))
            };
        }
        done.map(Outcome::Done).map_err(named)
    }
}

fn is_object(value: &Value) -> bool {
    matches!(value, Value::Record(_))
}

/// A method that does nothing but call the one above it.
fn is_plain(body: Body) -> bool {
    let Body::Statements(body) = body else { return false };
    body.iter().all(|statement| match statement {
        Stmt::Pass(_) => true,
        Stmt::Expr(s) => match s.value.as_ref() {
            Expr::StringLiteral(_) | Expr::EllipsisLiteral(_) => true,
            Expr::Call(c) => {
                matches!(c.func.as_ref(), Expr::Attribute(a) if a.attr.as_str() == "__init__")
            }
            _ => false,
        },
        _ => false,
    })
}

/// The name by which a method of Superset's is known to the interpreter.
fn above(name: &str) -> Value {
    Value::known(format!("superset.security.SupersetSecurityManager.{name}"))
}

fn remotes(manager: &Manager) -> Value {
    let one = |name: &String| (Value::text(name), Value::record("provider", [("name", Value::text(name))]));
    Value::dict(manager.providers.iter().map(one))
}

/// What `self` and `appbuilder.sm` have in common.
fn parts(manager: &Manager) -> Vec<(String, Value)> {
    let settings = manager.settings.iter().map(|(k, v)| (k.clone(), Value::from_json(v)));
    let mut parts: Vec<(String, Value)> = settings.collect();
    parts.push(("oauth_remotes".to_owned(), remotes(manager)));
    for name in ["session", "get_session"] {
        parts.push((name.to_owned(), Value::record("session", [])));
    }
    for name in METHODS.iter().chain(&[
        "find_role",
        "find_user",
        "get_roles_from_keys",
        "update_user",
        "update_user_auth_stat",
    ]) {
        parts.push(((*name).to_owned(), above(name)));
    }
    parts
}

fn appbuilder(manager: &Manager) -> Value {
    let sm = Value::record("security_manager", []);
    if let Value::Record(record) = &sm {
        record.attributes.lock().extend(parts(manager));
    }
    Value::record("appbuilder", [("sm", sm)])
}

fn fill(own: &Value, class: &Arc<Class>, manager: &Manager) {
    let Value::Object(own) = own else { return };
    let mut attributes = own.attributes.lock();
    attributes.extend(parts(manager).into_iter().filter(|(name, _)| class.find(name).is_none()));
    attributes.insert("appbuilder".to_owned(), appbuilder(manager));
}

/// A method of Superset's security manager that a method of the file calls.
pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    interp.answers.as_ref()?;
    let method = name.rsplit_once('.').filter(|(of, _)| of.ends_with("SecurityManager"))?.1;
    // `SupersetSecurityManager.method(self, …)`
    let mut given = arguments.clone();
    if matches!(given.positional.first(), Some(Value::Object(_))) {
        given.positional.remove(0);
    }
    let text = |place: usize, name: &str| given.text(place, name).map(|t| t.to_string());
    let question = match method {
        "get_oauth_user_info" | "oauth_user_info" => Question::Person { provider: text(0, "provider")? },
        _ if METHODS.contains(&method) => {
            let all = given.positional.iter().chain(given.named.iter().map(|(_, value)| value));
            Question::Admit { method: method.to_owned(), arguments: all.map(Value::to_json).collect() }
        }
        "find_role" => Question::Role(text(0, "name")?),
        "find_user" => match text(0, "username") {
            Some(name) if given.get(1, "email").is_none_or(|v| matches!(v, Value::None)) => {
                Question::User(name)
            }
            _ => return Some(interp.unknown("find_user(…) without a user's name alone", at)),
        },
        "get_roles_from_keys" => {
            let keys = given.get(0, "role_keys").cloned().unwrap_or(Value::None);
            match interp.iterate(&keys, at) {
                Ok(keys) => Question::RolesOfKeys(keys.iter().map(Value::to_text).collect()),
                Err(fault) => return Some(Err(fault)),
            }
        }
        // what was set at the user counts when the method has come to its end
        "update_user" | "update_user_auth_stat" => return Some(Ok(Value::Bool(true))),
        _ => return None,
    };
    Some(answer(interp, question, at))
}

/// Methods of what `self` holds.
pub(super) fn method(
    interp: &mut Interp<'_>,
    record: &Arc<Record>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let own = |name: &str| record.attributes.lock().get(name).cloned();
    match (record.kind, name) {
        ("session", "commit" | "flush" | "add" | "merge" | "refresh" | "rollback") => Some(Ok(Value::None)),
        ("provider", "get") => {
            let provider = own("name")?.to_text();
            let mut path = arguments.text(0, "url").map(|t| t.to_string())?;
            for (name, value) in &arguments.named {
                match (name.as_str(), value) {
                    ("url" | "token" | "timeout" | "verify" | "withhold_token", _) => {}
                    ("headers", Value::Dict(headers)) => {
                        let named: Vec<String> =
                            headers.items.lock().keys().map(|k| k.0.to_text().to_lowercase()).collect();
                        if let Some(other) =
                            named.iter().find(|n| !matches!(n.as_str(), "accept" | "authorization"))
                        {
                            return Some(interp.unknown(&format!("get(…) with the header {other}"), at));
                        }
                    }
                    ("params", Value::Dict(params)) => {
                        let params = params.items.lock().clone();
                        let quoted =
                            |v: &Value| utf8_percent_encode(&v.to_text(), NON_ALPHANUMERIC).to_string();
                        let pairs = params.iter().map(|(k, v)| format!("{}={}", quoted(&k.0), quoted(v)));
                        let sign = if path.contains('?') { '&' } else { '?' };
                        path = format!("{path}{sign}{}", pairs.collect::<Vec<_>>().join("&"));
                    }
                    _ => return Some(interp.unknown(&format!("get(…) with {name}"), at)),
                }
            }
            Some(answer(interp, Question::Get { provider, path }, at))
        }
        ("provider", "userinfo") => {
            Some(answer(interp, Question::UserInfo { provider: own("name")?.to_text() }, at))
        }
        ("response", "json") => {
            let text = own("text")?.to_text();
            let parsed = serde_json::from_str::<Json>(&text);
            Some(match parsed {
                Ok(json) => interp.spend(text.len().saturating_mul(24), at).map(|()| Value::from_json(&json)),
                Err(_) => interp.raise(Problem::safe("JSONDecodeError", "the answer is no JSON"), at),
            })
        }
        ("response", "raise_for_status") => {
            let status = own("status_code").and_then(|s| s.integer()).unwrap_or_default();
            Some(if status < 400 {
                Ok(Value::None)
            } else {
                interp.raise(
                    Problem::safe("HTTPError", format!("the provider answers with status {status}")),
                    at,
                )
            })
        }
        _ => None,
    }
}

pub(super) fn methods_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "session" => &["commit", "flush", "add", "merge", "refresh", "rollback"],
        "provider" => &["get", "userinfo"],
        "response" => &["json", "raise_for_status"],
        _ => &[],
    }
}

/// The answer that is known, or the end of the call.
fn answer(interp: &mut Interp<'_>, question: Question, at: TextSize) -> Done<Value> {
    let known = interp.answers.clone();
    let known = known.iter().flat_map(|all| all.iter()).find(|(asked, _)| *asked == question);
    let Some((_, json)) = known else {
        let end = interp.stop("it waits for an answer", at);
        interp.asked.get_or_insert(question);
        return Err(end);
    };
    match (question, json) {
        (Question::Get { .. }, answer) => {
            let text = answer.get("text").and_then(Json::as_str).unwrap_or_default();
            interp.spend(text.len().saturating_mul(24), at)?;
            let status = answer.get("status").and_then(Json::as_i64).unwrap_or_default();
            let data =
                serde_json::from_str(text).map_or_else(|_| Value::text(text), |d| Value::from_json(&d));
            Ok(Value::record(
                "response",
                [
                    ("status_code", Value::Int(status.into())),
                    ("status", Value::Int(status.into())),
                    ("ok", Value::Bool(status < 400)),
                    ("text", Value::text(text)),
                    ("content", Value::Bytes(text.as_bytes().into())),
                    ("data", data),
                ],
            ))
        }
        (_, Json::Null) => Ok(Value::None),
        (Question::Role(_), Json::Object(role)) => Ok(object("role", role)),
        (Question::RolesOfKeys(_), Json::Array(roles)) => {
            let roles = roles.iter().filter_map(Json::as_object);
            Ok(Value::list(roles.map(|role| object("role", role)).collect()))
        }
        (Question::User(_) | Question::Admit { .. }, Json::Object(user)) => {
            let made = object("user", user);
            if let (Value::Record(made), Some(Json::Array(roles))) = (&made, user.get("roles")) {
                let roles = roles.iter().filter_map(Json::as_object);
                let roles = Value::list(roles.map(|role| object("role", role)).collect());
                made.attributes.lock().insert("roles".to_owned(), roles);
            }
            Ok(made)
        }
        (_, json) => {
            interp.spend(json.to_string().len().saturating_mul(24), at)?;
            Ok(Value::from_json(json))
        }
    }
}
