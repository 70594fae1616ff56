//! What an operator sees: numbers for Prometheus, counters for statsd, lines about what was slow and who failed to log
//! in, what is not ready.

use std::{
    net::UdpSocket,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use regex::Regex;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, Source, ask, command, run_to_end, scratch};

/// An installation that serves its numbers, too, and where.
fn start(name: &str, settings: &[(&str, &str)]) -> (Server, String) {
    let mut all = vec![("LITESET_METRICS", "127.0.0.1:0"), ("LITESET_DATA_CACHE_CONFIG", CACHE)];
    all.extend(settings);
    let server = Server::start_with_settings(name, &all);
    let line = server.log().lines().find(|line| line.contains("\"metrics\"")).unwrap().to_owned();
    let line: Value = serde_json::from_str(&line).unwrap();
    let address = line["fields"]["address"].as_str().unwrap().to_owned();
    (server, format!("http://{address}"))
}

const CACHE: &str = r#"{"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 86400}"#;

fn numbers(base: &str) -> String {
    let mut answer = ureq::get(format!("{base}/metrics")).call().unwrap();
    let kind = answer.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    answer.body_mut().read_to_string().unwrap()
}

/// The value of a series; 0 where it is not there yet.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Waits until a series has a value: some are counted after the answer is sent.
fn becomes(base: &str, series: &str, wanted: f64) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let text = numbers(base);
        if value(&text, series) >= wanted {
            return;
        }
        assert!(Instant::now() < until, "{series} does not become {wanted}:\n{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn numbers_count_what_happens_and_name_rules_alone() {
    let (server, metrics) = start("numbers", &[]);
    let mut admin = server.admin();
    let dataset = server.add_virtual("numbers", &Source::Examples, "SELECT 'a' AS v", "TEXT");
    for _ in 0..2 {
        assert_eq!(admin.post("/api/v1/chart/data", &ask(dataset, "json")).status, 200);
    }
    assert_eq!(admin.get("/api/v1/chart/424242").status, 404);
    assert_eq!(admin.get("/nowhere/s3cret-path").status, 404);
    server.anonymous().log_in("admin", "wrong");
    becomes(&metrics, r#"liteset_requests_total{rule="/api/v1/chart/data",method="POST",status="200"}"#, 2.0);
    becomes(&metrics, r#"liteset_log_ins_total{outcome="failure"}"#, 1.0);
    let text = numbers(&metrics);
    let is = |series: &str, wanted: f64| {
        assert!((value(&text, series) - wanted).abs() < 0.5, "{series} is not {wanted} in\n{text}");
    };
    is(r#"liteset_requests_total{rule="/api/v1/chart/<id_or_uuid>",method="GET",status="404"}"#, 1.0);
    is(r#"liteset_requests_total{rule="none",method="GET",status="404"}"#, 1.0);
    is(r#"liteset_request_seconds_count{rule="/api/v1/chart/data"}"#, 2.0);
    is(r#"liteset_statements_total{database="analytical",engine="sqlite",outcome="done"}"#, 1.0);
    is(r#"liteset_cache_lookups_total{cache="data",outcome="hit"}"#, 1.0);
    is(r#"liteset_cache_lookups_total{cache="data",outcome="miss"}"#, 1.0);
    is("liteset_queries_begun_total", 1.0);
    is(r#"liteset_log_ins_total{outcome="success"}"#, 1.0);
    is("liteset_results_budget_bytes", 1024.0 * 1024.0 * 1024.0);
    is(r#"liteset_jobs_total{kind="report",outcome="failure"}"#, 0.0);
    is("liteset_requests_under_way", 0.0);
    assert!(value(&text, "process_resident_memory_bytes") > 1e6 && value(&text, "process_open_fds") > 3.0);
    assert!(value(&text, r#"liteset_connection_wait_seconds_count{database="metadata"}"#) > 1.0, "{text}");
    assert!(text.contains("liteset_build_info{version=\""), "{text}");
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/grafana/liteset.json");
    let dashboard = std::fs::read_to_string(dashboard).unwrap();
    for name in Regex::new(r"\b(liteset|process)_[a-z_]+").unwrap().find_iter(&dashboard) {
        let name = name.as_str();
        assert!(text.contains(&format!("\n{name}")), "the dashboard shows {name}, which there is not");
    }
    for secret in ["424242", "s3cret", PASSWORD, "SELECT", server.home.to_str().unwrap()] {
        assert!(!text.contains(secret), "{secret} is in the numbers");
    }
}

#[test]
fn strangers_at_the_numbers_find_nothing_else() {
    let (server, metrics) = start("strangers", &[]);
    let status = |path: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.get(format!("{metrics}{path}")).call().unwrap().status().as_u16()
    };
    for path in ["/", "/metrics/", "/health", "/api/v1/chart/", "/login/", "/metrics%2f"] {
        assert_eq!(status(path), 404, "{path}");
    }
    assert_eq!(status("/metrics"), 200);
    assert_eq!(server.anonymous().get("/metrics").status, 404, "they are at their own listener only");
    let off = Server::start_with_settings("numbers-off", &[]);
    assert!(!off.log().contains("\"message\":\"metrics\""));
}

#[test]
fn a_statsd_gets_the_names_of_superset() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = socket.local_addr().unwrap().port();
    let home = scratch("statsd");
    let config = home.join("superset_config.py");
    let text = format!(
        "from superset.stats_logger import StatsdStatsLogger\n\
         SECRET_KEY = 'a-secret-of-this-test-alone'\n\
         STATS_LOGGER = StatsdStatsLogger(host='127.0.0.1', port={port}, prefix='bi')\n"
    );
    std::fs::write(&config, text).unwrap();
    let data = home.join("data");
    let mut wanted = command(&home);
    wanted.args(["--no-examples", "--home", data.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    let server = Server::start_with(&mut wanted, home);
    let mut admin = server.admin();
    assert_eq!(admin.get("/api/v1/chart/").status, 200);
    assert_eq!(admin.get("/api/v1/chart/424242").status, 404);
    assert_eq!(admin.get("/health").status, 200);
    let mut missing = vec![
        Regex::new(r"^bi\.ChartRestApi\.get_list\.success:1\|c$").unwrap(),
        Regex::new(r"^bi\.ChartRestApi\.get_list\.time:\d+\.\d{6}\|ms$").unwrap(),
        Regex::new(r"^bi\.ChartRestApi\.get\.warning:1\|c$").unwrap(),
        Regex::new(r"^bi\.health:1\|c$").unwrap(),
    ];
    let (mut bytes, mut seen) = ([0; 500], Vec::new());
    while !missing.is_empty() {
        let length = socket.recv(&mut bytes).unwrap_or_else(|e| panic!("{e}: {missing:?} in {seen:?}"));
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        missing.retain(|wanted| !wanted.is_match(&text));
        seen.push(text);
    }
}

#[test]
fn a_statsd_that_is_not_there_holds_nobody_up() {
    let settings = [("LITESET_STATS_LOGGER", r#"{"host": "127.0.0.1", "port": 1}"#)];
    let server = Server::start_with_settings("statsd-gone", &settings);
    let mut admin = server.admin();
    for _ in 0..20 {
        assert_eq!(admin.get("/api/v1/chart/").status, 200);
    }
}

const SLOW: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) \
                    SELECT 's3cret-value' AS v, COUNT(*) AS k FROM c AS a WHERE a.n % 7 = 3";

/// The lines of `liteset::slow` with a message.
fn slow(server: &Server, message: &str) -> Vec<Value> {
    let lines = server.log();
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "liteset::slow" && line["fields"]["message"] == message).collect()
}

#[test]
fn what_was_slow_is_a_line_with_its_cause() {
    let settings = [("LITESET_SLOW_REQUEST_MS", "100"), ("LITESET_SLOW_STATEMENT_MS", "100")];
    let server = Server::start_with_settings("slow", &settings);
    let dataset = server.add_virtual("slow", &Source::Examples, SLOW, "TEXT");
    let mut admin = server.admin();
    let answer = admin.post("/api/v1/chart/data", &ask(dataset, "json"));
    assert_eq!(answer.status, 200);
    let id = answer.header("x-request-id").to_owned();
    let until = Instant::now() + Duration::from_secs(20);
    let request = loop {
        let lines = slow(&server, "slow request");
        if let Some(line) = lines.into_iter().find(|line| line["spans"][0]["id"] == id.as_str()) {
            break line;
        }
        assert!(Instant::now() < until, "{}", server.log());
        std::thread::sleep(Duration::from_millis(30));
    };
    // on a busy machine the most of it may be a wait for the processor
    assert!(!request["fields"]["cause"].as_str().unwrap().is_empty(), "{request}");
    assert!(request["fields"]["ms"].as_f64().unwrap() >= 100.0);
    let spent = Regex::new(r"analytical [1-9]\d+ ms in 1,").unwrap();
    assert!(spent.is_match(request["fields"]["spent"].as_str().unwrap()), "{request}");
    let statements = slow(&server, "slow statement");
    let of_it: Vec<_> = statements.iter().filter(|line| line["spans"][0]["id"] == id.as_str()).collect();
    let fields = &of_it.iter().find(|line| line["fields"]["database"] == "analytical").unwrap()["fields"];
    assert_eq!((&fields["engine"], &fields["outcome"]), (&json!("sqlite"), &json!("done")));
    let text = fields["statement"].as_str().unwrap();
    assert!(text.contains("WITH RECURSIVE") && !text.contains("s3cret-value"), "{text}");
    let never = Server::start_with_settings("never-slow", &[("LITESET_SLOW_REQUEST_MS", "0")]);
    never.admin();
    assert!(slow(&never, "slow request").is_empty());
}

/// The filter that is shipped, as expressions of the `regex` crate.
fn fail2ban() -> Vec<Regex> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/fail2ban/filter.d/liteset.conf");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("failregex"));
    let lines = lines.take_while(|line| !line.is_empty()).map(|line| line.trim_start_matches("failregex = "));
    lines.map(|line| Regex::new(&line.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)")).unwrap()).collect()
}

#[test]
fn failed_log_ins_are_lines_that_fail2ban_reads() {
    let server = Server::start_with_settings("fail2ban", &[("LITESET_ENABLE_PROXY_FIX", "true")]);
    let forged = r#"x","address":"203.0.113.99","account":"y"#;
    let mut wrong = server.anonymous();
    for (n, account) in ["admin", forged, "nobody"].into_iter().enumerate() {
        let page = wrong.get("/login/").text();
        let token = page.split("name=\"csrf_token\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
        let token = token.and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let form = [("username", account), ("password", "wrong"), ("csrf_token", &token)];
        wrong.post_form_from("/login/", &form, &format!("198.51.100.{n}"));
    }
    let body = json!({"username": "admin", "password": "wrong", "provider": "db"});
    assert_eq!(wrong.post("/api/v1/security/login", &body).status, 401);
    assert_eq!(server.anonymous().log_in("admin", PASSWORD), 302);
    let log = server.log();
    let expressions = fail2ban();
    assert_eq!(expressions.len(), 1);
    let hosts: Vec<_> = log
        .lines()
        .filter_map(|line| expressions[0].captures(line))
        .map(|found| found["host"].to_owned())
        .collect();
    assert_eq!(hosts, ["198.51.100.0", "198.51.100.1", "198.51.100.2", "127.0.0.1"], "{log}");
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/fail2ban/filter.d/liteset.conf");
    let read = Command::new("fail2ban-regex").arg(server.home.join("server.log")).arg(filter).output();
    let Ok(read) = read else {
        eprintln!("fail2ban is not installed: its own reading of the lines is not tried");
        return;
    };
    let text = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(text.contains(" 4 matched"), "{text}");
}

#[test]
fn the_verb_health_asks_a_server() {
    let server = Server::start_with_settings("health", &[]);
    let address = server.base.strip_prefix("http://").unwrap();
    let ask = |arguments: &[&str]| run_to_end(command(&server.home).arg("health").args(arguments));
    for arguments in [&[address][..], &[address, "--ready"]] {
        let done = ask(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(String::from_utf8_lossy(&done.stdout), "OK\n");
    }
    let gone = ask(&["127.0.0.1:1"]);
    assert!(!gone.status.success());
    assert!(String::from_utf8_lossy(&gone.stderr).contains("127.0.0.1:1"));
}

#[test]
fn health_answers_while_the_metadata_database_is_taken() {
    let server = Server::start_with_settings("ready", &[]);
    assert_eq!(server.anonymous().get("/readyz").text(), "OK");
    // somebody has the metadata database to themselves
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.busy_timeout(Duration::from_secs(60)).unwrap();
    db.execute_batch("BEGIN IMMEDIATE; DELETE FROM logs WHERE id < 0").unwrap();
    for _ in 0..20 {
        assert_eq!(server.anonymous().get("/health").status, 200);
    }
}
