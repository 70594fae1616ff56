//! Calendar arithmetic on microseconds since 1970 and reading of timestamps.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveDateTime, NaiveTime};

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// The calendar form of a timestamp.
pub fn from_micros(us: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(us).map(|t| t.naive_utc())
}

/// Microseconds since 1970.
pub fn to_micros(t: NaiveDateTime) -> i64 {
    t.and_utc().timestamp_micros()
}

/// Midnight of a date.
pub fn date_micros(d: NaiveDate) -> i64 {
    to_micros(d.and_time(NaiveTime::MIN))
}

/// Adds months; the day is clipped to the month's last (`DateOffset(months=n)`).
pub fn add_months(t: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let step = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months >= 0 { t.checked_add_months(step) } else { t.checked_sub_months(step) }
}

/// Days in a month.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    let next = if month == 12 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(year, month + 1, 1)
    };
    next.and_then(|d| d.pred_opt()).map_or(31, |d| d.day())
}

/// Milliseconds since 1970 as JSON shows them (`superset.utils.dates:datetime_to_epoch`).
pub fn epoch_ms(us: i64) -> f64 {
    (us as f64 / 1e6) * 1000.0
}
