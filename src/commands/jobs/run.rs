//! Running what was claimed: so many at a time, within their limits, until the process ends.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use daos::report::{self, LogEntry};
use futures_util::FutureExt as _;
use infra::clock;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use super::{Limits, Settings, Task, maintenance};
use crate::{
    Services,
    state::claims::{Claim, Stage, Subject},
};

/// Runs an alert or report: its id, when it was due, the execution. It minds the soft limit itself, and tells what went
/// wrong; the error is for whoever wants to know that it did.
pub type RunReport = Arc<
    dyn Fn(
            Arc<Services>,
            i64,
            DateTime<Utc>,
            Uuid,
        ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>
        + Send
        + Sync,
>;

/// What runs in this process.
pub struct Runs {
    app: Arc<Services>,
    run: RunReport,
    turns: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
    grace: Duration,
}

/// How long a firing waits for an earlier one of the same schedule. After it the state machine refuses to run it, as
/// the original's does at once; a schedule that takes longer than its period does not pile up.
const EARLIER_FIRING: Duration = Duration::from_secs(60);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);

/// How a run ended.
enum End {
    Ended(Result<(), String>),
    TimedOut,
    Stopped,
}

impl Runs {
    /// Nothing runs yet.
    pub fn new(app: Arc<Services>, settings: &Settings, run: RunReport) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(settings.at_a_time));
        let (stop, _) = watch::channel(false);
        Arc::new(Self { app, run, turns, stop, tasks: Mutex::default(), grace: settings.grace })
    }

    /// Begins a task that ends with the process.
    fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock();
        // those that are over
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    /// Runs an alert or report that was claimed, when it is its turn.
    pub fn report(self: &Arc<Self>, claim: Claim, name: String, limits: Option<Limits>) {
        let runs = self.clone();
        self.begin(async move { runs.run_report(claim, name, limits).await });
    }

    async fn run_report(&self, claim: Claim, name: String, limits: Option<Limits>) {
        let Subject::Schedule(id) = claim.subject else { return };
        let (app, execution) = (&self.app, claim.name());
        let mut stopped = self.stop.subscribe();
        let turn = async {
            self.wait_for_earlier(&claim).await;
            self.turns.acquire().await.ok()
        };
        let turn = tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => None,
            turn = turn => turn,
        };
        let Some(_turn) = turn else { return app.claims.end(&app.db, execution, Stage::Released).await };
        tracing::info!(report = id, name, due = %claim.due, takeovers = claim.takeovers, "a firing is run");
        let work = AssertUnwindSafe((self.run)(app.clone(), id, claim.due, execution)).catch_unwind();
        // a claim that nobody ends would stay with this process
        let panicked = |_| Err("the run ended unexpectedly: the log has the reason".to_owned());
        let work = async { work.await.unwrap_or_else(panicked) };
        let end = self.within(work, limits, &mut stopped).await;
        let stage = match end {
            End::Ended(Ok(())) => Stage::Done,
            End::Ended(Err(_)) => Stage::Failed,
            End::TimedOut => {
                tracing::warn!(report = id, "a run was killed: it took longer than its working timeout");
                self.timed_out(id, &claim).await;
                Stage::Failed
            }
            End::Stopped => {
                if let Err(error) = leave_working(app.db.exec(), id, &claim).await {
                    tracing::warn!(%error, schedule = id, "the state of an unfinished run could not be taken back");
                }
                Stage::Released
            }
        };
        app.claims.end(&app.db, execution, stage).await;
    }

    /// Waits until no process runs an earlier firing of the schedule: firings that were missed come at once.
    async fn wait_for_earlier(&self, claim: &Claim) {
        let ended = async {
            loop {
                let open = self.app.claims.open(&self.app.db).await;
                let waits = open.is_ok_and(|open| open.iter().any(|other| comes_before(other, claim)));
                if !waits {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        if timeout(EARLIER_FIRING, ended).await.is_err() {
            tracing::warn!(due = %claim.due, subject = ?claim.subject, "an earlier firing has not ended yet");
        }
    }

    /// Runs within its limit, and for a grace time after the process was told to end.
    async fn within(
        &self,
        work: impl Future<Output = Result<(), String>>,
        limits: Option<Limits>,
        stopped: &mut watch::Receiver<bool>,
    ) -> End {
        let limit = limits.and_then(|limits| u64::try_from(limits.hard).ok()).map(Duration::from_secs);
        let bounded = async {
            match limit {
                Some(limit) => timeout(limit, work).await.map_or(End::TimedOut, End::Ended),
                None => End::Ended(work.await),
            }
        };
        let over = async {
            if stopped.wait_for(|stop| *stop).await.is_ok() {
                tokio::time::sleep(self.grace).await;
            }
        };
        tokio::select! {
            biased;
            end = bounded => end,
            () = over => End::Stopped,
        }
    }

    /// The state that the original's next run would find and write (`ReportScheduleWorkingTimeoutError`).
    async fn timed_out(&self, id: i64, claim: &Claim) {
        let db = self.app.db.exec();
        let written = async {
            if report::leave_working(db, id, claim.name(), Some("Error")).await? {
                let entry = LogEntry {
                    schedule: id,
                    execution: claim.name(),
                    scheduled: claim.due.naive_utc(),
                    now: clock::utc_now(),
                    state: "Error",
                    message: "Report Schedule reached a working timeout.",
                };
                report::log(db, &entry).await?;
            }
            Ok::<(), infra::db::DbError>(())
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, schedule = id, "the timeout of a run could not be written down");
        }
    }

    /// Runs an entry of the beat that was claimed.
    pub fn task(self: &Arc<Self>, claim: Claim, task: Task) {
        let runs = self.clone();
        self.begin(async move {
            let (app, execution) = (&runs.app, claim.name());
            let mut stopped = runs.stop.subscribe();
            let stage = tokio::select! {
                biased;
                stage = maintenance::run(app, &task) => stage,
                // retention ends where it is, and goes on the next time
                _ = stopped.wait_for(|stop| *stop) => Stage::Failed,
            };
            app.claims.end(&app.db, execution, stage).await;
        });
    }

    /// Lets what runs end within the grace time; the rest is given back, so that another process may run it.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        let settle = Duration::from_secs(5);
        let ended = timeout(self.grace + settle, async { while tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!(left = tasks.len(), "runs did not end in time");
        }
        self.app.claims.write_ends(&self.app.db).await;
    }
}

/// Another claim is an earlier firing of the same schedule, and somebody has it.
fn comes_before(other: &Claim, claim: &Claim) -> bool {
    other.subject == claim.subject && other.due < claim.due && other.stage == Stage::Running
}

/// Takes an alert or report out of the state that an unfinished run put it into, so that it can be run again.
pub(super) async fn leave_working(
    db: &dyn infra::db::Executor,
    id: i64,
    claim: &Claim,
) -> Result<(), infra::db::DbError> {
    let before = claim.state_before.as_deref().filter(|state| *state != "Working");
    let state = before.unwrap_or("Not triggered");
    if report::leave_working(db, id, claim.name(), Some(state)).await? {
        tracing::info!(schedule = id, state, "the state of a run that did not end was taken back");
    }
    Ok(())
}
