//! Results that are kept for later (`RESULTS_BACKEND`).

use infra::{cache::Blobs, config::Config};

/// The place of results of queries in the background: where `RESULTS_BACKEND` says, if liteset reaches it; else in this
/// process.
pub struct Results {
    blobs: Blobs,
}

impl Results {
    /// As configured.
    pub fn from_config(config: &Config) -> Self {
        Self { blobs: Blobs::from_config(config, "RESULTS_BACKEND") }
    }

    pub(crate) async fn put(&self, key: &str, payload: Vec<u8>, seconds: i64) -> bool {
        self.blobs.put(key, payload, seconds).await
    }

    pub(crate) async fn remove(&self, key: &str) -> bool {
        self.blobs.remove(key).await
    }

    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.blobs.get(key).await
    }
}
