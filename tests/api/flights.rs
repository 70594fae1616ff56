//! One question, one query: who asks the same waits for the same answer; when the last one leaves, the query ends.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{Answer, Client, Server, Source, ask, postgres_uri};

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
    let (first, second) = (viewer(&server, 2), viewer(&server, 4));
    let started = Instant::now();
    let gave_up = [first, second].map(|client| thread::spawn(move || left(client, id)));
    thread::sleep(Duration::from_millis(2800).saturating_sub(started.elapsed()));
    assert!(busy(&server), "the second viewer still waits");
    gave_up.into_iter().for_each(|viewer| assert!(viewer.join().unwrap(), "an endless query was answered"));
    let until = Instant::now() + Duration::from_secs(10);
    while busy(&server) {
        assert!(Instant::now() < until, "the query outlives those who asked");
    }
}

#[test]
fn a_query_on_postgresql_ends_with_the_last_viewer() {
    let Some(uri) = postgres_uri() else { return };
    let server = start();
    let id = server.add_virtual("endless", &Source::Uri(&uri), ENDLESS_POSTGRESQL, "BIGINT");
    let (first, second) = (viewer(&server, 2), viewer(&server, 4));
    let started = Instant::now();
    let gave_up = [first, second].map(|client| thread::spawn(move || left(client, id)));
    thread::sleep(Duration::from_millis(2800).saturating_sub(started.elapsed()));
    assert_eq!(running(&uri), 1, "one query, and the second viewer still waits");
    gave_up.into_iter().for_each(|viewer| assert!(viewer.join().unwrap(), "the query was answered"));
    let until = Instant::now() + Duration::from_secs(10);
    while running(&uri) > 0 {
        assert!(Instant::now() < until, "the query outlives those who asked");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn two_hundred_viewers_of_a_dashboard_cause_one_query_per_chart() {
    let Some(uri) = postgres_uri() else { return };
    let table = format!("liteset_viewers_{}", std::process::id());
    postgresql(&uri, &format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} AS SELECT 1 AS v"));
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
    postgresql(&uri, &format!("DROP TABLE {table}"));
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

/// Somebody who waits for so many seconds.
fn viewer(server: &Server, seconds: u64) -> Client {
    let mut client = Client::patient(&server.base, Duration::from_secs(seconds));
    client.cookies = server.admin().cookies;
    client
}

fn left(mut client: Client, id: i64) -> bool {
    client.try_post("/api/v1/chart/data", &ask(id, "json")).is_none()
}

/// Whether the server computed in the last half second.
fn busy(server: &Server) -> bool {
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap()
    };
    let before = ticks();
    thread::sleep(Duration::from_millis(500));
    ticks() - before > 5
}

/// How many of the endless statements run in PostgreSQL.
fn running(uri: &str) -> i64 {
    number(
        uri,
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%1004711%' \
         AND pid <> pg_backend_pid()",
    )
}

fn number(uri: &str, sql: &str) -> i64 {
    on_postgresql(uri, async |client| client.query_one(sql, &[]).await.unwrap().get(0))
}

fn postgresql(uri: &str, sql: &str) {
    on_postgresql(uri, async |client| client.batch_execute(sql).await.unwrap());
}

fn on_postgresql<T>(uri: &str, work: impl AsyncFnOnce(tokio_postgres::Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let uri = uri.replace("postgresql+psycopg2:", "postgresql:");
        let (client, connection) = tokio_postgres::connect(&uri, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        work(client).await
    })
}
