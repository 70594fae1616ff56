//! Functions of a configuration, called by liteset.
//!
//! A [`Function`] is shared by all requests. What a call makes is its own; what the file made is shared, and each
//! list or dictionary of it is locked for one operation only, so that no request waits for another's call.

use std::{collections::HashMap, fmt, path::PathBuf, sync::Arc};

use serde_json::Value as Json;

use super::{
    error::Fault,
    frame::Frame,
    interp::{Interp, OF_A_CALL, World},
    value::{Arguments, Key, Value},
};

/// A key of the configuration that is a function, or a dictionary or class that holds some.
#[derive(Clone)]
pub struct Function {
    pub(super) world: Arc<World>,
    pub(super) frame: Arc<Frame>,
    pub(super) name: String,
    pub(super) value: Value,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.name)
    }
}

/// An argument.
#[derive(Debug, Clone)]
pub enum Input {
    /// Plain data.
    Data(Json),
    /// An object with these attributes, called so in messages. A function that asks for more is told that it is not
    /// there.
    Object(&'static str, serde_json::Map<String, Json>),
    /// A list of such objects.
    Objects(&'static str, Vec<serde_json::Map<String, Json>>),
    /// An address of SQLAlchemy.
    Url(String),
    /// A mail with these header fields. Changed and returned it is `{"fields": [[name, value], …]}`.
    Message(Vec<(String, String)>),
}

/// Who asks: what `flask.g.user` and the like are during a call.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The user's attributes; nobody is signed in.
    pub user: Option<serde_json::Map<String, Json>>,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{key}: {}, line {line}: {text}", file.display())]
pub struct CallError {
    /// The key.
    pub key: String,
    /// The file.
    pub file: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// The reason; it holds no value.
    pub text: String,
    /// An exception of the function: its class and message, for a caller that is to be told.
    pub exception: Option<Box<(String, String)>>,
}

impl Function {
    pub(super) fn new(world: &Arc<World>, frame: &Arc<Frame>, name: &str, value: Value) -> Self {
        Self { world: world.clone(), frame: frame.clone(), name: name.to_owned(), value }
    }

    /// The key, with the name in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself can be called.
    pub fn is_callable(&self) -> bool {
        self.value.is_callable()
    }

    /// Names of the functions in a dictionary.
    pub fn names(&self) -> Vec<String> {
        match &self.value {
            Value::Dict(dict) => {
                let items = dict.items.lock();
                items.iter().filter(|(_, v)| v.is_callable()).map(|(k, _)| k.0.to_text()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A function of a dictionary.
    pub fn item(&self, name: &str) -> Option<Self> {
        let Value::Dict(dict) = &self.value else { return None };
        let value = dict.items.lock().get(&Key(Value::text(name))).cloned()?;
        let name = format!("{}[{name}]", self.name);
        value.is_callable().then(|| Self {
            world: self.world.clone(),
            frame: self.frame.clone(),
            name,
            value,
        })
    }

    /// Names that a class of the file gives a value of its own, those of classes above it in the file included.
    pub fn class_members(&self) -> Vec<String> {
        let Value::Class(class) = &self.value else { return Vec::new() };
        let mut names = Vec::new();
        for above in class.line() {
            if let Value::Class(class) = above {
                names.extend(class.attributes.lock().keys().filter(|n| *n != "__doc__").cloned());
            }
        }
        names
    }

    /// Names of the parameters; nothing when it takes any, or is not a plain function.
    pub fn parameters(&self) -> Vec<String> {
        let Value::Function(function) = &self.value else { return Vec::new() };
        let parameters = function.parameters.into_iter();
        parameters
            .flat_map(|p| p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs))
            .map(|p| p.parameter.name.to_string())
            .collect()
    }

    /// Calls it, within bounds of time and memory.
    pub fn call(
        &self,
        positional: Vec<Input>,
        named: Vec<(&str, Input)>,
        caller: &Caller,
    ) -> Result<Json, CallError> {
        let arguments = Arguments {
            positional: positional.iter().map(made).collect(),
            named: named.iter().map(|(n, v)| ((*n).to_owned(), made(v))).collect(),
        };
        let mut interp = Interp::new(&self.world, self.frame.clone(), OF_A_CALL, true);
        interp.ambient = ambient(caller);
        let done = interp.call(&self.value, arguments, Default::default());
        let done =
            done.and_then(|value| match value.not_data().filter(|_| !matches!(value, Value::Record(_))) {
                Some(why) => {
                    Err(interp.stop(format!("it returned {why}, which is not data"), Default::default()))
                }
                None => Ok(returned(&value)),
            });
        // what a call made goes with it
        for frame in interp.circles.drain(..).filter_map(|f| f.upgrade()) {
            frame.names.lock().clear();
        }
        done.map_err(|fault| {
            let error = self.error(fault);
            // a rule that refuses something has not failed
            if !error.exception.as_ref().is_some_and(|exception| exception.0.ends_with("ValidationError")) {
                tracing::error!(%error, "a function of the configuration failed");
            }
            error
        })
    }

    pub(super) fn error(&self, fault: Fault) -> CallError {
        let (place, text, exception) = match fault {
            Fault::Raise(raised) => {
                let exception = (raised.error.type_name().to_owned(), raised.message());
                (raised.place, raised.shown(), Some(Box::new(exception)))
            }
            Fault::Unclear(why, place) => (place, format!("{why} is not there in liteset"), None),
            Fault::Stop(stop) => (stop.place, stop.text, None),
        };
        let (file, line) = (place.path().to_path_buf(), place.line());
        CallError { key: self.name.clone(), file, line, text, exception }
    }
}

pub(super) fn made(input: &Input) -> Value {
    match input {
        Input::Data(json) => Value::from_json(json),
        Input::Url(text) => super::records::parse(text),
        Input::Objects(kind, all) => Value::list(all.iter().map(|one| object(kind, one)).collect()),
        Input::Message(fields) => super::message::made(fields),
        Input::Object(kind, attributes) => {
            let made = object(kind, attributes);
            if let (&"security_manager", Value::Record(record)) = (kind, &made) {
                let find = Value::known("liteset.find_user");
                record.attributes.lock().insert("find_user".to_owned(), find);
            }
            made
        }
    }
}

/// An object whose attributes are data; dictionaries in it are objects, too.
pub(super) fn object(kind: &'static str, attributes: &serde_json::Map<String, Json>) -> Value {
    let value = Value::record(kind, []);
    if let Value::Record(record) = &value {
        let mut own = record.attributes.lock();
        for (name, value) in attributes {
            let value = match value {
                Json::Array(all) => Value::list(all.iter().map(part).collect()),
                other => part(other),
            };
            own.insert(name.clone(), value);
        }
    }
    value
}

fn part(value: &Json) -> Value {
    match value {
        Json::Object(map) if map.contains_key("id") || map.contains_key("name") => object("object", map),
        other => Value::from_json(other),
    }
}

/// The result; an object of ours is its attributes.
pub(super) fn returned(value: &Value) -> Json {
    match value {
        Value::Record(record) if record.kind != "url" && record.kind != "uuid" => {
            let attributes = record.attributes.lock().clone();
            // objects within it, such as the roles of a user
            let part = |v: Value| match &v {
                Value::List(all) => {
                    let all = all.lock().clone();
                    all.iter().map(data).collect()
                }
                Value::Set(all) => {
                    let all = all.lock().clone();
                    all.iter().map(|key| data(&key.0)).collect()
                }
                Value::Tuple(all) => all.iter().map(data).collect(),
                other => data(other),
            };
            Json::Object(attributes.into_iter().map(|(k, v)| (k, part(v))).collect())
        }
        Value::Tuple(all) => all.iter().map(returned).collect(),
        other => other.to_json(),
    }
}

/// A value; an object of ours is its attributes that are data.
fn data(value: &Value) -> Json {
    match value {
        Value::Record(record) if record.kind != "url" && record.kind != "uuid" => {
            let attributes = record.attributes.lock().clone();
            Json::Object(attributes.into_iter().map(|(k, v)| (k, v.to_json())).collect())
        }
        other => other.to_json(),
    }
}

/// What of Flask and Superset is there during a call.
fn ambient(caller: &Caller) -> HashMap<&'static str, Value> {
    let user = match &caller.user {
        Some(attributes) => object("user", attributes),
        None => Value::None,
    };
    let part = |name: &str| match &caller.user {
        Some(attributes) => attributes.get(name).map_or(Value::None, Value::from_json),
        None => Value::None,
    };
    let mut names: HashMap<&'static str, Value> = HashMap::new();
    for name in ["flask.g.user", "flask_login.current_user", "superset.security_manager.current_user"] {
        names.insert(name, user.clone());
    }
    names.insert("superset.security_manager.find_user", Value::known("liteset.find_user"));
    names.insert("superset.utils.core.get_username", part("username"));
    names.insert("superset.utils.core.get_user_id", part("id"));
    names.insert("superset.utils.core.get_user_email", part("email"));
    names
}
