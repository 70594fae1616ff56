//! `liteset prune`: removes rows whose time is over, as the beat does.

use commands::{Services, jobs::retention};

use super::{Common, block_on};
use crate::app::{self, StartError};

/// Options of `prune`.
#[derive(Debug, clap::Args)]
pub struct Prune {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Args)]
struct Age {
    #[command(flatten)]
    common: Common,
    /// Rows that are older than so many days are removed.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=36_500))]
    days: i64,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Queries of SQL Lab, with their results (`prune_query`).
    Queries(Age),
    /// The event log (`prune_logs`).
    Logs(Age),
    /// Logs of alerts and reports, each as its `log_retention` says (`reports.prune_log`).
    ReportLogs(Common),
    /// What has expired in the key-value store.
    Expired(Common),
}

impl Prune {
    /// Removes them, and says how many there were.
    pub fn run(self) -> Result<(), StartError> {
        let common = match &self.what {
            What::Queries(age) | What::Logs(age) => &age.common,
            What::ReportLogs(common) | What::Expired(common) => common,
        };
        let config = common.load()?.config;
        block_on(async {
            let db = app::connect(&config).await?;
            let app = Services::new(config, db);
            let deleted = match &self.what {
                What::Queries(age) => retention::prune_queries(&app, age.days).await?,
                What::Logs(age) => retention::prune_logs(&app, age.days).await?,
                What::ReportLogs(_) => retention::prune_report_logs(&app).await?,
                What::Expired(_) => retention::prune_expired(&app).await?,
            };
            tracing::info!(deleted, "rows whose time was over");
            Ok(())
        })
    }
}
