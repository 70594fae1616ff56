//! Names of time zones (`pytz.all_timezones`).

use chrono_tz::Tz;

/// There is a zone of this name.
pub fn is_known(name: &str) -> bool {
    name.parse::<Tz>().is_ok_and(|zone| zone.name() == name)
}

/// The zone of a name in any case, as `pytz.timezone` finds it.
pub fn find(name: &str) -> Option<Tz> {
    name.parse().ok().or_else(|| {
        chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied()
    })
}

/// All names, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    names.sort_unstable();
    names
}
