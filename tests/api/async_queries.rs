//! Queries in the background (`GLOBAL_ASYNC_QUERIES`): a job at once, an event when it is done, the result by its key.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Answer, Client, Installation, Metadata, Server, Source, ask, command, jwt, redis_prefix, run_to_end,
    scratch,
};

const ON: [(&str, &str); 2] = [
    ("SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES", "true"),
    ("LITESET_CACHE_CONFIG", r#"{"CACHE_TYPE": "SimpleCache"}"#),
];
const SECRET: &str = "only-for-tests-0123456789-0123456789";
/// Never ends of itself.
const ENDLESS: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n > 0) \
                       SELECT COUNT(*) AS v FROM c";

fn start(name: &str, more: &[(&str, &str)]) -> Server {
    let secret = [("LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET", SECRET)];
    let settings: Vec<_> = ON.into_iter().chain(secret).chain(more.iter().copied()).collect();
    Server::start_with_settings(name, &settings)
}

/// The events of a client, once there are so many.
fn events(client: &mut Client, wanted: usize) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = client.get("/api/v1/async_event/");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let found = answer.json()["result"].as_array().unwrap().clone();
        if found.len() >= wanted {
            return found;
        }
        assert!(Instant::now() < until, "{} of {wanted} events", found.len());
        thread::sleep(Duration::from_millis(50));
    }
}

fn job(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let job = answer.json();
    assert_eq!(
        (&job["status"], &job["errors"], &job["result_url"]),
        (&json!("pending"), &json!([]), &json!(null))
    );
    job["job_id"].as_str().unwrap().to_owned()
}

fn to_its_result(admin: &mut Client, question: &Value) {
    let asked = job(&admin.post("/api/v1/chart/data", question));
    let event = events(admin, 1).remove(0);
    assert_eq!(
        (event["job_id"].as_str(), &event["status"]),
        (Some(asked.as_str()), &json!("done")),
        "{event}"
    );
    let url = event["result_url"].as_str().unwrap();
    assert!(url.starts_with("/api/v1/chart/data/qc-"), "{url}");
    let result = admin.get(url);
    assert_eq!(result.status, 200, "{}", result.text());
    assert_eq!(result.json()["result"][0]["is_cached"], true);
    let again = admin.post("/api/v1/chart/data", question);
    assert_eq!(
        (again.status, again.json()["result"][0]["data"].clone()),
        (200, result.json()["result"][0]["data"].clone())
    );
    let last = event["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/api/v1/async_event/?last_id={last}")).json()["result"], json!([]));
    assert_eq!(admin.get("/api/v1/async_event/?last_id=abc").status, 500);
    assert_eq!(admin.get("/api/v1/chart/data/qc-unknown").status, 404);
}

#[test]
fn a_job_leads_to_an_event_and_the_event_to_the_result() {
    let server = start("async-done", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    to_its_result(&mut server.admin(), &ask(id, "json"));
}

#[test]
fn jobs_work_on_an_installation_on_postgresql() {
    let data = ("LITESET_DATA_CACHE_CONFIG", r#"{"CACHE_TYPE": "SimpleCache"}"#);
    let settings = [ON[0], ON[1], data];
    let Some(installation) = Installation::on_postgres_with("async_pg", &settings) else { return };
    let mut admin = installation.server.admin();
    let question = json!({
        "datasource": {"id": installation.dataset, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["a"], "row_limit": 5}],
    });
    to_its_result(&mut admin, &question);
}

#[test]
fn errors_are_told_by_an_event() {
    let server = start("async-error", &[]);
    let id = server.add_virtual("broken", &Source::Examples, "SELECT v FROM no_such_table", "INTEGER");
    let mut admin = server.admin();
    let mut missing = ask(id, "json");
    missing["queries"][0]["columns"] = json!(["no_such"]);
    let first = job(&admin.post("/api/v1/chart/data", &missing));
    let event = events(&mut admin, 1);
    assert_eq!(event[0]["job_id"], first.as_str());
    assert_eq!(event[0]["errors"], json!([{"message": "Error: Columns missing in dataset: ['no_such']"}]));
    job(&admin.post("/api/v1/chart/data", &ask(id, "json")));
    let event = events(&mut admin, 2).remove(1);
    assert_eq!((&event["status"], &event["result_url"]), (&json!("error"), &json!(null)));
    assert!(event["errors"][0]["message"].as_str().unwrap().contains("no_such_table"), "{event}");
    // what is forced is answered at once, and so is its error
    let mut forced = ask(id, "json");
    forced["force"] = true.into();
    let answer = admin.post("/api/v1/chart/data", &forced);
    assert_eq!(
        (answer.status, &answer.json()["errors"][0]["error_type"]),
        (400, &json!("GENERIC_COMMAND_ERROR"))
    );
    // who may not is told at once
    let (mut gamma, _) = server.person("gamma", "Gamma");
    assert_eq!(gamma.post("/api/v1/chart/data", &ask(id, "json")).status, 403);
}

#[test]
fn only_data_as_json_is_asked_in_the_background() {
    let server = start("async-kinds", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    assert_eq!(admin.post("/api/v1/chart/data", &ask(id, "csv")).status, 200);
    for kind in ["results", "query", "samples", "columns", "drill_detail"] {
        let mut question = ask(id, "json");
        question["result_type"] = kind.into();
        assert_eq!(admin.post("/api/v1/chart/data", &question).status, 200, "{kind}");
    }
    assert_eq!(admin.get("/api/v1/async_event/").json()["result"], json!([]));
}

#[test]
fn legacy_charts_are_asked_in_the_background_too() {
    let server = start("async-legacy", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 'x' AS v", "TEXT");
    let mut admin = server.admin();
    let form_data = json!({"datasource": format!("{id}__table"), "viz_type": "para", "groupby": ["v"],
                           "metrics": ["no_such"], "row_limit": 5});
    let form = form_data.to_string();
    let ask =
        |admin: &mut Client, form: &str| admin.post_form("/superset/explore_json/", &[("form_data", form)]);
    let refused = ask(&mut admin, &form);
    job(&refused);
    let event = events(&mut admin, 1).remove(0);
    assert_eq!(event["status"], "error", "{event}");
    assert_eq!(event["errors"][0]["error_type"], "VIZ_GET_DF_ERROR", "{event}");
    let form =
        form.replace("[\"no_such\"]", r#"[{"expressionType":"SQL","sqlExpression":"COUNT(*)","label":"n"}]"#);
    job(&ask(&mut admin, &form));
    let event = events(&mut admin, 2).remove(1);
    let url = event["result_url"].as_str().unwrap_or_else(|| panic!("{event}")).to_owned();
    assert!(url.starts_with("/superset/explore_json/data/ejr-"), "{url}");
    let result = admin.get(&url);
    assert_eq!((result.status, &result.json()["status"]), (200, &json!("success")), "{}", result.text());
    assert_eq!(ask(&mut admin, &form).status, 200, "cached now");
    let missing = admin.get("/superset/explore_json/data/ejr-unknown");
    assert_eq!((missing.status, missing.json()), (404, json!({"error": "Cached data not found"})));
}

#[test]
fn forged_and_expired_tokens_are_refused() {
    let server = start("async-tokens", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    let good = admin.cookies["async-token"].clone();
    job(&admin.post("/api/v1/chart/data", &ask(id, "json")));
    events(&mut admin, 1);
    let channel = jwt::claims(&good)["channel"].clone();
    assert_eq!(jwt::claims(&good), json!({"channel": channel, "sub": "1"}));
    let signed = |claims: Value| jwt::hs256(&claims, SECRET);
    let bad = [
        "garbage".to_owned(),
        jwt::hs256(&json!({"channel": channel, "sub": "1"}), "another-secret-0123456789-0123456789"),
        signed(json!({"channel": channel, "sub": "1", "exp": 1})),
        signed(json!({"channel": channel, "sub": 1})),
        signed(json!({"channel": channel, "sub": null})),
        signed(json!({"sub": "1"})),
    ];
    let mut other = ask(id, "json");
    other["queries"][0]["row_limit"] = 7.into();
    for token in bad {
        admin.cookies.insert("async-token".to_owned(), token.clone());
        for answer in [admin.get("/api/v1/async_event/"), admin.post("/api/v1/chart/data", &other)] {
            assert_eq!(
                (answer.status, answer.json()),
                (401, json!({"message": "Not authorized"})),
                "{token}"
            );
        }
        assert_eq!(
            admin.post("/api/v1/chart/data", &ask(id, "json")).status,
            200,
            "the cache needs no token"
        );
    }
    // a token of another channel sees nothing of this one
    admin.cookies.insert("async-token".to_owned(), signed(json!({"channel": "other", "sub": "1"})));
    assert_eq!(admin.get("/api/v1/async_event/").json()["result"], json!([]));
}

#[test]
fn whoever_logs_in_or_out_gets_another_channel() {
    let server = start("async-cookies", &[]);
    let mut client = server.anonymous();
    let channel = |client: &Client| jwt::claims(&client.cookies["async-token"]);
    assert_eq!(client.get("/health").status, 200);
    let nobody = channel(&client);
    assert_eq!(nobody["sub"], json!(null));
    assert_eq!(client.get("/api/v1/async_event/").status, 401);
    client.log_in("admin", crate::support::PASSWORD);
    let admin = channel(&client);
    assert_eq!(admin["sub"], "1");
    client.get("/api/v1/me/");
    assert_eq!(channel(&client), admin, "kept");
    client.cookies.remove("async-token");
    client.get("/api/v1/me/");
    let anew = channel(&client);
    client.get("/logout/");
    let after = channel(&client);
    assert_eq!(after["sub"], json!(null));
    let channels = [&nobody, &admin, &anew, &after].map(|claims| claims["channel"].as_str().unwrap());
    assert!(channels.iter().all(|c| channels.iter().filter(|d| c == *d).count() == 1), "{channels:?}");
}

#[test]
fn a_result_is_for_who_has_the_rights() {
    let server = start("async-rights", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    job(&admin.post("/api/v1/chart/data", &ask(id, "json")));
    let url = events(&mut admin, 1)[0]["result_url"].as_str().unwrap().to_owned();
    let (mut gamma, _) = server.person("gamma", "Gamma");
    assert_eq!(gamma.get(&url).status, 403);
    assert_eq!(server.anonymous().get(&url).status, 401);
    // other rules, another result, which nobody has asked for yet
    let rule =
        json!({"name": "r", "filter_type": "Regular", "tables": [id], "roles": [1], "clause": "v = 1"});
    assert_eq!(admin.post("/api/v1/rowlevelsecurity/", &rule).status, 201);
    let answer = admin.get(&url);
    assert_eq!((answer.status, answer.json()), (422, json!({"message": "Error loading data from cache"})));
}

#[test]
fn a_query_ends_when_nobody_is_left() {
    let server = start("async-left", &[("LITESET_ASYNC_QUERIES_ABANDONED_AFTER", "2")]);
    let id = server.add_virtual("endless", &Source::Examples, ENDLESS, "INTEGER");
    let mut admin = server.admin();
    job(&admin.post("/api/v1/chart/data", &ask(id, "json")));
    // as long as somebody polls, it goes on
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        assert_eq!(admin.get("/api/v1/async_event/").json()["result"], json!([]));
        thread::sleep(Duration::from_millis(300));
    }
    thread::sleep(Duration::from_secs(9));
    let event = events(&mut admin, 1).remove(0);
    assert!(event["errors"][0]["message"].as_str().unwrap().contains("nobody waited"), "{event}");
}

#[test]
fn two_processes_tell_each_other_through_redis() {
    let Some(prefix) = redis_prefix("async-two") else { return };
    let Some(database) = Metadata::on_postgres("async_two") else { return };
    let home = scratch("async-two");
    let cache = r#"{"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "127.0.0.1", "CACHE_REDIS_DB": 7}"#;
    let settings = [
        ("LITESET_RATELIMIT_ENABLED", "false"),
        ("SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES", "true"),
        ("LITESET_CACHE_CONFIG", cache),
        ("LITESET_DATA_CACHE_CONFIG", cache),
        ("LITESET_GLOBAL_ASYNC_QUERIES_CACHE_BACKEND", cache),
        ("LITESET_GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX", prefix.as_str()),
        ("LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET", SECRET),
        ("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false"),
    ];
    let liteset = database.prepared(&home);
    let one = Server::start_with(liteset(&["run"]).envs(settings), home);
    let two = Server::start_with(liteset(&["run"]).envs(settings), scratch("async-two"));
    let mut admin = one.admin();
    let data = one.home.join("data.db");
    rusqlite::Connection::open(&data)
        .unwrap()
        .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (5)")
        .unwrap();
    let uri = format!("sqlite:///{}", data.display());
    let made =
        crate::support::make(&mut admin, "database", &json!({"database_name": "o", "sqlalchemy_uri": uri}));
    let dataset = crate::support::make(&mut admin, "dataset", &json!({"database": made, "table_name": "t"}));
    let mut question = ask(dataset, "json");
    question["queries"][0]["columns"] = json!(["a"]);
    let mut there = Client::new(&two.base);
    there.cookies.clone_from(&admin.cookies);
    let asked = job(&admin.post("/api/v1/chart/data", &question));
    let event = events(&mut there, 1).remove(0);
    assert_eq!(event["job_id"], asked.as_str());
    let result = there.get(event["result_url"].as_str().unwrap());
    assert_eq!(result.json()["result"][0]["data"], json!([{"a": 5}]), "{}", result.text());
}

#[test]
fn the_start_is_refused_without_caches_or_with_a_weak_secret() {
    let refused = |settings: &[(&str, &str)]| {
        let home = scratch("async-refused");
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--port", "0", "--home", home.join("data").to_str().unwrap()]);
        let out = run_to_end(run.env(ON[0].0, ON[0].1).envs(settings.iter().copied()));
        assert!(!out.status.success());
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let none = refused(&[("LITESET_CACHE_CONFIG", r#"{"CACHE_TYPE": "NullCache"}"#)]);
    assert!(none.contains("CACHE_CONFIG names no cache"), "{none}");
    let short = refused(&[("LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET", "0123456789abcdefghijklmno")]);
    assert!(short.contains("32 bytes"), "{short}");
    let known = refused(&[("LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET", "test-secret-change-me")]);
    assert!(known.contains("published example value"), "{known}");
}

#[test]
fn two_hundred_viewers_cause_one_query() {
    let server = start("async-viewers", &[]);
    // each execution has another answer
    let sql = "SELECT HEX(RANDOMBLOB(8)) AS v FROM (SELECT 1) AS t";
    let id = server.add_virtual("random", &Source::Examples, sql, "TEXT");
    let cookies = server.admin().cookies;
    let viewers: Vec<_> = (0..200)
        .map(|_| {
            let mut client = Client::new(&server.base);
            client.cookies.clone_from(&cookies);
            let question = ask(id, "json");
            thread::spawn(move || client.post("/api/v1/chart/data", &question).status)
        })
        .collect();
    let statuses: Vec<u16> = viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 202)), "{statuses:?}");
    let jobs = statuses.iter().filter(|status| **status == 202).count();
    let mut admin = Client::new(&server.base);
    admin.cookies.clone_from(&cookies);
    let event = events(&mut admin, jobs.min(100));
    let url = event[0]["result_url"].clone();
    assert!(event.iter().all(|event| event["result_url"] == url), "one question, one result");
    assert_eq!(admin.get(url.as_str().unwrap()).status, 200);
}
