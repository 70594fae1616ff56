//! One run of an alert or report (`superset.commands.report.execute`).
//!
//! [`run`] decides as whom it runs, moves the schedule from state to state ([`state`](self)), asks an alert's query,
//! gathers the content and sends it to the recipients. Every step is a row of the execution log, in one transaction
//! with the state of the schedule.

mod alert;
mod content;
mod error;
mod links;
mod notify;
mod pictures;
mod state;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDateTime, Utc};
use daos::{
    person,
    report_run::{self, Recipient, Schedule},
};
use infra::clock;
use parking_lot::Mutex;
use uuid::Uuid;

pub use error::ReportError;

use crate::{
    Caller, Principal, Services,
    access::executor::{self, RelatedUsers},
    state::jobs::JobKind,
};

/// An owner: whom errors are sent to.
#[derive(Debug, Clone)]
struct Owner {
    id: i64,
    username: String,
    email: Option<String>,
}

/// A run under way.
struct Run {
    app: Arc<Services>,
    schedule: Schedule,
    recipients: Vec<Recipient>,
    owners: Vec<Owner>,
    /// As whom it runs; none for a name that nobody has.
    executor: Option<Arc<Principal>>,
    scheduled: DateTime<Utc>,
    start: NaiveDateTime,
    execution: Uuid,
    /// After which what is under way is given up.
    deadline: Option<Instant>,
    /// Nothing is sent.
    dry_run: bool,
    /// Charts that failed in a picture.
    problems: Mutex<Vec<String>>,
}

/// Runs an alert or report that was due at a time, whatever its crontab says and whether it is active or not.
///
/// The outcome is in the execution log, too, unless there is no such schedule (404), nobody to run it as, or an
/// unknown state: these three come before anything is written.
pub async fn run(
    app: &Arc<Services>,
    id: i64,
    scheduled: DateTime<Utc>,
    execution: Uuid,
) -> Result<(), ReportError> {
    run_as(app, id, scheduled, execution, false).await
}

/// The same, which sends nothing where `dry_run`: states and log are written all the same.
pub async fn run_as(
    app: &Arc<Services>,
    id: i64,
    scheduled: DateTime<Utc>,
    execution: Uuid,
    dry_run: bool,
) -> Result<(), ReportError> {
    let job = app.jobs.begin(JobKind::Report, format!("report {id}"));
    let done = Box::pin(begin(app, id, scheduled, execution, dry_run)).await;
    match &done {
        Ok(()) => job.succeeded(),
        Err(error) => job.failed(error.words()),
    }
    done
}

async fn begin(
    app: &Arc<Services>,
    id: i64,
    scheduled: DateTime<Utc>,
    execution: Uuid,
    dry_run: bool,
) -> Result<(), ReportError> {
    let db = app.db.exec();
    let missing = || ReportError::new("ReportScheduleNotFoundError", 404, "Report Schedule not found.");
    let schedule = report_run::find(db, id).await?.ok_or_else(missing)?;
    let owners = report_run::owners(db, id).await?;
    let others = person::find_each(db, [schedule.created_by_fk, schedule.changed_by_fk]).await?;
    let [created_by, changed_by] = others.map(|person| person.map(|p| (p.id, p.username)));
    let named = owners.iter().map(|(id, name, _)| (*id, name.clone())).collect();
    let related_users = RelatedUsers { owners: named, created_by, changed_by };
    let chosen = executor::choose(&app.config, "ALERT_REPORTS_EXECUTORS", &related_users, None);
    let (_, name) = chosen.map_err(|none| ReportError::unexpected(none.to_string()))?;
    let executor = executor::find_user(app, name).await?.map(Arc::new);
    tracing::info!(report = id, %execution, user = name, "a report runs");
    let mut run = Run {
        app: app.clone(),
        recipients: report_run::recipients(db, id).await?,
        owners: owners.into_iter().map(|(id, username, email)| Owner { id, username, email }).collect(),
        executor,
        scheduled,
        start: clock::utc_now(),
        execution,
        deadline: deadline(app, &schedule),
        dry_run: dry_run || app.config.bool("ALERT_REPORTS_NOTIFICATION_DRY_RUN"),
        schedule,
        problems: Mutex::default(),
    };
    run.next().await
}

/// When the original's worker would be told to give up: `working_timeout` and a lag, unless that is switched off.
fn deadline(app: &Services, schedule: &Schedule) -> Option<Instant> {
    if !app.config.bool("ALERT_REPORTS_WORKING_TIME_OUT_KILL") {
        return None;
    }
    let lag = app.config.int("ALERT_REPORTS_WORKING_SOFT_TIME_OUT_LAG").unwrap_or(1);
    let seconds = u64::try_from(schedule.working_timeout?.saturating_add(lag)).unwrap_or_default();
    Instant::now().checked_add(Duration::from_secs(seconds))
}

impl Run {
    /// Who asks: nobody for a name that nobody has.
    fn caller(&self) -> Caller {
        Caller::new(&self.app, self.executor.clone().unwrap_or_default())
    }

    fn user_id(&self) -> Option<i64> {
        self.executor.as_ref().and_then(|user| user.user_id())
    }

    fn is_alert(&self) -> bool {
        self.schedule.type_ == "Alert"
    }

    /// Time until the run is given up.
    fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits for work until the run is given up; then it is dropped, and the error is one of the given class and
    /// words, of status 408.
    async fn within<T>(
        &self,
        (class, words): (&'static str, &str),
        work: impl Future<Output = T>,
    ) -> Result<T, ReportError> {
        match self.time_left() {
            None => Ok(work.await),
            Some(left) => {
                let late = |_| ReportError::new(class, 408, words);
                tokio::time::timeout(left, work).await.map_err(late)
            }
        }
    }
}
