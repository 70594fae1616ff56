//! Caches (`flask_caching` as `superset.utils.cache_manager` configures it), kept in memory and bounded by bytes.
//!
//! `NullCache` is the default and keeps nothing. Types that need a server of their own or Python's pickle keep
//! their meaning, not their place: what they would hold is held in this process.

mod blobs;

use std::time::{Duration, Instant};

use moka::{Expiry, future};
use serde_json::Value;

use crate::config::Config;
pub use blobs::Blobs;

/// Bytes that one cache may hold unless `CACHE_THRESHOLD_BYTES` says otherwise.
const DEFAULT_BYTES: u64 = 256 << 20;

/// How one cache is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Anything but `NullCache`.
    pub enabled: bool,
    /// `CACHE_DEFAULT_TIMEOUT`, in seconds.
    pub default_timeout: Option<i64>,
    /// Upper bound.
    pub max_bytes: u64,
}

impl CacheSettings {
    /// Reads `CACHE_CONFIG`, `DATA_CACHE_CONFIG`, ….
    pub fn read(config: &Config, key: &str) -> Self {
        let map = config.get(key);
        let kind = map.get("CACHE_TYPE").and_then(Value::as_str).unwrap_or("NullCache");
        let kind = kind.rsplit('.').next().unwrap_or(kind);
        Self {
            enabled: !matches!(kind, "NullCache" | "null" | ""),
            default_timeout: map.get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64),
            max_bytes: map.get("CACHE_THRESHOLD_BYTES").and_then(Value::as_u64).unwrap_or(DEFAULT_BYTES),
        }
    }
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    bytes: u32,
    /// None: never expires.
    lifetime: Option<Duration>,
}

struct Lifetimes;

impl<V> Expiry<String, Entry<V>> for Lifetimes {
    fn expire_after_create(&self, _: &String, entry: &Entry<V>, _: Instant) -> Option<Duration> {
        entry.lifetime
    }
    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        entry.lifetime
    }
}

/// A cache of values that are cheap to clone.
pub struct Cache<V: Clone + Send + Sync + 'static> {
    entries: Option<future::Cache<String, Entry<V>>>,
}

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// An empty cache; a disabled one stays empty.
    pub fn new(settings: &CacheSettings) -> Self {
        let build = || {
            future::Cache::builder()
                .max_capacity(settings.max_bytes)
                .weigher(|_, entry: &Entry<V>| entry.bytes)
                .expire_after(Lifetimes)
                .build()
        };
        Self { entries: settings.enabled.then(build) }
    }

    /// Whether it keeps anything.
    pub fn is_enabled(&self) -> bool {
        self.entries.is_some()
    }

    /// A value that has not expired.
    pub async fn get(&self, key: &str) -> Option<V> {
        Some(self.entries.as_ref()?.get(key).await?.value)
    }

    /// Keeps a value of about `bytes` for `seconds`; 0 is for ever, as in flask_caching, and negative is not at all.
    pub async fn insert(&self, key: String, value: V, bytes: usize, seconds: i64) {
        let Some(entries) = &self.entries else { return };
        let Ok(seconds) = u64::try_from(seconds) else { return };
        let lifetime = (seconds > 0).then(|| Duration::from_secs(seconds));
        let bytes = u32::try_from(bytes + key.len()).unwrap_or(u32::MAX);
        entries.insert(key, Entry { value, bytes, lifetime }).await;
    }

    /// Forgets a value.
    pub async fn remove(&self, key: &str) {
        if let Some(entries) = &self.entries {
            entries.invalidate(key).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(enabled: bool) -> CacheSettings {
        CacheSettings { enabled, default_timeout: None, max_bytes: 1000 }
    }

    #[tokio::test]
    async fn null_keeps_nothing() {
        let cache = Cache::new(&settings(false));
        cache.insert("a".into(), 1, 10, 60).await;
        assert_eq!(cache.get("a").await, None);
    }

    #[tokio::test]
    async fn values_live_their_time() {
        let cache = Cache::new(&settings(true));
        cache.insert("a".into(), 1, 10, 60).await;
        cache.insert("b".into(), 2, 10, 0).await;
        cache.insert("c".into(), 3, 10, -1).await;
        cache.insert("d".into(), 4, 10_000, 60).await;
        if let Some(entries) = &cache.entries {
            entries.run_pending_tasks().await;
        }
        assert_eq!(cache.get("a").await, Some(1));
        assert_eq!(cache.get("b").await, Some(2));
        assert_eq!(cache.get("c").await, None);
        assert_eq!(cache.get("d").await, None, "larger than the cache");
        cache.remove("a").await;
        assert_eq!(cache.get("a").await, None);
    }
}
