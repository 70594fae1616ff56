//! What is scheduled, what runs, what failed: for `liteset jobs` and administrators.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daos::report;
use infra::{Result, cron::Cron};
use serde::Serialize;
use serde_json::Value;

use super::{Settings, due::zone, entries::Entries};
use crate::{
    Services,
    state::{
        claims::{Stage, Subject},
        jobs::{FailedJob, RunningJob},
    },
};

/// An alert or report.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduledReport {
    /// Its key.
    pub id: i64,
    /// `Alert` or `Report`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// When it fires.
    pub crontab: String,
    /// In which zone that is meant.
    pub timezone: String,
    /// When it is next due; none when it is inactive, switched off by `ALERT_REPORTS`, or never due.
    pub next_due: Option<DateTime<Utc>>,
    /// What became of its last run.
    pub last_state: Option<String>,
    /// When that was.
    pub last_run: Option<DateTime<Utc>>,
    /// Why it failed, if it did.
    pub last_error: Option<String>,
}

/// An entry of the beat.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduledTask {
    /// Its name.
    pub name: String,
    /// When it is next due.
    pub next_due: Option<DateTime<Utc>>,
}

/// What somebody has claimed and not ended.
#[derive(Debug, Clone, Serialize)]
pub struct Claimed {
    /// What.
    #[serde(flatten)]
    pub subject: Subject,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// How far it is.
    pub stage: Stage,
    /// The number of the process on its machine, while it has not left.
    pub pid: Option<u32>,
}

/// A process on this metadata database.
#[derive(Debug, Clone, Serialize)]
pub struct ServerProcess {
    /// Its number on its machine.
    pub pid: u32,
    /// When it began.
    pub since: DateTime<Utc>,
    /// When it last gave a sign.
    pub last_seen: DateTime<Utc>,
    /// What it said of itself then ([`Live`]).
    pub live: Value,
}

/// What the metadata database says: true for all processes.
#[derive(Debug, Clone, Serialize)]
pub struct Schedules {
    /// Alerts and reports.
    pub reports: Vec<ScheduledReport>,
    /// Entries of the beat.
    pub tasks: Vec<ScheduledTask>,
    /// What is under way.
    pub claimed: Vec<Claimed>,
    /// Servers.
    pub processes: Vec<ServerProcess>,
}

/// What only a running process knows of itself.
#[derive(Debug, Clone, Serialize)]
pub struct Live {
    /// What runs.
    pub running: Vec<RunningJob>,
    /// How many have ended in which way since it began: `report` → `success` → 12.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// The last failures of each kind.
    pub failed: BTreeMap<String, Vec<FailedJob>>,
    /// Queries of SQL Lab under way, by their ids: what is not named by anybody alive belongs to nobody.
    pub queries: Vec<i64>,
}

/// What is scheduled and under way.
pub async fn schedules(app: &Services, now: DateTime<Utc>) -> Result<Schedules> {
    let db = app.db.exec();
    let settings = Settings::from_config(&app.config);
    let configured = Entries::from_config(&app.config);
    let mut errors = report::last_errors(db).await?;
    let reports = report::all_scheduled(db).await?.into_iter().map(|schedule| {
        let is_on = settings.is_on && configured.reports && schedule.active;
        let cron = Cron::parse(&schedule.crontab).ok().filter(|_| is_on);
        let failed = schedule.last_state.as_deref() == Some("Error");
        ScheduledReport {
            next_due: cron.and_then(|cron| cron.next(now, zone(&schedule))),
            last_error: errors.remove(&schedule.id).filter(|_| failed),
            last_run: schedule.last_eval.map(|at| at.and_utc()),
            id: schedule.id,
            kind: schedule.kind,
            name: schedule.name,
            crontab: schedule.crontab,
            timezone: schedule.timezone,
            last_state: schedule.last_state,
        }
    });
    let reports = reports.collect();
    let next = |entry: super::Entry| ScheduledTask {
        next_due: entry.schedule.next_due(now, entry.zone),
        name: entry.name,
    };
    let processes = app.processes.all(&app.db).await?;
    let claimed = app.claims.open(&app.db).await?.into_iter().map(|claim| {
        let owner = processes.iter().find(|(owner, _)| *owner == claim.owner);
        let pid = owner.map(|(_, process)| process.pid);
        Claimed { subject: claim.subject, due: claim.due, stage: claim.stage, pid }
    });
    Ok(Schedules {
        reports,
        tasks: configured.entries.into_iter().map(next).collect(),
        claimed: claimed.collect(),
        processes: processes
            .into_iter()
            .map(|(_, process)| ServerProcess {
                pid: process.pid,
                since: process.since,
                last_seen: process.at,
                live: process.live,
            })
            .collect(),
    })
}

/// The name of a kind or outcome, as it is serialised.
fn name(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What this process knows of itself.
pub fn live(app: &Services) -> Live {
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut failed = BTreeMap::new();
    for ((kind, outcome), count) in app.jobs.counts() {
        counts.entry(name(kind)).or_default().insert(name(outcome), count);
        let failures = app.jobs.failed(kind);
        if !failures.is_empty() {
            failed.insert(name(kind), failures);
        }
    }
    Live { running: app.jobs.running(), counts, failed, queries: app.sql_lab.running.ids() }
}
