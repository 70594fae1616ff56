//! The server's clock and the installation's defaults for relative time ranges.

use chrono::NaiveDateTime;
use infra::config::Config;
use query::{
    QueryError,
    query_object::{Extras, TimeBounds},
    time_range::{SinceUntil, get_since_until},
};

/// What resolving time ranges depends on besides the range itself.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Server-local time.
    pub now: NaiveDateTime,
    relative_start: String,
    relative_end: String,
    experimental: bool,
}

impl Clock {
    /// The clock of a request: it stands still while the request lasts.
    pub fn new(config: &Config) -> Self {
        Self {
            now: chrono::Local::now().naive_local(),
            relative_start: config.str("DEFAULT_RELATIVE_START_TIME").to_owned(),
            relative_end: config.str("DEFAULT_RELATIVE_END_TIME").to_owned(),
            experimental: config.flag("CHART_PLUGINS_EXPERIMENTAL"),
        }
    }

    /// `get_since_until_from_time_range`.
    pub fn resolve(
        &self,
        range: Option<&str>,
        shift: Option<&str>,
        extras: &Extras,
    ) -> Result<TimeBounds, QueryError> {
        let or = |own: &Option<String>, default: &String| own.clone().unwrap_or_else(|| default.clone());
        let start = or(&extras.relative_start, &self.relative_start);
        let end = or(&extras.relative_end, &self.relative_end);
        let spec = SinceUntil {
            relative_start: Some(&start),
            relative_end: Some(&end),
            time_shift: shift,
            instant_time_comparison_range: extras
                .instant_time_comparison_range
                .as_deref()
                .filter(|_| self.experimental),
            ..SinceUntil::new(range, self.now)
        };
        get_since_until(&spec).map_err(|e| QueryError::generic(e.to_string()))
    }
}
