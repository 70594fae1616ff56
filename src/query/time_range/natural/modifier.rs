//! Words that turn the text around them into a distance: `3 days ago`, `next week`, `two hours before noon`, `end of
//! month`.

use chrono::TimeDelta;

use super::super::moment::days_in_month;
use super::calendar::{Clock, add_months, out_of_range};
use super::patterns::{MODIFIER, MONTHS, NUMBER, TIME_WORD, WEEKDAY, hour_of, quantity, weekday_index};
use super::units::{Real, real_unit};
use super::{Accuracy, Fallible, Reader};

fn direction(modifier: &str) -> i64 {
    match modifier {
        "before" | "ago" | "prior" | "prev" | "last" | "previous" => -1,
        "end of" | "this" => 0,
        _ => 1,
    }
}

impl Reader {
    /// Takes the first modifier, with the unit behind it, out of the text.
    pub(super) fn modifier(
        &self,
        text: &str,
        clock: Clock,
        accuracy: &mut Accuracy,
    ) -> Fallible<Option<(String, Clock)>> {
        let Some(m) = MODIFIER.find(text) else { return Ok(None) };
        let modifier = m.as_str();
        let before = text.get(..m.start()).unwrap_or("").trim();
        let after = text.get(m.end()..).unwrap_or("").trim();
        let (unit, after) = match after.char_indices().find(|(_, c)| c.is_whitespace()) {
            Some((i, c)) => (after.get(..i).unwrap_or(""), after.get(i + c.len_utf8()..).unwrap_or("")),
            None => (after, ""),
        };
        let offset = direction(modifier);
        if let Some(real) = real_unit(unit).filter(|r| !matches!(r, Real::Minutes | Real::Seconds)) {
            let moved = by_unit(clock, real, offset, accuracy)?;
            return Ok(Some((format!("{before} {after}"), moved)));
        }
        match modifier {
            "eom" => {
                accuracy.date = true;
                return Ok(Some((
                    format!("{before} {after}"),
                    last_of_month(clock, clock.month)?.at(9, 0, 0),
                )));
            }
            "eoy" => {
                accuracy.date = true;
                return Ok(Some((format!("{before} {after}"), last_of_month(clock, 12)?.at(9, 0, 0))));
            }
            _ => {}
        }
        if let Some(day) = WEEKDAY.find(unit).filter(|d| d.start() == 0) {
            let (before, moved) = self.by_weekday(modifier, before, day.as_str(), clock, accuracy)?;
            return Ok(Some((format!("{before} {after}"), moved)));
        }
        if before.is_empty() && after.is_empty() && TIME_WORD.find(unit).is_some_and(|w| w.start() == 0) {
            let (time, inner) = self.parse(unit, self.now)?;
            accuracy.absorb(inner);
            return Ok(Some((" ".to_owned(), time.plus_days(offset)?)));
        }
        let (after, moved) = self.by_text(modifier, before, unit, after, clock, accuracy)?;
        Ok(Some((format!(" {after}"), moved)))
    }

    /// `next friday`, `one day before thursday`.
    fn by_weekday<'t>(
        &self,
        modifier: &str,
        before: &'t str,
        day: &str,
        clock: Clock,
        accuracy: &mut Accuracy,
    ) -> Fallible<(&'t str, Clock)> {
        accuracy.date = true;
        if modifier == "eod" {
            let (moved, inner) = self.parse(day, clock)?;
            accuracy.absorb(inner);
            accuracy.time = true;
            return Ok((before, moved.at(17, 0, 0)));
        }
        let offset = direction(modifier);
        let relative = !matches!(modifier, "this" | "next" | "last" | "prior" | "previous");
        let weeks = if relative { 0 } else { offset };
        let mut days = weekday_index(day).unwrap_or(0) - clock.weekday + 7 * weeks;
        if days < -7 {
            days += 7;
        }
        let target = clock.at(9, 0, 0).plus_days(days)?;
        if !before.is_empty() && relative {
            let (moved, inner) = self.parse(before, clock)?;
            accuracy.absorb(inner);
            if inner.any() {
                let distance = moved.datetime()? - clock.datetime()?;
                let distance =
                    distance.checked_mul(i32::try_from(offset).unwrap_or(1)).ok_or_else(out_of_range)?;
                return Ok(("", target.plus(distance)?));
            }
        }
        Ok((before, target))
    }

    /// The text behind the modifier is the base, the text before it the distance.
    fn by_text<'t>(
        &self,
        modifier: &str,
        before: &str,
        unit: &str,
        after: &'t str,
        clock: Clock,
        accuracy: &mut Accuracy,
    ) -> Fallible<(&'t str, Clock)> {
        let offset = direction(modifier);
        let (mut clock, mut after) = (clock, after);
        let unit = unit.trim();
        if !unit.is_empty() {
            let (mut base, inner) = self.parse(&format!("{unit} {after}"), clock)?;
            accuracy.absorb(inner);
            if inner.date && MONTHS.contains(&unit) {
                base = add_months(base.datetime()?, f64::from(i32::try_from(offset).unwrap_or(0)) * 12.0)
                    .map(Clock::from_datetime)
                    .ok_or_else(out_of_range)?;
            }
            if inner.any() {
                (clock, after) = (base, "");
            }
        }
        if !before.is_empty() {
            let text = match NUMBER.last(before) {
                Some(m) => {
                    let number = quantity(m.as_str()) * f64::from(i32::try_from(offset).unwrap_or(0));
                    format!(
                        "{}{}{}",
                        before.get(..m.start()).unwrap_or(""),
                        python_float(number),
                        before.get(m.end()..).unwrap_or("")
                    )
                }
                None => before.to_owned(),
            };
            let (moved, inner) = self.parse(&text, clock)?;
            accuracy.absorb(inner);
            if inner.any() {
                clock = moved;
            }
        }
        if let Some(hour) = hour_of(modifier) {
            accuracy.time = true;
            clock = clock.at(hour, 0, 0);
        }
        Ok((after, clock))
    }
}

/// `str(float)`, as far as the reader can read it back.
fn python_float(value: f64) -> String {
    if value.abs() >= 1e16 { format!("{value:e}") } else { format!("{value:?}") }
}

fn last_of_month(clock: Clock, month: i64) -> Fallible<Clock> {
    let day = days_in_month(clock.year, month).ok_or_else(out_of_range)?;
    Ok(clock.on(clock.year, month, day))
}

/// `this month`, `next week`, `last year`.
fn by_unit(clock: Clock, unit: Real, offset: i64, accuracy: &mut Accuracy) -> Fallible<Clock> {
    let morning = clock.at(9, 0, 0);
    match unit {
        Real::Hours => accuracy.time = true,
        Real::Days => {
            accuracy.date = true;
            accuracy.time |= offset == 0;
        }
        _ => accuracy.date = true,
    }
    match unit {
        Real::Months if offset == 0 => Ok(last_of_month(clock, clock.month)?.at(9, 0, 0)),
        Real::Months => {
            let first = morning.on(clock.year, clock.month, 1).datetime()?;
            add_months(first, f64::from(i32::try_from(offset).unwrap_or(0)))
                .map(Clock::from_datetime)
                .ok_or_else(out_of_range)
        }
        Real::Weeks if offset == 0 => clock.at(17, 0, 0).plus_days(4 - clock.weekday),
        Real::Weeks => morning.plus_days(7 * offset),
        Real::Days if offset == 0 => Ok(clock.at(17, 0, 0)),
        Real::Days => morning.plus_days(offset),
        Real::Years if offset == 0 => Ok(clock.on(clock.year, 12, 31)),
        Real::Years => Ok(morning.on(clock.year + offset, 1, 1)),
        _ if offset == 0 => Ok(clock.at(clock.hour, 0, 0)),
        _ => clock.at(clock.hour, 0, 0).plus(TimeDelta::hours(offset)),
    }
}
