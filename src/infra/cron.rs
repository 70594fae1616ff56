//! Cron expressions as the Python package croniter 6.0.0 reads them (`superset.tasks.cron_util`): five fields, a sixth
//! for seconds, a seventh for years; names, `L` for the last day, `5#2`, `L5`, ranges that wrap around, `@daily` and
//! its kin.
//!
//! An expression is evaluated in the time zone of its schedule: it fires at an instant whose time on the wall there
//! matches. A time that a clock skips does not fire on that day, one that it repeats fires twice.

mod expand;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
pub use expand::CronError;

const MINUTE: usize = 0;
const HOUR: usize = 1;
const DAY: usize = 2;
const MONTH: usize = 3;
const WEEKDAY: usize = 4;
const SECOND: usize = 5;
const YEAR: usize = 6;

/// croniter gives up when nothing matches for so many years.
const YEARS: i32 = 50;

/// What croniter raises when it has given up.
pub const NEVER: &str = "CroniterBadDateError: failed to find next date";

/// The values of a field.
#[derive(Debug, Clone, Default, PartialEq)]
struct Field {
    values: Vec<u32>,
    any: bool,
    /// The last day of the month.
    last: bool,
}

impl Field {
    fn has(&self, value: u32) -> bool {
        self.any || self.values.contains(&value)
    }
}

/// Which of the weekdays of a month.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Nth {
    Nth(u32),
    Last,
}

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    /// Five to seven.
    fields: Vec<Field>,
    /// A weekday, 0 is Sunday, and which one of the month; where there is one, other weekdays do not count.
    nth: Vec<(u32, Nth)>,
}

/// Which days count: croniter looks for each of the two alone when the expression restricts both, and takes the
/// earlier one.
#[derive(Clone, Copy)]
enum Days {
    OfMonth,
    OfWeek,
    Both,
}

impl Cron {
    /// Parses an expression.
    pub fn parse(expression: &str) -> Result<Self, CronError> {
        expand::expand(expression)
    }

    /// All firings between two instants, both excluded.
    pub fn firings(&self, after: DateTime<Utc>, before: DateTime<Utc>, zone: Tz) -> Vec<DateTime<Utc>> {
        let (mut at, mut found) = (after, Vec::new());
        while let Some(next) = self.search(at, before, zone) {
            found.push(next);
            at = next;
        }
        found
    }

    /// The first firing after an instant; none when croniter finds none within fifty years, and then
    /// (`15 * 3#1`, `30 2 1`) not even when one of the two fields of days alone would have one.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let year = after.with_timezone(&zone).year() + YEARS + 1;
        let end = NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(chrono::NaiveTime::MIN).and_utc();
        if !self.either() {
            return self.find(after, end, zone, Days::Both);
        }
        let of_month = self.find(after, end, zone, Days::OfMonth)?;
        let of_week = self.find(after, end, zone, Days::OfWeek)?;
        Some(of_month.min(of_week))
    }

    /// The shortest time in seconds between two of the first firings after a moment; none when it hardly ever fires.
    pub fn shortest_interval(&self, from: NaiveDateTime, firings: usize) -> Option<i64> {
        let mut last = self.next(from.and_utc(), Tz::UTC)?;
        let mut shortest = None;
        for _ in 0..firings {
            let Some(next) = self.next(last, Tz::UTC) else { break };
            let seconds = (next - last).num_seconds();
            shortest = Some(shortest.map_or(seconds, |s: i64| s.min(seconds)));
            last = next;
        }
        shortest
    }

    fn either(&self) -> bool {
        !self.fields[DAY].any && !self.fields[WEEKDAY].any
    }

    fn search(&self, after: DateTime<Utc>, before: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        if !self.either() {
            return self.find(after, before, zone, Days::Both);
        }
        let of_month = self.find(after, before, zone, Days::OfMonth);
        let of_week = self.find(after, before, zone, Days::OfWeek);
        of_month.into_iter().chain(of_week).min()
    }

    /// The first match between two instants, both excluded.
    fn find(
        &self,
        after: DateTime<Utc>,
        before: DateTime<Utc>,
        zone: Tz,
        days: Days,
    ) -> Option<DateTime<Utc>> {
        let mut at = after.with_nanosecond(0)? + TimeDelta::seconds(1);
        while at < before {
            let local = zone.from_utc_datetime(&at.naive_utc()).naive_local();
            let (day, second) = (local.date(), i64::from(local.num_seconds_from_midnight()));
            at = if !self.year_has(day) {
                // years come back only before they are over
                let is_over =
                    self.fields[YEAR].values.iter().all(|year| i64::from(*year) < i64::from(day.year()));
                if is_over {
                    return None;
                }
                at + leap(zone, at, 86_400 - second)
            } else if !self.date_has(day, days) {
                at + leap(zone, at, 86_400 - second)
            } else if !self.fields[HOUR].has(local.hour()) {
                at + leap(zone, at, 3600 - second % 3600)
            } else if !self.fields[MINUTE].has(local.minute()) {
                at + TimeDelta::seconds(60 - second % 60)
            } else if !self.second_has(local.second()) {
                at + TimeDelta::seconds(1)
            } else {
                return Some(at);
            };
        }
        None
    }

    fn second_has(&self, second: u32) -> bool {
        self.fields.get(SECOND).map_or(second == 0, |field| field.has(second))
    }

    fn year_has(&self, date: NaiveDate) -> bool {
        self.fields.get(YEAR).is_none_or(|field| u32::try_from(date.year()).is_ok_and(|year| field.has(year)))
    }

    fn date_has(&self, date: NaiveDate, days: Days) -> bool {
        let of_month = self.fields[DAY].has(date.day()) || self.fields[DAY].last && is_last_day(date);
        let of_week = match self.nth.is_empty() {
            true => self.fields[WEEKDAY].has(date.weekday().num_days_from_sunday()),
            false => self.nth.iter().any(|nth| is_nth(date, *nth)),
        };
        self.fields[MONTH].has(date.month())
            && match days {
                // croniter leaves out the list of weekdays here, but not `5#2`
                Days::OfMonth => of_month && (self.nth.is_empty() || of_week),
                Days::OfWeek => of_week,
                Days::Both => of_month && of_week,
            }
    }
}

/// So many seconds, unless the clock is changed meanwhile: then so few that nothing is passed over.
fn leap(zone: Tz, at: DateTime<Utc>, seconds: i64) -> TimeDelta {
    use chrono::Offset;
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let hour = 3600 - i64::from(at.minute() * 60 + at.second());
    for seconds in [seconds, hour.min(seconds)] {
        // at the far end itself another offset may begin
        if offset(at) == offset(at + TimeDelta::seconds(seconds - 1)) {
            return TimeDelta::seconds(seconds);
        }
    }
    TimeDelta::seconds(60 - i64::from(at.second()))
}

fn is_last_day(date: NaiveDate) -> bool {
    date.succ_opt().is_none_or(|next| next.month() != date.month())
}

fn is_nth(date: NaiveDate, (weekday, nth): (u32, Nth)) -> bool {
    date.weekday().num_days_from_sunday() == weekday
        && match nth {
            Nth::Nth(nth) => (date.day() - 1) / 7 + 1 == nth,
            Nth::Last => (date + TimeDelta::days(7)).month() != date.month(),
        }
}

#[cfg(test)]
mod tests;
