//! `liteset jobs`: what is scheduled, what runs, and what failed.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use commands::{
    Services,
    jobs::overview::{self, Schedules},
};
use serde_json::Value;

use super::{Common, block_on};
use crate::app::{self, StartError};

/// Options of `jobs`.
#[derive(Debug, clap::Args)]
pub struct Jobs {
    #[command(flatten)]
    common: Common,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Jobs {
    /// Prints what the metadata database says; what its servers said of themselves stands there, too.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let app = Services::new(loaded.config, db);
            let found = overview::schedules(&app, Utc::now()).await?;
            let text = match self.json {
                true => serde_json::to_string_pretty(&found)? + "\n",
                false => table(&found),
            };
            Ok(std::io::stdout().write_all(text.as_bytes())?)
        })
    }
}

fn moment(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn table(found: &Schedules) -> String {
    let mut lines = vec!["Alerts and reports (next due, state of the last run)".to_owned()];
    for report in &found.reports {
        let (due, state) = (moment(report.next_due), report.last_state.as_deref().unwrap_or("-"));
        lines.push(format!("  {:<6} {:>5}  {due:<23}  {state:<13}  {}", report.kind, report.id, report.name));
        if let Some(error) = &report.last_error {
            lines.push(format!("                {}", error.replace('\n', " ")));
        }
    }
    lines.push("Other work (next due)".to_owned());
    lines.extend(found.tasks.iter().map(|task| format!("  {:<23}  {}", moment(task.next_due), task.name)));
    lines.push("Under way".to_owned());
    for claim in &found.claimed {
        let subject = serde_json::to_string(&claim.subject).unwrap_or_default();
        let pid =
            claim.pid.map_or_else(|| "a process that is gone".to_owned(), |pid| format!("process {pid}"));
        lines.push(format!("  due {}  {subject}  {pid}", moment(Some(claim.due))));
    }
    lines.push("Servers".to_owned());
    for process in &found.processes {
        let (since, seen) = (moment(Some(process.since)), moment(Some(process.last_seen)));
        lines.push(format!("  process {}  since {since}  last seen {seen}", process.pid));
        for job in process.live.get("running").and_then(Value::as_array).into_iter().flatten() {
            lines.push(format!("    runs    {}", about(job)));
        }
        let failed = process.live.get("failed").and_then(Value::as_object);
        for job in failed.into_iter().flat_map(|kinds| kinds.values()).filter_map(Value::as_array).flatten() {
            let cause = job.get("cause").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
            lines.push(format!("    failed  {}: {cause}", about(job)));
        }
    }
    lines.join("\n") + "\n"
}

fn about(job: &Value) -> &str {
    job.get("about").and_then(Value::as_str).unwrap_or_default()
}
