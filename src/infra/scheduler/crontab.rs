//! When an entry of Celery's `beat_schedule` is due (`celery.schedules`).

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::Value;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// When something is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// `crontab(…)`: minutes, hours, weekdays (0 is Sunday), days and months, all of which must match.
    Crontab([Vec<u32>; 5]),
    /// Every so many seconds.
    Every(i64),
}

impl Schedule {
    /// Reads what a configuration holds: a number of seconds, or the five fields of a crontab in Celery's order
    /// (minute, hour, day of week, day of month, month); none when it is neither.
    pub fn read(value: &Value) -> Option<Self> {
        if let Some(seconds) = value.as_f64() {
            return (1.0..1e9).contains(&seconds).then_some(Self::Every(seconds as i64));
        }
        let text = value.as_str()?.trim().to_lowercase();
        let parts: Vec<&str> = text.split_whitespace().take(5).collect();
        let [minute, hour, weekday, day, month] = parts.as_slice() else { return None };
        Some(Self::Crontab([
            field(minute, (0, 59), &[])?,
            field(hour, (0, 23), &[])?,
            field(weekday, (0, 7), &DAYS)?.into_iter().map(|day| day % 7).collect(),
            field(day, (1, 31), &[])?,
            field(month, (1, 12), &MONTHS)?,
        ]))
    }

    /// The last instant not after `now` and after `after` at which it was due.
    pub fn last_due(&self, after: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(seconds) => {
                let due = now.timestamp().div_euclid(*seconds) * seconds;
                DateTime::from_timestamp(due, 0).filter(|due| *due > after)
            }
            Self::Crontab(_) => {
                let mut at = minute_of(now)?;
                while at > after {
                    if self.matches(at, zone) {
                        return Some(at);
                    }
                    at -= TimeDelta::minutes(1);
                }
                None
            }
        }
    }

    /// The first instant after `now` at which it is due; none when it is not within a year.
    pub fn next_due(&self, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(seconds) => {
                DateTime::from_timestamp((now.timestamp().div_euclid(*seconds) + 1) * seconds, 0)
            }
            Self::Crontab(_) => {
                let first = minute_of(now)? + TimeDelta::minutes(1);
                let mut minutes = (0..366 * 24 * 60).map(|n| first + TimeDelta::minutes(n));
                minutes.find(|at| self.matches(*at, zone))
            }
        }
    }

    fn matches(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let Self::Crontab([minutes, hours, weekdays, days, months]) = self else { return false };
        let at = zone.from_utc_datetime(&at.naive_utc());
        minutes.contains(&at.minute())
            && hours.contains(&at.hour())
            && weekdays.contains(&at.weekday().num_days_from_sunday())
            && days.contains(&at.day())
            && months.contains(&at.month())
    }
}

fn minute_of(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    at.with_second(0)?.with_nanosecond(0)
}

/// The values of a field: `*`, `*/15`, `1-5`, `mon,wed`; none when it is not one.
fn field(text: &str, (min, max): (u32, u32), names: &[&str]) -> Option<Vec<u32>> {
    let first = if max == 12 { 1 } else { 0 };
    let number = |text: &str| -> Option<u32> {
        let named = names.iter().position(|n| text.starts_with(n)).and_then(|at| u32::try_from(at).ok());
        let value = text.parse().ok().or(named.map(|at| at + first))?;
        (min..=max).contains(&value).then_some(value)
    };
    let mut values = Vec::new();
    for element in
        text.trim_matches(['[', ']', '(', ')', '{', '}', '\'']).split(',').filter(|e| !e.is_empty())
    {
        let (range, step) = match element.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (element, 1),
        };
        // seven is Sunday where it is written, but `*` has each day once
        let top = if max == 7 { 6 } else { max };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (min, top),
            Some((low, high)) => (number(low)?, number(high)?),
            None => (number(range)?, number(range)?),
        };
        if low <= high {
            values.extend((low..=high).step_by(step));
        } else {
            values.extend((low..=top).chain(min..=high).step_by(step));
        }
    }
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_order_of_fields_is_celerys() {
        let monday = Schedule::read(&json!("30 2 mon * *")).unwrap();
        let next = monday.next_due(at("2026-11-28T12:00:00Z"), Tz::UTC);
        assert_eq!(next, Some(at("2026-11-30T02:30:00Z")));
        let first = Schedule::read(&json!("0 0 * 1 *")).unwrap();
        assert_eq!(first.next_due(at("2026-11-28T12:00:00Z"), Tz::UTC), Some(at("2026-12-01T00:00:00Z")));
        for bad in [json!("0 0 * *"), json!("61 * * * *"), json!("x * * * *"), json!(0), json!(null)] {
            assert_eq!(Schedule::read(&bad), None, "{bad}");
        }
    }

    #[test]
    fn what_was_due_meanwhile_is_due_once() {
        let quarter = Schedule::read(&json!("*/15 * * * *")).unwrap();
        let due = |after, now| quarter.last_due(at(after), at(now), Tz::UTC);
        assert_eq!(due("2026-11-28T09:10:00Z", "2026-11-28T10:07:00Z"), Some(at("2026-11-28T10:00:00Z")));
        assert_eq!(due("2026-11-28T10:00:00Z", "2026-11-28T10:14:59Z"), None);
        let every = Schedule::read(&json!(90)).unwrap();
        assert_eq!(
            every.last_due(at("2026-11-28T00:00:00Z"), at("2026-11-28T00:02:00Z"), Tz::UTC),
            Some(at("2026-11-28T00:01:30Z"))
        );
        let berlin = Schedule::read(&json!("0 3 * * *")).unwrap();
        let next = berlin.next_due(at("2026-11-28T12:00:00Z"), Tz::Europe__Berlin);
        assert_eq!(next, Some(at("2026-11-29T02:00:00Z")));
    }
}
