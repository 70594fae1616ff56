//! Large values, kept packed: the results of queries (`RESULTS_BACKEND`), in this process or in a store that outlives
//! it. The packing is the one that Superset's results have there (zlib).

use std::{
    io::{Read as _, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::{Backend, Cache, CacheSettings, redis::MAX_BYTES as MAX_PACKED};
use crate::config::Config;

/// Largest value once it is unpacked.
const MAX_UNPACKED: u64 = 1 << 30;

/// Packed bytes that all values of a store together may take.
const MAX_BYTES: u64 = 256 << 20;

/// A store of packed values.
pub struct Blobs {
    kept: Cache<Bytes>,
    /// Values live in this process, which forgets the oldest of too many.
    forgetful: bool,
}

impl Default for Blobs {
    fn default() -> Self {
        Self { kept: Cache::in_memory(MAX_BYTES), forgetful: true }
    }
}

impl Blobs {
    /// The place that a key of the configuration describes; without one, this process.
    pub fn from_config(config: &Config, key: &str) -> Self {
        let settings = CacheSettings::read(config, key);
        match settings.backend {
            Backend::Redis(_) | Backend::Files(_) => Self { kept: Cache::new(&settings), forgetful: false },
            Backend::Null | Backend::Memory | Backend::Metastore => Self::default(),
        }
    }

    /// Packs a value and keeps it for some seconds (0: for ever); false when it was not kept. Takes a thread while it
    /// packs.
    pub async fn put(&self, key: &str, value: Vec<u8>, seconds: i64) -> bool {
        let packed = tokio::task::spawn_blocking(move || {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&value).ok()?;
            encoder.finish().ok()
        });
        let Ok(Some(packed)) = packed.await else { return false };
        let size = packed.len();
        if size > MAX_PACKED {
            return false;
        }
        let taken = self.kept.try_insert(key.to_owned(), Arc::new(packed.into()), size, seconds, None).await;
        taken.is_ok() && (!self.forgetful || self.kept.get(key).await.is_some())
    }

    /// Forgets a value; false when that was not possible.
    pub async fn remove(&self, key: &str) -> bool {
        self.kept.remove(key).await.is_ok()
    }

    /// A value that is still there.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let packed = self.kept.get(key).await?;
        let unpacked = tokio::task::spawn_blocking(move || {
            let mut value = Vec::new();
            ZlibDecoder::new(&packed[..]).take(MAX_UNPACKED).read_to_end(&mut value).ok()?;
            Some(value)
        });
        unpacked.await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn values_survive_packing() {
        let blobs = Blobs::default();
        let value = b"superset ".repeat(1000);
        assert!(blobs.put("k", value.clone(), 60).await);
        assert_eq!(blobs.get("k").await, Some(value));
        assert_eq!(blobs.get("other").await, None);
    }
}
