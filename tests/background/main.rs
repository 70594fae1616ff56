//! Answers the recorded cases of the scheduler (`../shared/compat/background`); `run.py` compares the answers.
//!
//! `LITESET_BACKGROUND` names the folder: the cases as `cron.jsonl` and `tasks.jsonl`, the fixture as `superset.db`.
//! Without it there is nothing to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta, Utc};
use commands::{
    Services,
    jobs::{Settings, Strategy, firings_in_window, retention},
};
use daos::report::Scheduled;
use infra::{
    config::Config,
    cron::{Cron, NEVER},
    db::Db,
    timezone,
};
use serde_json::{Value, json};

fn folder() -> Option<PathBuf> {
    std::env::var_os("LITESET_BACKGROUND").map(PathBuf::from)
}

fn cases(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap();
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn write(folder: &Path, name: &str, answers: impl Iterator<Item = Value>) {
    let mut text = String::new();
    for answer in answers {
        writeln!(text, "{answer}").unwrap();
    }
    std::fs::write(folder.join(format!("{name}.out.jsonl")), text).unwrap();
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse::<NaiveDateTime>().unwrap().and_utc()
}

fn iso(at: &DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[test]
fn cron() {
    let Some(folder) = folder() else { return };
    let answers = cases(&folder, "cron").into_iter().map(|case| {
        let (mut firings, mut error) = (Value::Null, Value::Null);
        let cron = Cron::parse(case["crontab"].as_str().unwrap());
        let valid = cron.is_ok();
        match cron {
            Err(refused) => error = refused.to_string().into(),
            Ok(cron) => {
                let zone = timezone::find(case["timezone"].as_str().unwrap()).unwrap_or(chrono_tz::UTC);
                let half = TimeDelta::milliseconds(case["window"].as_i64().unwrap() * 500);
                let now = moment(&case["now"]);
                let found = cron.firings(now - half, now + half, zone);
                // the original goes on to the first firing after the window
                match cron.next(now + half, zone) {
                    Some(_) => firings = found.iter().map(iso).collect(),
                    None => error = NEVER.into(),
                }
            }
        }
        json!({"id": case["id"], "firings": firings, "error": error, "valid": valid})
    });
    write(&folder, "cron", answers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks() {
    let Some(folder) = folder() else { return };
    let mut answers = Vec::new();
    for case in cases(&folder, "tasks") {
        let mut steps = Vec::new();
        for step in case["steps"].as_array().unwrap() {
            steps.push(match case["group"].as_str().unwrap() {
                "scheduler" => scheduler(step),
                "retention" => Box::pin(rows_left(&folder, case["id"].as_str().unwrap(), step)).await,
                "warmup" => Box::pin(warm_up(&folder, step)).await,
                other => panic!("unknown group {other}"),
            });
        }
        answers.push(json!({"id": case["id"], "steps": steps}));
    }
    write(&folder, "tasks", answers.into_iter());
}

fn config(step: &Value, path: &Path) -> Config {
    let mut flags = json!({"ALERT_REPORTS": true});
    for (flag, on) in step["flags"].as_object().into_iter().flatten() {
        flags[flag] = on.clone();
    }
    let mut keys = vec![
        ("FEATURE_FLAGS".to_owned(), flags),
        ("SQLALCHEMY_DATABASE_URI".to_owned(), format!("sqlite:///{}", path.display()).into()),
    ];
    keys.extend(step["config"].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    Config::with(keys.into_iter().collect())
}

/// A tick: what is enqueued. Of an expression that cannot be read the first is told; the others are not lost.
fn scheduler(step: &Value) -> Value {
    let given = step["schedules"].as_array().unwrap();
    let text = |of: &Value, key: &str, otherwise: &str| of[key].as_str().unwrap_or(otherwise).to_owned();
    let schedules: Vec<Scheduled> = given
        .iter()
        .zip(0..)
        .map(|(of, id)| Scheduled {
            id,
            kind: "Report".to_owned(),
            name: text(of, "name", ""),
            crontab: text(of, "crontab", "0 9 * * *"),
            timezone: text(of, "timezone", "UTC"),
            active: of["active"].as_bool().unwrap_or(true),
            working_timeout: match of.get("working_timeout") {
                Some(timeout) => timeout.as_i64(),
                None => Some(3600),
            },
            last_state: Some(text(of, "last_state", "Not triggered")),
            last_eval: None,
            created_on: None,
            log_retention: Some(90),
        })
        .collect();
    let settings = Settings::from_config(&config(step, Path::new("none")));
    let found = firings_in_window(&schedules, moment(&step["now"]), &settings);
    let enqueued = found.iter().map(|firing| {
        let name = &schedules[usize::try_from(firing.schedule).unwrap()].name;
        let mut task = json!({"schedule": name, "eta": iso(&firing.due)});
        if let Some(limits) = firing.limits {
            task["time_limit"] = limits.hard.into();
            task["soft_time_limit"] = limits.soft.into();
        }
        task
    });
    let error = schedules.iter().filter(|s| settings.is_on && s.active).find_map(|s| {
        Cron::parse(&s.crontab).err().map(|error| error.to_string()).or_else(|| {
            let never = Cron::parse(&s.crontab).ok()?.next(moment(&step["now"]), chrono_tz::UTC).is_none();
            never.then(|| NEVER.to_owned())
        })
    });
    let mut answer = step.clone();
    answer["enqueued"] = enqueued.collect();
    answer["error"] = error.into();
    answer
}

async fn services(path: &Path, step: &Value) -> Services {
    let config = config(step, path);
    let uri = config.str("SQLALCHEMY_DATABASE_URI").parse().unwrap();
    let db = Db::connect(&uri, 2).await.unwrap();
    Services::new(config, db)
}

fn copy_of_fixture(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(format!("{name}.db"));
    std::fs::copy(folder.join("superset.db"), &path).unwrap();
    path
}

fn sql_time(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

async fn rows_left(folder: &Path, id: &str, step: &Value) -> Value {
    let path = copy_of_fixture(folder, id);
    let rows = rusqlite::Connection::open(&path).unwrap();
    let mut answer = step.clone();
    let ages = || step["given_ages_s"].as_array().unwrap().iter().map(|age| age.as_i64().unwrap());
    let names = |sql: &str| -> Value {
        let mut statement = rows.prepare(sql).unwrap();
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        found.map(|name| Value::from(name.unwrap())).collect()
    };
    if id.contains("report-logs") {
        rows.execute_batch(
            "DELETE FROM report_execution_log; DELETE FROM report_recipient; \
                            DELETE FROM report_schedule_user; DELETE FROM report_schedule;",
        )
        .unwrap();
        for row in step["given"].as_array().unwrap() {
            let (name, age) = (row["schedule"].as_str().unwrap(), row["end_dttm_age_s"].as_i64());
            rows.execute(
                "INSERT INTO report_schedule (extra_json, type, name, crontab, timezone, active, log_retention) \
                 SELECT '{}', 'Report', ?1, '0 9 * * *', 'UTC', ?2, ?3 WHERE NOT EXISTS \
                 (SELECT 1 FROM report_schedule WHERE name = ?1)",
                rusqlite::params![name, !name.starts_with("inactive"), row["log_retention"].as_i64()],
            )
            .unwrap();
            let end = age.map(|age| sql_time(Utc::now().naive_utc() - TimeDelta::seconds(age)));
            rows.execute(
                "INSERT INTO report_execution_log (scheduled_dttm, end_dttm, state, value_row_json, \
                 report_schedule_id) SELECT '2024-01-01 00:00:00', ?1, 'Success', ?2, id \
                 FROM report_schedule WHERE name = ?3",
                rusqlite::params![end, age.map(|age| age.to_string()), name],
            )
            .unwrap();
        }
        retention::prune_report_logs(&services(&path, step).await).await.unwrap();
        let mut statement = rows
            .prepare(
                "SELECT s.name, l.value_row_json FROM report_execution_log l JOIN report_schedule s \
                      ON s.id = l.report_schedule_id ORDER BY l.id",
            )
            .unwrap();
        let left = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        answer["left"] = left
            .map(|row: Result<(String, Option<String>), _>| {
                let (name, age) = row.unwrap();
                json!({"schedule": name, "end_dttm_age_s": age.map(|age| age.parse::<i64>().unwrap())})
            })
            .collect();
    } else if id.contains("queries") {
        rows.execute_batch("UPDATE tab_state SET latest_query_id = NULL; DELETE FROM query").unwrap();
        for age in ages() {
            let changed = sql_time(Local::now().naive_local() - TimeDelta::seconds(age));
            rows.execute(
                "INSERT INTO query (client_id, database_id, sql, changed_on) SELECT ?1, MIN(id), ?2, ?3 FROM dbs",
                rusqlite::params![age.to_string(), format!("SELECT {age}"), changed],
            )
            .unwrap();
        }
        let days = step["retention_period_days"].as_i64().unwrap();
        retention::prune_queries(&services(&path, step).await, days).await.unwrap();
        answer["left"] = names("SELECT sql FROM query ORDER BY id");
    } else {
        rows.execute_batch("DELETE FROM logs").unwrap();
        for age in ages() {
            let at = sql_time(Local::now().naive_local() - TimeDelta::seconds(age));
            rows.execute("INSERT INTO logs (action, dttm) VALUES (?1, ?2)", [format!("x{age}"), at]).unwrap();
        }
        let days = step["retention_period_days"].as_i64().unwrap();
        retention::prune_logs(&services(&path, step).await, days).await.unwrap();
        answer["left"] = names("SELECT action FROM logs ORDER BY id");
    }
    answer
}

async fn warm_up(folder: &Path, step: &Value) -> Value {
    let name = step["strategy"].as_str().unwrap();
    let path = copy_of_fixture(folder, &format!("warm-up-{name}"));
    let rows = rusqlite::Connection::open(&path).unwrap();
    rows.execute_batch("DELETE FROM logs").unwrap();
    let strategy = match name {
        "dummy" => Strategy::Dummy,
        "tags" => Strategy::DashboardTags(vec!["demo".to_owned()]),
        "tags-unknown" => Strategy::DashboardTags(vec!["unknown".to_owned()]),
        "top-n-no-logs" => Strategy::TopDashboards { top_n: 5, since: Some("7 days ago".to_owned()) },
        other => {
            let at = sql_time(Utc::now().naive_utc());
            // what was looked at most, as the recorded answer has it
            for (dashboard, times) in looked_at(step, &rows) {
                for _ in 0..times {
                    rows.execute(
                        "INSERT INTO logs (action, dttm, dashboard_id) VALUES ('log', ?1, ?2)",
                        rusqlite::params![at, dashboard],
                    )
                    .unwrap();
                }
            }
            let top_n = other.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(5);
            Strategy::TopDashboards { top_n, since: Some("7 days ago".to_owned()) }
        }
    };
    let app = services(&path, step).await;
    let tasks = strategy.tasks(&app).await.unwrap();
    let described: Vec<Value> = tasks
        .iter()
        .map(|task| {
            let mut payload = json!({"chart_id": task.chart_id});
            if let Some(dashboard) = task.dashboard_id {
                payload["dashboard_id"] = dashboard.into();
            }
            json!({"payload": payload, "username": task.username})
        })
        .collect();
    let mut answer = step.clone();
    answer["tasks"] = described.len().into();
    answer["first"] = described.iter().take(3).cloned().collect();
    answer["all"] = described.into();
    if !step["ids"].is_null() {
        answer["ids"] = tasks.iter().map(|task| Value::from(task.chart_id)).collect();
    }
    answer
}

/// Dashboards of the recorded charts, so that they are the ones that were looked at most.
fn looked_at(step: &Value, rows: &rusqlite::Connection) -> Vec<(i64, i64)> {
    let ids: Vec<i64> = step["ids"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let mut statement = rows
        .prepare(
            "SELECT dashboard_id, slice_id FROM dashboard_slices WHERE dashboard_id > 0 AND slice_id > 0",
        )
        .unwrap();
    let links: Vec<(i64, i64)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let mut dashboards: Vec<i64> = links.iter().map(|(dashboard, _)| *dashboard).collect();
    dashboards.sort_unstable();
    dashboards.dedup();
    let all_in = |dashboard: &&i64| {
        links.iter().filter(|(of, _)| of == *dashboard).all(|(_, chart)| ids.contains(chart))
    };
    let mut times: Vec<(i64, i64)> =
        dashboards.iter().filter(all_in).map(|dashboard| (*dashboard, 5)).collect();
    times.extend(dashboards.iter().filter(|dashboard| !all_in(dashboard)).map(|dashboard| (*dashboard, 1)));
    times
}
