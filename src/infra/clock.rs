//! Times as Superset writes them: the server's own clock, ISO 8601 without zone, and words ("3 minutes ago").

use chrono::{Local, NaiveDateTime, Utc};

/// `datetime.now()`: naive, in the server's time zone. Most columns of the metadata database hold this.
pub fn now() -> NaiveDateTime {
    Local::now().naive_local()
}

/// `datetime.utcnow()`: what logs, stars and query times hold.
pub fn utc_now() -> NaiveDateTime {
    Utc::now().naive_utc()
}

/// Python's `isoformat()`: six digits of fraction, or none at all.
pub fn isoformat(t: NaiveDateTime) -> String {
    let format = if t.and_utc().timestamp_subsec_micros() == 0 {
        "%Y-%m-%dT%H:%M:%S"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f"
    };
    t.format(format).to_string()
}

/// The words for a time in the past or future, seen from `now` (`humanize.naturaltime`).
pub fn naturaltime(t: NaiveDateTime, now: NaiveDateTime) -> String {
    crate::humanize::naturaltime(now - t)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};

    use super::*;

    #[test]
    fn words_of_humanize() {
        let now = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_opt(12, 0, 0).unwrap();
        // recorded from humanize 4
        for (seconds, words) in [
            (0, "now"),
            (1, "a second ago"),
            (59, "59 seconds ago"),
            (60, "a minute ago"),
            (3599, "an hour ago"),
            (3600, "an hour ago"),
            (86_399, "a day ago"),
            (86_400, "a day ago"),
            (30 * 86_400, "a month ago"),
            (31 * 86_400, "a month ago"),
            (61 * 86_400, "2 months ago"),
            (365 * 86_400, "a year ago"),
            (366 * 86_400, "1 year, 1 day ago"),
            (400 * 86_400, "1 year, 1 month ago"),
            (500 * 86_400, "1 year, 4 months ago"),
            (800 * 86_400, "2 years ago"),
            (-120, "2 minutes from now"),
        ] {
            assert_eq!(naturaltime(now - TimeDelta::seconds(seconds), now), words, "{seconds}");
        }
    }

    #[test]
    fn iso_has_six_digits_or_none() {
        let t = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_micro_opt(1, 2, 3, 40).unwrap();
        assert_eq!(isoformat(t), "2026-11-20T01:02:03.000040");
        assert_eq!(isoformat(t - TimeDelta::microseconds(40)), "2026-11-20T01:02:03");
    }
}
