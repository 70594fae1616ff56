//! What files may use of Python's library and of Superset's: by dotted names.

use std::sync::Arc;

use ruff_text_size::TextSize;

use super::{
    builtins,
    error::{Done, Problem, is_builtin, make},
    interp::Interp,
    lib_data, lib_misc, lib_os, lib_superset, lib_text, lib_time, manager,
    value::{Arguments, Value, Wrapper},
};

pub(super) use lib_os::lines;
pub(super) use lib_text::group;
pub(super) use lib_time::strftime;

/// A name that needs no import.
pub(super) fn builtin(interp: &Interp<'_>, name: &str) -> Option<Value> {
    if builtins::NAMES.contains(&name) || is_builtin(name) {
        return Some(Value::known(name));
    }
    let globals = interp.frame.globals();
    match name {
        "__name__" => Some(Value::text(&globals.name)),
        "__file__" => Some(Value::text(globals.source.path.to_string_lossy())),
        "__doc__" => Some(Value::None),
        "NotImplemented" => Some(Value::known(name)),
        "IOError" | "EnvironmentError" => Some(Value::known("OSError")),
        _ => None,
    }
}

/// An attribute of a library: a plain value, or the name of a function, class or module.
pub(super) fn constant(interp: &mut Interp<'_>, module: &str, name: &str) -> Value {
    let full = format!("{module}.{name}");
    if let Some(value) = interp.ambient.get(full.as_str()) {
        return value.clone();
    }
    if let Some(value) = interp.ambient.get(module).cloned()
        && let Ok(value) = interp.attribute(&value, name, TextSize::default())
    {
        return value;
    }
    if matches!(name, "__name__" | "__qualname__") {
        return Value::text(module.rsplit('.').next().unwrap_or(module));
    }
    let found = lib_os::constant(interp, &full)
        .or_else(|| lib_text::constant(&full))
        .or_else(|| lib_time::constant(&full))
        .or_else(|| lib_misc::constant(&full))
        .or_else(|| lib_superset::constant(&full));
    if let Some(found) = found {
        return found;
    }
    if let Some(key) = full.strip_prefix("superset.config.")
        && let Some(value) = interp.world.defaults.get(key)
    {
        return Value::from_json(value);
    }
    Value::Known(full.into())
}

/// A call of a function or class by its dotted name.
pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &Arc<str>,
    arguments: Arguments,
    at: TextSize,
) -> Done<Value> {
    if &**name == "liteset.find_user" {
        return find_user(interp, &arguments, at);
    }
    if let Some(value) = interp.ambient.get(&**name).cloned() {
        // `get_username()`
        return match value {
            Value::Known(_) => interp.unknown(&format!("{name}(…)"), at),
            value => Ok(value),
        };
    }
    if is_builtin(name) {
        return Ok(make(name, arguments));
    }
    // a function over something unknown is unknown; naming the inner cause helps more than naming the function
    if let Some(why) = arguments.unknown()
        && !takes_anything(name)
    {
        return interp.unknown(&why, at);
    }
    if let Some(done) = builtins::call(interp, name, &arguments, at) {
        return done;
    }
    if let Some((kind, method)) = name.split_once('.')
        && matches!(kind, "str" | "bytes" | "list" | "dict" | "set" | "tuple" | "int" | "float")
    {
        return type_method(interp, kind, method, arguments, at);
    }
    let done = manager::call(interp, name, &arguments, at)
        .or_else(|| lib_os::call(interp, name, &arguments, at))
        .or_else(|| lib_text::call(interp, name, &arguments, at))
        .or_else(|| lib_data::call(interp, name, &arguments, at))
        .or_else(|| lib_time::call(interp, name, &arguments, at))
        .or_else(|| lib_misc::call(interp, name, &arguments, at))
        .or_else(|| lib_superset::call(interp, name, &arguments, at));
    match done {
        Some(done) => done,
        None => interp.unknown(&format!("{name}(…)"), at),
    }
}

/// `security_manager.find_user(username=…)`: who asks is the only one that is known.
fn find_user(interp: &mut Interp<'_>, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let user = interp.ambient.get("flask.g.user").cloned().unwrap_or(Value::None);
    let Value::Record(record) = &user else {
        return interp.unknown("a user other than who asks", at);
    };
    for (place, name) in [(0, "username"), (1, "email")] {
        if let Some(wanted) = arguments.get(place, name).filter(|v| !matches!(v, Value::None)) {
            let own = record.attributes.lock().get(name).cloned();
            if !own.is_some_and(|own| own.equals(wanted)) {
                return interp.unknown("a user other than who asks", at);
            }
        }
    }
    Ok(user.clone())
}

/// What becomes of an unknown value does not matter to these.
fn takes_anything(name: &str) -> bool {
    matches!(name, "print" | "isinstance" | "hasattr" | "getattr" | "setattr" | "type" | "callable" | "id")
        || ["logging.", "os.", "functools.", "warnings.", "typing.", "dataclasses."]
            .iter()
            .any(|p| name.starts_with(p))
}

/// `str.lower(text)`, `dict.fromkeys(names)`.
fn type_method(
    interp: &mut Interp<'_>,
    kind: &str,
    method: &str,
    mut arguments: Arguments,
    at: TextSize,
) -> Done<Value> {
    match (kind, method) {
        ("dict", "fromkeys") => {
            let names = arguments.positional.first().cloned().unwrap_or(Value::None);
            let value = arguments.positional.get(1).cloned().unwrap_or(Value::None);
            let names = interp.iterate(&names, at)?;
            return Ok(Value::dict(names.into_iter().map(|n| (n, value.clone()))));
        }
        ("bytes", "fromhex") => {
            let text = arguments.text(0, "string").unwrap_or_default();
            return match lib_data::from_hex(&text) {
                Some(bytes) => Ok(Value::Bytes(bytes.into())),
                None => interp.raise(Problem::safe("ValueError", "not hexadecimal digits"), at),
            };
        }
        ("str", "maketrans") => {
            let parts: Vec<Vec<Value>> =
                arguments.positional.iter().map(|a| interp.iterate(a, at)).collect::<Done<_>>()?;
            return Ok(match &parts[..] {
                [from, to] => Value::dict(from.iter().cloned().zip(to.iter().cloned())),
                [from, to, gone] => {
                    let pairs = from.iter().cloned().zip(to.iter().cloned());
                    Value::dict(pairs.chain(gone.iter().map(|g| (g.clone(), Value::None))))
                }
                _ => arguments.positional.first().cloned().unwrap_or(Value::None),
            });
        }
        _ => {}
    }
    if arguments.positional.is_empty() {
        return interp.raise(Problem::kind(format!("{kind}.{method}() needs an argument")), at);
    }
    let value = arguments.positional.remove(0);
    interp.method(&value, method, arguments, at)
}

/// A call as a statement whose loss changes nothing.
pub(super) fn is_harmless(what: &str) -> bool {
    [
        "warnings.",
        "logging.",
        "locale.",
        "faulthandler.",
        "gc.",
        "matplotlib.",
        "pandas.set_option",
        "urllib3.disable",
    ]
    .iter()
    .any(|known| what.starts_with(known))
}

/// `type(value)`.
pub(super) fn type_of(value: &Value) -> Value {
    match value {
        Value::Object(o) => Value::Class(o.class.clone()),
        other => Value::known(other.type_name()),
    }
}

/// `isinstance(value, class)`; a tuple means any.
pub(super) fn is_instance(value: &Value, class: &Value) -> bool {
    match (value, class) {
        (_, Value::Tuple(all)) => all.iter().any(|c| is_instance(value, c)),
        (Value::Object(o), Value::Class(_)) => o.class.line().iter().any(|above| above.equals(class)),
        (_, Value::Class(_)) => false,
        (_, Value::Known(name)) if super::error::is_builtin(name) => super::error::matches(value, class),
        (_, Value::Known(name)) => {
            let name = name.rsplit('.').next().unwrap_or(name);
            let own = value.type_name();
            match name {
                "object" | "Any" => true,
                "Callable" => value.is_callable(),
                "int" => matches!(value, Value::Int(_) | Value::Bool(_)),
                "Number" => value.number().is_some(),
                "date" => matches!(value, Value::Date(_) | Value::Datetime(..)),
                "frozenset" | "Set" => own == "set",
                "Mapping" | "MutableMapping" | "Dict" | "OrderedDict" => own == "dict",
                "Sequence" => matches!(own, "list" | "tuple" | "str" | "range"),
                "List" => own == "list",
                "Tuple" => own == "tuple",
                "Iterable" | "Collection" => value.len().is_some() || own == "generator",
                "Path" | "PosixPath" | "PurePath" => own == "PosixPath",
                "URL" => own == "url",
                _ => match value {
                    Value::Object(o) => o
                        .class
                        .line()
                        .iter()
                        .any(|above| matches!(above, Value::Known(n) if n.ends_with(name))),
                    _ => own == name,
                },
            }
        }
        _ => false,
    }
}

/// The text of a class of Python; other names of libraries have none that is known.
pub(super) fn text_of_known(value: &Value) -> Option<String> {
    match value {
        Value::Known(name) if builtins::NAMES.contains(&&**name) => Some(format!("<class '{name}'>")),
        _ => None,
    }
}

/// Attributes of values of built-in types.
pub(super) fn member(value: &Value, name: &str) -> Option<Value> {
    let found = lib_time::member(value, name).or_else(|| lib_os::member(value, name));
    if found.is_some() {
        return found;
    }
    match (value, name) {
        (Value::Wrapped(Wrapper::Property, inner), "setter" | "getter" | "deleter") => Some(Value::Partial(
            Arc::new((Value::known("typing.cast"), Arguments::of(vec![(**inner).clone()]))),
        )),
        (Value::Regex(r), "pattern") => Some(Value::text(r.as_str())),
        (Value::Bound(_), "__self__") => None,
        (Value::Bound(_) | Value::Partial(_), "__name__") => Some(Value::text("method")),
        (Value::Dict(_), "__dict__") | (Value::None, _) => None,
        (_, "__class__") => Some(type_of(value)),
        (_, name) if super::methods::has(value, name) => {
            Some(Value::Bound(Arc::new((value.clone(), super::value::Method::Named(name.into())))))
        }
        _ => None,
    }
}
