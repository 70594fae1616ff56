//! `SQLALCHEMY_ENGINE_OPTIONS` of the metadata database.

use std::time::Duration;

use indexmap::IndexMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Config;
use crate::db::{DbUri, PoolOptions};

/// Connections where nothing is said.
const SIZE: usize = 8;
/// More are not held, whatever is said.
const MOST: u64 = 200;

/// Options that are taken over, `isolation_level` as long as it is the one that there is.
const KNOWN: &[&str] = &[
    "connect_args",
    "isolation_level",
    "max_overflow",
    "pool_pre_ping",
    "pool_recycle",
    "pool_size",
    "pool_timeout",
];

/// The pool (`sqlalchemy.pool:QueuePool`): as large as `pool_size` and `max_overflow` allow together.
pub fn pool_options(config: &Config) -> PoolOptions {
    let options = config.get("SQLALCHEMY_ENGINE_OPTIONS");
    let seconds = |key: &str| options.get(key).and_then(Value::as_f64).filter(|s| *s >= 0.0);
    let number = |key: &str| options.get(key).and_then(Value::as_i64);
    let size = match (number("pool_size"), number("max_overflow")) {
        (None, None) => SIZE,
        // no bound
        (Some(0), _) | (_, Some(..0)) => usize::try_from(MOST).unwrap_or(SIZE),
        (size, more) => {
            let sum = size.unwrap_or(5).saturating_add(more.unwrap_or(10)).unsigned_abs();
            usize::try_from(sum.min(MOST)).unwrap_or(SIZE)
        }
    };
    PoolOptions {
        size,
        wait: seconds("pool_timeout").map(|s| Duration::from_secs_f64(s.min(3600.0))),
        max_age: seconds("pool_recycle").map(|s| Duration::from_secs_f64(s.min(1e9))),
        ping: options.get("pool_pre_ping").is_some_and(crate::json::truthy),
    }
}

/// Puts `connect_args` into the connection string, where the drivers look for them. What the string has itself stays.
pub(super) fn apply(values: &mut IndexMap<String, Value>) {
    let Some(arguments) =
        values.get("SQLALCHEMY_ENGINE_OPTIONS").and_then(|o| o.get("connect_args")?.as_object())
    else {
        return;
    };
    let Some(uri) = values.get("SQLALCHEMY_DATABASE_URI").and_then(Value::as_str) else { return };
    // a file has no server to say anything to
    if matches!(uri.parse(), Ok(DbUri::Sqlite { .. })) {
        return;
    }
    let has = |key: &str| {
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|pair| pair.split('=').next() == Some(key))
    };
    let mut added = Vec::new();
    let mut add = |key: &str, value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return,
        };
        if !has(key) {
            added.push(format!("{key}={}", utf8_percent_encode(&text, NON_ALPHANUMERIC)));
        }
    };
    for (key, value) in arguments {
        match value {
            Value::Object(files) if key == "ssl" => {
                files.iter().for_each(|(k, v)| add(&format!("ssl_{k}"), v))
            }
            value => add(key, value),
        }
    }
    if !added.is_empty() {
        let sign = if uri.contains('?') { '&' } else { '?' };
        let uri = format!("{uri}{sign}{}", added.join("&"));
        values.insert("SQLALCHEMY_DATABASE_URI".to_owned(), uri.into());
    }
}

/// Options that have no effect.
pub(super) fn warning(values: &IndexMap<String, Value>) -> Option<String> {
    let options = values.get("SQLALCHEMY_ENGINE_OPTIONS").and_then(Value::as_object)?;
    let is_other = |(key, value): &(&String, &Value)| match key.as_str() {
        "isolation_level" => value.as_str() != Some("READ COMMITTED"),
        key => !KNOWN.contains(&key),
    };
    let others: Vec<&str> = options.iter().filter(is_other).map(|(key, _)| key.as_str()).collect();
    (!others.is_empty())
        .then(|| format!("SQLALCHEMY_ENGINE_OPTIONS: without effect in liteset: {}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pools() {
        let of = |options: Value| {
            pool_options(&Config::with(IndexMap::from([("SQLALCHEMY_ENGINE_OPTIONS".to_owned(), options)])))
        };
        assert_eq!(of(json!({})).size, 8);
        assert_eq!(of(json!({"pool_size": 20})).size, 30);
        assert_eq!(of(json!({"pool_size": 20, "max_overflow": 0})).size, 20);
        assert_eq!((of(json!({"pool_size": 0})).size, of(json!({"pool_size": 9_000_000})).size), (200, 200));
        let all = of(json!({"pool_recycle": 1800, "pool_timeout": 5, "pool_pre_ping": true}));
        assert_eq!((all.max_age, all.wait), (Some(Duration::from_secs(1800)), Some(Duration::from_secs(5))));
        assert!(all.ping && of(json!({"pool_recycle": -1})).max_age.is_none());
    }

    #[test]
    fn arguments_go_into_the_string() {
        let with = |uri: &str, arguments: Value| {
            let options = json!({"connect_args": arguments, "echo": true, "pool_size": 3});
            let mut values = IndexMap::from([
                ("SQLALCHEMY_DATABASE_URI".to_owned(), json!(uri)),
                ("SQLALCHEMY_ENGINE_OPTIONS".to_owned(), options),
            ]);
            apply(&mut values);
            assert_eq!(
                warning(&values).unwrap(),
                "SQLALCHEMY_ENGINE_OPTIONS: without effect in liteset: echo"
            );
            values["SQLALCHEMY_DATABASE_URI"].as_str().unwrap().to_owned()
        };
        let arguments = || json!({"sslmode": "require", "connect_timeout": 3});
        assert_eq!(
            with("postgresql://h/d", arguments()),
            "postgresql://h/d?sslmode=require&connect_timeout=3"
        );
        assert_eq!(
            with("postgresql://h/d?sslmode=disable", arguments()),
            "postgresql://h/d?sslmode=disable&connect_timeout=3"
        );
        assert_eq!(with("sqlite:////x.db", arguments()), "sqlite:////x.db");
        assert_eq!(with("mysql://h/d", json!({"ssl": {"ca": "/ca.pem"}})), "mysql://h/d?ssl_ca=%2Fca%2Epem");
    }
}
