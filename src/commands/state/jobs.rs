//! Work that nobody waits for in a request: what runs, what has run, and what became of it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;

/// Failures remembered of each kind.
const REMEMBERED: usize = 20;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// One run of an alert or report.
    Report,
    /// A picture for a card of a list.
    Thumbnail,
    /// A picture of a chart or dashboard that somebody asked for.
    Screenshot,
    /// A chart's query of `GLOBAL_ASYNC_QUERIES`.
    AsyncQuery,
    /// A query of SQL Lab that its tab polls.
    SqlLab,
    /// Charts asked for their data before people do.
    CacheWarmUp,
    /// Rows and files past their time removed.
    Retention,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// It did what it was for.
    Success,
    /// It did not.
    Failure,
    /// Nobody wanted it any more, or the process ended.
    Cancelled,
}

/// A job that runs.
#[derive(Debug, Clone, Serialize)]
pub struct RunningJob {
    /// Its kind.
    pub kind: JobKind,
    /// What it is about: `report 12`.
    pub about: String,
    /// When it began.
    pub since: DateTime<Utc>,
}

/// A job that failed.
#[derive(Debug, Clone, Serialize)]
pub struct FailedJob {
    /// What it was about.
    pub about: String,
    /// When it failed.
    pub at: DateTime<Utc>,
    /// Why, in words for its owner.
    pub cause: String,
}

#[derive(Default)]
struct Seen {
    next: u64,
    running: BTreeMap<u64, RunningJob>,
    counts: BTreeMap<(JobKind, JobOutcome), u64>,
    failed: BTreeMap<JobKind, VecDeque<FailedJob>>,
}

/// The jobs of this process.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Mutex<Seen>>);

impl Jobs {
    /// A job begins; it ends as cancelled where its [`Job`] is dropped.
    pub fn begin(&self, kind: JobKind, about: impl Into<String>) -> Job {
        let about = about.into();
        let mut seen = self.0.lock();
        seen.next += 1;
        let id = seen.next;
        seen.running.insert(id, RunningJob { kind, about: about.clone(), since: Utc::now() });
        Job { jobs: self.clone(), id, kind, about, began: Instant::now(), settled: false }
    }

    /// What runs now, the oldest first.
    pub fn running(&self) -> Vec<RunningJob> {
        self.0.lock().running.values().cloned().collect()
    }

    /// How many have ended in which way since the process began.
    pub fn counts(&self) -> BTreeMap<(JobKind, JobOutcome), u64> {
        self.0.lock().counts.clone()
    }

    /// The last failures of a kind, the newest last.
    pub fn failed(&self, kind: JobKind) -> Vec<FailedJob> {
        self.0.lock().failed.get(&kind).into_iter().flatten().cloned().collect()
    }
}

/// A job under way.
pub struct Job {
    jobs: Jobs,
    id: u64,
    kind: JobKind,
    about: String,
    began: Instant,
    settled: bool,
}

impl Job {
    /// It is done.
    pub fn succeeded(mut self) {
        self.settle(JobOutcome::Success, None);
    }

    /// It is not; `cause` is for who owns it.
    pub fn failed(mut self, cause: impl Into<String>) {
        self.settle(JobOutcome::Failure, Some(cause.into()));
    }

    fn settle(&mut self, outcome: JobOutcome, cause: Option<String>) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let (kind, about, ms) = (self.kind, &self.about, millis(self.began.elapsed()));
        match (&outcome, &cause) {
            (JobOutcome::Failure, Some(cause)) => tracing::warn!(?kind, about, ms, cause, "a job failed"),
            _ => tracing::info!(?kind, about, ms, ?outcome, "a job ended"),
        }
        let mut seen = self.jobs.0.lock();
        seen.running.remove(&self.id);
        *seen.counts.entry((self.kind, outcome)).or_default() += 1;
        if let Some(cause) = cause {
            let failed = seen.failed.entry(self.kind).or_default();
            if failed.len() == REMEMBERED {
                failed.pop_front();
            }
            failed.push_back(FailedJob { about: self.about.clone(), at: Utc::now(), cause });
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.settle(JobOutcome::Cancelled, None);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted_once_however_they_end() {
        let jobs = Jobs::default();
        let (first, second) =
            (jobs.begin(JobKind::Report, "report 1"), jobs.begin(JobKind::Report, "report 2"));
        let left = jobs.begin(JobKind::Thumbnail, "chart 3");
        assert_eq!(jobs.running().len(), 3);
        first.succeeded();
        second.failed("the mail server refuses");
        drop(left);
        assert!(jobs.running().is_empty());
        let counts: Vec<_> = jobs.counts().into_iter().collect();
        let expected = [
            ((JobKind::Report, JobOutcome::Success), 1),
            ((JobKind::Report, JobOutcome::Failure), 1),
            ((JobKind::Thumbnail, JobOutcome::Cancelled), 1),
        ];
        assert_eq!(counts, expected);
        let failed = jobs.failed(JobKind::Report);
        assert_eq!((failed.len(), failed[0].cause.as_str()), (1, "the mail server refuses"));
    }

    #[test]
    fn failures_are_remembered_within_a_bound() {
        let jobs = Jobs::default();
        for n in 0..REMEMBERED + 5 {
            jobs.begin(JobKind::Retention, format!("{n}")).failed("full disk");
        }
        let failed = jobs.failed(JobKind::Retention);
        assert_eq!((failed.len(), failed[0].about.as_str()), (REMEMBERED, "5"));
    }
}
