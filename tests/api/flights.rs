//! One question, one query: who asks the same waits for the same answer; when the last one leaves, the query ends.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Answer, Client, Server, Source, ask,
    postgres::{execute, number},
    postgres_uri,
};

const VIEWERS: usize = 20;
const CHARTS: i64 = 5;

/// A row that no two executions have in common, after a while.
const SLOW_SQLITE: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000000) \
                           SELECT HEX(RANDOMBLOB(8)) AS v FROM (SELECT COUNT(*) AS k FROM c) AS t";
/// The same; `PG_SLEEP` is a function that charts may not call.
const SLOW_POSTGRESQL: &str = "SELECT CAST(CLOCK_TIMESTAMP() AS TEXT) || CAST(COUNT(*) AS TEXT) AS v \
                               FROM GENERATE_SERIES(1, 8000) AS a CROSS JOIN GENERATE_SERIES(1, 5000) AS b";
const ENDLESS_POSTGRESQL: &str = "SELECT COUNT(*) AS v FROM GENERATE_SERIES(1, 1000000) AS a \
                                  CROSS JOIN GENERATE_SERIES(1, 1004711) AS b";
/// Never ends of itself.
const ENDLESS_SQLITE: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n > 0) \
                              SELECT COUNT(*) AS v FROM c";

#[test]
fn viewers_of_one_chart_cause_one_query_on_sqlite() {
    let server = start();
    one_query(&server, server.add_virtual("slow", &Source::Examples, SLOW_SQLITE, "TEXT"));
}

#[test]
fn viewers_of_one_chart_cause_one_query_on_postgresql() {
    let Some(uri) = postgres_uri() else { return };
    let server = start();
    one_query(&server, server.add_virtual("slow", &Source::Uri(&uri), SLOW_POSTGRESQL, "TEXT"));
}

#[test]
fn a_query_on_sqlite_ends_with_the_last_viewer() {
    let server = start();
    let id = server.add_virtual("endless", &Source::Examples, ENDLESS_SQLITE, "INTEGER");
    let idle = ticks(&server);
    ends_with_the_last_viewer(&server, id, || {
        let before = ticks(&server);
        thread::sleep(Duration::from_millis(500));
        // a loaded machine leaves little time to the server; one that does nothing takes none
        before > idle && ticks(&server) > before + 1
    });
}

#[test]
fn a_query_on_postgresql_ends_with_the_last_viewer() {
    let Some(uri) = postgres_uri() else { return };
    let server = start();
    let id = server.add_virtual("endless", &Source::Uri(&uri), ENDLESS_POSTGRESQL, "BIGINT");
    ends_with_the_last_viewer(&server, id, || match running(&uri) {
        0 => false,
        1 => true,
        more => panic!("{more} queries for one question"),
    });
}

/// Two ask, one leaves, then the other; whoever leaves does it when the query has been seen.
fn ends_with_the_last_viewer(server: &Server, id: i64, runs: impl Fn() -> bool) {
    let admin = server.admin();
    let ask = || admin.begin_post("/api/v1/chart/data", &ask(id, "json"));
    let within_half_a_minute = |wanted: bool, what: &str| {
        let until = Instant::now() + Duration::from_secs(30);
        while runs() != wanted {
            assert!(Instant::now() < until, "{what}");
            thread::sleep(Duration::from_millis(100));
        }
    };
    let first = ask();
    within_half_a_minute(true, "nothing runs");
    let second = ask();
    // time for the server to read the second request
    thread::sleep(Duration::from_secs(1));
    drop(first);
    thread::sleep(Duration::from_millis(700));
    within_half_a_minute(true, "the second viewer still waits");
    drop(second);
    within_half_a_minute(false, "the query outlives those who asked");
}

#[test]
fn two_hundred_viewers_of_a_dashboard_cause_one_query_per_chart() {
    let Some(uri) = postgres_uri() else { return };
    let table = format!("liteset_viewers_{}", std::process::id());
    execute(&uri, &format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} AS SELECT 1 AS v"));
    let server = start();
    let source = Source::Uri(&uri);
    let charts: Vec<i64> = (0..CHARTS)
        .map(|n| {
            server.add_virtual(
                &format!("chart {n}"),
                &source,
                &format!("SELECT v + {n} AS v FROM {table}"),
                "INTEGER",
            )
        })
        .collect();
    let cookies = server.admin().cookies;
    let viewers: Vec<_> = (0..200)
        .map(|_| {
            let mut client = Client::new(&server.base);
            client.cookies.clone_from(&cookies);
            let charts = charts.clone();
            thread::spawn(move || {
                charts.into_iter().all(|id| client.post("/api/v1/chart/data", &ask(id, "json")).status == 200)
            })
        })
        .collect();
    assert!(viewers.into_iter().all(|viewer| viewer.join().unwrap()));
    // a connection reports what it did when it closes
    drop(server);
    let until = Instant::now() + Duration::from_secs(10);
    let scans =
        || number(&uri, &format!("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '{table}'"));
    while scans() < CHARTS {
        assert!(Instant::now() < until, "the statistics name {} of {CHARTS} queries", scans());
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_secs(1));
    assert_eq!(scans(), CHARTS);
    execute(&uri, &format!("DROP TABLE {table}"));
}

fn start() -> Server {
    Server::start("flights")
}

fn one_query(server: &Server, id: i64) {
    let mut admin = server.admin();
    let cookies = admin.cookies.clone();
    let mut body = ask(id, "json");
    // past the cache of results, if there is one
    body["force"] = true.into();
    let all: Vec<_> = (0..VIEWERS)
        .map(|_| {
            let mut client = Client::new(&server.base);
            client.cookies.clone_from(&cookies);
            let body = body.clone();
            thread::spawn(move || client.post("/api/v1/chart/data", &body))
        })
        .collect();
    let answers: Vec<Answer> = all.into_iter().map(|viewer| viewer.join().unwrap()).collect();
    let values: Vec<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.json()["result"][0]["data"][0]["v"].to_string()
        })
        .collect();
    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
    let again = admin.post("/api/v1/chart/data", &body);
    assert_ne!(again.json()["result"][0]["data"][0]["v"].to_string(), values[0], "asked anew, executed anew");
}

/// The processor's time that the server has used.
fn ticks(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse().unwrap()
}

/// How many of the endless statements run in PostgreSQL.
fn running(uri: &str) -> i64 {
    number(
        uri,
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%1004711%' \
         AND pid <> pg_backend_pid()",
    )
}
