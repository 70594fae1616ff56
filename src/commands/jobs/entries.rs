//! Entries of Celery's beat, as far as they mean something here (`CELERY_CONFIG`).

use chrono_tz::Tz;
use infra::{config::Config, scheduler::crontab::Schedule, timezone};
use serde_json::{Map, Value};

use super::Strategy;

/// What an entry does.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// `reports.prune_log`: logs of alerts and reports, each for as long as its `log_retention` says.
    PruneReportLogs,
    /// `prune_query`: queries of SQL Lab that are older than so many days.
    PruneQueries(i64),
    /// `prune_logs`: the event log.
    PruneLogs(i64),
    /// What has expired, of liteset's own accord.
    PruneExpired,
    /// `cache-warmup`.
    WarmUp(Strategy),
    /// `slack.cache_channels`.
    SlackChannels,
}

/// An entry of the beat.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: String,
    /// What it does.
    pub task: Task,
    /// When.
    pub schedule: Schedule,
    /// In which zone that is meant (`timezone`; UTC in Celery).
    pub zone: Tz,
}

/// What `CELERY_CONFIG` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entries {
    /// What is to be done when.
    pub entries: Vec<Entry>,
    /// Whether alerts and reports are scheduled at all (`reports.scheduler`).
    pub reports: bool,
    /// What was passed over, and why.
    pub ignored: Vec<String>,
}

/// Tasks that liteset does anyhow, when they are asked for.
const OF_REQUESTS: &[&str] =
    &["cache_chart_thumbnail", "cache_dashboard_thumbnail", "sql_lab.get_sql_results"];

impl Entries {
    /// As configured. Expired entries of the key-value store are removed besides, which Superset never does.
    pub fn from_config(config: &Config) -> Self {
        let mut found = Self::default();
        let celery = config.get("CELERY_CONFIG");
        let zone = celery.get("timezone").and_then(Value::as_str).and_then(timezone::find).unwrap_or(Tz::UTC);
        for (name, entry) in celery.get("beat_schedule").and_then(Value::as_object).into_iter().flatten() {
            if let Err(why) = found.read(name, entry, zone) {
                found.ignored.push(format!("{name}: {why}"));
            }
        }
        if let Some(schedule) = Schedule::read(&Value::from("17 * * * *")) {
            let name = "liteset.prune_expired".to_owned();
            found.entries.push(Entry { name, task: Task::PruneExpired, schedule, zone: Tz::UTC });
        }
        found
    }

    fn read(&mut self, name: &str, entry: &Value, zone: Tz) -> Result<(), String> {
        let task = entry.get("task").and_then(Value::as_str).unwrap_or(name);
        let schedule = Schedule::read(entry.get("schedule").unwrap_or(entry));
        if task == "reports.scheduler" {
            // liteset looks every minute, whatever stands there
            self.reports = true;
            return Ok(());
        }
        let kwargs = entry.get("kwargs").and_then(Value::as_object).cloned().unwrap_or_default();
        let options = entry.get("options").and_then(Value::as_object);
        let days = || {
            let named = |map: &Map<String, Value>| map.get("retention_period_days").and_then(Value::as_i64);
            let days = named(&kwargs).or_else(|| options.and_then(named));
            days.filter(|days| *days >= 0).ok_or_else(|| "retention_period_days is missing".to_owned())
        };
        let task = match task {
            "reports.prune_log" => Task::PruneReportLogs,
            "prune_query" => Task::PruneQueries(days()?),
            "prune_logs" => Task::PruneLogs(days()?),
            "slack.cache_channels" => Task::SlackChannels,
            "cache-warmup" => Task::WarmUp(Strategy::read(&kwargs, entry.get("args"))?),
            task if OF_REQUESTS.contains(&task) => {
                return Err(format!("{task} is done when it is asked for"));
            }
            task => return Err(format!("liteset knows no task {task}")),
        };
        let schedule = schedule.ok_or("its schedule is neither a crontab nor a number of seconds")?;
        self.entries.push(Entry { name: name.to_owned(), task, schedule, zone });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_of_a_superset_config() {
        let celery = json!({"broker_url": "redis://", "timezone": "Europe/Berlin", "beat_schedule": {
            "reports.scheduler": {"task": "reports.scheduler", "schedule": "* * * * *"},
            "reports.prune_log": {"task": "reports.prune_log", "schedule": "10 0 * * *"},
            "old queries": {"task": "prune_query", "schedule": "0 0 * 1 *", "kwargs": {"retention_period_days": 180}},
            "old logs": {"task": "prune_logs", "schedule": 86400, "options": {"retention_period_days": 30}},
            "warm": {"task": "cache-warmup", "schedule": "1 * * * *",
                     "kwargs": {"strategy_name": "top_n_dashboards", "top_n": 10, "since": "7 days ago"}},
            "logs for ever": {"task": "prune_logs", "schedule": 60},
            "other": {"task": "my.task", "schedule": 60},
            "when": {"task": "slack.cache_channels", "schedule": null},
        }});
        let config = Config::with([("CELERY_CONFIG".to_owned(), celery)].into_iter().collect());
        let found = Entries::from_config(&config);
        assert!(found.reports);
        let tasks: Vec<_> =
            found.entries.iter().map(|entry| (entry.name.as_str(), entry.task.clone())).collect();
        let strategy = Strategy::TopDashboards { top_n: 10, since: Some("7 days ago".to_owned()) };
        let expected = [
            ("reports.prune_log", Task::PruneReportLogs),
            ("old queries", Task::PruneQueries(180)),
            ("old logs", Task::PruneLogs(30)),
            ("warm", Task::WarmUp(strategy)),
            ("liteset.prune_expired", Task::PruneExpired),
        ];
        assert_eq!(tasks, expected);
        assert_eq!(found.entries[0].zone, Tz::Europe__Berlin);
        assert_eq!(found.ignored.len(), 3, "{:?}", found.ignored);
    }

    #[test]
    fn without_a_configuration_there_are_supersets_defaults() {
        let found = Entries::from_config(&Config::with(Default::default()));
        assert!(found.reports && found.ignored.is_empty());
        assert_eq!(found.entries.len(), 2);
        let none = Config::with([("CELERY_CONFIG".to_owned(), Value::Null)].into_iter().collect());
        assert!(!Entries::from_config(&none).reports);
    }
}
