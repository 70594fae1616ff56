//! The beat: a few times a minute it decides which firings since the last decision are to be run, and claims them.
//!
//! Up to which instant was decided stands in the metadata database, so that neither an end of the process nor a clock
//! that stood still loses a firing: it is run late, and once. What was due longer ago than the bound is written off
//! with a row in the log of the alert or report.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use daos::{
    key_value::{self, NewEntry},
    report::{self, LogEntry, Scheduled},
};
use infra::{Result, clock, json::dumps};
use parking_lot::Mutex;
use serde_json::json;
use uuid::Uuid;

use super::{
    Entry, Firing, Limits, Runs, Settings,
    due::{Parsed, warn_of_zone, zone},
    takeover::MISSED,
};
use crate::{Services, state::claims::Subject};

/// Of processes whose clocks differ by less, one may be ahead of what another one has decided.
const SKEW: TimeDelta = TimeDelta::minutes(2);
/// What was due longer ago is forgotten (`CELERY_BEAT_SCHEDULER_EXPIRES`).
const HORIZON: TimeDelta = TimeDelta::days(7);
/// Rows in the log of a schedule for firings that nobody ran; earlier ones are counted in the first row.
const MISSED_ROWS: usize = 50;
/// Nothing being due, the decision is written down so often.
const REST: TimeDelta = TimeDelta::seconds(50);
/// A firing this late may have been run by somebody who does not know claims.
const LATE: TimeDelta = TimeDelta::minutes(1);

const RESOURCE: &str = "liteset_beat";
/// What is kept is older than anything that is decided with it.
const KEEP: TimeDelta = TimeDelta::days(60);

/// The clock; tests have one of their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Decides what is due.
pub struct Beat {
    app: Arc<Services>,
    runs: Arc<Runs>,
    settings: Settings,
    entries: Vec<Entry>,
    clock: Clock,
    parsed: Parsed,
    /// Up to where this process has decided.
    own: Mutex<Option<DateTime<Utc>>>,
}

fn mark_name() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"liteset.beat")
}

impl Beat {
    /// A beat over an application, with what runs the firings and the wall clock.
    pub fn new(app: Arc<Services>, runs: Arc<Runs>, settings: Settings, entries: Vec<Entry>) -> Self {
        Self::with_clock(app, runs, settings, entries, Arc::new(Utc::now))
    }

    /// The same with another clock.
    pub fn with_clock(
        app: Arc<Services>,
        runs: Arc<Runs>,
        settings: Settings,
        entries: Vec<Entry>,
        clock: Clock,
    ) -> Self {
        Self { app, runs, settings, entries, clock, parsed: Parsed::default(), own: Mutex::default() }
    }

    pub(super) fn app(&self) -> &Arc<Services> {
        &self.app
    }

    pub(super) fn runs(&self) -> &Arc<Runs> {
        &self.runs
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// A tick: what is due now, and then, second by second, what becomes due before the next minute. What goes wrong is
    /// logged, and decided again by the next tick.
    pub async fn tick(&self) {
        loop {
            let now = (self.clock)();
            match self.decide(now).await {
                Ok(Some(next)) => {
                    if !self.wait_until(now, next).await {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "what is due could not be decided: the next tick tries again");
                    return;
                }
            }
        }
    }

    /// Waits for an instant by the wall clock; false when the clock is set meanwhile.
    async fn wait_until(&self, mut seen: DateTime<Utc>, due: DateTime<Utc>) -> bool {
        loop {
            let now = (self.clock)();
            if now < seen {
                return false;
            }
            seen = now;
            match (due - now).to_std() {
                Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(Duration::from_secs(1))).await,
                _ => return true,
            }
        }
    }

    /// Decides everything up to `now`; the next instant within this minute at which something is due.
    pub async fn decide(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let mark = self.mark().await?;
        let decided = mark.as_ref().map(|(until, _)| *until);
        let is_ahead = decided.is_some_and(|until| until > now + SKEW);
        let after = self.decided_from(decided, now, is_ahead);
        let schedules = match self.settings.is_on {
            true => report::all_scheduled(self.app.db.exec()).await?,
            false => Vec::new(),
        };
        if after < now {
            let mut found = self.tasks(after, now).await?;
            let (mut known, mut from) = (mark.map(|(_, value)| value), after);
            // what is to be written off first: a process that dies over the rest does not begin with it again
            for until in [now - self.settings.catch_up, now] {
                if until <= from {
                    continue;
                }
                found += self.reports(&schedules, from, until, now).await?;
                *self.own.lock() = Some(until);
                // an idle server writes once a minute
                let is_worth_it = found > 0 || decided.is_none_or(|decided| until - decided >= REST);
                if !is_ahead && is_worth_it {
                    known = Some(self.set_mark(known, until).await?);
                }
                from = until;
            }
        }
        Ok(self.next_within_minute(&schedules, now))
    }

    /// Where the decision begins. A mark in the future was made by a clock that ran ahead, or this one is behind: until
    /// they meet, this process goes by its own memory, and by claims, which say what has been run already.
    fn decided_from(
        &self,
        decided: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        is_ahead: bool,
    ) -> DateTime<Utc> {
        let oldest = now - self.settings.catch_up;
        match decided {
            None => now - self.settings.window / 2,
            Some(until) if is_ahead => match self.own.lock().filter(|own| (oldest..=now).contains(own)) {
                Some(own) => own,
                None => {
                    tracing::warn!(%until, %now, "firings were decided by a clock that is ahead of this one");
                    oldest
                }
            },
            Some(until) => until.max(now - HORIZON),
        }
    }

    async fn mark(&self) -> Result<Option<(DateTime<Utc>, Vec<u8>)>> {
        let Some(entry) = key_value::find(self.app.db.exec(), RESOURCE, mark_name()).await? else {
            return Ok(None);
        };
        let value: serde_json::Value = serde_json::from_slice(&entry.value).unwrap_or_default();
        let until = value.get("decided_until").and_then(|until| until.as_str()?.parse().ok());
        // unreadable is as good as new
        Ok(Some((until.unwrap_or((self.clock)() - self.settings.window / 2), entry.value)))
    }

    /// Remembers up to where was decided; whoever was faster is right. Answers the mark, if nobody else was.
    async fn set_mark(&self, known: Option<Vec<u8>>, until: DateTime<Utc>) -> Result<Vec<u8>> {
        let entry = NewEntry {
            resource: RESOURCE,
            uuid: mark_name(),
            value: dumps(&json!({"decided_until": until.to_rfc3339()})).into_bytes(),
            user_id: None,
            now: clock::now(),
            expires_on: clock::now().checked_add_signed(KEEP),
        };
        let (db, value) = (self.app.db.exec(), entry.value.clone());
        match known {
            Some(known) => key_value::replace(db, mark_name(), &known, &entry).await?,
            None => key_value::insert_new(db, entry).await?,
        };
        Ok(value)
    }

    /// Claims or writes off what was due after an instant and up to another; how many firings there were.
    async fn reports(
        &self,
        schedules: &[Scheduled],
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let late = now - LATE;
        let elsewhere: HashSet<(i64, NaiveDateTime)> = match after < late && !schedules.is_empty() {
            true => {
                let logged = report::logged_since(self.app.db.exec(), after.naive_utc(), MISSED).await?;
                logged.into_iter().collect()
            }
            false => HashSet::new(),
        };
        let bound = now - self.settings.catch_up;
        let mut count = 0;
        for schedule in schedules.iter().filter(|schedule| schedule.active) {
            let Some(cron) = self.parsed.cron(schedule, now) else { continue };
            let made = schedule.created_on.and_then(|made| Local.from_local_datetime(&made).earliest());
            let was_there = |due: &DateTime<Utc>| {
                *due >= late
                    || made.is_none_or(|made| made <= *due)
                        && !elsewhere.contains(&(schedule.id, due.naive_utc()))
            };
            // the end is excluded, and this instant is not
            let end = until + TimeDelta::nanoseconds(1);
            let mut firings = cron.firings(after, end, zone(schedule));
            firings.retain(was_there);
            count += firings.len();
            let (missed, due): (Vec<_>, Vec<_>) = firings.into_iter().partition(|due| *due < bound);
            self.write_off(schedule, &missed).await?;
            let limits = Limits::for_schedule(schedule, &self.settings);
            for due in due {
                self.claim(schedule, Firing { schedule: schedule.id, due, limits }).await?;
            }
        }
        Ok(count)
    }

    async fn claim(&self, schedule: &Scheduled, firing: Firing) -> Result<()> {
        let subject = Subject::Schedule(firing.schedule);
        let taken =
            self.app.claims.take(&self.app.db, subject, firing.due, schedule.last_state.clone()).await?;
        if let Some(claim) = taken {
            warn_of_zone(schedule);
            self.runs.report(claim, schedule.name.clone(), firing.limits);
        }
        Ok(())
    }

    /// Firings that nobody ran in time: a row in the log for each.
    async fn write_off(&self, schedule: &Scheduled, missed: &[DateTime<Utc>]) -> Result<()> {
        let skipped = missed.len().saturating_sub(MISSED_ROWS);
        let mut written = 0;
        for (i, due) in missed.iter().skip(skipped).enumerate() {
            // all or nothing: what is written off without a row in the log would be lost silently
            let tx = self.app.db.begin().await?;
            if !self.app.claims.miss(tx.exec(), Subject::Schedule(schedule.id), *due).await? {
                continue;
            }
            let earlier = match (i, missed.first()) {
                (0, Some(first)) if skipped > 0 => {
                    format!(
                        " Neither was it at {skipped} earlier times since {}.",
                        first.format("%Y-%m-%d %H:%M:%S UTC")
                    )
                }
                _ => String::new(),
            };
            super::takeover::log_missed(tx.exec(), schedule.id, *due, &earlier).await?;
            tx.commit().await?;
            written += 1;
        }
        if let (Some(first), Some(last)) = (missed.first(), missed.last().filter(|_| written > 0)) {
            let schedule = schedule.id;
            tracing::warn!(schedule, written, skipped, %first, %last, "an alert or report was not run in time");
        }
        Ok(())
    }

    /// What was due of the beat's own entries is run once, however often it was due.
    async fn tasks(&self, after: DateTime<Utc>, now: DateTime<Utc>) -> Result<usize> {
        let after = after.max(now - TimeDelta::days(1));
        let mut count = 0;
        for entry in &self.entries {
            let Some(due) = entry.schedule.last_due(after, now, entry.zone) else { continue };
            count += 1;
            let subject = Subject::Task(entry.name.clone());
            if let Some(claim) = self.app.claims.take(&self.app.db, subject, due, None).await? {
                self.runs.task(claim, entry.task.clone());
            }
        }
        Ok(count)
    }

    /// Only expressions with seconds fire within a minute.
    fn next_within_minute(&self, schedules: &[Scheduled], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let minute = now.with_second(0)?.with_nanosecond(0)? + TimeDelta::minutes(1);
        let active = schedules.iter().filter(|s| s.active && s.crontab.split_whitespace().count() > 5);
        let next = |schedule: &Scheduled| {
            let cron = self.parsed.cron(schedule, now)?;
            cron.firings(now, minute, zone(schedule)).into_iter().next()
        };
        active.filter_map(next).min()
    }
}

/// A row of the log for a firing that nobody ran.
pub(super) fn missed_entry(
    schedule: i64,
    execution: Uuid,
    due: DateTime<Utc>,
    message: &str,
) -> LogEntry<'_> {
    let (scheduled, now) = (due.naive_utc(), clock::utc_now());
    LogEntry { schedule, execution, scheduled, now, state: "Error", message }
}
