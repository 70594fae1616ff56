//! Entries in Redis.
//!
//! Values are liteset's own: Superset keeps pickles there, which are code and are not read. Keys have a prefix of their
//! own behind `CACHE_KEY_PREFIX`, so that neither program finds the entries of the other.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use redis::{
    AsyncCommands as _, Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::sync::OnceCell;

use super::{
    store::{ByteStore, Put},
    turn::{self, Turn},
};
use crate::db::BoxFuture;

/// How long a connection may take, and how long an answer.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(2);
/// Larger values stay out.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// A Redis server; connected at the first use, reconnected when it comes back.
pub struct Redis {
    url: String,
    prefix: String,
    connection: OnceCell<ConnectionManager>,
    /// It was away when last asked: told once, not with every query.
    away: AtomicBool,
}

impl Redis {
    /// A server by its URL; nothing is sent yet.
    pub fn new(url: &str, prefix: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: format!("{prefix}liteset:"),
            connection: OnceCell::new(),
            away: AtomicBool::new(false),
        }
    }

    /// The same for entries that Superset writes and reads, too: keys have its prefix alone.
    pub fn shared(url: &str, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::new(url, "") }
    }

    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let connect = || async {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(ANSWER))
                .set_number_of_retries(0);
            Client::open(self.url.as_str())?.get_connection_manager_with_config(config).await
        };
        self.connection.get_or_try_init(connect).await.cloned()
    }

    fn turn_key(&self, key: &str) -> String {
        format!("{}turn:{key}", self.prefix)
    }

    /// Says once that the server is away. The address may hold a password: only the kind of failure is logged.
    fn note_availability<T>(&self, outcome: Result<T, RedisError>) -> crate::Result<T> {
        match outcome {
            Ok(value) => {
                if self.away.swap(false, Relaxed) {
                    tracing::info!("the cache in Redis is back");
                }
                Ok(value)
            }
            Err(error) => {
                let kind = format!("{:?}", error.kind());
                if !self.away.swap(true, Relaxed) {
                    tracing::warn!(kind, "Redis does not answer: nothing is cached until it does");
                }
                Err(crate::Error::internal(format!("Redis: {kind}")))
            }
        }
    }
}

impl ByteStore for Redis {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, crate::Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            let key = format!("{}{key}", self.prefix);
            let ask = async { self.connection().await?.get::<_, Option<Vec<u8>>>(key).await };
            self.note_availability(ask.await)
        })
    }

    fn put(&self, value: Put) -> BoxFuture<'_, crate::Result<()>> {
        Box::pin(async move {
            if value.bytes.len() > MAX_BYTES {
                tracing::debug!(bytes = value.bytes.len(), "too large for the cache");
                return Ok(());
            }
            let key = format!("{}{}", self.prefix, value.key);
            let ask = async {
                let mut connection = self.connection().await?;
                match value.lifetime {
                    Some(lifetime) => {
                        connection.set_ex::<_, _, ()>(key, value.bytes, lifetime.as_secs().max(1)).await
                    }
                    None => connection.set::<_, _, ()>(key, value.bytes).await,
                }
            };
            self.note_availability(ask.await)
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, crate::Result<bool>> {
        Box::pin(async move {
            let key = format!("{}{key}", self.prefix);
            let ask = async { self.connection().await?.del::<_, u64>(key).await };
            self.note_availability(ask.await).map(|n| n > 0)
        })
    }

    fn turn<'a>(&'a self, key: &'a str) -> BoxFuture<'a, crate::Result<Option<Turn>>> {
        Box::pin(async move {
            let key = self.turn_key(key);
            let ask = async { turn::take(self.connection().await?, key).await };
            self.note_availability(ask.await).map(Some)
        })
    }

    fn outcome<'a>(&'a self, key: &'a str, word: &'a str) -> BoxFuture<'a, crate::Result<Option<bool>>> {
        Box::pin(async move {
            let key = self.turn_key(key);
            let ask = async { turn::outcome(self.connection().await?, &key, word).await };
            self.note_availability(ask.await)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, lifetime: Option<u64>) -> Put {
        let lifetime = lifetime.map(Duration::from_secs);
        Put { key: key.to_owned(), bytes: b"value".to_vec(), lifetime, author: None }
    }

    #[tokio::test]
    async fn values_come_back_from_a_live_server() {
        let url = "redis://127.0.0.1:6379/0";
        let prefix = format!("liteset-test-{}-", std::process::id());
        let store = Redis::new(url, &prefix);
        if store.connection().await.is_err() {
            eprintln!("skipped: no Redis on 127.0.0.1:6379");
            return;
        }
        assert_eq!(store.get("a").await.unwrap(), None);
        store.put(put("a", Some(60))).await.unwrap();
        store.put(put("for-ever", None)).await.unwrap();
        assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"value"[..]));
        assert_eq!(Redis::new(url, "other-").get("a").await.unwrap(), None, "another prefix, another entry");
        let mut connection = store.connection().await.unwrap();
        let lifetime: i64 = connection.ttl(format!("{prefix}liteset:a")).await.unwrap();
        assert!((1..=60).contains(&lifetime));
        let removed = [store.remove("a").await, store.remove("for-ever").await, store.remove("a").await];
        assert_eq!(removed.map(Result::unwrap), [true, true, false]);
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_told_without_its_password() {
        // a port that nothing listens on
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = Redis::new(&format!("redis://:secret@127.0.0.1:{port}/0"), "");
        let started = std::time::Instant::now();
        let error = store.get("a").await.unwrap_err();
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        assert!(store.put(put("a", None)).await.is_err());
        assert!(store.remove("a").await.is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
