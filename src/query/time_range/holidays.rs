//! Public holidays for `HOLIDAY(…)`.
//!
//! The original asks the package `holidays`; `holidays.tsv` is made from it, from 1950 (the United States: 1860) to
//! 2075. Its form is described where it is written, in `tests/golden/time_range/holidays_table.py`.

use chrono::{Days, NaiveDate, Weekday};

const TABLE: &str = include_str!("holidays.tsv");

/// The last year of the table: what is said of it holds for no other.
const LAST: i32 = 2075;

/// A country that is not here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownCountry;

/// The first holiday of the year whose name starts with the text, in any case. The order is that of the original's
/// table, not the calendar's.
pub(super) fn find(country: &str, year: i32, name: &str) -> Result<Option<NaiveDate>, UnknownCountry> {
    let is_country =
        |line: &str| line.starts_with('#') && line.split(' ').skip(1).any(|known| known == country);
    let mut lines = TABLE.lines().skip_while(|line| !is_country(line));
    lines.next().ok_or(UnknownCountry)?;
    let wanted = name.to_lowercase();
    let holidays = lines.take_while(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    let named = holidays.filter(|(holiday, _)| holiday.to_lowercase().starts_with(&wanted));
    Ok(named.map(|(_, days)| written_out(days)).find_map(|days| in_year(days, year)))
}

/// `=3` stands for the line `=3` at the top.
fn written_out(days: &'static str) -> &'static str {
    let shared = || TABLE.lines().take_while(|line| line.starts_with('='));
    if !days.starts_with('=') {
        return days;
    }
    shared()
        .filter_map(|line| line.split_once('\t'))
        .find(|(name, _)| *name == days)
        .map_or("", |(_, days)| days)
}

fn in_year(days: &str, year: i32) -> Option<NaiveDate> {
    let (mut since, mut rule) = (i32::MIN, "-");
    for part in days.split(' ') {
        let (next, day) = match part.split_once(':') {
            Some((next, day)) => (next.parse().ok()?, day),
            None => (since.checked_add(1)?, part),
        };
        if next > year {
            break;
        }
        (since, rule) = (next, day);
    }
    if year > LAST { None } else { day_of(rule, year) }
}

/// The day that a rule names in a year.
fn day_of(rule: &str, year: i32) -> Option<NaiveDate> {
    let number = |from: usize, to: usize, radix| u32::from_str_radix(rule.get(from..to)?, radix).ok();
    match rule.get(..1)? {
        "-" => None,
        "E" => shifted(western_easter(year)?, rule.get(1..)?),
        "O" => shifted(orthodox_easter(year)?, rule.get(1..)?),
        _ if rule.len() == 4 => NaiveDate::from_ymd_opt(year, number(0, 2, 10)?, number(2, 4, 10)?),
        _ => {
            let (month, weekday) =
                (number(0, 1, 16)?, Weekday::try_from(u8::try_from(number(1, 2, 10)?).ok()?).ok()?);
            let nth = |n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n);
            if rule.ends_with('L') {
                nth(5).or_else(|| nth(4))
            } else {
                nth(u8::try_from(number(2, 3, 10)?).ok()?)
            }
        }
    }
}

fn shifted(sunday: NaiveDate, days: &str) -> Option<NaiveDate> {
    let days: i64 = days.parse().ok()?;
    let count = Days::new(days.unsigned_abs());
    if days < 0 { sunday.checked_sub_days(count) } else { sunday.checked_add_days(count) }
}

/// Easter Sunday of the Gregorian calendar (the anonymous computus).
fn western_easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let day = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(day / 31).ok()?, u32::try_from(day % 31 + 1).ok()?)
}

/// Easter Sunday of the Julian calendar, as a date of the Gregorian one (Meeus).
fn orthodox_easter(year: i32) -> Option<NaiveDate> {
    let d = (19 * (year % 19) + 15) % 30;
    let e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7;
    let day = d + e + 114;
    let julian =
        NaiveDate::from_ymd_opt(year, u32::try_from(day / 31).ok()?, u32::try_from(day % 31 + 1).ok()?)?;
    // how far the calendars are apart grows with the centuries
    julian.checked_add_days(Days::new(u64::try_from(year / 100 - year / 400 - 2).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of the package itself.
    #[test]
    fn days_are_those_of_the_package() {
        for line in include_str!("../../../tests/golden/time_range/holidays.tsv").lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            let [country, year, name, day] = parts.as_slice() else { panic!("{line}") };
            let found = find(country, year.parse().unwrap(), name);
            assert_eq!(found, Ok(Some(day.parse().unwrap())), "{line}");
        }
    }

    #[test]
    fn unknown_countries_and_years_are_told_apart() {
        assert_eq!(find("XX", 2020, "x"), Err(UnknownCountry));
        assert_eq!(find("DE", 2076, "Neujahr"), Ok(None));
        assert_eq!(find("DE", i32::MAX, "Neujahr"), Ok(None));
        assert_eq!(find("US", 1862, "thanksgiving"), Ok(NaiveDate::from_ymd_opt(1862, 4, 10)));
        assert_eq!(find("US", 1600, "thanksgiving"), Ok(None));
    }
}
