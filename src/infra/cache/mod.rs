//! Caches (`flask_caching` as `superset.utils.cache_manager` configures it): none, in memory and bounded by bytes, or
//! in a store outside this process.

mod blobs;
mod files;
pub mod pickle;
mod redis;
mod settings;
mod shared;
mod store;
mod turn;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future};

use crate::{Error, Result, telemetry};

pub use blobs::Blobs;
use files::Files;
pub use redis::Redis;
pub(crate) use settings::redis_url;
pub use settings::{Backend, CacheSettings};
use shared::SharedFiles;
pub use store::{ByteStore, Put, Stored};
pub use turn::{Held, Turn};

/// How long somebody who waits for another process pauses between two looks, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(200)];

/// From this size on, bytes are written and read where it keeps nobody waiting.
const LARGE: usize = 64 << 10;

struct Entry<V> {
    value: Arc<V>,
    bytes: u32,
    /// None: never expires.
    lifetime: Option<Duration>,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), ..*self }
    }
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

enum Place<V: Stored> {
    Nowhere,
    Memory(future::Cache<String, Entry<V>>),
    Store(Arc<dyn ByteStore>),
}

/// A cache of shared values.
pub struct Cache<V: Stored> {
    place: Place<V>,
    /// What its lookups are counted by; those of one without a name are not.
    name: Option<&'static str>,
}

impl<V: Stored> Cache<V> {
    /// An empty cache in memory, a disabled one, or one in Redis. The metadata database is not known here:
    /// [`Self::in_store`] is for that.
    pub fn new(settings: &CacheSettings) -> Self {
        Self::at(match &settings.backend {
            Backend::Null | Backend::Metastore => Place::Nowhere,
            Backend::Redis(url) => Place::Store(Arc::new(Redis::new(url, &settings.prefix))),
            Backend::Files(folder) => Place::Store(Arc::new(Files::new(folder))),
            Backend::Memory => return Self::in_memory(settings.max_bytes),
        })
    }

    /// The same for values that are bytes as Superset writes them: both programs find each other's entries.
    pub fn shared(settings: &CacheSettings) -> Self {
        Self::at(match &settings.backend {
            Backend::Redis(url) => Place::Store(Arc::new(Redis::shared(url, &settings.prefix))),
            Backend::Files(folder) => Place::Store(Arc::new(SharedFiles::new(folder, settings.max_bytes))),
            Backend::Null | Backend::Metastore | Backend::Memory => return Self::new(settings),
        })
    }

    /// A cache in memory of at most so many bytes.
    pub fn in_memory(max_bytes: u64) -> Self {
        let entries = future::Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|_, entry: &Entry<V>| entry.bytes)
            .expire_after(Lifetimes)
            .build();
        Self::at(Place::Memory(entries))
    }

    /// A cache in a store.
    pub fn in_store(store: Arc<dyn ByteStore>) -> Self {
        Self::at(Place::Store(store))
    }

    fn at(place: Place<V>) -> Self {
        Self { place, name: None }
    }

    /// The same with a name, under which its lookups are counted.
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Whether it keeps anything.
    pub fn is_enabled(&self) -> bool {
        !matches!(self.place, Place::Nowhere)
    }

    /// A value that has not expired; nothing where the store failed, which the store has told.
    pub async fn get(&self, key: &str) -> Option<Arc<V>> {
        self.try_get(key).await.ok().flatten()
    }

    /// The same for values that are more than a saving: a store that failed is an error.
    pub async fn try_get(&self, key: &str) -> Result<Option<Arc<V>>> {
        let found = self.look(key).await?;
        if let Some(name) = self.name.filter(|_| self.is_enabled()) {
            telemetry::cache_asked(name, found.is_some());
        }
        Ok(found)
    }

    /// The same for who has asked a moment ago, and was counted then.
    pub async fn get_again(&self, key: &str) -> Option<Arc<V>> {
        self.look(key).await.ok().flatten()
    }

    async fn look(&self, key: &str) -> Result<Option<Arc<V>>> {
        let store = match &self.place {
            Place::Nowhere => return Ok(None),
            Place::Memory(entries) => return Ok(entries.get(key).await.map(|entry| entry.value)),
            Place::Store(store) => store,
        };
        let Some(bytes) = store.get(key).await? else { return Ok(None) };
        if bytes.len() < LARGE {
            return Ok(V::from_bytes(&bytes).map(Arc::new));
        }
        let read = tokio::task::spawn_blocking(move || V::from_bytes(&bytes)).await;
        Ok(read.map_err(Error::internal)?.map(Arc::new))
    }

    /// Waits while another process makes the value of a key. What that one made, or leave to make it, with the turn that
    /// others wait for where there can be others. A store that fails keeps nobody waiting.
    pub async fn made_or_turn(&self, key: &str) -> std::result::Result<Arc<V>, Option<Held>> {
        let Place::Store(store) = &self.place else { return Err(None) };
        loop {
            let word = match store.turn(key).await {
                Ok(Some(Turn::Ours(held))) => return Err(Some(held)),
                Ok(Some(Turn::Theirs(word))) => word,
                Ok(None) | Err(_) => return Err(None),
            };
            let mut pause = PAUSES[0];
            let made = loop {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES[1]);
                match store.outcome(key, &word).await {
                    Ok(None) => {}
                    Ok(Some(made)) => break made,
                    Err(_) => return Err(None),
                }
            };
            if made && let Some(value) = self.get_again(key).await {
                return Ok(value);
            }
        }
    }

    /// Keeps a value of about `bytes` for `seconds`; 0 is for ever, as in flask_caching, and negative is not at all.
    pub async fn insert(&self, key: String, value: Arc<V>, bytes: usize, seconds: i64) {
        let _ = self.try_insert(key, value, bytes, seconds, None).await;
    }

    /// The same, telling who writes, and whether the store took it.
    pub async fn try_insert(
        &self,
        key: String,
        value: Arc<V>,
        bytes: usize,
        seconds: i64,
        author: Option<i64>,
    ) -> Result<()> {
        let Ok(seconds) = u64::try_from(seconds) else { return Ok(()) };
        let lifetime = (seconds > 0).then(|| Duration::from_secs(seconds));
        match &self.place {
            Place::Nowhere => Ok(()),
            Place::Memory(entries) => {
                let bytes = u32::try_from(bytes + key.len()).unwrap_or(u32::MAX);
                entries.insert(key, Entry { value, bytes, lifetime }).await;
                Ok(())
            }
            Place::Store(store) => {
                let bytes = if bytes < LARGE {
                    value.to_bytes()
                } else {
                    tokio::task::spawn_blocking(move || value.to_bytes()).await.map_err(Error::internal)?
                };
                store.put(Put { key, bytes, lifetime, author }).await
            }
        }
    }

    /// Forgets a value; false when there was none.
    pub async fn remove(&self, key: &str) -> Result<bool> {
        match &self.place {
            Place::Nowhere => Ok(false),
            Place::Memory(entries) => Ok(entries.remove(key).await.is_some()),
            Place::Store(store) => store.remove(key).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cache(backend: Backend) -> Cache<Value> {
        let prefix = format!("liteset-test-cache-{}-", std::process::id());
        let settings =
            CacheSettings { backend, default_timeout: None, prefix, json_codec: true, max_bytes: 1000 };
        Cache::new(&settings)
    }

    fn number(n: i64) -> Arc<Value> {
        Arc::new(json!(n))
    }

    #[tokio::test]
    async fn null_keeps_nothing() {
        let cache = cache(Backend::Null);
        cache.insert("a".into(), number(1), 10, 60).await;
        assert_eq!(cache.get("a").await, None);
        assert!(!cache.is_enabled());
    }

    #[tokio::test]
    async fn values_live_their_time() {
        let cache = cache(Backend::Memory);
        cache.insert("a".into(), number(1), 10, 60).await;
        cache.insert("b".into(), number(2), 10, 0).await;
        cache.insert("c".into(), number(3), 10, -1).await;
        cache.insert("d".into(), number(4), 10_000, 60).await;
        if let Place::Memory(entries) = &cache.place {
            entries.run_pending_tasks().await;
        }
        assert_eq!(cache.get("a").await, Some(number(1)));
        assert_eq!(cache.get("b").await, Some(number(2)));
        assert_eq!(cache.get("c").await, None);
        assert_eq!(cache.get("d").await, None, "larger than the cache");
        assert!(cache.remove("a").await.unwrap() && !cache.remove("a").await.unwrap());
        assert_eq!(cache.get("a").await, None);
    }

    #[tokio::test]
    async fn values_go_through_redis_as_bytes() {
        let cache = cache(Backend::Redis("redis://127.0.0.1:6379/0".into()));
        cache.insert("large".into(), Arc::new(json!("x".repeat(LARGE))), LARGE + 2, 60).await;
        let Some(value) = cache.get("large").await else {
            eprintln!("skipped: no Redis on 127.0.0.1:6379");
            return;
        };
        assert_eq!(value.as_str().map(str::len), Some(LARGE));
        assert!(cache.remove("large").await.unwrap());
    }
}
