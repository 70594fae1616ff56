//! Deltas in words: `1 week ago`, `28 days`.

use std::sync::LazyLock;

use chrono::{NaiveDateTime, TimeDelta, Timelike};
use regex::Regex;

use super::error::TimeRangeError;
use super::natural;
use super::pattern::compiled;

static DELTA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(r"(?i)^\s*([0-9]+)\s+(second|minute|hour|day|week|month|quarter|year)s?\s+(ago|later)*\n?$")
});

/// `1 year ago` → (`years`, −1), the argument of a date offset. Without a direction it is the future, as in Superset.
pub fn normalize_time_delta(text: &str) -> Result<(String, i64), TimeRangeError> {
    let ambiguous = || TimeRangeError::DeltaAmbiguous(text.to_owned());
    let m = DELTA.as_ref().and_then(|re| re.captures(text)).ok_or_else(ambiguous)?;
    let value: i64 = m.get(1).and_then(|g| g.as_str().parse().ok()).ok_or_else(ambiguous)?;
    let unit = m.get(2).map_or("", |g| g.as_str());
    let ago = m.get(3).is_some_and(|g| g.as_str() == "ago");
    Ok((format!("{unit}s"), if ago { -value } else { value }))
}

/// The moment a text names, seen from `source` (else now). Text that means nothing changes nothing.
pub fn get_past_or_future(
    text: &str,
    source: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<NaiveDateTime, TimeRangeError> {
    let source = whole_second(source.unwrap_or(now));
    natural::parse(text, Some(source), now).map(|parsed| parsed.when)
}

/// The distance from `source` (else now) to the moment the text names.
pub fn parse_human_timedelta(
    text: &str,
    source: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<TimeDelta, TimeRangeError> {
    let base = whole_second(source.unwrap_or(now));
    Ok(get_past_or_future(text, source, now)? - base)
}

/// A delta into the past, in positive terms: `1 year` from the first of March 2021 is 365 days.
pub fn parse_past_timedelta(
    text: &str,
    source: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<TimeDelta, TimeRangeError> {
    let delta = if text.starts_with('-') {
        parse_human_timedelta(text, source, now)
    } else {
        parse_human_timedelta(&format!("-{text}"), source, now)
    };
    delta.map(|d| -d)
}

pub(super) fn whole_second(moment: NaiveDateTime) -> NaiveDateTime {
    moment.with_nanosecond(0).unwrap_or(moment)
}
