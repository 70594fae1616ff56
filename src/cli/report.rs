//! `liteset report run`: one run of an alert or report, now.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use commands::report::execute::{self, ReportError};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Common, block_on};
use crate::app::{self, StartError};

/// Alerts and reports.
#[derive(Debug, clap::Args)]
pub struct Report {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Run an alert or report once, whatever its schedule says.
    Run(Run),
}

#[derive(Debug, clap::Args)]
struct Run {
    #[command(flatten)]
    common: Common,
    /// Its id.
    id: i64,
    /// Gather the content, but send nothing. The state and the log are written all the same.
    #[arg(long)]
    dry_run: bool,
    /// When it was due, RFC 3339 [default: now].
    #[arg(long)]
    scheduled: Option<DateTime<Utc>>,
    /// Say how it ended as JSON on standard output: {"raised": null}, or its class, status and message.
    #[arg(long)]
    json: bool,
}

impl Report {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        let Verb::Run(verb) = self.verb;
        let loaded = verb.common.load()?;
        let done = block_on(async {
            let app = app::services(loaded.config).await?;
            let scheduled = verb.scheduled.unwrap_or_else(Utc::now);
            let done = execute::run_as(&app, verb.id, scheduled, Uuid::new_v4(), verb.dry_run).await;
            app.browser.close().await;
            Ok(done)
        })?;
        if verb.json {
            let report = json!({"raised": done.as_ref().err().map(raised)});
            writeln!(std::io::stdout(), "{report}")?;
        }
        Ok(done?)
    }
}

fn raised(error: &ReportError) -> Value {
    json!({"class": error.class, "status": error.status, "message": error.text()})
}
