//! Cron expressions as the Python package croniter reads them: five fields, a sixth for seconds, a seventh for years;
//! names, `L`, `5#2`, `l5`, `15w`, ranges that wrap around, `@daily` and its kin.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Timelike};

const RANGES: [(u32, u32); 7] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (0, 59), (1970, 2099)];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DAY: usize = 2;
const MONTH: usize = 3;
const WEEKDAY: usize = 4;
/// No expression that makes sense is longer.
const MAX_LENGTH: usize = 1000;

/// A parsed expression.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cron {
    /// Allowed values of each field; years are left to their range.
    fields: Vec<Vec<u32>>,
    /// `*` in the field of days, or in that of weekdays: then the other one decides alone.
    any_day: bool,
    any_weekday: bool,
    last_day: bool,
    nearest_weekday: Option<u32>,
    /// Weekday and which one of the month.
    nth: Vec<(u32, u32)>,
    last_weekdays: Vec<u32>,
}

impl Cron {
    /// Parses an expression; none when croniter refuses it.
    pub fn parse(expression: &str) -> Option<Self> {
        if expression.len() > MAX_LENGTH {
            return None;
        }
        let lower = expression.to_lowercase();
        let text = match lower.as_str() {
            "@midnight" | "@daily" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let parts: Vec<&str> = text.split_whitespace().collect();
        if !(5..=7).contains(&parts.len()) {
            return None;
        }
        let mut cron = Self::default();
        for (i, part) in parts.iter().enumerate() {
            let part = match *part {
                "?" if matches!(i, DAY | WEEKDAY) => "*",
                part if part.contains('?') => return None,
                part => part,
            };
            let values = cron.field(i, part)?;
            cron.fields.push(values);
        }
        cron.any_day = parts[DAY].starts_with(['*', '?']);
        cron.any_weekday = parts[WEEKDAY].starts_with(['*', '?']);
        Some(cron)
    }

    fn field(&mut self, i: usize, text: &str) -> Option<Vec<u32>> {
        let mut values = Vec::new();
        let alone = !text.contains(',');
        for element in text.split(',') {
            if i == WEEKDAY && self.special_weekday(element)? {
                continue;
            }
            if i == DAY && element == "l" {
                self.last_day = true;
                continue;
            }
            let near = element.strip_suffix('w').or_else(|| element.strip_prefix('w'));
            if i == DAY
                && let Some(day) = near.and_then(number)
            {
                if !alone || !(1..=31).contains(&day) {
                    return None;
                }
                self.nearest_weekday = Some(day);
                continue;
            }
            values.extend(element_values(i, element)?);
        }
        values.sort_unstable();
        values.dedup();
        Some(values)
    }

    /// `5#2`, `mon#1`, `l5`: true when the element was one of them.
    fn special_weekday(&mut self, element: &str) -> Option<bool> {
        if let Some((days, nth)) = element.split_once('#') {
            let nth = number(nth).filter(|n| (1..=5).contains(n))?;
            let days = element_values(WEEKDAY, days)?;
            self.nth.extend(days.into_iter().map(|day| (day, nth)));
            return Some(true);
        }
        if let Some(day) = element.strip_prefix('l').and_then(number) {
            self.last_weekdays.push(alias(WEEKDAY, day).filter(|d| *d <= 6)?);
            return Some(true);
        }
        Some(false)
    }

    /// Whether the expression fires at a minute (seconds are not looked at).
    pub fn matches(&self, at: NaiveDateTime) -> bool {
        let has = |i: usize, v: u32| self.fields.get(i).is_none_or(|values| values.contains(&v));
        let year = u32::try_from(at.year()).unwrap_or_default();
        has(0, at.minute())
            && has(1, at.hour())
            && has(MONTH, at.month())
            && has(6, year)
            && match (self.any_day, self.any_weekday) {
                (true, true) => true,
                (true, false) => self.on_weekday(at.date()),
                (false, true) => self.on_day(at.date()),
                (false, false) => self.on_day(at.date()) || self.on_weekday(at.date()),
            }
    }

    fn on_day(&self, date: NaiveDate) -> bool {
        let last = last_day(date);
        let nearest = self.nearest_weekday.is_some_and(|day| nearest(date, day.min(last)) == Some(date));
        self.fields[DAY].contains(&date.day()) || self.last_day && date.day() == last || nearest
    }

    fn on_weekday(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday();
        let nth = (date.day() - 1) / 7 + 1;
        self.fields[WEEKDAY].contains(&weekday)
            || self.nth.contains(&(weekday, nth))
            || self.last_weekdays.contains(&weekday) && date.day() + 7 > last_day(date)
    }

    /// The shortest time in seconds between two of the first firings after a moment; none when it hardly ever fires.
    pub fn shortest_interval(&self, from: NaiveDateTime, firings: usize) -> Option<i64> {
        let minute = chrono::TimeDelta::minutes(1);
        let (mut at, mut last, mut seen, mut shortest) = (from, None, 0, None);
        // two years of minutes at most
        for _ in 0..1_051_200 {
            at += minute;
            if !self.matches(at) {
                continue;
            }
            if let Some(last) = last.replace(at) {
                let seconds = (at - last).num_seconds();
                shortest = Some(shortest.map_or(seconds, |s: i64| s.min(seconds)));
            }
            seen += 1;
            if seen > firings {
                break;
            }
        }
        shortest
    }
}

fn last_day(date: NaiveDate) -> u32 {
    (28..=31).rev().find(|day| date.with_day(*day).is_some()).unwrap_or(28)
}

/// The working day that is nearest to a day, within its month.
fn nearest(month: NaiveDate, day: u32) -> Option<NaiveDate> {
    let date = month.with_day(day)?;
    let shifted = match date.weekday() {
        chrono::Weekday::Sat if day > 1 => date - Days::new(1),
        chrono::Weekday::Sat => date + Days::new(2),
        chrono::Weekday::Sun if day < last_day(date) => date + Days::new(1),
        chrono::Weekday::Sun => date - Days::new(2),
        _ => date,
    };
    Some(shifted)
}

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// A number or a name.
fn value(i: usize, text: &str) -> Option<u32> {
    let named = |names: &[&str], first: u32| {
        let at = names.iter().position(|n| *n == text).and_then(|at| u32::try_from(at).ok());
        at.map(|at| at + first)
    };
    number(text).or_else(|| match i {
        MONTH => named(&MONTHS, 1),
        WEEKDAY => named(&DAYS, 0),
        _ => None,
    })
}

fn alias(i: usize, value: u32) -> Option<u32> {
    Some(if i == WEEKDAY && value == 7 { 0 } else { value })
}

fn element_values(i: usize, element: &str) -> Option<Vec<u32>> {
    let (min, max) = *RANGES.get(i)?;
    let (range, step) = match element.split_once('/') {
        Some((range, step)) => (range, Some(number(step).filter(|s| *s > 0)?)),
        None => (element, None),
    };
    let (low, high) = match (range, range.split_once('-')) {
        ("*", _) => (min, max),
        (_, Some((low, high))) => {
            let high = if i == DAY && high == "l" { 31 } else { value(i, high)? };
            let (low, high) = (alias(i, value(i, low)?)?, alias(i, high)?);
            if low == high { (min, max) } else { (low, high) }
        }
        (single, None) => {
            let low = alias(i, value(i, single)?)?;
            (low, if step.is_some() { max } else { low })
        }
    };
    if low.max(high) > max || low.min(high) < min {
        return None;
    }
    let step = usize::try_from(step.unwrap_or(1)).ok()?;
    Some(if low <= high {
        (low..=high).step_by(step).collect()
    } else {
        // from Saturday to Monday
        (low..=max).chain(min..=high).step_by(step).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn what_croniter_reads() {
        for good in [
            "* * * * *",
            "0 9 * * *",
            "*/5 0-12/2 1,15 JAN-mar mon-fri",
            "0 0 L * *",
            "0 0 * * 5#2",
            "0 0 * * l5",
            "0 0 15w * *",
            "@daily",
            "0 0 * * sat-mon",
            "0 0 * * * 30",
            "0 0 * * * 0 2026-2030",
            "0 0 ? * 1",
            "10/5 * * * *",
            "0 0 * * 7",
        ] {
            assert!(Cron::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "bad",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "*/0 * * * *",
            "* * * * 8",
            "a b c d e",
            "? * * * *",
            "0 0 1,15w * *",
            "0 0 * * 5#6",
            "* * * * * * * *",
        ] {
            assert!(Cron::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn when_it_fires() {
        let fires = |cron: &str, when: &str| Cron::parse(cron).unwrap().matches(at(when));
        assert!(
            fires("30 9 * * mon-fri", "2026-11-20 09:30") && !fires("30 9 * * mon-fri", "2026-11-21 09:30")
        );
        assert!(fires("0 0 l * *", "2026-02-28 00:00") && !fires("0 0 l * *", "2026-03-28 00:00"));
        assert!(fires("0 0 13 * 5", "2026-11-20 00:00") && fires("0 0 13 * 5", "2026-12-13 00:00"));
        assert!(fires("0 0 * * 5#3", "2026-11-20 00:00") && !fires("0 0 * * 5#2", "2026-11-20 00:00"));
        assert!(fires("0 0 * * l5", "2026-11-27 00:00") && fires("0 0 15w * *", "2026-11-16 00:00"));
        let every = |cron: &str| Cron::parse(cron).unwrap().shortest_interval(at("2026-11-20 00:00"), 60);
        assert_eq!(
            (every("*/5 * * * *"), every("0 9 * * *"), every("0 0 30 2 *")),
            (Some(300), Some(86400), None)
        );
    }
}
