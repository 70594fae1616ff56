//! Public holidays for `HOLIDAY(…)`: the federal and customary holidays of the United States since 1862.
//!
//! The original asks the `holidays` package, which knows some 250 countries; only its default country is here.

use chrono::{Datelike, NaiveDate, Weekday};

/// A country that is not here.
pub(super) struct UnknownCountry;

/// The first holiday of the year whose name starts with the text, in any case. The order is that of the original's table, not the calendar's.
pub(super) fn find(country: &str, year: i32, name: &str) -> Result<Option<NaiveDate>, UnknownCountry> {
    if !matches!(country, "US" | "USA" | "UnitedStates") {
        return Err(UnknownCountry);
    }
    let wanted = name.to_lowercase();
    Ok(united_states(year)
        .into_iter()
        .find(|(holiday, _)| holiday.to_lowercase().starts_with(&wanted))
        .map(|(_, date)| date))
}

fn united_states(year: i32) -> Vec<(&'static str, NaiveDate)> {
    let mut all = Vec::new();
    let mut add = |since: i32, name: &'static str, date: Option<NaiveDate>| {
        if year >= since {
            all.extend(date.map(|d| (name, d)));
        }
    };
    add(1871, "New Year's Day", on(year, 1, 1));
    add(1971, "Memorial Day", last(year, 5, Weekday::Mon));
    add(2021, "Juneteenth National Independence Day", on(year, 6, 19));
    add(1870, "Independence Day", on(year, 7, 4));
    add(1894, "Labor Day", nth(year, 9, Weekday::Mon, 1));
    add(1862, "Thanksgiving Day", thanksgiving(year));
    add(1870, "Christmas Day", on(year, 12, 25));
    if year <= 1970 {
        add(1888, "Memorial Day", on(year, 5, 30));
    }
    add(1986, "Martin Luther King Jr. Day", nth(year, 1, Weekday::Mon, 3));
    add(
        1879,
        "Washington's Birthday",
        if year >= 1971 { nth(year, 2, Weekday::Mon, 3) } else { on(year, 2, 22) },
    );
    add(1937, "Columbus Day", if year >= 1971 { nth(year, 10, Weekday::Mon, 2) } else { on(year, 10, 12) });
    let armistice = if year >= 1954 { "Veterans Day" } else { "Armistice Day" };
    add(
        1938,
        armistice,
        if (1971..=1977).contains(&year) { nth(year, 10, Weekday::Mon, 4) } else { on(year, 11, 11) },
    );
    all
}

fn thanksgiving(year: i32) -> Option<NaiveDate> {
    match year {
        1862 => on(year, 4, 10),
        1865 => on(year, 12, 7),
        1869 => on(year, 11, 18),
        1939 => on(year, 11, 23),
        1940 => on(year, 11, 21),
        1941 => on(year, 11, 20),
        1942.. => nth(year, 11, Weekday::Thu, 4),
        _ => last(year, 11, Weekday::Thu),
    }
}

fn on(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

fn nth(year: i32, month: u32, weekday: Weekday, n: u8) -> Option<NaiveDate> {
    NaiveDate::from_weekday_of_month_opt(year, month, weekday, n)
}

fn last(year: i32, month: u32, weekday: Weekday) -> Option<NaiveDate> {
    nth(year, month, weekday, 5).filter(|d| d.month() == month).or_else(|| nth(year, month, weekday, 4))
}
