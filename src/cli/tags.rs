//! `liteset sync-tags`.

use super::{Common, block_on};
use crate::app::{self, StartError};

/// Options of `sync-tags`.
#[derive(Debug, clap::Args)]
pub struct SyncTags {
    #[command(flatten)]
    common: Common,
}

impl SyncTags {
    /// Rebuilds special tags (owner, type, favorited by).
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let synced = commands::tag_sync::sync(&db).await?;
            tracing::info!(
                tags = synced.wanted,
                attached = synced.attached,
                "tags of all objects are in place"
            );
            Ok(())
        })
    }
}
