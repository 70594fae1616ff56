//! Time ranges as users and charts write them: `Last week`, `2006 : 2008`, `DATEADD(DATETIME('today'), -1, month) :
//! now`.
//!
//! Counterpart: `superset.utils.date_parser`. The clock is an argument (`now`, server-local and naive), so that
//! everything here is a function of its inputs. Free text is read first the way `dateutil.parser` does ([`dateutil`]),
//! then the way `parsedatetime` does ([`natural`]).

pub mod dateutil;
mod delta;
mod error;
mod evaluate;
mod expression;
mod holidays;
mod moment;
pub mod natural;
mod pattern;
#[cfg(test)]
mod tests;

use chrono::NaiveDateTime;

pub use delta::{get_past_or_future, normalize_time_delta, parse_human_timedelta, parse_past_timedelta};
pub use error::TimeRangeError;
pub use evaluate::parse_human_datetime;
pub use moment::Moment;

/// The range that filters nothing.
pub const NO_TIME_RANGE: &str = "No filter";

/// Longer texts are refused unread: no date needs them, and every reader below may look at a text several times.
pub(crate) const MAX_TEXT: usize = 4_096;

const SEPARATOR: &str = " : ";

/// What a range is made from; the fields are the arguments of Superset's `get_since_until`.
#[derive(Debug, Clone, Copy)]
pub struct SinceUntil<'a> {
    /// The range, usually `since : until`.
    pub time_range: Option<&'a str>,
    /// Start, when no range is given.
    pub since: Option<&'a str>,
    /// End, when no range is given.
    pub until: Option<&'a str>,
    /// What "Next …" starts from, and the base of relative texts (`today` or `now`).
    pub relative_start: Option<&'a str>,
    /// Where "Last …" ends (`today` or `now`).
    pub relative_end: Option<&'a str>,
    /// A delta into the past (`1 week`) or a range of its own (`A : B`).
    pub time_shift: Option<&'a str>,
    /// Shorthand of the experimental time comparison (`y`, `m`, `w`, `r`); pass it only when CHART_PLUGINS_EXPERIMENTAL
    /// is on.
    pub instant_time_comparison_range: Option<&'a str>,
    /// The server's clock.
    pub now: NaiveDateTime,
}

impl<'a> SinceUntil<'a> {
    /// A range with nothing else said.
    pub fn new(time_range: Option<&'a str>, now: NaiveDateTime) -> Self {
        Self {
            time_range,
            since: None,
            until: None,
            relative_start: None,
            relative_end: None,
            time_shift: None,
            instant_time_comparison_range: None,
            now,
        }
    }
}

/// Start and end of a range, as the database compares them: the wall-clock values, without their zone.
pub fn get_since_until(
    spec: &SinceUntil<'_>,
) -> Result<(Option<NaiveDateTime>, Option<NaiveDateTime>), TimeRangeError> {
    let (since, until) = get_since_until_zoned(spec)?;
    Ok((since.map(|m| m.wall), until.map(|m| m.wall)))
}

/// [`get_since_until`] with the zones the texts named, which the `time_range` API prints.
pub fn get_since_until_zoned(
    spec: &SinceUntil<'_>,
) -> Result<(Option<Moment>, Option<Moment>), TimeRangeError> {
    let now = spec.now;
    let relative_start = filled(spec.relative_start).unwrap_or("today");
    let relative_end = filled(spec.relative_end).unwrap_or("today");
    if spec.time_range == Some(NO_TIME_RANGE) {
        return Ok((None, None));
    }
    let range = filled(spec.time_range).map(|text| expand(text, relative_start, relative_end));
    let (mut since, mut until) = match range.as_deref().and_then(|text| text.split_once(SEPARATOR)) {
        Some((since, until)) => (side(since, spec)?, side(until, spec)?),
        None => {
            let since = filled(spec.since)
                .map(|text| parse_human_datetime(&add_ago_to_since(text), now))
                .transpose()?;
            let until = parse_human_datetime(filled(spec.until).unwrap_or(relative_end), now)?;
            (since, Some(until))
        }
    };
    if let Some(shift) = filled(spec.time_shift) {
        if let Some((from, to)) = shift.split_once(SEPARATOR) {
            since = Some(parse_human_datetime(from.trim(), now)?);
            until = Some(parse_human_datetime(to.trim(), now)?);
        } else {
            since = shifted(since, shift, now)?;
            until = shifted(until, shift, now)?;
        }
    }
    if let Some(range) = filled(spec.instant_time_comparison_range) {
        (since, until) = compared(since, until, range, spec)?;
    }
    if let (Some(from), Some(to)) = (since, until)
        && from.is_after(&to)?
    {
        return Err(TimeRangeError::value("From date cannot be larger than to date"));
    }
    Ok((since, until))
}

/// Python truth of an optional text.
fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|t| !t.is_empty())
}

/// Writes the abbreviations out as a pair of expressions.
fn expand(range: &str, relative_start: &str, relative_end: &str) -> String {
    if range.contains(SEPARATOR) {
        return range.to_owned();
    }
    if range.starts_with("Last") {
        return format!("{range}{SEPARATOR}{relative_end}");
    }
    if range.starts_with("Next") {
        return format!("{relative_start}{SEPARATOR}{range}");
    }
    for unit in ["week", "month", "quarter", "year"] {
        if range.starts_with(&format!("previous calendar {unit}")) {
            let unit = unit.to_uppercase();
            return format!(
                "DATETRUNC(DATEADD(DATETIME('today'), -1, {unit}), {unit}) : DATETRUNC(DATETIME('today'), {unit})"
            );
        }
    }
    for unit in ["day", "week", "month", "quarter", "year"] {
        if range.starts_with(&format!("Current {unit}")) {
            let unit = unit.to_uppercase();
            return format!(
                "DATETRUNC(DATEADD(DATETIME('today'), 0, {unit}), {unit}) : DATETRUNC(DATEADD(DATETIME('today'), \
                 1, {unit}), {unit})"
            );
        }
    }
    range.to_owned()
}

/// One side of `since : until`.
fn side(text: &str, spec: &SinceUntil<'_>) -> Result<Option<Moment>, TimeRangeError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > MAX_TEXT {
        return Err(TimeRangeError::parse_fail(text));
    }
    evaluate::datetime_eval(&pattern::formal_expression(text, spec.relative_start), spec.now).map(Some)
}

/// Slices of old say `7 days` where they mean `7 days ago`.
fn add_ago_to_since(since: &str) -> String {
    let mut words = since.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some(_), Some("days" | "years" | "hours" | "day" | "year" | "weeks"), None) => {
            format!("{since} ago")
        }
        _ => since.to_owned(),
    }
}

fn shifted(
    moment: Option<Moment>,
    shift: &str,
    now: NaiveDateTime,
) -> Result<Option<Moment>, TimeRangeError> {
    let delta = parse_past_timedelta(shift, Some(moment.map_or(now, |m| m.wall)), now)?;
    moment.map(|m| m.minus(delta)).transpose()
}

/// The ranges of the experimental time comparison: the same range a unit, or its own length, earlier.
fn compared(
    since: Option<Moment>,
    until: Option<Moment>,
    range: &str,
    spec: &SinceUntil<'_>,
) -> Result<(Option<Moment>, Option<Moment>), TimeRangeError> {
    let mut days = None;
    let unit = match range {
        "y" => "YEAR",
        "m" => "MONTH",
        "w" => "WEEK",
        "r" => {
            days = match (since, until) {
                (Some(from), Some(to)) => Some(to.days_since(&from)?),
                _ => None,
            };
            "DAY"
        }
        _ => return Ok((since, until)),
    };
    let count = days.filter(|d| *d != 0).unwrap_or(1);
    let earlier = |moment: Option<Moment>, default: Option<&str>| {
        let text = match moment {
            Some(m) => m.wall.format("%Y-%m-%dT%H:%M:%S").to_string(),
            None => default.unwrap_or("None").to_owned(),
        };
        evaluate::datetime_eval(&format!("DATEADD(DATETIME('{text}'), -{count}, {unit})"), spec.now)
    };
    Ok((Some(earlier(since, spec.relative_start)?), Some(earlier(until, spec.relative_end)?)))
}
