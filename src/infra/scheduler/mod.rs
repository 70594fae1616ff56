//! Work at fixed times on the wall clock: closures and their ticks, with `tokio-cron-scheduler`.
//!
//! A tick that is still running is not begun again. A clock that was set back does not silence the ticks until it has
//! caught up: the library keeps the time of the next tick, so it is started anew.

pub mod crontab;

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::watch, task::JoinHandle};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// What a tick does.
type Work = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A clock that goes back by less is not one that was set.
const JITTER: TimeDelta = TimeDelta::seconds(2);
/// How often the clock is looked at.
const WATCH: Duration = Duration::from_secs(1);

struct Tick {
    name: &'static str,
    /// Six fields, the first of them seconds, UTC.
    cron: &'static str,
    work: Work,
    is_running: Arc<AtomicBool>,
}

/// The ticks of a process, before they begin.
#[derive(Default)]
pub struct Scheduler {
    ticks: Vec<Tick>,
}

impl Scheduler {
    /// Adds a tick: `cron` has six fields, the first of them seconds, and is read in UTC.
    pub fn tick<F>(
        &mut self,
        name: &'static str,
        cron: &'static str,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let work: Work = Arc::new(move || Box::pin(work()));
        self.ticks.push(Tick { name, cron, work, is_running: Arc::default() });
    }

    /// Starts; the ticks end with [`Ticking::stop`].
    pub fn start(self) -> Ticking {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            while !*stopped.borrow() {
                if let Err(error) = self.until_set_back(&mut stopped).await {
                    tracing::error!(%error, "the scheduler could not be started");
                    tokio::time::sleep(WATCH).await;
                }
            }
        });
        Ticking { stop, task }
    }

    /// Ticks until it is stopped or the clock is set back.
    async fn until_set_back(&self, stopped: &mut watch::Receiver<bool>) -> Result<(), JobSchedulerError> {
        let mut library = JobScheduler::new().await?;
        for tick in &self.ticks {
            library.add(tick.job()?).await?;
        }
        library.start().await?;
        let mut latest = Utc::now();
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = tokio::time::sleep(WATCH) => {}
            }
            let now = Utc::now();
            if was_set_back(latest, now) {
                tracing::warn!(from = %latest, to = %now, "the clock was set back");
                break;
            }
            latest = latest.max(now);
        }
        library.shutdown().await
    }
}

fn was_set_back(latest: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now + JITTER < latest
}

impl Tick {
    fn job(&self) -> Result<Job, JobSchedulerError> {
        let (name, work, is_running) = (self.name, self.work.clone(), self.is_running.clone());
        Job::new_async(self.cron, move |_, _| {
            let (work, is_running) = (work.clone(), is_running.clone());
            Box::pin(async move {
                if is_running.swap(true, Ordering::AcqRel) {
                    tracing::debug!(tick = name, "the tick before is still running");
                    return;
                }
                let _over = Over(is_running);
                work().await;
            })
        })
    }
}

/// Marks a tick as over, also when it panics.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Ticks under way.
pub struct Ticking {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Ticking {
    /// No tick begins from here on.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the scheduler did not end in order");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_tick_that_runs_is_not_begun_again() {
        let (begun, mut scheduler) = (Arc::new(AtomicUsize::new(0)), Scheduler::default());
        let count = begun.clone();
        scheduler.tick("slow", "* * * * * *", move || {
            count.fetch_add(1, Ordering::SeqCst);
            std::future::pending()
        });
        let (ticks, mut ticked) = tokio::sync::mpsc::unbounded_channel();
        scheduler.tick("quick", "* * * * * *", move || {
            let ticks = ticks.clone();
            async move { ticks.send(()).unwrap_or_default() }
        });
        let ticking = scheduler.start();
        for _ in 0..3 {
            let soon = Duration::from_secs(60);
            tokio::time::timeout(soon, ticked.recv()).await.expect("it ticks").unwrap();
        }
        ticking.stop().await;
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_is_noticed() {
        let now = Utc::now();
        assert!(was_set_back(now, now - TimeDelta::seconds(3)));
        assert!(
            !was_set_back(now, now - TimeDelta::seconds(1)) && !was_set_back(now, now + TimeDelta::days(1))
        );
    }
}
