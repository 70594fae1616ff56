//! `liteset load-examples`.

use commands::examples::{Load, load};

use super::{Common, block_on, refused};
use crate::app::{self, StartError};

/// Options of `load-examples`.
#[derive(Debug, clap::Args)]
pub struct LoadExamples {
    #[command(flatten)]
    common: Common,
    /// Load additional test data (means nothing here).
    #[arg(long = "load-test-data", short = 't')]
    test_data: bool,
    /// Load additional big data (means nothing here).
    #[arg(long = "load-big-data", short = 'b')]
    big_data: bool,
    /// Only load metadata, skip actual data.
    #[arg(long, short = 'm')]
    only_metadata: bool,
    /// Force load data even if table already exists.
    #[arg(long, short)]
    force: bool,
}

impl LoadExamples {
    /// Loads what is missing.
    pub fn run(self) -> Result<(), StartError> {
        if self.test_data || self.big_data {
            return refused::because(
                "data for Superset's own tests are not made here: load-examples without -t and -b",
            );
        }
        let loaded = self.common.load()?;
        let configured = loaded.config.str("SQLALCHEMY_EXAMPLES_URI").to_owned();
        let file = loaded.home.join("examples.db");
        let options = Load {
            configured: Some(configured).filter(|uri| !uri.is_empty()),
            default: format!("sqlite:///{}?check_same_thread=false", file.display()),
            only_metadata: self.only_metadata,
            force: self.force,
        };
        block_on(async {
            let app = app::services(loaded.config).await?;
            let done = load(&app, &options).await?;
            tracing::info!(made = done.made, kept = done.kept, data = done.data, "examples are loaded");
            Ok(())
        })
    }
}
