//! Matchers for dates, days and times that stand by themselves.

use super::super::error::TimeRangeError;
use super::super::moment::days_in_month;
use super::calendar::Clock;
use super::patterns::{
    CLOCK, DATE, DAY_WORD, MERIDIAN, TIME_WORD, TimeGroups, WEEKDAY, hour_of, month_index, weekday_index,
};
use super::{Accuracy, Fallible, Reader};

type Taken = Fallible<Option<(String, Clock)>>;

/// The text without `start..end`; nothing when that is all of it.
fn without(text: &str, start: usize, end: usize) -> String {
    if start == 0 && end == text.len() {
        return String::new();
    }
    format!("{} {}", text.get(..start).unwrap_or(""), text.get(end..).unwrap_or(""))
}

fn int(text: &str) -> Fallible<i64> {
    text.trim()
        .parse()
        .map_err(|_| TimeRangeError::value(format!("invalid literal for int() with base 10: '{text}'")))
}

/// `today`, `tomorrow`, `yesterday`: at nine in the morning.
pub(super) fn day_word(_: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let Some(m) = DAY_WORD.find(text) else { return Ok(None) };
    let offset = match m.as_str() {
        "tomorrow" => 1,
        "yesterday" => -1,
        _ => 0,
    };
    accuracy.date = true;
    Ok(Some((without(text, m.start(), m.end()), clock.at(9, 0, 0).plus_days(offset)?)))
}

/// The next such day after today; only taken out when there is a date already.
pub(super) fn weekday(_: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let Some(m) = WEEKDAY.find(text) else { return Ok(None) };
    let rest = without(text, m.start(), m.end());
    if accuracy.date {
        return Ok(Some((rest, clock)));
    }
    let Some(day) = weekday_index(m.as_str()) else { return Ok(None) };
    accuracy.date = true;
    let weeks = if day > clock.weekday { 0 } else { 1 };
    Ok(Some((rest, clock.plus_days(day - clock.weekday + 7 * weeks)?)))
}

/// `noon`, `tonight`, …; `now` only when it is all there is.
pub(super) fn time_word(_: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let now = matches!(text, "now" | "right now");
    let Some((word, rest)) = TIME_WORD
        .find(text)
        .map(|m| (m.as_str(), without(text, m.start(), m.end())))
        .or_else(|| now.then(|| (text, String::new())))
    else {
        return Ok(None);
    };
    accuracy.time = true;
    Ok(Some((rest, hour_of(word).map_or(clock, |hour| clock.at(hour, 0, 0)))))
}

/// Sets the time if there is such a time.
fn at_time(clock: Clock, hour: i64, minute: i64, second: i64, accuracy: &mut Accuracy) -> Clock {
    if hour < 24 && minute < 60 && second < 60 {
        accuracy.time = true;
        clock.at(hour, minute, second)
    } else {
        clock
    }
}

/// Seconds are cut, not rounded.
fn whole_seconds(text: Option<&str>) -> Fallible<i64> {
    text.map_or(Ok(0), |s| int(s.split(['.', ',']).next().unwrap_or("")))
}

/// `4:30pm`, `12 am`.
pub(super) fn meridian_time(_: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let Some(groups) = MERIDIAN.captures(text).and_then(|c| TimeGroups::from_captures(&c)) else {
        return Ok(None);
    };
    let rest = format!(
        "{} {}",
        text.get(..groups.whole.start()).unwrap_or(""),
        text.get(groups.whole.end()..).unwrap_or("")
    );
    let hour = match int(groups.hours.as_str())? {
        24 => 0,
        hour => hour,
    };
    let minute = groups.minutes.map_or(Ok(0), |m| int(m.as_str()))?;
    let second = whole_seconds(groups.seconds.map(|s| s.as_str()))?;
    let pm = groups.meridian.is_some_and(|m| m.as_str().starts_with('p'));
    let hour = match hour {
        12 if !pm => 0,
        hour if pm && hour < 12 => hour + 12,
        hour => hour,
    };
    Ok(Some((rest, at_time(clock, hour, minute, second, accuracy))))
}

/// `18:30`, `1830`, `18:30:15.5`.
pub(super) fn clock_time(_: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let Some(groups) = CLOCK.captures(text).and_then(|c| TimeGroups::from_captures(&c)) else {
        return Ok(None);
    };
    let Some(minutes) = groups.minutes else { return Ok(None) };
    let end = groups.seconds.map_or(minutes.end(), |s| s.end());
    let rest =
        format!("{} {}", text.get(..groups.hours.start()).unwrap_or(""), text.get(end..).unwrap_or(""));
    let hour = match int(groups.hours.as_str())? {
        24 => 0,
        hour => hour,
    };
    let second = whole_seconds(groups.seconds.map(|s| s.as_str()))?;
    Ok(Some((rest, at_time(clock, hour, int(minutes.as_str())?, second, accuracy))))
}

/// Two-digit years: those below fifty are of this century.
fn century(year: i64) -> i64 {
    match year {
        y if y < 50 => y + 2000,
        y if y < 100 => y + 1900,
        y => y,
    }
}

/// `7/21/2006`, `2006-07-21`, `21.7.` is month first. A date that does not exist is the present.
pub(super) fn numeric_date(reader: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let Some(date) = DATE.captures(text).and_then(|c| c.name("date")) else { return Ok(None) };
    let rest = without(text, date.start(), date.end());
    let parts = date.as_str().split(['/', '.', '-']).map(int).collect::<Fallible<Vec<_>>>()?;
    let (month, day, year) = match parts.as_slice() {
        [year, month, day] if *year > 31 => (*month, *day, Some(*year)),
        [month, day, year] => (*month, *day, Some(*year)),
        [year, month] if *year > 31 => (*month, clock.day, Some(*year)),
        [month, day] => (*month, *day, None),
        _ => return Ok(Some((rest, clock))),
    };
    // A date of this year that is over means next year. The original asks whether there is a third number, not whether
    // there is a year.
    let over = clock.month > month || (clock.month == month && clock.day > day);
    let next = i64::from(parts.len() < 3 && over);
    let year = century(year.unwrap_or(clock.year) + next);
    let moved = match days_in_month(year, month) {
        Some(last) if (1..=last).contains(&day) => {
            accuracy.date = true;
            clock.on(year, month, day)
        }
        _ => reader.now,
    };
    Ok(Some((rest, moved)))
}

/// `May 31st, 2006`, `31 May`, `July 2006`.
pub(super) fn month_name(reader: &Reader, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Taken {
    let Some(found) = super::month_text::find(text) else { return Ok(None) };
    let mut end = found.end;
    if !(found.start == 0 && end == text.len()) {
        // Two digits of a time are easily taken for a year: what follows the date belongs to the time.
        let hours = |pattern: &super::patterns::Pattern| {
            pattern.captures(text).and_then(|c| TimeGroups::from_captures(&c)).map(|g| g.hours.start())
        };
        let time = match found.year {
            Some(_) => hours(&MERIDIAN),
            None => None,
        };
        if let (Some(start), Some((_, year_end))) = (time, found.year)
            && start < year_end
        {
            end = start;
        }
    }
    let piece = text.get(found.start..end).unwrap_or("");
    let rest = if piece.len() == text.len() { String::new() } else { without(text, found.start, end) };
    // The piece is read once more, since it may have lost its year.
    let Some(found) = super::month_text::find(piece.trim()) else {
        return Err(TimeRangeError::parse_fail(text));
    };
    let piece = piece.trim();
    let part = |span: Option<(usize, usize)>| span.and_then(|(from, to)| piece.get(from..to));
    let month =
        part(Some(found.month)).and_then(month_index).ok_or_else(|| TimeRangeError::parse_fail(text))?;
    let day = part(found.day).map_or(Ok(1), int)?;
    let year = match part(found.year) {
        Some(year) => century(int(year)?),
        None => clock.year + i64::from(month < clock.month || (month == clock.month && day < clock.day)),
    };
    let moved = match days_in_month(year, month) {
        Some(last) if (1..=last).contains(&day) => {
            accuracy.date = true;
            clock.on(year, month, day)
        }
        _ => reader.now,
    };
    Ok(Some((rest, moved)))
}
