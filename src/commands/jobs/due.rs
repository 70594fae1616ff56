//! Which firings there are (`superset.tasks.scheduler`, `superset.tasks.cron_util`).

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daos::report::Scheduled;
use infra::{
    cron::{Cron, CronError},
    timezone,
};
use parking_lot::Mutex;

use super::Settings;

/// One instant at which an alert or report is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// Which one.
    pub schedule: i64,
    /// When.
    pub due: DateTime<Utc>,
    /// How long its run may take.
    pub limits: Option<Limits>,
}

/// How long a run may take, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// It is killed.
    pub hard: i64,
    /// It is asked to end.
    pub soft: i64,
}

impl Limits {
    /// The limits of a schedule; none when it has no working timeout, or runs are not killed.
    pub fn for_schedule(schedule: &Scheduled, settings: &Settings) -> Option<Self> {
        let (timeout, (hard, soft)) = schedule.working_timeout.zip(settings.kill)?;
        Some(Self { hard: timeout.saturating_add(hard), soft: timeout.saturating_add(soft) })
    }
}

/// The zone of a schedule; UTC when there is no such zone, as in Superset.
pub(super) fn zone(schedule: &Scheduled) -> Tz {
    timezone::find(&schedule.timezone).unwrap_or(Tz::UTC)
}

/// Says that a firing's time is not the one that its owner meant (`cron_schedule_window` does so, too).
pub(super) fn warn_of_zone(schedule: &Scheduled) {
    if timezone::find(&schedule.timezone).is_none() {
        let (id, zone) = (schedule.id, &schedule.timezone);
        tracing::warn!(
            schedule = id,
            zone,
            "the time zone of an alert or report is unknown: its times are taken as UTC"
        );
    }
}

/// What the original enqueues in one tick of its beat: firings within half a window before and after, both ends
/// excluded. An expression that cannot be read is passed over; the original misses what comes after it.
pub fn firings_in_window(schedules: &[Scheduled], now: DateTime<Utc>, settings: &Settings) -> Vec<Firing> {
    if !settings.is_on {
        return Vec::new();
    }
    let half = settings.window / 2;
    let active = schedules.iter().filter(|schedule| schedule.active);
    active
        .flat_map(|schedule| {
            let cron = Cron::parse(&schedule.crontab).ok();
            let found = cron.map(|cron| cron.firings(now - half, now + half, zone(schedule)));
            let limits = Limits::for_schedule(schedule, settings);
            let id = schedule.id;
            found.into_iter().flatten().map(move |due| Firing { schedule: id, due, limits })
        })
        .collect()
}

/// Expressions that were parsed before.
#[derive(Default)]
pub(super) struct Parsed(Mutex<HashMap<String, Option<Arc<Cron>>>>);

/// So many expressions are remembered.
const REMEMBERED: usize = 10_000;

impl Parsed {
    /// The expression of a schedule; none when it cannot be read or never fires, which is told once.
    pub(super) fn cron(&self, schedule: &Scheduled, now: DateTime<Utc>) -> Option<Arc<Cron>> {
        let mut known = self.0.lock();
        if let Some(cron) = known.get(&schedule.crontab) {
            return cron.clone();
        }
        let read = Cron::parse(&schedule.crontab).map(Arc::new);
        let cron = match read {
            Ok(cron) => Some(cron).filter(|cron| {
                let fires = cron.next(now - TimeDelta::days(7), zone(schedule)).is_some();
                if !fires {
                    let (schedule, crontab) = (schedule.id, &schedule.crontab);
                    tracing::warn!(schedule, crontab, "the crontab of an alert or report never fires");
                }
                fires
            }),
            Err(error) => {
                unreadable(schedule, &error);
                None
            }
        };
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(schedule.crontab.clone(), cron.clone());
        cron
    }
}

fn unreadable(schedule: &Scheduled, error: &CronError) {
    let (schedule, crontab) = (schedule.id, &schedule.crontab);
    tracing::warn!(schedule, crontab, %error, "the crontab of an alert or report cannot be read");
}
