//! Names in dates: months, weekdays, units of time, am and pm, and the words that mean nothing.

fn position(names: &[&[&str]], token: &str) -> Option<usize> {
    names.iter().position(|forms| forms.iter().any(|form| form.eq_ignore_ascii_case(token)))
}

/// 0 is Monday.
pub(super) fn weekday(token: &str) -> Option<u32> {
    const DAYS: [&[&str]; 7] = [
        &["mon", "monday"],
        &["tue", "tuesday"],
        &["wed", "wednesday"],
        &["thu", "thursday"],
        &["fri", "friday"],
        &["sat", "saturday"],
        &["sun", "sunday"],
    ];
    position(&DAYS, token).and_then(|i| u32::try_from(i).ok())
}

/// 1 is January.
pub(super) fn month(token: &str) -> Option<i64> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "january"],
        &["feb", "february"],
        &["mar", "march"],
        &["apr", "april"],
        &["may"],
        &["jun", "june"],
        &["jul", "july"],
        &["aug", "august"],
        &["sep", "sept", "september"],
        &["oct", "october"],
        &["nov", "november"],
        &["dec", "december"],
    ];
    position(&MONTHS, token).and_then(|i| i64::try_from(i + 1).ok())
}

/// 0 hours, 1 minutes, 2 seconds.
pub(super) fn hms(token: &str) -> Option<u8> {
    position(&[&["h", "hour", "hours"], &["m", "minute", "minutes"], &["s", "second", "seconds"]], token)
        .and_then(|i| u8::try_from(i).ok())
}

/// True for pm.
pub(super) fn ampm(token: &str) -> Option<bool> {
    position(&[&["am", "a"], &["pm", "p"]], token).map(|i| i == 1)
}

pub(super) fn adjust_ampm(hour: i64, pm: bool) -> i64 {
    match (hour, pm) {
        (h, true) if h < 12 => h + 12,
        (12, false) => 0,
        (h, _) => h,
    }
}

/// Tokens that may stand anywhere.
pub(super) fn jump(token: &str) -> bool {
    const JUMP: [&str; 18] =
        [" ", ".", ",", ";", "-", "/", "'", "at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th"];
    JUMP.iter().any(|word| word.eq_ignore_ascii_case(token))
}

pub(super) fn utc_zone(name: &str) -> bool {
    ["utc", "gmt", "z"].iter().any(|zone| zone.eq_ignore_ascii_case(name))
}

/// Two-digit years are within fifty years of the current one.
pub(super) fn full_year(year: i64, century_specified: bool, this_year: i32) -> i64 {
    if year >= 100 || century_specified {
        return year;
    }
    let this_year = i64::from(this_year);
    let year = year + this_year / 100 * 100;
    if year >= this_year + 50 {
        year - 100
    } else if year < this_year - 50 {
        year + 100
    } else {
        year
    }
}
