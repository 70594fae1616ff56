//! Dates as `dateutil.parser.parse` reads them (month first, two-digit years within fifty years of now), without its
//! fuzzy mode.

mod numeric;
mod tokens;
mod words;
mod ymd;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};

use super::MAX_TEXT;
use super::moment::{Moment, days_in_month};
use ymd::{Label, Ymd};

/// What the tokens said so far.
#[derive(Debug, Default)]
struct Found {
    ymd: Ymd,
    weekday: Option<u32>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    microsecond: Option<i64>,
    ampm: bool,
    tzname: Option<String>,
    tzoffset: Option<i64>,
}

/// The date in a text, completed from `default`; `None` where the original raises.
pub fn parse(text: &str, default: NaiveDateTime, this_year: i32) -> Option<Moment> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut tokens = tokens::split(text);
    let mut found = Found::default();
    let mut i = 0;
    while let Some(token) = tokens.get(i).cloned() {
        if tokens::is_number(&token) {
            i = numeric::take(&tokens, i, &mut found)?;
        } else if let Some(weekday) = words::weekday(&token) {
            found.weekday = Some(weekday);
        } else if let Some(month) = words::month(&token) {
            i = take_month(&tokens, i, month, this_year, &mut found)?;
        } else if let Some(pm) = words::ampm(&token) {
            let hour = found.hour.filter(|h| (0..=12).contains(h))?;
            found.hour = Some(words::adjust_ampm(hour, pm));
            found.ampm = true;
        } else if could_be_tzname(&found, &token) {
            take_tzname(&mut tokens, i, token, &mut found);
        } else if found.hour.is_some() && matches!(token.as_str(), "+" | "-") {
            i = take_offset(&tokens, i, &token, &mut found)?;
        } else if !words::jump(&token) {
            return None;
        }
        i += 1;
    }
    build(found, default, this_year)
}

/// `Jan-01-99`, `Jan of 01`, or the month alone.
fn take_month(tokens: &[String], i: usize, month: i64, this_year: i32, found: &mut Found) -> Option<usize> {
    found.ymd.push(month, Some(Label::Month))?;
    let at = |n: usize| tokens.get(i + n).map(String::as_str);
    match at(1) {
        Some(sep @ ("-" | "/")) => {
            found.ymd.push_text(at(2)?)?;
            if at(3) == Some(sep) {
                found.ymd.push_text(at(4)?)?;
                return Some(i + 4);
            }
            Some(i + 2)
        }
        Some(" ")
            if at(3) == Some(" ")
                && at(2).is_some_and(|t| t.eq_ignore_ascii_case("of"))
                && at(4).is_some() =>
        {
            if let Some(year) = at(4).filter(|t| t.bytes().all(|b| b.is_ascii_digit())) {
                let year = words::full_year(year.parse().ok()?, false, this_year);
                found.ymd.push_year_text(year)?;
            }
            Some(i + 4)
        }
        _ => Some(i),
    }
}

fn could_be_tzname(found: &Found, token: &str) -> bool {
    found.hour.is_some()
        && found.tzname.is_none()
        && found.tzoffset.is_none()
        && token.chars().count() <= 5
        && (token.bytes().all(|b| b.is_ascii_uppercase()) || matches!(token, "UTC" | "GMT" | "Z" | "z"))
}

fn take_tzname(tokens: &mut [String], i: usize, token: String, found: &mut Found) {
    // Only the lower-case "z" is known to mean zero here; UTC and GMT are resolved at the end.
    found.tzoffset = (token == "z").then_some(0);
    found.tzname = Some(token);
    // "GMT+3" says that its time plus three hours is GMT: the sign turns round.
    if let Some(sign) = tokens.get_mut(i + 1).filter(|t| matches!(t.as_str(), "+" | "-")) {
        *sign = if sign == "+" { "-".to_owned() } else { "+".to_owned() };
        found.tzoffset = None;
        if found.tzname.as_deref().is_some_and(words::utc_zone) {
            found.tzname = None;
        }
    }
}

/// `-0300`, `-03:00` or `-3`, with a name in parentheses behind it.
fn take_offset(tokens: &[String], i: usize, sign: &str, found: &mut Found) -> Option<usize> {
    let at = |n: usize| tokens.get(n).map(String::as_str);
    let digits = at(i + 1)?;
    let mut i = i;
    let (hours, minutes): (i64, i64) = if digits.len() == 4 {
        (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?)
    } else if at(i + 2) == Some(":") {
        let parts = (digits.parse().ok()?, at(i + 3)?.parse().ok()?);
        i += 2;
        parts
    } else if digits.chars().count() <= 2 {
        (digits.parse().ok()?, 0)
    } else {
        return None;
    };
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    found.tzoffset = Some(if sign == "+" { seconds } else { -seconds });
    if at(i + 5) == Some(")")
        && at(i + 3) == Some("(")
        && at(i + 2).is_some_and(words::jump)
        && let Some(name) = at(i + 4).filter(|n| n.chars().count() >= 3)
        && found.tzname.is_none()
        && name.len() <= 5
        && name.bytes().all(|b| b.is_ascii_uppercase())
    {
        found.tzname = Some(name.to_owned());
        i += 4;
    }
    Some(i + 1)
}

fn build(found: Found, default: NaiveDateTime, this_year: i32) -> Option<Moment> {
    let (year, month, day) = found.ymd.resolve()?;
    let year = year.map(|y| words::full_year(y, found.ymd.century_specified(), this_year));
    let nothing = year.is_none()
        && month.is_none()
        && day.is_none()
        && found.weekday.is_none()
        && found.hour.is_none()
        && found.minute.is_none()
        && found.second.is_none()
        && !found.ampm
        && found.tzname.is_none();
    if nothing {
        return None;
    }
    let full_year = year.unwrap_or(i64::from(default.year()));
    let full_month = month.unwrap_or(i64::from(default.month()));
    let last = days_in_month(full_year, full_month)?;
    let full_day = day.unwrap_or(i64::from(default.day()).min(last));
    if !(1..=9999).contains(&full_year) || !(1..=last).contains(&full_day) {
        return None;
    }
    let to_u32 = |value: Option<i64>| u32::try_from(value.unwrap_or(0)).ok();
    let mut date = NaiveDate::from_ymd_opt(
        i32::try_from(full_year).ok()?,
        to_u32(Some(full_month))?,
        to_u32(Some(full_day))?,
    )?;
    if to_u32(found.second)? > 59 {
        return None;
    }
    let time = NaiveTime::from_hms_micro_opt(
        to_u32(found.hour)?,
        to_u32(found.minute)?,
        to_u32(found.second)?,
        to_u32(found.microsecond)?,
    )?;
    if let (Some(weekday), true) = (found.weekday, day.unwrap_or(0) == 0) {
        let ahead = (weekday + 7 - date.weekday().num_days_from_monday()) % 7;
        date = date.checked_add_days(Days::new(u64::from(ahead))).filter(|d| d.year() <= 9999)?;
    }
    let offset = match found.tzoffset {
        _ if found.tzname.as_deref().is_some_and(words::utc_zone) => Some(0),
        Some(seconds) => Some(i32::try_from(seconds).ok().filter(|s| s.abs() < 86_400)?),
        // A name that is no zone we know is ignored, as in the original.
        None => None,
    };
    Some(Moment { wall: date.and_time(time), offset })
}
