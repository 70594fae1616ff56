//! A point in time as Python's `datetime` holds it: wall-clock value, and an offset if the text named a zone.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

use super::error::TimeRangeError;

/// A naive or zoned `datetime` between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the clock on the wall shows.
    pub wall: NaiveDateTime,
    /// Seconds east of UTC, if the text named a zone.
    pub offset: Option<i32>,
}

impl Moment {
    /// A moment without zone.
    pub fn naive(wall: NaiveDateTime) -> Self {
        Self { wall, offset: None }
    }

    /// Keeps the zone and replaces the wall-clock value.
    pub(crate) fn with_wall(self, wall: NaiveDateTime) -> Self {
        Self { wall, ..self }
    }

    pub(crate) fn plus(self, delta: TimeDelta) -> Result<Self, TimeRangeError> {
        add(self.wall, delta).map(|wall| self.with_wall(wall))
    }

    pub(crate) fn minus(self, delta: TimeDelta) -> Result<Self, TimeRangeError> {
        self.plus(-delta)
    }

    fn since(&self, other: &Self) -> Result<TimeDelta, TimeRangeError> {
        match (self.offset, other.offset) {
            (None, None) => Ok(self.wall - other.wall),
            (Some(a), Some(b)) => {
                Ok(self.wall - other.wall - TimeDelta::seconds(i64::from(a) - i64::from(b)))
            }
            _ => Err(TimeRangeError::value("can't compare offset-naive and offset-aware datetimes")),
        }
    }

    pub(crate) fn is_after(&self, other: &Self) -> Result<bool, TimeRangeError> {
        Ok(self.since(other)? > TimeDelta::zero())
    }

    /// `(self - other).days`: rounded towards the past.
    pub(crate) fn days_since(&self, other: &Self) -> Result<i64, TimeRangeError> {
        let delta = self.since(other)?;
        let whole = TimeDelta::days(delta.num_days());
        Ok(if whole > delta { delta.num_days() - 1 } else { delta.num_days() })
    }

    /// `datetime.isoformat()`.
    pub fn isoformat(&self) -> String {
        let format = if self.wall.and_utc().timestamp_subsec_micros() == 0 {
            "%Y-%m-%dT%H:%M:%S"
        } else {
            "%Y-%m-%dT%H:%M:%S%.6f"
        };
        let mut text = self.wall.format(format).to_string();
        if let Some(offset) = self.offset {
            let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
            text.push_str(&format!("{sign}{:02}:{:02}", seconds / 3600, seconds % 3600 / 60));
            if seconds % 60 != 0 {
                text.push_str(&format!(":{:02}", seconds % 60));
            }
        }
        text
    }
}

/// `datetime + timedelta`, within Python's years 1–9999.
pub(crate) fn add(wall: NaiveDateTime, delta: TimeDelta) -> Result<NaiveDateTime, TimeRangeError> {
    wall.checked_add_signed(delta)
        .filter(|t| (1..=9999).contains(&t.year()))
        .ok_or_else(|| TimeRangeError::value("date value out of range"))
}

/// `calendar.monthrange(year, month)[1]`, for years that Python has.
pub(crate) fn days_in_month(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    })
}

/// `datetime(year, month, day, hour, minute, second)`, refusing what Python refuses.
pub(crate) fn datetime(
    year: i64,
    month: i64,
    day: i64,
    time: (i64, i64, i64),
) -> Result<NaiveDateTime, TimeRangeError> {
    if !(1..=9999).contains(&year) {
        return Err(TimeRangeError::value(format!("year {year} is out of range")));
    }
    if !(1..=12).contains(&month) {
        return Err(TimeRangeError::value("month must be in 1..12"));
    }
    let part = |value: i64| u32::try_from(value).ok();
    let date = i32::try_from(year)
        .ok()
        .zip(part(month))
        .zip(part(day))
        .and_then(|((y, m), d)| NaiveDate::from_ymd_opt(y, m, d));
    let date = date.ok_or_else(|| TimeRangeError::value("day is out of range for month"))?;
    let (hour, minute, second) = time;
    if !(0..24).contains(&hour) {
        return Err(TimeRangeError::value("hour must be in 0..23"));
    }
    if !(0..60).contains(&minute) {
        return Err(TimeRangeError::value("minute must be in 0..59"));
    }
    part(hour)
        .zip(part(minute))
        .zip(part(second))
        .and_then(|((h, m), s)| date.and_hms_opt(h, m, s))
        .ok_or_else(|| TimeRangeError::value("second must be in 0..59"))
}
