//! The functions and methods that a configuration may call.

use std::collections::HashMap;

use super::value::Py;

/// Functions that need no import.
pub(super) fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "int"
            | "float"
            | "str"
            | "bool"
            | "list"
            | "tuple"
            | "set"
            | "frozenset"
            | "dict"
            | "len"
            | "sorted"
            | "min"
            | "max"
    )
}

/// A module's attribute that is a plain value; anything else stays a known name.
pub(super) fn constant(name: &str) -> Py {
    match name {
        "os.sep" | "os.path.sep" => Py::Str("/".into()),
        "logging.DEBUG" => Py::Str("DEBUG".into()),
        "logging.INFO" => Py::Str("INFO".into()),
        "logging.WARNING" => Py::Str("WARNING".into()),
        "logging.ERROR" => Py::Str("ERROR".into()),
        "flask_appbuilder.security.manager.AUTH_DB" | "AUTH_DB" => Py::Int(1),
        other => Py::Known(other.to_owned()),
    }
}

fn unreadable(name: &str) -> Py {
    Py::Unknown(format!("{name}(…)"))
}

/// A call of a function by its dotted name.
pub(super) fn function(
    name: &str,
    args: &[Py],
    keywords: &[(String, Py)],
    environment: &HashMap<String, String>,
) -> Py {
    let unknown = args.iter().chain(keywords.iter().map(|(_, v)| v)).find_map(Py::unknown);
    // A function over something unknown is unknown; naming the inner cause helps more than naming the function.
    if let Some(why) = unknown
        && !name.starts_with("os.")
    {
        return Py::Unknown(why.to_owned());
    }
    let named = |key: &str| keywords.iter().find(|(k, _)| k == key).map(|(_, v)| v);
    match name {
        "os.getenv" | "os.environ.get" => {
            let Some(Py::Str(key)) = args.first() else { return unreadable(name) };
            match environment.get(key) {
                Some(v) => Py::Str(v.clone()),
                None => args.get(1).or_else(|| named("default")).cloned().unwrap_or(Py::None),
            }
        }
        "os.path.join" => {
            let mut path = std::path::PathBuf::new();
            for arg in args {
                let Py::Str(part) = arg else { return unreadable(name) };
                path.push(part);
            }
            Py::Str(path.to_string_lossy().into_owned())
        }
        "os.path.expanduser" => match args {
            [Py::Str(path)] => match (path.strip_prefix('~'), environment.get("HOME")) {
                (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                    Py::Str(format!("{home}{rest}"))
                }
                _ => Py::Str(path.clone()),
            },
            _ => unreadable(name),
        },
        "datetime.timedelta" | "datetime.datetime.timedelta" => {
            timedelta(args, keywords).unwrap_or_else(|| unreadable(name))
        }
        "celery.schedules.crontab" => crontab(args, keywords),
        _ if CACHES.iter().any(|(module, ..)| name.starts_with(module)) => {
            cache(name, args, keywords).unwrap_or_else(|| unreadable(name))
        }
        "int" => match args {
            [Py::Str(s)] => s.trim().replace('_', "").parse().map_or_else(|_| unreadable(name), Py::Int),
            [v] => v.number().map_or_else(|| unreadable(name), |n| Py::Int(n as i64)),
            _ => unreadable(name),
        },
        "float" => match args {
            [Py::Str(s)] => s.trim().parse().map_or_else(|_| unreadable(name), Py::Float),
            [v] => v.number().map_or_else(|| unreadable(name), Py::Float),
            _ => unreadable(name),
        },
        "str" => args.first().map_or(Py::Str(String::new()), |v| Py::Str(v.text())),
        "bool" => Py::Bool(args.first().is_some_and(Py::truthy)),
        "len" => {
            args.first().and_then(Py::iter).map_or_else(|| unreadable(name), |v| Py::Int(v.len() as i64))
        }
        "list" => collection(args, name, Py::List),
        "tuple" => collection(args, name, Py::Tuple),
        "set" | "frozenset" => collection(args, name, Py::Set),
        "dict" => {
            let mut dict = Py::Dict(Vec::new());
            if let Some(Py::Dict(items)) = args.first() {
                dict = Py::Dict(items.clone());
            }
            for (k, v) in keywords {
                dict.set_item(Py::Str(k.clone()), v.clone());
            }
            dict
        }
        _ => unreadable(name),
    }
}

/// Classes of caches by their modules, their kind, and their arguments in order with the keys that flask_caching has for
/// them: `RESULTS_BACKEND` is the object, the other caches are dictionaries.
const CACHES: &[(&str, &str, Arguments)] = &[
    ("cachelib.redis.RedisCache", "RedisCache", REDIS),
    ("cachelib.RedisCache", "RedisCache", REDIS),
    ("flask_caching.backends.RedisCache", "RedisCache", REDIS),
    ("flask_caching.backends.rediscache.RedisCache", "RedisCache", REDIS),
    ("cachelib.file.FileSystemCache", "FileSystemCache", FILES),
    ("cachelib.FileSystemCache", "FileSystemCache", FILES),
    ("flask_caching.backends.FileSystemCache", "FileSystemCache", FILES),
    ("flask_caching.backends.filesystemcache.FileSystemCache", "FileSystemCache", FILES),
];
/// Arguments of a class in their order, with their keys.
type Arguments = &'static [(&'static str, &'static str)];

const REDIS: Arguments = &[
    ("host", "CACHE_REDIS_HOST"),
    ("port", "CACHE_REDIS_PORT"),
    ("password", "CACHE_REDIS_PASSWORD"),
    ("db", "CACHE_REDIS_DB"),
    ("default_timeout", "CACHE_DEFAULT_TIMEOUT"),
    ("key_prefix", "CACHE_KEY_PREFIX"),
    ("username", "CACHE_REDIS_USER"),
    ("ssl", "CACHE_REDIS_SSL"),
];
const FILES: Arguments = &[
    ("cache_dir", "CACHE_DIR"),
    ("threshold", "CACHE_THRESHOLD"),
    ("default_timeout", "CACHE_DEFAULT_TIMEOUT"),
];

/// A cache as the dictionary that describes it.
fn cache(name: &str, args: &[Py], keywords: &[(String, Py)]) -> Option<Py> {
    let (_, kind, known) = CACHES.iter().find(|(class, ..)| *class == name)?;
    let mut found = Py::Dict(Vec::new());
    found.set_item(Py::Str("CACHE_TYPE".to_owned()), Py::Str((*kind).to_owned()));
    let positional = known.iter().zip(args).map(|((_, key), value)| (*key, value));
    let named = keywords.iter().filter_map(|(k, v)| Some((known.iter().find(|(n, _)| n == k)?.1, v)));
    for (key, value) in positional.chain(named) {
        found.set_item(Py::Str(key.to_owned()), value.clone());
    }
    Some(found)
}

fn collection(args: &[Py], name: &str, make: impl Fn(Vec<Py>) -> Py) -> Py {
    match args {
        [] => make(Vec::new()),
        [one] => one.iter().map_or_else(|| unreadable(name), make),
        _ => unreadable(name),
    }
}

fn timedelta(args: &[Py], keywords: &[(String, Py)]) -> Option<Py> {
    let units = [
        ("days", 86400.0),
        ("seconds", 1.0),
        ("microseconds", 1e-6),
        ("milliseconds", 1e-3),
        ("minutes", 60.0),
        ("hours", 3600.0),
        ("weeks", 604_800.0),
    ];
    let mut seconds = 0.0;
    for (value, (_, unit)) in args.iter().zip(units) {
        seconds += value.number()? * unit;
    }
    for (key, value) in keywords {
        seconds += value.number()? * units.iter().find(|(name, _)| name == key)?.1;
    }
    Some(Py::Timedelta(seconds))
}

/// Celery's crontab: minute, hour, day of week, day of month, month of year, each `*` when not given.
fn crontab(args: &[Py], keywords: &[(String, Py)]) -> Py {
    let names = ["minute", "hour", "day_of_week", "day_of_month", "month_of_year"];
    let mut fields = ["*", "*", "*", "*", "*"].map(str::to_owned);
    for (i, field) in fields.iter_mut().enumerate() {
        let named = keywords.iter().find(|(k, _)| k == names[i]).map(|(_, v)| v);
        if let Some(v) = args.get(i).or(named) {
            *field = v.text();
        }
    }
    Py::Crontab(fields)
}

/// A method of a value.
pub(super) fn method(value: &Py, name: &str, args: &[Py], keywords: &[(String, Py)]) -> Py {
    let text = |i: usize| match args.get(i) {
        Some(Py::Str(s)) => Some(s.as_str()),
        _ => None,
    };
    let list = |parts: Vec<&str>| Py::List(parts.into_iter().map(|p| Py::Str(p.to_owned())).collect());
    let done = match (value, name, args.len()) {
        (Py::Str(s), "lower", 0) => Some(Py::Str(s.to_lowercase())),
        (Py::Str(s), "upper", 0) => Some(Py::Str(s.to_uppercase())),
        (Py::Str(s), "strip", 0) => Some(Py::Str(s.trim().to_owned())),
        (Py::Str(s), "rstrip", 1) => {
            text(0).map(|t| Py::Str(s.trim_end_matches(|c| t.contains(c)).to_owned()))
        }
        (Py::Str(s), "lstrip", 1) => {
            text(0).map(|t| Py::Str(s.trim_start_matches(|c| t.contains(c)).to_owned()))
        }
        (Py::Str(s), "split", 0) => Some(list(s.split_whitespace().collect())),
        (Py::Str(s), "split", 1) => text(0).filter(|t| !t.is_empty()).map(|t| list(s.split(t).collect())),
        (Py::Str(s), "replace", 2) => text(0).zip(text(1)).map(|(a, b)| Py::Str(s.replace(a, b))),
        (Py::Str(s), "startswith", 1) => text(0).map(|t| Py::Bool(s.starts_with(t))),
        (Py::Str(s), "endswith", 1) => text(0).map(|t| Py::Bool(s.ends_with(t))),
        (Py::Str(s), "encode", _) => Some(Py::Bytes(s.clone().into_bytes())),
        (Py::Bytes(b), "decode", _) => String::from_utf8(b.clone()).ok().map(Py::Str),
        (Py::Str(s), "join", 1) => {
            args[0].iter().map(|parts| Py::Str(parts.iter().map(Py::text).collect::<Vec<_>>().join(s)))
        }
        (Py::Str(s), "format", _) => brace_format(s, args, keywords).map(Py::Str),
        (Py::Dict(_), "get", 1 | 2) => {
            Some(value.item(&args[0]).unwrap_or_else(|| args.get(1).cloned().unwrap_or(Py::None)))
        }
        (Py::Dict(d), "keys", 0) => Some(Py::List(d.iter().map(|(k, _)| k.clone()).collect())),
        (Py::Dict(d), "values", 0) => Some(Py::List(d.iter().map(|(_, v)| v.clone()).collect())),
        (Py::Dict(d), "items", 0) => {
            Some(Py::List(d.iter().map(|(k, v)| Py::Tuple(vec![k.clone(), v.clone()])).collect()))
        }
        (Py::Dict(_) | Py::List(_) | Py::Set(_), "copy", 0) => Some(value.clone()),
        (Py::Set(a), "union", 1) => args[0].iter().map(|b| {
            let mut merged = a.clone();
            merged.extend(b.into_iter().filter(|v| !a.contains(v)));
            Py::Set(merged)
        }),
        (Py::Timedelta(s), "total_seconds", 0) => Some(Py::Float(*s)),
        _ => None,
    };
    done.unwrap_or_else(|| unreadable(&format!("{}.{name}", value.repr())))
}

/// A method that changes a container in place; `None` when it is not one.
pub(super) fn mutate(place: &mut Py, name: &str, args: &[Py], keywords: &[(String, Py)]) -> Option<bool> {
    match (place, name, args) {
        (place @ Py::Dict(_), "update", _) => {
            if let Some(Py::Dict(other)) = args.first() {
                for (k, v) in other {
                    place.set_item(k.clone(), v.clone());
                }
            }
            for (k, v) in keywords {
                place.set_item(Py::Str(k.clone()), v.clone());
            }
            Some(args.iter().all(|a| matches!(a, Py::Dict(_))))
        }
        (Py::Dict(d), "pop", [key] | [key, _]) => {
            d.retain(|(k, _)| k != key);
            Some(true)
        }
        (place @ Py::Dict(_), "setdefault", [key, value]) => {
            if place.item(key).is_none() {
                place.set_item(key.clone(), value.clone());
            }
            Some(true)
        }
        (Py::List(v), "append", [value]) => {
            v.push(value.clone());
            Some(true)
        }
        (Py::List(v), "extend", [other]) => {
            v.extend(other.iter()?);
            Some(true)
        }
        (Py::Set(v), "add", [value]) => {
            if !v.contains(value) {
                v.push(value.clone());
            }
            Some(true)
        }
        (Py::Set(v), "discard" | "remove", [value]) => {
            v.retain(|x| x != value);
            Some(true)
        }
        _ => None,
    }
}

/// `"%s and %d" % values`.
pub(super) fn percent_format(template: &str, values: &Py) -> Option<String> {
    let values = match values {
        Py::Tuple(v) => v.clone(),
        other => vec![other.clone()],
    };
    let (mut out, mut next, mut chars) = (String::new(), values.iter(), template.chars());
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            '%' => out.push('%'),
            's' | 'd' | 'i' => out.push_str(&next.next()?.text()),
            'r' => out.push_str(&next.next()?.repr()),
            _ => return None,
        }
    }
    next.next().is_none().then_some(out)
}

/// `"{} {0} {name}".format(…)`, without format specifications.
fn brace_format(template: &str, args: &[Py], keywords: &[(String, Py)]) -> Option<String> {
    let (mut out, mut auto, mut rest) = (String::new(), 0, template);
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return None;
        }
        let (field, after) = rest.split_once('}')?;
        rest = after;
        let value = if field.is_empty() {
            auto += 1;
            args.get(auto - 1)
        } else if let Ok(index) = field.parse::<usize>() {
            args.get(index)
        } else {
            keywords.iter().find(|(k, _)| k == field).map(|(_, v)| v)
        };
        out.push_str(&value?.text());
    }
    out.push_str(rest);
    Some(out)
}
