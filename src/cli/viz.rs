//! `liteset migrate-viz`: charts of kinds that are no more.

use commands::viz_upgrade::{Charts, migrate};

use super::{Common, ask, block_on};
use crate::app::{self, StartError};

/// Migrate a viz from one type to another.
#[derive(Debug, clap::Args)]
pub struct MigrateViz {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Upgrade a viz to the latest version.
    Upgrade(ChartSelection),
    /// Downgrade a viz to the previous version.
    Downgrade(ChartSelection),
}

#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("charts").args(["viz_type", "ids"]).required(true).multiple(true))]
struct ChartSelection {
    #[command(flatten)]
    common: Common,
    /// The viz type: treemap, pivot_table, line, …
    #[arg(long = "viz_type", short = 't')]
    viz_type: Option<String>,
    /// The chart ID. It can be set multiple times.
    #[arg(long = "id")]
    ids: Vec<i64>,
}

impl MigrateViz {
    /// Migrates the charts. One that cannot be migrated is reported, and stops no other.
    pub fn run(self) -> Result<(), StartError> {
        let (selection, back) = match self.verb {
            Verb::Upgrade(selection) => (selection, false),
            Verb::Downgrade(selection) => (selection, true),
        };
        let by_ids = selection.viz_type.is_none();
        let charts = selection.viz_type.map_or(Charts::Of(selection.ids), Charts::OfKind);
        let loaded = selection.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let done = migrate(&db, &charts, back).await?;
            let verb = if back { "Downgraded" } else { "Upgraded" };
            for text in &done.failed {
                tracing::warn!("{text}");
            }
            let total = done.changed + done.failed.len();
            match by_ids {
                true => (1..=total).try_for_each(|n| ask::say(&format!("{verb} {n}/{total} charts\n"))),
                false => {
                    tracing::info!(charts = done.changed, "{verb}");
                    Ok(())
                }
            }
        })
    }
}
