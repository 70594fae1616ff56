//! Names of time zones (`pytz.all_timezones`).

/// There is a zone of this name.
pub fn is_known(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok_and(|zone| zone.name() == name)
}

/// All names, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    names.sort_unstable();
    names
}
