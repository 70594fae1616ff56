//! Evaluates expressions and free text to moments.

use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use regex::Regex;

use super::delta::parse_human_timedelta;
use super::error::TimeRangeError;
use super::expression::{self, Count, Expression, Unit};
use super::moment::{Moment, days_in_month};
use super::pattern::compiled;
use super::{MAX_TEXT, dateutil, holidays, natural};

static AMBIGUOUS: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"(?i)^\s*([0-9]+)\s+(second|minute|hour|day|week|month|quarter|year)s?\s*$"));

/// The moment a free text names. Dates without time are midnight; parts of a date that are missing are those of the
/// first of January.
pub fn parse_human_datetime(text: &str, now: NaiveDateTime) -> Result<Moment, TimeRangeError> {
    if text.len() > MAX_TEXT {
        return Err(TimeRangeError::parse_fail(text));
    }
    if AMBIGUOUS.as_ref().is_some_and(|re| re.is_match(text)) {
        return Err(TimeRangeError::Ambiguous(text.to_owned()));
    }
    let default = NaiveDate::from_ymd_opt(now.year(), 1, 1).map_or(now, |d| d.and_time(NaiveTime::MIN));
    if let Some(moment) = dateutil::parse(text, default, now.year()) {
        return Ok(moment);
    }
    let parsed = natural::parse(text, None, now)?;
    if !parsed.has_date && !parsed.has_time {
        return Err(TimeRangeError::parse_fail(text));
    }
    Ok(Moment::naive(if parsed.has_time { parsed.when } else { midnight(parsed.when) }))
}

/// Parses and evaluates a formal expression.
pub(super) fn datetime_eval(text: &str, now: NaiveDateTime) -> Result<Moment, TimeRangeError> {
    evaluate(&expression::parse(text)?, now)
}

fn evaluate(expression: &Expression, now: NaiveDateTime) -> Result<Moment, TimeRangeError> {
    match expression {
        Expression::DateTime(text) => parse_human_datetime(text, now),
        Expression::DateAdd(date, count, unit) => {
            let moment = evaluate(date, now)?;
            let count = match count {
                Count::Literal(value) => *value,
                Count::Diff(diff) => difference(diff, now)?,
            };
            let (count, unit) =
                if *unit == Unit::Quarter { (count.saturating_mul(3), Unit::Month) } else { (count, *unit) };
            moment.plus(parse_human_timedelta(&format!("{count} {}s", unit.name()), Some(moment.wall), now)?)
        }
        Expression::DateTrunc(date, unit) => {
            let moment = evaluate(date, now)?;
            Ok(moment.with_wall(truncated(moment.wall, *unit)?))
        }
        Expression::LastDay(date, unit) => {
            let moment = evaluate(date, now)?;
            Ok(moment.with_wall(last_day(moment.wall, *unit)?))
        }
        Expression::Holiday(name, date, country) => {
            let year = match date {
                Some(date) => evaluate(date, now)?.wall.year(),
                None => now.year(),
            };
            let country = country.as_deref().filter(|c| !c.is_empty()).unwrap_or("US");
            let found = holidays::find(country, year, name)
                .map_err(|_| TimeRangeError::value(format!("Country {country} not available")))?;
            found
                .map(|date| Moment::naive(date.and_time(NaiveTime::MIN)))
                .ok_or_else(|| TimeRangeError::value(format!("Unable to find such a holiday: [{name}]")))
        }
        // A difference is a number: it cannot be a side of a range.
        Expression::DateDiff(..) => Err(TimeRangeError::value("Unable to calculate such a date delta")),
    }
}

fn difference(expression: &Expression, now: NaiveDateTime) -> Result<i64, TimeRangeError> {
    let Expression::DateDiff(from, to, unit) = expression else {
        return Err(TimeRangeError::value("Unable to calculate such a date delta"));
    };
    let (from, to) = (evaluate(from, now)?, evaluate(to, now)?);
    match unit {
        Some(Unit::Year) => Ok(i64::from(to.wall.year()) - i64::from(from.wall.year())),
        _ => to.days_since(&from),
    }
}

fn out_of_range() -> TimeRangeError {
    TimeRangeError::value("date value out of range")
}

fn midnight(moment: NaiveDateTime) -> NaiveDateTime {
    moment.date().and_time(NaiveTime::MIN)
}

fn monday(date: NaiveDate) -> Result<NaiveDate, TimeRangeError> {
    date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))
        .filter(|d| d.year() >= 1)
        .ok_or_else(out_of_range)
}

fn truncated(moment: NaiveDateTime, unit: Unit) -> Result<NaiveDateTime, TimeRangeError> {
    let date = moment.date();
    let start = |month: u32| {
        NaiveDate::from_ymd_opt(date.year(), month, 1)
            .map(|d| d.and_time(NaiveTime::MIN))
            .ok_or_else(out_of_range)
    };
    let clock =
        |minute: u32, second: u32| date.and_hms_opt(moment.hour(), minute, second).ok_or_else(out_of_range);
    match unit {
        Unit::Year => start(1),
        Unit::Quarter => start(date.month0() / 3 * 3 + 1),
        Unit::Month => start(date.month()),
        Unit::Week => Ok(monday(date)?.and_time(NaiveTime::MIN)),
        Unit::Day => Ok(midnight(moment)),
        Unit::Hour => clock(0, 0),
        Unit::Minute => clock(moment.minute(), 0),
        Unit::Second => clock(moment.minute(), moment.second()),
    }
}

fn last_day(moment: NaiveDateTime, unit: Unit) -> Result<NaiveDateTime, TimeRangeError> {
    let date = moment.date();
    let last = match unit {
        Unit::Year => NaiveDate::from_ymd_opt(date.year(), 12, 31),
        Unit::Month => days_in_month(i64::from(date.year()), i64::from(date.month()))
            .and_then(|day| u32::try_from(day).ok())
            .and_then(|day| date.with_day(day)),
        _ => monday(date)?.checked_add_days(Days::new(6)).filter(|d| d.year() <= 9999),
    };
    last.map(|d| d.and_time(NaiveTime::MIN)).ok_or_else(out_of_range)
}
