//! Work that no request waits for: what is registered, when it ticks, and how it ends.

use std::{sync::Arc, time::Duration};

use commands::{
    Services,
    jobs::{Beat, Entries, RunReport, Runs, Settings, overview},
    report::execute,
    state::lease_seconds,
};
use infra::scheduler::{Scheduler, Ticking};

/// The ticks of this process and what they have started.
pub struct Background {
    app: Arc<Services>,
    ticking: Ticking,
    runs: Arc<Runs>,
}

impl Background {
    /// Starts everything.
    pub async fn start(app: &Arc<Services>) -> Self {
        let mut settings = Settings::from_config(&app.config);
        let configured = Entries::from_config(&app.config);
        if !configured.ignored.is_empty() {
            let ignored = configured.ignored.join("; ");
            tracing::info!(ignored, "entries of CELERY_CONFIG that mean nothing here");
        }
        if settings.is_on && !configured.reports {
            tracing::warn!("CELERY_CONFIG schedules no reports.scheduler: alerts and reports are not run");
            settings.is_on = false;
        }
        let runs = Runs::new(app.clone(), &settings, run_report());
        let beat = Arc::new(Beat::new(app.clone(), runs.clone(), settings, configured.entries));
        sign_of_life(app).await;
        let mut scheduler = Scheduler::default();
        let (signs, looks) = pace(lease_seconds(&app.config));
        let own = app.clone();
        scheduler.tick("sign of life", signs, move || {
            let app = own.clone();
            async move { sign_of_life(&app).await }
        });
        let own = beat.clone();
        scheduler.tick("takeover", looks, move || {
            let beat = own.clone();
            async move { beat.take_over().await }
        });
        let own = app.clone();
        scheduler.tick("orphans", looks, move || {
            let app = own.clone();
            async move { close_orphans(&app).await }
        });
        let own = beat.clone();
        // whatever a tick in the way delays is not late by a whole minute
        scheduler.tick("beat", "0,20,40 * * * * *", move || {
            let beat = own.clone();
            async move { beat.tick().await }
        });
        let ticking = scheduler.start();
        // what became due while nobody was there does not wait for the next minute
        tokio::spawn(async move { beat.tick().await });
        Self { app: app.clone(), ticking, runs }
    }

    /// No tick begins any more; what runs may end within its grace time, and is then given back.
    pub async fn stop(self) {
        self.ticking.stop().await;
        self.runs.stop().await;
        let left = tokio::time::timeout(Duration::from_secs(5), self.app.processes.leave(&self.app.db)).await;
        match left {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the end of the process was not written down"),
            Err(_) => tracing::debug!("the end of the process was not written down in time"),
        }
    }
}

/// How often a process gives a sign, and how often it looks for those of others: several times in a lease.
fn pace(lease: u64) -> (&'static str, &'static str) {
    match lease {
        0..20 => ("* * * * * *", "*/2 * * * * *"),
        _ => ("*/10 * * * * *", "*/10 * * * * *"),
    }
}

async fn sign_of_life(app: &Services) {
    let live = serde_json::to_value(overview::live(app)).unwrap_or_default();
    if let Err(error) = app.processes.beat(&app.db, live).await {
        tracing::warn!(%error, "this process could not give a sign of life");
    }
}

/// Queries of SQL Lab whose process has ended.
pub async fn close_orphans(app: &Services) {
    match commands::sql_lab::close_orphans(app).await {
        Ok(0) => {}
        Ok(closed) => tracing::info!(closed, "queries of an earlier process were marked as failed"),
        Err(error) => tracing::warn!(%error, "queries of an earlier process were not closed"),
    }
}

/// What runs an alert or report.
fn run_report() -> RunReport {
    Arc::new(|app, id, due, execution| {
        Box::pin(async move {
            let done = Box::pin(execute::run(&app, id, due, execution)).await;
            done.map_err(|error| error.words())
        })
    })
}
