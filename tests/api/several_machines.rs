//! Two servers on one PostgreSQL and one Redis, between which requests are dealt out: what one knows, both know.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Metadata, Server, ask, make, redis_prefix, scratch};

/// A row that no two executions have in common, after about a second.
const SLOW: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000000) \
                    SELECT HEX(RANDOMBLOB(8)) AS v FROM (SELECT COUNT(*) AS k FROM c) AS t";

struct Two {
    servers: [Server; 2],
    admin: Client,
    database: i64,
    _data: TempDir,
    // dropped last
    _metadata: Metadata,
}

impl Two {
    fn start(name: &str) -> Option<Self> {
        let prefix = redis_prefix(name)?;
        let metadata = Metadata::on_postgres(&name.replace('-', "_"))?;
        let home = scratch(name);
        let cache = json!({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "127.0.0.1", "CACHE_REDIS_DB": 7,
                           "CACHE_KEY_PREFIX": prefix, "CACHE_DEFAULT_TIMEOUT": 300})
        .to_string();
        let settings = [
            ("LITESET_RATELIMIT_ENABLED", "false"),
            ("LITESET_CACHE_CONFIG", &cache),
            ("LITESET_DATA_CACHE_CONFIG", &cache),
            ("LITESET_FILTER_STATE_CACHE_CONFIG", &cache),
            ("LITESET_EXPLORE_FORM_DATA_CACHE_CONFIG", &cache),
            ("LITESET_SESSION_REVOKE_ON_LOGOUT", "true"),
            ("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false"),
        ];
        let liteset = metadata.prepared(&home);
        let one = Server::start_with(liteset(&["run"]).envs(settings), home);
        let two = Server::start_with(liteset(&["run"]).envs(settings), scratch(name));
        let mut admin = one.admin();
        // longer there than either server
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("data.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let uri = format!("sqlite:///{}", file.display());
        let database = make(&mut admin, "database", &json!({"database_name": "o", "sqlalchemy_uri": uri}));
        Some(Self { servers: [one, two], admin, database, _data: data, _metadata: metadata })
    }

    fn dataset(&mut self, name: &str, sql: &str) -> i64 {
        make(&mut self.admin, "dataset", &json!({"database": self.database, "table_name": name, "sql": sql}))
    }

    /// The administrator at one of the two.
    fn at(&self, which: usize) -> Client {
        let mut client = Client::new(&self.servers[which].base);
        client.cookies.clone_from(&self.admin.cookies);
        client.csrf.clone_from(&self.admin.csrf);
        client
    }
}

fn question(dataset: i64) -> Value {
    let mut body = ask(dataset, "json");
    body["queries"][0]["columns"] = json!(["v"]);
    body["queries"][0]["metrics"] = json!([]);
    body
}

fn value(answer: &Value) -> String {
    answer["result"][0]["data"][0]["v"].to_string()
}

#[test]
fn one_query_for_all_who_ask_either() {
    let Some(mut two) = Two::start("several-one-query") else { return };
    let dataset = two.dataset("slow", SLOW);
    let mut seen = Vec::new();
    for force in [false, true] {
        let mut body = question(dataset);
        body["force"] = force.into();
        let viewers: Vec<_> = (0..12)
            .map(|n| {
                let (mut client, body) = (two.at(n % 2), body.clone());
                thread::spawn(move || client.post("/api/v1/chart/data", &body))
            })
            .collect();
        let answers: Vec<_> = viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect();
        assert!(answers.iter().all(|answer| answer.status == 200), "{}", answers[0].text());
        let values: Vec<String> = answers.iter().map(|answer| value(&answer.json())).collect();
        assert!(values.iter().all(|v| *v == values[0]), "force {force}: {values:?}");
        assert!(!seen.contains(&values[0]), "forced, executed anew");
        seen.push(values[0].clone());
    }
    for which in [0, 1] {
        let again = two.at(which).post("/api/v1/chart/data", &question(dataset)).json();
        assert_eq!((value(&again), &again["result"][0]["is_cached"]), (seen[1].clone(), &json!(true)));
    }
    // an error is nobody's result, and nobody waits for it
    let broken = two.dataset("broken", "SELECT v FROM (SELECT 1 AS v) AS t");
    let sql = json!({"sql": "SELECT v FROM nowhere"});
    assert_eq!(two.admin.put(&format!("/api/v1/dataset/{broken}"), &sql).status, 200);
    let begun = Instant::now();
    for which in [0, 1, 0] {
        assert_eq!(two.at(which).post("/api/v1/chart/data", &question(broken)).status, 400);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn who_dies_keeps_the_other_waiting_for_seconds_only() {
    let Some(mut two) = Two::start("several-dies") else { return };
    let dataset = two.dataset("slow", &SLOW.replace("4000000", "16000000"));
    let mut client = two.at(1);
    let first = two.at(0).begin_post("/api/v1/chart/data", &question(dataset));
    thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    let waits = thread::spawn(move || client.post("/api/v1/chart/data", &question(dataset)));
    thread::sleep(Duration::from_millis(500));
    let [one, _other] = two.servers;
    // killed
    drop(one);
    drop(first);
    let answer = waits.join().unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(value(&answer.json()).len() > 10, "{}", answer.text());
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
}

#[test]
fn what_one_is_told_both_know() {
    let Some(mut two) = Two::start("several-state") else { return };
    let dataset = two.dataset("small", "SELECT 7 AS v");
    // a state kept at one is there at the other
    let made = two.at(0).post(
        "/api/v1/explore/form_data",
        &json!({"datasource_id": dataset, "datasource_type": "table", "form_data": "{\"a\": 1}"}),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let read = two.at(1).get(&format!("/api/v1/explore/form_data/{key}"));
    assert_eq!(read.json()["form_data"], "{\"a\": 1}", "{}", read.text());
    // what is changed at one is seen at the other, results of queries included
    assert_eq!(value(&two.at(0).post("/api/v1/chart/data", &question(dataset)).json()), "7");
    let sql = json!({"sql": "SELECT 8 AS v"});
    assert_eq!(two.at(1).put(&format!("/api/v1/dataset/{dataset}"), &sql).status, 200);
    assert_eq!(value(&two.at(0).post("/api/v1/chart/data", &question(dataset)).json()), "8");
    // a statement of SQL Lab that one ran is found by the other
    let run =
        json!({"database_id": two.database, "sql": "SELECT 9 AS v", "client_id": "two", "runAsync": false});
    assert_eq!(two.at(0).post("/api/v1/sqllab/execute/", &run).status, 200);
    assert!(two.at(1).get("/api/v1/sqllab/export/two/").text().contains('9'));
    // a person whose role is taken away at one has lost it at the other
    let (mut person, id) = two.servers[0].person("kim", "Alpha");
    let mut there = Client::new(&two.servers[1].base);
    there.cookies.clone_from(&person.cookies);
    assert_eq!(there.get("/api/v1/chart/").status, 200);
    let public = two.admin.get("/api/v1/security/roles/?q=(page_size:100)").json();
    let public = public["result"].as_array().unwrap().iter().find(|r| r["name"] == "Public").unwrap();
    let change = two.admin.put(&format!("/api/v1/security/users/{id}"), &json!({"roles": [public["id"]]}));
    assert_eq!(change.status, 200, "{}", change.text());
    let until = Instant::now() + Duration::from_secs(5);
    while there.get("/api/v1/chart/").status == 200 {
        assert!(Instant::now() < until, "a role that was taken away still opens the list");
        thread::sleep(Duration::from_millis(200));
    }
    // who logs out at one is out at the other
    assert_eq!(there.get("/api/v1/me/").status, 200);
    person.get("/logout/");
    let mut again = Client::new(&two.servers[1].base);
    again.cookies.clone_from(&there.cookies);
    assert_eq!(again.get("/api/v1/me/").status, 401, "a copied cookie is worthless after the log-out");
}
