//! Quantities with a unit: `5 days`, `-2.5 h`.

use super::calendar::{Clock, add_months, seconds};
use super::patterns::{DAY_SUFFIX, SHORT_UNITS_RE, UNITS_RE, quantity};
use super::{Accuracy, Fallible};

/// What a unit is called, whatever its form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Real {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// The unit behind a word.
pub(super) fn real_unit(word: &str) -> Option<Real> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" | "s" => Real::Seconds,
        "minute" | "minutes" | "min" | "mins" | "m" => Real::Minutes,
        "hour" | "hours" | "hr" | "h" => Real::Hours,
        "day" | "days" | "dy" | "d" => Real::Days,
        "week" | "weeks" | "wk" | "w" => Real::Weeks,
        "month" | "months" | "mth" => Real::Months,
        "year" | "years" | "yr" | "y" => Real::Years,
        _ => return None,
    })
}

/// Takes the first quantity out of the text and moves the clock by it.
pub(super) fn take(
    text: &str,
    short: bool,
    clock: Clock,
    accuracy: &mut Accuracy,
) -> Fallible<Option<(String, Clock)>> {
    let pattern = if short { &SHORT_UNITS_RE } else { &UNITS_RE };
    let Some(captures) = pattern.captures(text) else { return Ok(None) };
    let (Some(qty), Some(units)) = (captures.name("qty"), captures.name("units")) else { return Ok(None) };
    if trapped(text, qty, units) {
        return Ok(None);
    }
    let before = text.get(..qty.start()).unwrap_or("").trim();
    let after = text.get(qty.end()..).unwrap_or("").trim();
    let (before, negative) = match before.strip_suffix('-') {
        Some(before) => (before, true),
        None => (before, false),
    };
    let rest = if qty.as_str() == text { String::new() } else { format!("{before} {after}") };
    let number = text.get(qty.start()..units.start()).unwrap_or("").trim();
    let number = if negative { quantity(&format!("-{number}")) } else { quantity(number) };
    Ok(Some((rest, moved(clock, number, units.as_str(), accuracy)?)))
}

/// `31st` is a day, no 31 seconds.
fn trapped(text: &str, qty: regex::Match<'_>, units: regex::Match<'_>) -> bool {
    let Some(day) = DAY_SUFFIX.captures(text) else { return false };
    let (Some(number), Some(suffix)) = (day.name("day"), day.name("suffix")) else { return false };
    units.start() == suffix.start()
        && qty.start() == number.start()
        && qty.as_str() == format!("{}{}", number.as_str(), units.as_str())
}

fn moved(clock: Clock, number: f64, unit: &str, accuracy: &mut Accuracy) -> Fallible<Clock> {
    let start = clock.datetime()?;
    let scaled =
        |per: f64| seconds(number * per).and_then(|delta| super::super::moment::add(start, delta).ok());
    let unit = real_unit(unit);
    let target = match unit {
        Some(Real::Years) => add_months(start, number * 12.0),
        Some(Real::Months) => add_months(start, number),
        Some(Real::Weeks) => scaled(604_800.0),
        Some(Real::Days) => scaled(86_400.0),
        Some(Real::Hours) => scaled(3_600.0),
        Some(Real::Minutes) => scaled(60.0),
        Some(Real::Seconds) => scaled(1.0),
        None => None,
    };
    // Whatever leaves the calendar changes nothing, and does not count as understood.
    if target.is_some() {
        match unit {
            Some(Real::Hours | Real::Minutes | Real::Seconds) => accuracy.time = true,
            _ => accuracy.date = true,
        }
    }
    Ok(Clock::from_datetime(target.unwrap_or(start)))
}
