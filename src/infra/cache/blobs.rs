//! Large values, kept packed: the results of queries (`RESULTS_BACKEND`).
//!
//! The values live in this process. A server such as Redis is one more variant here: the callers only know keys, bytes
//! and seconds, and the packing is the one that Superset's results have there (zlib).

use std::{
    io::{Read as _, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::Cache;

/// Largest value once it is unpacked.
const MAX_UNPACKED: u64 = 1 << 30;

/// Packed bytes that all values of a store together may take.
const MAX_BYTES: u64 = 256 << 20;

/// A store of packed values.
pub struct Blobs {
    memory: Cache<Bytes>,
}

impl Default for Blobs {
    fn default() -> Self {
        Self { memory: Cache::in_memory(MAX_BYTES) }
    }
}

impl Blobs {
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
        self.memory.insert(key.to_owned(), Arc::new(packed.into()), size, seconds).await;
        self.memory.get(key).await.is_some()
    }

    /// A value that is still there.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let packed = self.memory.get(key).await?;
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
