//! What the configuration says about work in the background.

use std::time::Duration;

use chrono::TimeDelta;
use infra::config::Config;

use crate::state::catch_up_seconds;

/// Alerts and reports that run at the same time, where the configuration names no number.
const AT_A_TIME: usize = 4;

/// How alerts and reports are scheduled.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `ALERT_REPORTS`: without the flag nothing is due.
    pub is_on: bool,
    /// `ALERT_REPORTS_CRON_WINDOW_SIZE`.
    pub window: TimeDelta,
    /// What was due up to so long ago is run late (`REPORTS_CATCH_UP`); what was due before is written off.
    pub catch_up: TimeDelta,
    /// Runs at the same time (`REPORTS_AT_A_TIME`).
    pub at_a_time: usize,
    /// `ALERT_REPORTS_WORKING_TIME_OUT_KILL` and its lags: seconds beyond the working timeout, hard and soft.
    pub kill: Option<(i64, i64)>,
    /// Runs under way may take so long when the process ends.
    pub grace: Duration,
}

impl Settings {
    /// As configured.
    pub fn from_config(config: &Config) -> Self {
        let lag = |key: &str, otherwise: i64| config.int(key).unwrap_or(otherwise).clamp(0, 86_400);
        let kill = config.bool("ALERT_REPORTS_WORKING_TIME_OUT_KILL").then(|| {
            let hard = lag("ALERT_REPORTS_WORKING_TIME_OUT_LAG", 10);
            (hard, lag("ALERT_REPORTS_WORKING_SOFT_TIME_OUT_LAG", 1))
        });
        let window = config.int("ALERT_REPORTS_CRON_WINDOW_SIZE").unwrap_or(59).clamp(1, 86_400);
        let at_a_time = config.int("REPORTS_AT_A_TIME").and_then(|n| usize::try_from(n).ok());
        Self {
            is_on: config.flag("ALERT_REPORTS"),
            window: TimeDelta::seconds(window),
            catch_up: TimeDelta::seconds(catch_up_seconds(config)),
            at_a_time: at_a_time.unwrap_or(AT_A_TIME).clamp(1, 64),
            kill,
            grace: Duration::from_secs(20),
        }
    }
}
