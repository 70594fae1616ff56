//! How large a packed file may become (`superset.utils.core:check_is_safe_zip`).

use infra::{Result, config::Config};

use super::options::failed;

/// Below this much nobody asks for the ratio.
const HARMLESS: u64 = 1 << 20;

/// Bounds of packed files.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of the content (`ZIPPED_FILE_MAX_SIZE`).
    pub size: u64,
    /// Content to packed content (`ZIP_FILE_MAX_COMPRESS_RATIO`).
    pub ratio: f64,
}

impl Bounds {
    /// As configured.
    pub fn from_config(config: &Config) -> Self {
        Self {
            size: config.int("ZIPPED_FILE_MAX_SIZE").and_then(|n| u64::try_from(n).ok()).unwrap_or(100 << 20),
            ratio: config.get("ZIP_FILE_MAX_COMPRESS_RATIO").as_f64().unwrap_or(200.0),
        }
    }

    /// Bytes to read at most after some were read: one too many, to be noticed.
    pub fn left(self, read: u64) -> u64 {
        self.size.saturating_sub(read).saturating_add(1)
    }

    /// Refuses what is too large, or too large for what it was made of.
    pub fn check(self, packed: u64, unpacked: u64) -> Result<()> {
        if unpacked > self.size {
            return Err(failed("Found file with size above allowed threshold"));
        }
        self.check_ratio(packed, unpacked)
    }

    /// Refuses what is too large for what it was made of.
    pub fn check_ratio(self, packed: u64, unpacked: u64) -> Result<()> {
        if unpacked > HARMLESS && unpacked as f64 > self.ratio * packed.max(1) as f64 {
            return Err(failed("Zip compress ratio above allowed threshold"));
        }
        Ok(())
    }
}
