//! Where events go (`GLOBAL_ASYNC_QUERIES_CACHE_BACKEND` and its relatives).

use serde_json::{Map, Value, json};

use crate::{
    cache::{Backend, CacheSettings, redis_url},
    config::Config,
};

/// A Redis server, or those who know which one it is.
#[derive(Clone, PartialEq)]
pub(super) enum Address {
    /// `redis://…`; may hold a password.
    Url(String),
    /// `RedisSentinelCache`.
    Sentinel {
        /// Host and port of each sentinel.
        sentinels: Vec<(String, u16)>,
        /// Their password.
        password: Option<String>,
        /// The name of the master.
        master: String,
        /// The map that describes the master itself, apart from its host and port.
        server: Map<String, Value>,
    },
}

/// Files with certificates (`CACHE_REDIS_SSL_…`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Certificates {
    /// Who signs the server's.
    pub authorities: Option<String>,
    /// Our own and its key.
    pub own: Option<(String, String)>,
}

/// A server and how its connections are secured.
#[derive(Clone, PartialEq)]
pub(super) struct Server {
    pub address: Address,
    pub certificates: Certificates,
}

/// The place of events.
#[derive(Clone, PartialEq)]
pub(super) enum Place {
    /// This process.
    Memory,
    /// A server that other processes reach, too.
    Redis(Box<Server>),
}

/// How events are kept.
#[derive(Clone, PartialEq)]
pub struct Settings {
    pub(super) place: Place,
    /// `GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX`.
    pub(super) prefix: String,
    /// Events that a channel keeps.
    pub(super) limit: usize,
    /// Events that the stream of all keeps.
    pub(super) limit_all: usize,
}

impl Settings {
    /// As configured. Without a word about it events are kept where results are: a process that keeps its results to
    /// itself needs no Redis to tell others of them.
    pub fn read(config: &Config) -> Result<Self, String> {
        let count = |key: &str, default: usize| {
            config.int(key).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(default)
        };
        Ok(Self {
            place: place(config)?,
            prefix: config.str("GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX").to_owned(),
            limit: count("GLOBAL_ASYNC_QUERIES_REDIS_STREAM_LIMIT", 1_000),
            limit_all: count("GLOBAL_ASYNC_QUERIES_REDIS_STREAM_LIMIT_FIREHOSE", 1_000_000),
        })
    }

    /// Events never leave this process.
    pub fn in_memory() -> Self {
        Self { place: Place::Memory, prefix: String::new(), limit: 1_000, limit_all: 1_000_000 }
    }
}

const BACKEND: &str = "GLOBAL_ASYNC_QUERIES_CACHE_BACKEND";
/// Its name before Superset 4.1.
const OLD_BACKEND: &str = "GLOBAL_ASYNC_QUERIES_REDIS_CONFIG";

fn place(config: &Config) -> Result<Place, String> {
    let map = config.get(BACKEND);
    let is_default = Some(map) == Config::defaults().get(BACKEND);
    if let (true, Value::Object(old)) = (is_default, config.get(OLD_BACKEND)) {
        return Ok(redis(Address::Url(redis_url(&of_old(old))), Certificates::default()));
    }
    if is_default && keeps_results_to_itself(config) {
        return Ok(Place::Memory);
    }
    let kind = map.get("CACHE_TYPE").and_then(Value::as_str).unwrap_or_default();
    match kind.rsplit('.').next().unwrap_or_default() {
        "RedisCache" => Ok(redis(Address::Url(redis_url(map)), certificates(map)?)),
        "RedisSentinelCache" => Ok(redis(sentinel(map), certificates(map)?)),
        "SimpleCache" => Ok(Place::Memory),
        other => Err(format!(
            "{BACKEND}: CACHE_TYPE is {other:?}; it must be RedisCache, RedisSentinelCache, or SimpleCache, which \
             keeps events in the one process that there is"
        )),
    }
}

fn redis(address: Address, certificates: Certificates) -> Place {
    Place::Redis(Box::new(Server { address, certificates }))
}

fn keeps_results_to_itself(config: &Config) -> bool {
    let keys = ["CACHE_CONFIG", "DATA_CACHE_CONFIG"];
    keys.into_iter().any(|key| matches!(CacheSettings::read(config, key).backend, Backend::Memory))
}

/// `{"host", "port", "db", "password", "ssl"}` under the names of today.
fn of_old(old: &Map<String, Value>) -> Value {
    let names = [
        ("host", "CACHE_REDIS_HOST"),
        ("port", "CACHE_REDIS_PORT"),
        ("db", "CACHE_REDIS_DB"),
        ("username", "CACHE_REDIS_USER"),
        ("password", "CACHE_REDIS_PASSWORD"),
        ("ssl", "CACHE_REDIS_SSL"),
    ];
    names
        .into_iter()
        .filter_map(|(old_name, name)| Some((name.to_owned(), old.get(old_name)?.clone())))
        .collect()
}

fn sentinel(map: &Value) -> Address {
    let text = |name: &str| map.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let listed = map.get("CACHE_REDIS_SENTINELS").and_then(Value::as_array);
    let pair = |entry: &Value| {
        let port = entry.get(1)?.as_u64().and_then(|port| u16::try_from(port).ok())?;
        Some((entry.get(0)?.as_str()?.to_owned(), port))
    };
    Address::Sentinel {
        sentinels: listed.into_iter().flatten().filter_map(pair).collect(),
        password: text("CACHE_REDIS_SENTINEL_PASSWORD").map(str::to_owned),
        master: text("CACHE_REDIS_SENTINEL_MASTER").unwrap_or("mymaster").to_owned(),
        server: map.as_object().cloned().unwrap_or_default(),
    }
}

impl Address {
    /// The URL of a master that a sentinel has named.
    pub(super) fn of_master(server: &Map<String, Value>, host: &str, port: u16) -> String {
        let mut server = server.clone();
        server.shift_remove("CACHE_REDIS_URL");
        server.insert("CACHE_REDIS_HOST".to_owned(), json!(host));
        server.insert("CACHE_REDIS_PORT".to_owned(), json!(port));
        redis_url(&Value::Object(server))
    }
}

fn certificates(map: &Value) -> Result<Certificates, String> {
    if map.get("CACHE_REDIS_SSL").and_then(Value::as_bool) != Some(true) {
        return Ok(Certificates::default());
    }
    let file =
        |name: &str| map.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    if map.get("CACHE_REDIS_SSL_CERT_REQS").and_then(Value::as_str).is_some_and(|wanted| wanted != "required")
    {
        return Err(format!(
            "{BACKEND}: CACHE_REDIS_SSL_CERT_REQS must be required; name who signed the server's certificate with \
             CACHE_REDIS_SSL_CA_CERTS"
        ));
    }
    let own = match (file("CACHE_REDIS_SSL_CERTFILE"), file("CACHE_REDIS_SSL_KEYFILE")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            return Err(format!(
                "{BACKEND}: CACHE_REDIS_SSL_CERTFILE and CACHE_REDIS_SSL_KEYFILE belong together"
            ));
        }
    };
    Ok(Certificates { authorities: file("CACHE_REDIS_SSL_CA_CERTS"), own })
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn read(keys: &[(&str, Value)]) -> Result<Settings, String> {
        let keys: IndexMap<_, _> = keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        Settings::read(&Config::with(keys))
    }

    fn server(settings: Settings) -> Option<Server> {
        match settings.place {
            Place::Redis(server) => Some(*server),
            Place::Memory => None,
        }
    }

    fn url(settings: Settings) -> String {
        match server(settings).map(|server| server.address) {
            Some(Address::Url(url)) => url,
            Some(Address::Sentinel { .. }) => "sentinel".to_owned(),
            None => "memory".to_owned(),
        }
    }

    #[test]
    fn events_are_where_results_are_unless_somebody_says_otherwise() {
        let simple = ("DATA_CACHE_CONFIG", json!({"CACHE_TYPE": "SimpleCache"}));
        assert_eq!(url(read(&[]).unwrap()), "redis://localhost:6379/0");
        assert_eq!(url(read(std::slice::from_ref(&simple)).unwrap()), "memory");
        let redis =
            (BACKEND, json!({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "r", "CACHE_REDIS_DB": 3}));
        assert_eq!(url(read(&[simple.clone(), redis]).unwrap()), "redis://r:6379/3");
        let old = (OLD_BACKEND, json!({"host": "old", "port": 7, "db": 1, "password": "p", "ssl": false}));
        assert_eq!(url(read(&[simple, old]).unwrap()), "redis://:p@old:7/1");
        assert_eq!(url(read(&[(BACKEND, json!({"CACHE_TYPE": "SimpleCache"}))]).unwrap()), "memory");
        assert!(
            read(&[(BACKEND, json!({"CACHE_TYPE": "MemcachedCache"}))]).err().unwrap().contains("Memcached")
        );
    }

    #[test]
    fn sentinels_name_the_master() {
        let map = json!({
            "CACHE_TYPE": "RedisSentinelCache", "CACHE_REDIS_SENTINELS": [["s1", 26379], ["s2", 26380]],
            "CACHE_REDIS_SENTINEL_MASTER": "m", "CACHE_REDIS_PASSWORD": "p", "CACHE_REDIS_DB": 2,
        });
        let found = server(read(&[(BACKEND, map)]).unwrap()).unwrap().address;
        let Address::Sentinel { sentinels, master, server, .. } = found else { panic!("no sentinels") };
        assert_eq!(sentinels, [("s1".to_owned(), 26379), ("s2".to_owned(), 26380)]);
        assert_eq!(master, "m");
        assert_eq!(Address::of_master(&server, "10.0.0.1", 6380), "redis://:p@10.0.0.1:6380/2");
    }

    #[test]
    fn certificates_are_always_checked() {
        let with = |more: Value| {
            let mut map = json!({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_SSL": true});
            map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(&[(BACKEND, map)])
        };
        assert!(with(json!({"CACHE_REDIS_SSL_CERT_REQS": "none"})).is_err());
        assert!(with(json!({"CACHE_REDIS_SSL_CERTFILE": "/a"})).is_err());
        let Server { address, certificates: found } =
            server(with(json!({"CACHE_REDIS_SSL_CA_CERTS": "/ca"})).unwrap()).unwrap();
        assert!(matches!(address, Address::Url(url) if url == "rediss://localhost:6379/0"));
        assert_eq!(found, Certificates { authorities: Some("/ca".into()), own: None });
    }
}
