//! What files take from Superset, Flask-AppBuilder, Celery, the cache libraries and SQLAlchemy.

use std::sync::Arc;

use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    interp::Interp,
    records,
    value::{Arguments, Value},
};

/// The constants of `flask_appbuilder.const` that name ways to log in.
fn auth_type(name: &str) -> Option<i128> {
    Some(match name {
        "AUTH_OID" => 0,
        "AUTH_DB" => 1,
        "AUTH_LDAP" => 2,
        "AUTH_REMOTE_USER" => 3,
        "AUTH_OAUTH" => 4,
        "AUTH_SAML" => 5,
        _ => return None,
    })
}

pub(super) fn constant(name: &str) -> Option<Value> {
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.starts_with("flask_appbuilder.")
        && let Some(kind) = auth_type(last)
    {
        return Some(Value::Int(kind));
    }
    if name.contains(".ExecutorType.") {
        return Some(Value::text(last.to_lowercase()));
    }
    Some(match name {
        "superset.constants.EMPTY_STRING" => Value::text("<empty string>"),
        "superset.constants.NULL_STRING" => Value::text("<NULL>"),
        "superset.constants.CHANGE_ME_SECRET_KEY" => Value::text("CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET"),
        "superset.constants.CACHE_DISABLED_TIMEOUT" => Value::Int(-1),
        _ => return None,
    })
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let last = name.rsplit('.').next().unwrap_or_default();
    Some(Ok(match name {
        "celery.schedules.crontab" => crontab(arguments),
        // a schedule of a fixed distance
        "celery.schedules.schedule" => arguments.get(0, "run_every")?.clone(),
        _ if last == "FixedExecutor" => match arguments.get(0, "username") {
            Some(name @ Value::Str(_)) => Value::dict([(Value::text("username"), name.clone())]),
            _ => return Some(interp.raise(Problem::kind("FixedExecutor() needs a name"), at)),
        },
        "superset.utils.core.parse_boolean_string" => {
            let text = arguments.positional.first().map(Value::to_text).unwrap_or_default();
            Value::Bool(matches!(&*text.trim().to_lowercase(), "y" | "yes" | "true" | "t" | "on" | "1"))
        }
        "sqlalchemy.engine.url.URL.create"
        | "sqlalchemy.engine.URL.create"
        | "sqlalchemy.URL.create"
        | "sqlalchemy.engine.url.URL"
        | "sqlalchemy.engine.URL"
        | "sqlalchemy.URL" => records::url(arguments),
        "sqlalchemy.engine.url.make_url"
        | "sqlalchemy.engine.make_url"
        | "sqlalchemy.make_url"
        | "superset.databases.utils.make_url_safe" => {
            match arguments.get(0, "name_or_url").or(arguments.positional.first())? {
                Value::Str(text) => records::parse(text),
                other => other.clone(),
            }
        }
        // marks a text for translation; the frontend has the translations
        "flask_babel.gettext" | "flask_babel.lazy_gettext" => {
            let text = arguments.positional.first()?.clone();
            if arguments.named.is_empty() {
                text
            } else {
                let values = Value::dict(arguments.named.iter().map(|(k, v)| (Value::text(k), v.clone())));
                let made = super::format::percent(&text.to_text(), &values);
                return Some(interp.or_raise(made, at).map(Value::text));
            }
        }
        "superset.stats_logger.StatsdStatsLogger" | "superset.stats_logger.DummyStatsLogger" => {
            return stats_logger(last, arguments).map(Ok);
        }
        // what liteset does of itself: as good as not set
        "superset.utils.log.DBEventLogger" => Value::None,
        _ => return cache(name, last, arguments).map(Ok),
    }))
}

/// A logger of counters as the dictionary that describes it; none that is given a client of its own.
fn stats_logger(class: &str, arguments: &Arguments) -> Option<Value> {
    let names = ["host", "port", "prefix"];
    if arguments.positional.len() > names.len()
        || arguments.named.iter().any(|(name, _)| name == "statsd_client")
    {
        return None;
    }
    let mut found = vec![(Value::text("class"), Value::text(class))];
    for (i, name) in names.into_iter().enumerate() {
        if let Some(value) = arguments.get(i, name) {
            found.push((Value::text(name), value.clone()));
        }
    }
    Some(Value::dict(found))
}

/// Arguments of a class in their order, with the keys that flask_caching has for them: `RESULTS_BACKEND` is the
/// object, the other caches are dictionaries.
const REDIS: &[(&str, &str)] = &[
    ("host", "CACHE_REDIS_HOST"),
    ("port", "CACHE_REDIS_PORT"),
    ("password", "CACHE_REDIS_PASSWORD"),
    ("db", "CACHE_REDIS_DB"),
    ("default_timeout", "CACHE_DEFAULT_TIMEOUT"),
    ("key_prefix", "CACHE_KEY_PREFIX"),
    ("username", "CACHE_REDIS_USER"),
    ("ssl", "CACHE_REDIS_SSL"),
];
const FILES: &[(&str, &str)] = &[
    ("cache_dir", "CACHE_DIR"),
    ("threshold", "CACHE_THRESHOLD"),
    ("default_timeout", "CACHE_DEFAULT_TIMEOUT"),
];

/// A cache as the dictionary that describes it.
fn cache(name: &str, class: &str, arguments: &Arguments) -> Option<Value> {
    if !name.starts_with("cachelib.")
        && !name.starts_with("flask_caching.")
        && !name.starts_with("werkzeug.contrib.cache.")
    {
        return None;
    }
    let (kind, known) = match class {
        "RedisCache" => ("RedisCache", REDIS),
        "FileSystemCache" => ("FileSystemCache", FILES),
        "SimpleCache" => (
            "SimpleCache",
            &[("threshold", "CACHE_THRESHOLD"), ("default_timeout", "CACHE_DEFAULT_TIMEOUT")][..],
        ),
        "NullCache" => ("NullCache", &[][..]),
        _ => return None,
    };
    let mut found = vec![(Value::text("CACHE_TYPE"), Value::text(kind))];
    let positional = known.iter().zip(&arguments.positional).map(|((_, key), value)| (*key, value));
    let named = arguments.named.iter().filter_map(|(k, v)| Some((known.iter().find(|(n, _)| n == k)?.1, v)));
    for (key, value) in positional.chain(named) {
        found.push((Value::text(key), value.clone()));
    }
    Some(Value::dict(found))
}

/// Celery's crontab: minute, hour, day of week, day of month, month of year, each `*` when not given.
fn crontab(arguments: &Arguments) -> Value {
    let names = ["minute", "hour", "day_of_week", "day_of_month", "month_of_year"];
    let mut fields = ["*", "*", "*", "*", "*"].map(str::to_owned);
    for (i, field) in fields.iter_mut().enumerate() {
        match arguments.get(i, names[i]) {
            // a set of numbers
            Some(Value::List(all)) => {
                *field = all.lock().iter().map(Value::to_text).collect::<Vec<_>>().join(",");
            }
            Some(value) => *field = value.to_text(),
            None => {}
        }
    }
    Value::Crontab(Arc::new(fields))
}
