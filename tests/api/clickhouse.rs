//! ClickHouse from the form of the connection to a chart, through the API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, EngineServer, Server};

fn execute(client: &mut Client, database: i64, id: &str, sql: &str) -> (u16, Value) {
    let answer = client.post(
        "/api/v1/sqllab/execute/",
        &json!({"database_id": database, "sql": sql, "client_id": id, "schema": "default", "queryLimit": 1000}),
    );
    (answer.status, answer.json())
}

fn connect(admin: &mut Client, port: u16) -> i64 {
    let form = json!({
        "database_name": "house", "engine": "clickhousedb", "driver": "connect", "configuration_method": "dynamic_form",
        "parameters": {"host": "127.0.0.1", "port": port, "username": "reader", "password": "secret", "database": "",
                       "encryption": false, "query": {}},
        "allow_dml": true, "expose_in_sqllab": true,
    });
    let checked = admin.post("/api/v1/database/validate_parameters/", &form);
    assert_eq!(checked.status, 200, "{}", checked.text());
    let made = admin.post("/api/v1/database/", &form);
    assert_eq!(made.status, 201, "{}", made.text());
    let uri = format!("clickhousedb+connect://reader:XXXXXXXXXX@127.0.0.1:{port}/__default__");
    assert_eq!(made.json()["result"]["sqlalchemy_uri"], json!(uri));
    made.json()["id"].as_i64().unwrap()
}

#[test]
fn from_the_form_to_a_chart() {
    let Some(house) = EngineServer::clickhouse() else { return };
    let server = Server::start("clickhouse");
    let mut admin = server.admin();
    let id = connect(&mut admin, house.port);
    let path = format!("/api/v1/database/{id}");
    for (sql, want) in [
        (
            "CREATE TABLE visits (at DateTime('UTC'), town LowCardinality(String), n UInt64, paid \
             Nullable(Decimal(9, 2))) \
          ENGINE = MergeTree ORDER BY at",
            200,
        ),
        (
            "INSERT INTO visits SELECT toDateTime('2024-01-01 00:00:00', 'UTC') + number * 86400, \
          if(number % 2 = 0, 'Bern', 'Köln'), number, if(number = 0, NULL, toDecimal32(number, 2)) FROM numbers(60)",
            200,
        ),
        ("SELECT nope FROM visits", 500),
    ] {
        let (status, found) = execute(&mut admin, id, &format!("s{}", sql.len()), sql);
        assert_eq!(status, want, "{sql}: {found}");
        if want == 500 {
            let text = found["errors"][0]["message"].as_str().unwrap();
            assert!(
                text.starts_with("clickhousedb error: Received ClickHouse exception, code: 47"),
                "{text}"
            );
        }
    }
    let schemas = admin.get(&format!("{path}/schemas/")).json();
    assert!(schemas["result"].as_array().unwrap().contains(&json!("default")), "{schemas}");
    let tables = admin.get(&format!("{path}/tables/?q=(schema_name:default)")).json();
    assert_eq!(tables["result"][0]["value"], "visits", "{tables}");
    let metadata = admin.get(&format!("{path}/table_metadata/?name=visits&schema=default")).json();
    assert_eq!(metadata["columns"][3]["longType"], "Nullable(Decimal(9, 2))", "{metadata}");
    assert_eq!(metadata["selectStar"], "SELECT\n  *\nFROM \"default\".\"visits\"\nLIMIT 100");
    let functions = admin.get(&format!("{path}/function_names/")).json();
    assert!(functions["function_names"].as_array().unwrap().contains(&json!("toStartOfHour")));
    let (_, found) =
        execute(&mut admin, id, "values", "SELECT at, town, n, paid FROM visits ORDER BY n LIMIT 2");
    assert_eq!(
        found["data"][1],
        json!({"at": "2024-01-02T00:00:00", "town": "Köln", "n": 1, "paid": 1.0}),
        "{found}"
    );
    assert_eq!(found["columns"][0]["type"], "DateTime('UTC')");
    let made =
        admin.post("/api/v1/dataset/", &json!({"database": id, "schema": "default", "table_name": "visits"}));
    assert_eq!(made.status, 201, "{}", made.text());
    let dataset = made.json()["id"].as_i64().unwrap();
    let ask = json!({
        "datasource": {"id": dataset, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": [{"columnType": "BASE_AXIS", "sqlExpression": "at", "label": "at",
            "timeGrain": "P1M"}, "town"],
                     "metrics": [{"expressionType": "SIMPLE", "column": {"column_name": "n"}, "aggregate": "SUM",
                         "label": "SUM(n)"}],
                     "filters": [{"col": "town", "op": "==", "val": "Bern"}], "granularity": "at", "row_limit": 10,
                     "time_range": "2024-01-01 : 2024-03-01"}],
    });
    let chart = admin.post("/api/v1/chart/data", &ask);
    assert_eq!(chart.status, 200, "{}", chart.text());
    let data = &chart.json()["result"][0];
    let mut sums: Vec<i64> =
        data["data"].as_array().unwrap().iter().map(|r| r["SUM(n)"].as_i64().unwrap()).collect();
    sums.sort_unstable();
    assert_eq!(sums, [240, 630], "{data}");
    assert_eq!(data["rowcount"], 2, "{data}");
}

#[test]
fn what_runs_is_stopped_and_what_is_wrong_is_told() {
    let Some(house) = EngineServer::clickhouse() else { return };
    let server = Server::start("clickhouse-stop");
    let mut admin = server.admin();
    let id = connect(&mut admin, house.port);
    let mut other = server.admin();
    let runner = std::thread::spawn(move || {
        execute(&mut admin, id, "slow", "SELECT count() FROM numbers(100000000000)")
    });
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let stopped = other.post("/api/v1/query/stop", &json!({"client_id": "slow"}));
        if stopped.status == 200 {
            break;
        }
        assert!(Instant::now() < until, "{}", stopped.text());
        std::thread::sleep(Duration::from_millis(100));
    }
    let (status, found) = runner.join().unwrap();
    assert!(status >= 400 || found["status"] == "stopped", "{status} {found}");
    let count = "SELECT count() AS n FROM system.processes WHERE query LIKE '%numbers(1%'";
    // the question itself is one of them
    for attempt in 0.. {
        let (_, left) = execute(&mut other, id, &format!("left{attempt}"), count);
        if left["data"][0]["n"] == 1 {
            break;
        }
        assert!(attempt < 50, "the statement still runs: {left}");
        std::thread::sleep(Duration::from_millis(100));
    }
    for (uri, want) in [
        (
            format!("clickhousedb+connect://reader:wr0ng-canary@127.0.0.1:{}/default", house.port),
            "Authentication failed",
        ),
        ("clickhousedb+connect://reader:wr0ng-canary@127.0.0.1:1/default".to_owned(), "Connection refused"),
        (
            format!(
                "clickhousedb+connect://reader:wr0ng-canary@127.0.0.1:{}/default?secure=true",
                house.port
            ),
            "SSL",
        ),
    ] {
        let body = json!({"database_name": "y", "sqlalchemy_uri": uri, "driver": "connect"});
        let answer = other.post("/api/v1/database/test_connection/", &body);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains(want) && !answer.text().contains("canary"), "{}", answer.text());
    }
}
