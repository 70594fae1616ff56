//! Jobs: who runs a firing, what is left behind, what is seen from outside.

use std::{
    collections::BTreeMap,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Client, Metadata, Server, command, run_to_end, scratch};

const SETTINGS: [(&str, &str); 4] = [
    ("LITESET_RATELIMIT_ENABLED", "false"),
    ("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false"),
    ("SUPERSET_FEATURE_ALERT_REPORTS", "true"),
    ("LITESET_REPORTS_CLAIM_LEASE", "3"),
];

/// A report of a dashboard that fires every other second and tells nobody.
fn make_report(admin: &mut Client) -> i64 {
    let made = admin.post("/api/v1/dashboard/", &json!({"dashboard_title": "own"}));
    assert_eq!(made.status, 201, "{}", made.text());
    let body = json!({
        "type": "Report", "name": "every other second", "crontab": "* * * * * */2", "timezone": "UTC",
        "dashboard": made.json()["id"], "report_format": "CSV", "creation_method": "alerts_reports",
        "recipients": [], "active": true,
    });
    let made = admin.post("/api/v1/report/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_i64().unwrap()
}

/// How often each firing was run, by the instant at which it was due.
fn successes(admin: &mut Client, report: i64) -> BTreeMap<String, usize> {
    let logs = admin.get(&format!("/api/v1/report/{report}/log/?q=(page_size:1000)"));
    let mut found = BTreeMap::new();
    for row in logs.json()["result"].as_array().unwrap() {
        if row["state"] == "Success" {
            *found.entry(row["scheduled_dttm"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    found
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(180);
    while !is_there() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Every second second from the first firing to the last.
fn assert_no_gap(found: &BTreeMap<String, usize>) {
    let second = |due: &String| -> i64 {
        let time: Vec<i64> = due[11..19].split(':').map(|part| part.parse().unwrap()).collect();
        time[0] * 3600 + time[1] * 60 + time[2]
    };
    let seconds: Vec<i64> = found.keys().map(second).collect();
    for pair in seconds.windows(2) {
        assert_eq!((pair[1] - pair[0]).rem_euclid(86_400), 2, "a firing is missing: {found:?}");
    }
}

#[test]
fn each_firing_is_run_by_one_of_two_processes_on_postgresql() {
    if let Some(database) = Metadata::on_postgres("jobs_two") {
        each_firing_is_run_by_one_of_two_processes(&database);
    }
}

#[test]
fn each_firing_is_run_by_one_of_two_processes_on_mysql() {
    if let Some(database) = Metadata::on_mysql("jobs_two") {
        each_firing_is_run_by_one_of_two_processes(&database);
    }
}

fn each_firing_is_run_by_one_of_two_processes(database: &Metadata) {
    let liteset = database.prepared(&scratch("jobs-prepared"));
    let start = |name: &str| Server::start_with(liteset(&["run"]).envs(SETTINGS), scratch(name));
    let first = start("jobs-first");
    let mut admin = first.admin();
    let second = start("jobs-second");
    let report = make_report(&mut admin);
    wait_for("nothing is run", || successes(&mut admin, report).len() >= 10);
    // one of them is killed while it works
    let mut admin = second.admin();
    Command::new("kill").args(["-9", &first.pid().to_string()]).status().unwrap();
    let at = successes(&mut admin, report).len();
    wait_for("nothing is run after the end of one", || successes(&mut admin, report).len() >= at + 10);
    assert_eq!(admin.put(&format!("/api/v1/report/{report}"), &json!({"active": false})).status, 200);
    // what the dead one had begun is taken over
    let mut found = BTreeMap::new();
    wait_for("claims stay open", || {
        found = successes(&mut admin, report);
        admin.get("/api/v1/jobs/").json()["result"]["claimed"].as_array().is_some_and(Vec::is_empty)
    });
    assert_no_gap(&found);
    assert!(found.values().all(|times| *times == 1), "run twice: {found:?}");
}

#[test]
fn what_was_due_while_nobody_was_there_runs_late() {
    let home = scratch("jobs-late");
    let data = home.join("data");
    let start = || {
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--home", data.to_str().unwrap()]).envs(SETTINGS);
        Server::start_with(&mut run, home.clone())
    };
    let server = start();
    let mut admin = server.admin();
    let report = make_report(&mut admin);
    wait_for("nothing is run", || successes(&mut admin, report).len() >= 3);
    Command::new("kill").args(["-9", &server.pid().to_string()]).status().unwrap();
    std::thread::sleep(Duration::from_secs(7));
    let server = start();
    let mut admin = server.admin();
    let before = successes(&mut admin, report).len();
    wait_for("nothing is run", || successes(&mut admin, report).len() >= before + 6);
    assert_eq!(admin.put(&format!("/api/v1/report/{report}"), &json!({"active": false})).status, 200);
    let mut found = BTreeMap::new();
    wait_for("claims stay open", || {
        found = successes(&mut admin, report);
        admin.get("/api/v1/jobs/").json()["result"]["claimed"].as_array().is_some_and(Vec::is_empty)
    });
    assert_no_gap(&found);
    assert!(found.values().all(|times| *times == 1), "run twice: {found:?}");
}

#[test]
fn jobs_are_shown_to_administrators() {
    let server = Server::start_with_settings("jobs-shown", &SETTINGS);
    let mut admin = server.admin();
    let report = make_report(&mut admin);
    let shown = admin.get("/api/v1/jobs/").json()["result"].clone();
    assert_eq!(shown["reports"][0]["id"], report);
    assert!(shown["reports"][0]["next_due"].is_string(), "{shown}");
    let tasks: Vec<&Value> = shown["tasks"].as_array().unwrap().iter().map(|task| &task["name"]).collect();
    assert_eq!(tasks, ["reports.prune_log", "liteset.prune_expired"]);
    let is_alive = |shown: &Value| {
        let processes = shown["processes"].as_array().unwrap();
        processes.iter().any(|process| process["pid"] == server.pid())
    };
    assert!(is_alive(&shown), "{shown}");
    assert!(shown["live"]["running"].is_array());
    let (mut gamma, _) = server.person("gamma", "Gamma");
    assert_eq!(gamma.get("/api/v1/jobs/").status, 403);
    assert_eq!(server.anonymous().get("/api/v1/jobs/").status, 401);

    let data = server.home.join("data");
    let arguments = ["jobs", "--json", "--home", data.to_str().unwrap()];
    let listed = run_to_end(command(&server.home).args(arguments).envs(SETTINGS));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["reports"][0]["name"], "every other second");
    assert!(is_alive(&listed), "{listed}");
    let plain =
        run_to_end(command(&server.home).args(["jobs", "--home", data.to_str().unwrap()]).envs(SETTINGS));
    assert!(String::from_utf8_lossy(&plain.stdout).contains("every other second"));
}

#[test]
fn rows_whose_time_is_over_are_removed() {
    let home = scratch("jobs-prune");
    let data = home.join("data");
    let mut run = command(&home);
    run.args(["run", "--no-examples", "--home", data.to_str().unwrap()]);
    let _server = Server::start_with(&mut run, home.clone());
    let rows = rusqlite::Connection::open(data.join("superset.db")).unwrap();
    rows.busy_timeout(Duration::from_secs(30)).unwrap();
    rows.execute_batch("DELETE FROM logs; DELETE FROM key_value").unwrap();
    for n in 0..2_500 {
        let age = if n < 2_400 { "-40 days" } else { "-1 days" };
        rows.execute("INSERT INTO logs (action, dttm) VALUES ('x', datetime('now', ?1) || '.000000')", [age])
            .unwrap();
    }
    rows.execute_batch(
        "INSERT INTO key_value (resource, value, uuid, expires_on) VALUES \
         ('lock', x'00', x'00000000000000000000000000000001', '2020-01-01 00:00:00.000000'), \
         ('lock', x'00', x'00000000000000000000000000000002', '2999-01-01 00:00:00.000000'), \
         ('app', x'00', x'00000000000000000000000000000003', NULL)",
    )
    .unwrap();
    let prune = |arguments: &[&str]| {
        let done =
            run_to_end(command(&home).arg("prune").args(arguments).args(["--home", data.to_str().unwrap()]));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let count = |sql: &str| -> i64 { rows.query_row(sql, [], |row| row.get(0)).unwrap() };
    prune(&["logs", "--days", "30"]);
    assert_eq!(count("SELECT COUNT(*) FROM logs"), 100);
    prune(&["expired"]);
    assert_eq!(count("SELECT COUNT(*) FROM key_value WHERE resource IN ('lock', 'app')"), 2);
    prune(&["queries", "--days", "0"]);
    prune(&["report-logs"]);
}
