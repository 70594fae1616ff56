//! How a cache is configured (`flask_caching`, `superset.utils.cache_manager`).

use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::config::Config;

/// Bytes that one cache in memory may hold unless `CACHE_THRESHOLD_BYTES` says otherwise.
const DEFAULT_BYTES: u64 = 256 << 20;

/// Where entries are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Backend {
    /// Nowhere.
    Null,
    /// In this process.
    Memory,
    /// In Redis; the text is its address, which may hold a password.
    Redis(String),
    /// In files of a folder.
    Files(PathBuf),
    /// In the table `key_value` of the metadata database.
    Metastore,
}

/// How one cache is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// `CACHE_TYPE`.
    pub backend: Backend,
    /// `CACHE_DEFAULT_TIMEOUT`, in seconds.
    pub default_timeout: Option<i64>,
    /// `CACHE_KEY_PREFIX`.
    pub prefix: String,
    /// Values are JSON, as Superset's own `JsonKeyValueCodec` writes them; otherwise it would write pickles.
    pub json_codec: bool,
    /// Upper bound in memory.
    pub max_bytes: u64,
}

impl CacheSettings {
    /// Reads `CACHE_CONFIG`, `DATA_CACHE_CONFIG`, …. Types that need a server that liteset does not speak to keep their
    /// meaning, not their place: what they would hold is held in this process.
    pub fn read(config: &Config, key: &str) -> Self {
        let map = config.get(key);
        let text = |name: &str| map.get(name).and_then(Value::as_str);
        // the caches of the frontend's states fall back to the metadata database
        let required = matches!(key, "FILTER_STATE_CACHE_CONFIG" | "EXPLORE_FORM_DATA_CACHE_CONFIG");
        let kind =
            text("CACHE_TYPE").unwrap_or(if required { "SupersetMetastoreCache" } else { "NullCache" });
        let kind = kind.rsplit('.').next().unwrap_or(kind);
        let backend = match kind {
            "NullCache" | "null" | "" => Backend::Null,
            "SupersetMetastoreCache" => Backend::Metastore,
            "RedisCache" | "redis" | "rediscache" => Backend::Redis(redis_url(map)),
            "FileSystemCache" | "filesystem" | "filesystemcache" if text("CACHE_DIR").is_some() => {
                Backend::Files(PathBuf::from(text("CACHE_DIR").unwrap_or_default()))
            }
            "SimpleCache" | "simple" => Backend::Memory,
            other => {
                tracing::warn!(key, kind = other, "this type of cache is kept in memory");
                Backend::Memory
            }
        };
        // `CacheManager._init_cache` names the namespace after the key only where it chose the type itself
        let unnamed = if backend == Backend::Metastore { key } else { "" };
        Self {
            backend,
            default_timeout: map.get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64),
            prefix: text("CACHE_KEY_PREFIX").unwrap_or(unnamed).to_owned(),
            json_codec: map.get("CODEC").is_some(),
            max_bytes: map.get("CACHE_THRESHOLD_BYTES").and_then(Value::as_u64).unwrap_or(DEFAULT_BYTES),
        }
    }
}

/// `CACHE_REDIS_URL`, else host, port, user, password and database as a URL.
pub(crate) fn redis_url(map: &Value) -> String {
    let text = |name: &str| map.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = |name: &str| {
        let value = map.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    if let Some(url) = text("CACHE_REDIS_URL") {
        return url.to_owned();
    }
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let scheme =
        if map.get("CACHE_REDIS_SSL").and_then(Value::as_bool) == Some(true) { "rediss" } else { "redis" };
    let user = text("CACHE_REDIS_USER").map(encoded).unwrap_or_default();
    let login = text("CACHE_REDIS_PASSWORD").map(|p| format!("{user}:{}@", encoded(p))).unwrap_or_default();
    let host = text("CACHE_REDIS_HOST").unwrap_or("localhost");
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let (port, db) = (number("CACHE_REDIS_PORT").unwrap_or(6379), number("CACHE_REDIS_DB").unwrap_or(0));
    format!("{scheme}://{login}{host}:{port}/{db}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn redis_is_found_by_url_or_by_parts() {
        assert_eq!(redis_url(&json!({})), "redis://localhost:6379/0");
        assert_eq!(redis_url(&json!({"CACHE_REDIS_URL": "rediss://u:p@h:1/2"})), "rediss://u:p@h:1/2");
        let parts = json!({
            "CACHE_REDIS_HOST": "h", "CACHE_REDIS_PORT": "7", "CACHE_REDIS_DB": 3, "CACHE_REDIS_PASSWORD": "a@b",
        });
        assert_eq!(redis_url(&parts), "redis://:a%40b@h:7/3");
    }
}
