//! Relative times in words, as the Python package humanize says them.

use chrono::{Duration, Local, NaiveDateTime};

/// How long ago a server-local moment was: `naturaltime(datetime.now() - t)`.
pub fn since(t: NaiveDateTime) -> String {
    naturaltime(Local::now().naive_local() - t)
}

/// "3 minutes ago", "an hour from now", "now".
pub fn naturaltime(ago: Duration) -> String {
    let words = naturaldelta(ago);
    if words == "a moment" {
        return "now".into();
    }
    if ago < Duration::zero() { format!("{words} from now") } else { format!("{words} ago") }
}

/// "3 minutes", "a day", "1 year, 2 months".
pub fn naturaldelta(delta: Duration) -> String {
    let delta = delta.abs();
    let all_days = delta.num_days();
    let seconds = delta.num_seconds() - all_days * 86_400;
    let (years, days) = (all_days / 365, all_days % 365);
    let months = round(days as f64 / 30.5);
    match (years, days) {
        (0, 0) => within_a_day(seconds),
        (0, 1) => "a day".into(),
        (0, _) => match months {
            0 => format!("{days} days"),
            1 => "a month".into(),
            12 => "a year".into(),
            n => format!("{n} months"),
        },
        (1, 0) => "a year".into(),
        (1, _) => match months {
            0 => format!("1 year, {}", plural(days, "day")),
            1 => "1 year, 1 month".into(),
            12 => "2 years".into(),
            n => format!("1 year, {n} months"),
        },
        _ => {
            let years = round(all_days as f64 / 365.0);
            format!("{} years", grouped(years))
        }
    }
}

fn within_a_day(seconds: i64) -> String {
    match seconds {
        0 => "a moment".into(),
        1 => "a second".into(),
        2..60 => format!("{seconds} seconds"),
        60..3600 => match round(seconds as f64 / 60.0) {
            1 => "a minute".into(),
            60 => "an hour".into(),
            n => format!("{n} minutes"),
        },
        _ => match round(seconds as f64 / 3600.0) {
            1 => "an hour".into(),
            24 => "a day".into(),
            n => format!("{n} hours"),
        },
    }
}

fn plural(n: i64, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

/// Python's `round()`: half to even.
fn round(x: f64) -> i64 {
    x.round_ties_even() as i64
}

/// `intcomma`.
fn grouped(n: i64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_humanize_says() {
        let day = 86_400;
        for (seconds, want) in [
            (0, "now"),
            (1, "a second ago"),
            (59, "59 seconds ago"),
            (60, "a minute ago"),
            (90, "2 minutes ago"),
            (150, "2 minutes ago"),
            (3590, "an hour ago"),
            (7200, "2 hours ago"),
            (day - 1, "a day ago"),
            (day, "a day ago"),
            (10 * day, "10 days ago"),
            (30 * day, "a month ago"),
            (100 * day, "3 months ago"),
            (365 * day, "a year ago"),
            (366 * day, "1 year, 1 day ago"),
            (400 * day, "1 year, 1 month ago"),
            (730 * day, "2 years ago"),
            (-120, "2 minutes from now"),
        ] {
            assert_eq!(naturaltime(Duration::seconds(seconds)), want, "{seconds}");
        }
    }
}
