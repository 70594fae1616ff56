//! SQL Server through the API, against a server that speaks its protocol and is no engine.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, EngineServer, Server, sum_by_name};

fn execute(client: &mut Client, database: i64, id: &str, sql: &str) -> (u16, Value) {
    let answer = client.post(
        "/api/v1/sqllab/execute/",
        &json!({"database_id": database, "sql": sql, "client_id": id, "schema": "dbo", "queryLimit": 100,
                "runAsync": false}),
    );
    (answer.status, answer.json())
}

fn connect(admin: &mut Client, port: u16) -> i64 {
    let uri = |password: &str| format!("mssql+pymssql://sa:{password}@127.0.0.1:{port}/d?encryption=off");
    let body = |password: &str| json!({"database_name": "tds", "sqlalchemy_uri": uri(password)});
    let wrong = admin.post("/api/v1/database/test_connection/", &body("s3cret-canary"));
    assert!(wrong.status >= 400 && !wrong.text().contains("s3cret-canary"), "{}", wrong.text());
    let tried = admin.post("/api/v1/database/test_connection/", &body("Passw0rd!"));
    assert_eq!(tried.status, 200, "{}", tried.text());
    let mut body = body("Passw0rd!");
    body["expose_in_sqllab"] = json!(true);
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(!made.text().contains("Passw0rd"), "{}", made.text());
    made.json()["id"].as_i64().unwrap()
}

/// Every text that the server was sent.
fn journal(admin: &mut Client, database: i64, id: &str) -> Vec<String> {
    let (status, found) = execute(admin, database, id, "SELECT journal");
    assert_eq!(status, 200, "{found}");
    let rows = found["data"].as_array().unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    rows.iter().map(|row| words(row["line"].as_str().unwrap())).collect()
}

#[test]
fn schemas_tables_queries_and_charts() {
    let Some(engine) = EngineServer::tds_protocol() else { return };
    let server = Server::start("mssql");
    let mut admin = server.admin();
    let id = connect(&mut admin, engine.port);
    let path = format!("/api/v1/database/{id}");
    let schemas = admin.get(&format!("{path}/schemas/")).json();
    assert_eq!(schemas["result"], json!(["dbo", "sales"]), "{schemas}");
    let tables = admin.get(&format!("{path}/tables/?q=(schema_name:dbo)")).json();
    let found: Vec<_> = tables["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["value"].as_str(), t["type"].as_str()))
        .collect();
    assert_eq!(found, [(Some("big_towns"), Some("view")), (Some("towns"), Some("table"))]);
    let columns = admin.get(&format!("{path}/table_metadata/?name=towns&schema=dbo")).json();
    let types: Vec<_> =
        columns["columns"].as_array().unwrap().iter().map(|c| c["longType"].as_str()).collect();
    assert_eq!(types, [Some("INTEGER"), Some("NVARCHAR(50)")], "{columns}");
    // the limit stands in the text as TOP, and one more row is asked for than is shown
    let (status, found) = execute(&mut admin, id, "ms1", "SELECT * FROM towns");
    assert_eq!((status, found["data"].as_array().map(Vec::len)), (200, Some(100)), "{found}");
    assert_eq!(found["data"][1], json!({"n": 1, "name": "town 1"}));
    let (_, found) = execute(&mut admin, id, "ms2", "SELECT TOP 3 * FROM towns");
    assert_eq!(found["data"].as_array().map(Vec::len), Some(3), "{found}");
    let (status, found) = execute(&mut admin, id, "ms3", "SELECT fail");
    assert_eq!(status, 500, "{found}");
    assert!(found.to_string().contains("Invalid object name 'nope'"), "{found}");
    let (status, found) = execute(&mut admin, id, "ms4", "DELETE FROM towns");
    assert!(status >= 400, "{found}");
    let body = json!({"database": id, "schema": "dbo", "table_name": "towns"});
    let (_, first) = sum_by_name(&mut admin, &body);
    assert_eq!(first, json!({"name": "Bern", "SUM(n)": 7}));
    let lines = journal(&mut admin, id, "ms5");
    let sent = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((sent("SELECT TOP 101 "), sent("SELECT TOP 4 "), sent("DELETE")), (3, 1, 0), "{lines:#?}");
    assert!(lines.iter().any(|l| l.contains("SELECT TOP 10 ") && l.contains("SUM(n)")), "{lines:#?}");
}

#[test]
fn a_query_is_stopped_in_the_engine() {
    let Some(engine) = EngineServer::tds_protocol() else { return };
    let server = Server::start("mssql-stop");
    let mut admin = server.admin();
    let id = connect(&mut admin, engine.port);
    let mut other = server.admin();
    let runner = std::thread::spawn(move || execute(&mut admin, id, "slow", "SELECT slow"));
    let until = Instant::now() + Duration::from_secs(40);
    let mut n = 0;
    let mut wait = |what: &str, other: &mut Client| loop {
        assert!(Instant::now() < until, "{what}");
        n += 1;
        let (status, found) = execute(other, id, &format!("j{n}"), &format!("SELECT sent {what}"));
        assert_eq!(status, 200, "{found}");
        if found["data"][0]["n"] != 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    wait("slow", &mut other);
    let stopped = other.post("/api/v1/query/stop", &json!({"client_id": "slow"}));
    assert_eq!(stopped.status, 200, "{}", stopped.text());
    let (status, found) = runner.join().unwrap();
    assert!(status >= 400 || found["status"] == "stopped", "{status} {found}");
    wait("attention", &mut other);
}
