//! SQL Lab: what runs, what is refused, what can be stopped and fetched later.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, Server, command, scratch};

/// Without end, unless it is stopped.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n";

fn ask(id: &str, sql: &str) -> Value {
    json!({"database_id": 1, "sql": sql, "client_id": id, "sql_editor_id": "1", "tab": "My tab", "queryLimit": 10})
}

fn execute(client: &mut Client, id: &str, sql: &str) -> (u16, Value) {
    let answer = client.post("/api/v1/sqllab/execute/", &ask(id, sql));
    (answer.status, answer.json())
}

#[test]
fn queries_run_within_their_limits_and_are_remembered() {
    let server = Server::start("sqllab");
    let mut admin = server.admin();
    let (status, found) =
        execute(&mut admin, "one", "SELECT carrier AS c, 1 AS a, 2 AS a FROM deliveries; -- x");
    assert_eq!(status, 200, "{found}");
    assert_eq!(found["data"].as_array().unwrap().len(), 10);
    assert_eq!(found["columns"][2]["column_name"], "a__1");
    assert_eq!(
        (&found["query"]["limitingFactor"], &found["query"]["rows"]),
        (&json!("DROPDOWN"), &json!(10))
    );
    let (_, found) = execute(&mut admin, "two", "SELECT 1 AS a LIMIT 3");
    assert_eq!(found["query"]["limitingFactor"], "NOT_LIMITED");
    assert!(found["query"]["executedSql"].as_str().unwrap().ends_with("LIMIT 4"), "{found}");
    let (_, found) = execute(&mut admin, "three", "CREATE TABLE t AS SELECT 1; SELECT 2");
    assert_eq!(found["errors"][0]["error_type"], "DML_NOT_ALLOWED_ERROR");
    let since = admin.get("/api/v1/query/updated_since?q=(last_updated_ms:0)").json();
    let states: Vec<_> = since["result"].as_array().unwrap().iter().map(|q| q["state"].clone()).collect();
    assert_eq!(states, [json!("success"), json!("success"), json!("failed")]);
    let csv = admin.get("/api/v1/sqllab/export/one/");
    assert!(csv.header("content-disposition").starts_with("attachment; filename=sqllab_my_tab_"));
    let text = csv.text();
    assert_eq!(text.lines().next(), Some("\u{feff}c,a,a__1"));
    assert_eq!(text.lines().count(), 11);
    assert_eq!(server.anonymous().get("/api/v1/sqllab/export/one/").status, 401);
}

#[test]
fn nothing_is_written_whatever_it_looks_like() {
    let server = Server::start("sqllab-dml");
    let mut admin = server.admin();
    for (i, sql) in [
        "DELETE FROM deliveries",
        "WITH a AS (SELECT 1) DELETE FROM deliveries",
        "SELECT 1; /* ; */ DROP TABLE deliveries",
        "EXPLAIN DELETE FROM deliveries",
        "PRAGMA query_only = 0",
        "PRAGMA writable_schema = 1",
        "ATTACH DATABASE '/tmp/liteset-x.db' AS x",
        "BEGIN; DELETE FROM deliveries; COMMIT",
        "COMMIT",
        "VACUUM INTO '/tmp/liteset-y.db'",
        "SELECT load_extension('x')",
        "REPLACE INTO deliveries SELECT * FROM deliveries",
        "REINDEX",
        "SELECT writefile('/tmp/liteset-z', 'x')",
    ]
    .iter()
    .enumerate()
    {
        let (status, found) = execute(&mut admin, &format!("w{i}"), sql);
        assert!(
            matches!(status, 422 | 500) && found["errors"][0]["error_type"].is_string(),
            "{sql}: {status} {found}"
        );
    }
    let (_, found) = execute(&mut admin, "after", "SELECT count(*) > 0 AS there FROM deliveries");
    assert_eq!(found["data"][0]["there"], 1);
    let made = admin.post(
        "/api/v1/sqllab/execute/",
        &json!({"database_id": 1, "sql": "SELECT 1 AS a", "client_id": "ctas", "select_as_cta": true,
                "ctas_method": "TABLE", "tmp_table_name": "made"}),
    );
    assert_eq!(made.json()["errors"][0]["error_type"], "DML_NOT_ALLOWED_ERROR", "CTAS is off");
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let server = Server::start("sqllab-hostile");
    let mut admin = server.admin();
    let nested = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
    for (i, sql) in [
        "\\".repeat(1 << 20),
        format!("SELECT '{}", "\\'".repeat(500_000)),
        nested(100_000),
        format!("SELECT {}1", "1+".repeat(400_000)),
        format!("SELECT {}", "CASE WHEN 1 THEN ".repeat(50_000)),
        "/*".repeat(500_000),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(60_000)),
        format!("WITH {} SELECT 1", "a AS (WITH ".repeat(20_000)),
        "$a$".repeat(300_000),
    ]
    .iter()
    .enumerate()
    {
        let begun = Instant::now();
        let answer = admin.post("/api/v1/sqllab/execute/", &ask(&format!("h{i}"), sql));
        assert!(matches!(answer.status, 413 | 422 | 500), "{i}: {}", answer.status);
        // a debug build that shares its machine, and answers that repeat a megabyte; the parser's own bound is tested
        // beside it
        assert!(begun.elapsed() < Duration::from_secs(60), "{i}: {:?}", begun.elapsed());
    }
    assert_eq!(execute(&mut admin, "well", "SELECT 1 AS a").0, 200);
}

#[test]
fn odd_requests_are_told_what_is_wrong_with_them() {
    let server =
        Server::start_with_settings("odd", &[("SUPERSET_FEATURE_ENABLE_TEMPLATE_PROCESSING", "true")]);
    let mut admin = server.admin();
    let (status, found) = execute(&mut admin, "none", "SELECT 1 AS a LIMIT 0");
    assert_eq!((status, &found["query"]["limit"]), (200, &json!(10)), "no limit is none, not all there is");
    let (status, found) = execute(&mut admin, "jinja", "SELECT {{ x");
    assert_eq!((status, &found["errors"][0]["error_type"]), (422, &json!("GENERIC_COMMAND_ERROR")));
    let check = |body: Value| ("/api/v1/database/1/validate_sql/", body);
    let estimate = |body: Value| ("/api/v1/sqllab/estimate/", body);
    for ((path, body), status, message) in [
        (check(json!([])), 400, json!({"_schema": ["Invalid input type."]})),
        (
            check(json!({"sql": "", "template_params": "x"})),
            400,
            json!({"template_params": ["Not a valid mapping type."]}),
        ),
        (
            estimate(json!({"database_id": "x", "sql": "", "template_params": 5})),
            400,
            json!({"database_id": ["Not a valid integer."], "template_params": ["Not a valid mapping type."]}),
        ),
    ] {
        let answer = admin.post(path, &body);
        assert_eq!((answer.status, &answer.json()["message"]), (status, &message), "{path} {body}");
    }
    let answer =
        admin.post("/api/v1/sqllab/estimate/", &json!({"database_id": 2_147_483_648_i64, "sql": ""}));
    assert_eq!(answer.status, 404, "{}", answer.text());
    for (path, status) in [
        ("/api/v1/database/1/table_metadata/?name=deliveries&bogus=1", 422),
        ("/api/v1/database/99/table_metadata/", 404),
        ("/api/v1/query/?q=(a:1e400)", 200),
    ] {
        let answer = admin.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
}

#[test]
fn a_query_in_the_background_is_polled_stopped_and_fetched() {
    let server = Server::start("sqllab-async");
    let mut admin = server.admin();
    let mut body = ask("endless", ENDLESS);
    body["runAsync"] = json!(true);
    let begun = admin.post("/api/v1/sqllab/execute/", &body);
    assert_eq!((begun.status, &begun.json()["query"]["state"]), (202, &json!("pending")));
    let state = |admin: &mut Client, id: &str| {
        let all = admin.get("/api/v1/query/updated_since?q=(last_updated_ms:0)").json();
        let all = all["result"].as_array().unwrap().clone();
        all.into_iter().find(|q| q["id"] == id).unwrap()
    };
    let until = |admin: &mut Client, id: &str, wanted: &str| {
        let end = Instant::now() + Duration::from_secs(20);
        while state(admin, id)["state"] != wanted {
            assert!(Instant::now() < end, "{}", state(admin, id));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until(&mut admin, "endless", "running");
    assert_eq!(admin.post("/api/v1/query/stop", &json!({"client_id": "endless"})).status, 200);
    until(&mut admin, "endless", "stopped");
    assert_eq!(admin.post("/api/v1/query/stop", &json!({"client_id": "nobody"})).status, 404);
    let mut body = ask("short", "SELECT carrier FROM deliveries");
    body["runAsync"] = json!(true);
    admin.post("/api/v1/sqllab/execute/", &body);
    until(&mut admin, "short", "success");
    let key = state(&mut admin, "short")["resultsKey"].as_str().unwrap().to_owned();
    let all = admin.get(&format!("/api/v1/sqllab/results/?q=(key:'{key}')")).json();
    assert_eq!(all["data"].as_array().unwrap().len(), 10);
    let few = admin.get(&format!("/api/v1/sqllab/results/?q=(key:'{key}',rows:2)")).json();
    assert_eq!((few["data"].as_array().unwrap().len(), &few["displayLimitReached"]), (2, &json!(true)));
    assert_eq!(server.anonymous().get(&format!("/api/v1/sqllab/results/?q=(key:'{key}')")).status, 401);
}

/// `RESULTS_BACKEND`: what one process has kept, another one tells.
#[test]
fn results_outlive_the_process_that_made_them() {
    let folder = scratch("sqllab-results");
    let mut places = vec![json!({"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": folder})];
    if std::net::TcpStream::connect("127.0.0.1:6379").is_ok() {
        let prefix = format!("liteset-test-{}-", std::process::id());
        places.push(
            json!({"CACHE_TYPE": "RedisCache", "CACHE_KEY_PREFIX": prefix, "CACHE_DEFAULT_TIMEOUT": 60}),
        );
    } else {
        println!("not tried: no Redis on 127.0.0.1:6379");
    }
    for (i, place) in places.iter().enumerate() {
        let place = place.to_string();
        let settings = [("LITESET_RESULTS_BACKEND", place.as_str())];
        let first = Server::start_with_settings(&format!("sqllab-results-{i}"), &settings);
        let mut admin = first.admin();
        let mut body = ask("kept", "SELECT carrier FROM deliveries");
        body["runAsync"] = json!(true);
        assert_eq!(admin.post("/api/v1/sqllab/execute/", &body).status, 202);
        let end = Instant::now() + Duration::from_secs(20);
        let key = loop {
            let all = admin.get("/api/v1/query/updated_since?q=(last_updated_ms:0)").json();
            if let Some(key) = all["result"][0]["resultsKey"].as_str() {
                break key.to_owned();
            }
            assert!(Instant::now() < end, "{all}");
            std::thread::sleep(Duration::from_millis(50));
        };
        let home = scratch(&format!("sqllab-results-{i}-again"));
        std::fs::rename(first.home.join("data"), home.join("data")).unwrap();
        drop(first);
        let mut again = command(&home);
        again.args(["--home", home.join("data").to_str().unwrap()]).envs(settings);
        let second = Server::start_with(&mut again, home);
        let mut admin = second.admin();
        let found = admin.get(&format!("/api/v1/sqllab/results/?q=(key:'{key}')"));
        assert_eq!(found.status, 200, "{}", found.text());
        assert_eq!(found.json()["data"].as_array().unwrap().len(), 10);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_chart_from_a_query() {
    let server = Server::start("sqllab-chart");
    let mut admin = server.admin();
    let (_, found) = execute(&mut admin, "source", "SELECT carrier, 1 AS n FROM deliveries");
    let id = found["query"]["queryId"].as_i64().unwrap();
    let explore = admin.get(&format!("/api/v1/explore/?datasource_type=query&datasource_id={id}")).json();
    assert_eq!(explore["result"]["dataset"]["columns"][0]["column_name"], "carrier");
    let body = json!({
        "datasource": {"id": id, "type": "query"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["carrier"], "row_limit": 10,
                     "metrics": [{"expressionType": "SQL", "sqlExpression": "SUM(n)", "label": "s"}]}],
    });
    let data = admin.post("/api/v1/chart/data", &body);
    assert_eq!(data.status, 200, "{}", data.text());
    assert_eq!(data.json()["result"][0]["data"].as_array().unwrap().len(), 3);
}
