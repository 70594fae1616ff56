//! The cache in the metadata database (`superset.extensions.metastore_cache:SupersetMetastoreCache`).
//!
//! Rows of `key_value` with the resource `superset_metastore_cache`; their UUID is derived from the key and a
//! namespace. With
//! `JsonKeyValueCodec`, which the states of filters and the form data of the chart builder have by default, both
//! programs read each other's rows. Without a codec Superset writes pickles, which are code: then liteset has a
//! namespace of its own.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use chrono::TimeDelta;
use daos::key_value::{self, NewEntry};
use infra::{
    Result,
    cache::{ByteStore, CacheSettings, Put},
    clock,
    db::{BoxFuture, Db, DbError},
};
use md5::{Digest, Md5};
use parking_lot::Mutex;
use uuid::Uuid;

const RESOURCE: &str = "superset_metastore_cache";

/// Expired rows go with every so manieth write.
const SWEEP: u32 = 64;

/// Entries and bytes that one user has at most; the oldest go first, when the user has written so many anew. Those
/// without an account have more, together.
const EACH: (i64, i64) = (2_000, 128 << 20);
const NAMELESS: (i64, i64) = (20_000, 1 << 30);
/// Users whose writes are counted.
const MAX_AUTHORS: usize = 10_000;

/// `UUID(md5(seed))`: the namespace of keys.
pub fn namespace(seed: &str) -> Uuid {
    Uuid::from_bytes(Md5::digest(seed.as_bytes()).into())
}

/// One cache in the metadata database.
pub struct MetastoreCache {
    db: Db,
    namespace: Uuid,
    writes: AtomicU32,
    by_author: Mutex<HashMap<Option<i64>, u32>>,
}

impl MetastoreCache {
    /// A cache as its settings name it.
    pub fn new(db: &Db, settings: &CacheSettings) -> Self {
        let prefix = &settings.prefix;
        let seed = if settings.json_codec { prefix.clone() } else { format!("liteset:{prefix}") };
        Self {
            db: db.clone(),
            namespace: namespace(&seed),
            writes: AtomicU32::new(0),
            by_author: Mutex::default(),
        }
    }

    fn uuid(&self, key: &str) -> Uuid {
        Uuid::new_v3(&self.namespace, key.as_bytes())
    }

    /// Counts a write of a user; true with every so manieth.
    fn is_sweep_of(&self, author: Option<i64>) -> bool {
        let mut by_author = self.by_author.lock();
        if by_author.len() > MAX_AUTHORS {
            by_author.clear();
        }
        let count = by_author.entry(author).or_default();
        *count = (*count + 1) % SWEEP;
        *count == 0
    }

    async fn write(&self, value: &Put) -> std::result::Result<(), DbError> {
        let now = clock::now();
        let lifetime = value.lifetime.and_then(|l| TimeDelta::from_std(l).ok());
        let entry = NewEntry {
            resource: RESOURCE,
            uuid: self.uuid(&value.key),
            value: value.bytes.clone(),
            user_id: value.author,
            now,
            expires_on: lifetime.and_then(|l| now.checked_add_signed(l)),
        };
        let tx = self.db.begin().await?;
        key_value::upsert(tx.exec(), entry).await?;
        if self.writes.fetch_add(1, Relaxed) % SWEEP == SWEEP - 1 {
            key_value::delete_expired(tx.exec(), RESOURCE, now).await?;
        }
        if self.is_sweep_of(value.author) {
            let (entries, bytes) = if value.author.is_some() { EACH } else { NAMELESS };
            key_value::delete_oldest_of(tx.exec(), RESOURCE, value.author, entries, bytes).await?;
        }
        tx.commit().await
    }
}

impl ByteStore for MetastoreCache {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            let entry = key_value::find(self.db.exec(), RESOURCE, self.uuid(key)).await?;
            Ok(entry.filter(|e| e.alive(clock::now())).map(|e| e.value))
        })
    }

    fn put(&self, value: Put) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.write(&value).await {
                // somebody else has just written the first value of this key
                Err(DbError::Integrity(_)) => Ok(self.write(&value).await?),
                done => Ok(done?),
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move { Ok(key_value::delete(self.db.exec(), RESOURCE, self.uuid(key)).await?) })
    }
}
