//! The broken-down time that the reader passes around: like Python's `struct_time` it may hold a date that does not
//! exist, and a weekday that no longer belongs to it.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};

use super::super::error::TimeRangeError;
use super::super::moment::{self, days_in_month};
use super::Fallible;

/// Counterpart of `time.struct_time`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// 0 is Monday.
    pub(super) weekday: i64,
}

impl Clock {
    pub(super) fn from_datetime(moment: NaiveDateTime) -> Self {
        Self {
            year: i64::from(moment.year()),
            month: i64::from(moment.month()),
            day: i64::from(moment.day()),
            hour: i64::from(moment.hour()),
            minute: i64::from(moment.minute()),
            second: i64::from(moment.second()),
            weekday: i64::from(moment.weekday().num_days_from_monday()),
        }
    }

    pub(super) fn at(self, hour: i64, minute: i64, second: i64) -> Self {
        Self { hour, minute, second, ..self }
    }

    pub(super) fn on(self, year: i64, month: i64, day: i64) -> Self {
        Self { year, month, day, ..self }
    }

    /// The moment, if there is one.
    pub(super) fn datetime(self) -> Fallible<NaiveDateTime> {
        moment::datetime(self.year, self.month, self.day, (self.hour, self.minute, self.second))
    }

    pub(super) fn plus_days(self, days: i64) -> Fallible<Self> {
        let delta = TimeDelta::try_days(days).ok_or_else(out_of_range)?;
        moment::add(self.datetime()?, delta).map(Self::from_datetime)
    }

    pub(super) fn plus(self, delta: TimeDelta) -> Fallible<Self> {
        moment::add(self.datetime()?, delta).map(Self::from_datetime)
    }
}

pub(super) fn out_of_range() -> TimeRangeError {
    TimeRangeError::value("date value out of range")
}

/// Months forward or back, to the last day of a shorter month; a fraction counts in days of the month reached.
/// `None` when the year leaves 1–9999.
pub(super) fn add_months(start: NaiveDateTime, months: f64) -> Option<NaiveDateTime> {
    // Beyond this every start leaves the calendar.
    if !months.is_finite() || months.abs() > 240_000.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let whole = months.trunc() as i64;
    let fraction = months.fract();
    let index = i64::from(start.year()) * 12 + i64::from(start.month0()) + whole;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let last = if months == 0.0 { i64::from(start.day()) } else { days_in_month(year, month)? };
    let day = i64::from(start.day()).min(last);
    let time = (i64::from(start.hour()), i64::from(start.minute()), i64::from(start.second()));
    let moved = moment::datetime(year, month, day, time).ok()?;
    if fraction == 0.0 {
        return Some(moved);
    }
    #[expect(clippy::cast_precision_loss, reason = "a day of the month")]
    moment::add(moved, seconds(fraction * last as f64 * 86_400.0)?).ok()
}

/// A duration from fractional seconds, rounded to microseconds; `None` beyond Python's `timedelta`.
pub(super) fn seconds(value: f64) -> Option<TimeDelta> {
    if !value.is_finite() || value.abs() >= 86_400.0 * 999_999_999.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    Some(TimeDelta::microseconds((value * 1e6).round_ties_even() as i64))
}
