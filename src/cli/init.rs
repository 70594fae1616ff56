//! `liteset init`: permissions and built-in roles.

use super::{Common, block_on};
use crate::app::{self, StartError};

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub struct Init {
    #[command(flatten)]
    common: Common,
}

impl Init {
    /// Synchronises the roles of the configured metadata database.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            commands::init::sync_roles(&db, &loaded.config).await?;
            tracing::info!("permissions and roles are in place");
            Ok(())
        })
    }
}
