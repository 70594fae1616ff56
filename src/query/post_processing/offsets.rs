//! pandas frequency strings (`1D`, `6M`, `1W-MON`, `2QS`…) and stepping by them.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, TimeDelta};

use crate::frame::datetime::{DAY, days_in_month};
use crate::frame::{FrameError, Result};

/// Which day of a month an offset falls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    Start,
    End,
    BusinessStart,
    BusinessEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A fixed length in microseconds; `days` tells whole days from shorter ticks.
    Tick {
        micros: i64,
    },
    BusinessDay,
    /// Weeks that end on this weekday (Monday is 0).
    Week {
        weekday: i64,
    },
    /// Every `every` months (1, 3 or 12), counted so that `month` is one of them.
    Months {
        every: i64,
        month: i64,
        day: Day,
    },
}

/// A frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    n: i64,
    unit: Unit,
}

const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

impl Offset {
    /// Reads a frequency string.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let invalid = || FrameError::unexpected(format!("Invalid frequency: {text}"));
        let mut total: Option<Self> = None;
        let mut rest = text.trim();
        if rest.is_empty() || rest.len() > 64 {
            return Err(invalid());
        }
        while !rest.is_empty() {
            let number_len =
                rest.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).ok_or_else(invalid)?;
            let (number, tail) = rest.split_at(number_len);
            let tail = tail.trim_start();
            let name_len = tail.find(|c: char| !(c.is_ascii_alphabetic() || c == '-')).unwrap_or(tail.len());
            let (name, after) = tail.split_at(name_len);
            rest = after.trim_start();
            let factor: f64 = match number {
                "" | "+" => 1.0,
                "-" => -1.0,
                n => n.parse().map_err(|_| invalid())?,
            };
            let unit = unit(name).ok_or_else(invalid)?;
            let next = match unit {
                Unit::Tick { micros } => {
                    let us = factor * micros as f64;
                    if !us.is_finite() || us.abs() > 9.0e17 {
                        return Err(invalid());
                    }
                    Self { n: 1, unit: Unit::Tick { micros: us as i64 } }
                }
                unit if factor.fract() == 0.0 && factor.abs() < 1e6 => Self { n: factor as i64, unit },
                _ => return Err(invalid()),
            };
            total = Some(match (total, next.unit) {
                (None, _) => next,
                (Some(Self { n, unit: Unit::Tick { micros } }), Unit::Tick { micros: more }) => {
                    Self { n, unit: Unit::Tick { micros: micros.saturating_add(more) } }
                }
                _ => return Err(invalid()),
            });
        }
        total.filter(|o| o.forward()).ok_or_else(invalid)
    }

    fn forward(&self) -> bool {
        self.n > 0 && !matches!(self.unit, Unit::Tick { micros } if micros <= 0)
    }

    /// The length of a fixed frequency.
    pub(super) fn tick(&self) -> Option<i64> {
        match self.unit {
            Unit::Tick { micros } => Some(micros),
            _ => None,
        }
    }

    /// Frequencies that name the end of their period close and label on the right.
    pub(super) fn closed_right(&self) -> bool {
        match self.unit {
            Unit::Week { .. } => true,
            Unit::Months { day, .. } => matches!(day, Day::End | Day::BusinessEnd),
            _ => false,
        }
    }

    /// Periods longer than a day whose edges pandas moves to the end of that day.
    pub(super) fn is_superday(&self) -> bool {
        match self.unit {
            Unit::Tick { micros } => micros % DAY == 0 && micros != DAY,
            Unit::BusinessDay => true,
            _ => self.closed_right(),
        }
    }

    /// `t + n * self` (n = ±1).
    pub(super) fn step(&self, t: NaiveDateTime, direction: i64) -> Option<NaiveDateTime> {
        self.apply(t, self.n.checked_mul(direction)?)
    }

    fn apply(&self, t: NaiveDateTime, n: i64) -> Option<NaiveDateTime> {
        match self.unit {
            Unit::Tick { micros } => t.checked_add_signed(TimeDelta::microseconds(micros.checked_mul(n)?)),
            Unit::Week { weekday } => {
                let today = i64::from(t.weekday().num_days_from_monday());
                let ahead = (weekday - today).rem_euclid(7);
                let weeks = if ahead != 0 && n > 0 { n - 1 } else { n };
                t.checked_add_signed(TimeDelta::days(ahead + weeks * 7))
            }
            Unit::BusinessDay => {
                let mut t = t;
                let step = TimeDelta::days(n.signum());
                let mut left = n.abs();
                // From a weekend the first business day counts as the first step.
                while left > 0 {
                    t = t.checked_add_signed(step)?;
                    if t.weekday().num_days_from_monday() < 5 {
                        left -= 1;
                    }
                }
                Some(t)
            }
            Unit::Months { every, month, day } => {
                let this = i64::from(t.month());
                // The signed distance within the period, as pandas' `roll_qtrday` counts it.
                let signed =
                    if every == 12 { this - month } else { this.rem_euclid(every) - month.rem_euclid(every) };
                let anchor = day_of(t.date(), day);
                let at = i64::from(t.day());
                let mut n = n;
                if n > 0 {
                    if signed < 0 || (signed == 0 && at < anchor) {
                        n -= 1;
                    }
                } else if signed > 0 || (signed == 0 && at > anchor) {
                    n += 1;
                }
                let months = n * every - signed;
                let zero_based = i64::from(t.year()) * 12 + this - 1 + months;
                let (year, month) = (zero_based.div_euclid(12), zero_based.rem_euclid(12) + 1);
                let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month as u32, 1)?;
                let date = first.with_day(day_of(first, day) as u32)?;
                Some(date.and_time(t.time()))
            }
        }
    }

    fn is_on(&self, t: NaiveDateTime) -> bool {
        match self.unit {
            Unit::Tick { .. } => true,
            Unit::BusinessDay => t.weekday().num_days_from_monday() < 5,
            Unit::Week { weekday } => i64::from(t.weekday().num_days_from_monday()) == weekday,
            Unit::Months { every, month, day } => {
                (i64::from(t.month()) - month).rem_euclid(every) == 0
                    && i64::from(t.day()) == day_of(t.date(), day)
            }
        }
    }

    /// The last point on or before.
    pub(super) fn roll_back(&self, t: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.is_on(t) { Some(t) } else { self.apply(t, -1) }
    }

    /// The first point on or after.
    pub(super) fn roll_forward(&self, t: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.is_on(t) { Some(t) } else { self.apply(t, 1) }
    }
}

fn day_of(date: NaiveDate, day: Day) -> i64 {
    let last = days_in_month(date.year(), date.month());
    let weekday = |d: u32| date.with_day(d).map_or(0, |d| d.weekday().num_days_from_monday());
    i64::from(match day {
        Day::Start => 1,
        Day::End => last,
        Day::BusinessStart => match weekday(1) {
            5 => 3,
            6 => 2,
            _ => 1,
        },
        Day::BusinessEnd => last - weekday(last).saturating_sub(4),
    })
}

fn unit(name: &str) -> Option<Unit> {
    const SECOND: i64 = 1_000_000;
    let tick = |micros| Some(Unit::Tick { micros });
    // pandas is indifferent to case, except for these two.
    let upper = if name == "ms" || name == "MS" { name.to_owned() } else { name.to_ascii_uppercase() };
    let (base, anchor) = upper.split_once('-').map_or((upper.as_str(), None), |(a, b)| (a, Some(b)));
    let month = |default: i64| match anchor {
        None => Some(default),
        Some(a) => MONTHS.iter().position(|m| *m == a).map(|i| i as i64 + 1),
    };
    let no_anchor = |u: Option<Unit>| if anchor.is_none() { u } else { None };
    match base {
        "D" => no_anchor(tick(DAY)),
        "H" => no_anchor(tick(3600 * SECOND)),
        "T" | "MIN" => no_anchor(tick(60 * SECOND)),
        "S" => no_anchor(tick(SECOND)),
        "L" | "ms" => no_anchor(tick(1000)),
        "U" | "US" => no_anchor(tick(1)),
        "B" => no_anchor(Some(Unit::BusinessDay)),
        "W" => {
            let weekday = match anchor {
                None => 6,
                Some(a) => WEEKDAYS.iter().position(|d| *d == a)? as i64,
            };
            Some(Unit::Week { weekday })
        }
        "M" => no_anchor(Some(Unit::Months { every: 1, month: 1, day: Day::End })),
        "MS" => no_anchor(Some(Unit::Months { every: 1, month: 1, day: Day::Start })),
        "BM" => no_anchor(Some(Unit::Months { every: 1, month: 1, day: Day::BusinessEnd })),
        "BMS" => no_anchor(Some(Unit::Months { every: 1, month: 1, day: Day::BusinessStart })),
        "Q" => Some(Unit::Months { every: 3, month: month(12)?, day: Day::End }),
        "QS" => Some(Unit::Months { every: 3, month: month(1)?, day: Day::Start }),
        "BQ" => Some(Unit::Months { every: 3, month: month(12)?, day: Day::BusinessEnd }),
        "BQS" => Some(Unit::Months { every: 3, month: month(1)?, day: Day::BusinessStart }),
        "A" | "Y" => Some(Unit::Months { every: 12, month: month(12)?, day: Day::End }),
        "AS" | "YS" => Some(Unit::Months { every: 12, month: month(1)?, day: Day::Start }),
        "BA" | "BY" => Some(Unit::Months { every: 12, month: month(12)?, day: Day::BusinessEnd }),
        "BAS" | "BYS" => Some(Unit::Months { every: 12, month: month(1)?, day: Day::BusinessStart }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(s, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn anchored_steps() {
        for (freq, from, to) in [
            ("1M", "2020-01-31 00:00", "2020-02-29 00:00"),
            ("1M", "2020-01-15 00:00", "2020-01-31 00:00"),
            ("1MS", "2020-01-15 00:00", "2020-02-01 00:00"),
            ("1W", "2020-01-01 00:00", "2020-01-05 00:00"),
            ("Q", "2020-01-01 00:00", "2020-03-31 00:00"),
            ("QS", "2020-01-01 00:00", "2020-04-01 00:00"),
            ("AS", "2020-05-01 00:00", "2021-01-01 00:00"),
            ("A", "2020-05-01 00:00", "2020-12-31 00:00"),
            ("B", "2020-01-03 00:00", "2020-01-06 00:00"),
            ("BM", "2020-05-01 00:00", "2020-05-29 00:00"),
            ("1D12H", "2020-05-01 00:00", "2020-05-02 12:00"),
        ] {
            assert_eq!(Offset::parse(freq).unwrap().step(at(from), 1), Some(at(to)), "{freq}");
        }
        assert_eq!(
            Offset::parse("1AS").unwrap().roll_back(at("2020-05-03 00:00")),
            Some(at("2020-01-01 00:00"))
        );
        assert!(Offset::parse("nope").is_err());
        assert!(Offset::parse("0D").is_err());
        assert!(Offset::parse("YE").is_err());
    }
}
