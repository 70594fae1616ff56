//! Trino and Presto through the API, against a server that speaks their protocol and is no engine.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, EngineServer, Server, sum_by_name};

fn execute(client: &mut Client, database: i64, id: &str, sql: &str) -> (u16, Value) {
    let answer = client.post(
        "/api/v1/sqllab/execute/",
        &json!({"database_id": database, "sql": sql, "client_id": id, "schema": "web", "catalog": "hive",
                "queryLimit": 100}),
    );
    (answer.status, answer.json())
}

fn connect(admin: &mut Client, backend: &str, port: u16) -> i64 {
    let uri = format!("{backend}://ann@127.0.0.1:{port}/hive/web");
    let body = json!({"database_name": backend, "sqlalchemy_uri": uri, "impersonate_user": true});
    let tried = admin.post("/api/v1/database/test_connection/", &body);
    assert_eq!(tried.status, 200, "{}", tried.text());
    let mut body = body;
    body["expose_in_sqllab"] = json!(true);
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_i64().unwrap()
}

#[test]
fn schemas_tables_queries_and_charts() {
    let Some(engine) = EngineServer::trino_protocol() else { return };
    let server = Server::start("trino");
    let mut admin = server.admin();
    for backend in ["trino", "presto"] {
        let id = connect(&mut admin, backend, engine.port);
        let path = format!("/api/v1/database/{id}");
        let catalogs = admin.get(&format!("{path}/catalogs/")).json();
        assert_eq!(catalogs["result"], json!(["hive", "system"]), "{catalogs}");
        let schemas = admin.get(&format!("{path}/schemas/?q=(catalog:hive)")).json();
        assert!(schemas["result"].as_array().unwrap().contains(&json!("web")), "{schemas}");
        let tables = admin.get(&format!("{path}/tables/?q=(catalog_name:hive,schema_name:web)")).json();
        let found: Vec<_> = tables["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| (t["value"].as_str(), t["type"].as_str()))
            .collect();
        assert_eq!(found, [(Some("big_towns"), Some("view")), (Some("towns"), Some("table"))]);
        let (_, found) = execute(&mut admin, id, &format!("{backend}1"), "SELECT * FROM towns");
        assert_eq!(found["data"][0]["name"], "Bern", "{found}");
        let (status, found) = execute(&mut admin, id, &format!("{backend}2"), "SELECT nope FROM towns");
        let error = &found["errors"][0];
        let want =
            if backend == "presto" { "COLUMN_DOES_NOT_EXIST_ERROR" } else { "GENERIC_DB_ENGINE_ERROR" };
        assert_eq!((status, &error["error_type"]), (500, &json!(want)), "{found}");
        // Presto estimates where the connection names a version that does
        let ask =
            json!({"database_id": id, "sql": "SELECT * FROM towns", "schema": "web", "catalog": "hive"});
        let cost = admin.post("/api/v1/sqllab/estimate/", &ask);
        let costs = json!([{"Output count": "7 M rows", "CPU cost": "NaN", "Max memory": "0 B"}]);
        let want = if backend == "trino" { (200, costs) } else { (500, Value::Null) };
        assert_eq!((cost.status, cost.json()["result"].clone()), want, "{}", cost.text());
        let extra =
            admin.get(&format!("{path}/table_metadata/extra/?name=towns&schema=web&catalog=hive")).json();
        assert_eq!(extra["partitions"]["latest"], json!({"ds": "2024-01-02"}), "{extra}");
        assert_eq!(extra["partitions"]["cols"], json!(["ds"]));
        let functions = admin.get(&format!("{path}/function_names/")).json();
        assert!(functions["function_names"].as_array().unwrap().contains(&json!("date_trunc")));
        let body = json!({"database": id, "catalog": "hive", "schema": "web", "table_name": "towns"});
        let (dataset, first) = sum_by_name(&mut admin, &body);
        assert_eq!(first, json!({"name": "Bern", "SUM(n)": 7}));
        // the metadata in SQLite has each name once
        assert_eq!(admin.delete(&format!("/api/v1/dataset/{dataset}")).status, 200);
    }
    let seen: Value = server_seen(engine.port);
    let asked: Vec<&Value> =
        seen["seen"].as_array().unwrap().iter().filter(|s| s["sql"] == "SELECT 1").collect();
    // everybody is who they are in liteset
    assert!(!asked.is_empty() && asked.iter().all(|s| s["user"] == "admin"), "{asked:?}");
    assert_eq!(seen["written"], json!([]));
}

fn server_seen(port: u16) -> Value {
    let answer = ureq::get(format!("http://127.0.0.1:{port}/_seen")).call().unwrap();
    answer.into_body().read_json().unwrap()
}

#[test]
fn a_query_is_stopped_in_the_engine() {
    let Some(engine) = EngineServer::trino_protocol() else { return };
    let server = Server::start("trino-stop");
    let mut admin = server.admin();
    let id = connect(&mut admin, "trino", engine.port);
    let mut other = server.admin();
    let runner = std::thread::spawn(move || execute(&mut admin, id, "slow", "SELECT slow"));
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < until, "no progress was noted");
        std::thread::sleep(Duration::from_millis(100));
        let rows = other.get("/api/v1/query/updated_since?q=(last_updated_ms:0)").json();
        let progress = rows["result"][0]["progress"].as_i64().unwrap_or_default();
        if (1..100).contains(&progress) {
            break;
        }
    }
    let stopped = other.post("/api/v1/query/stop", &json!({"client_id": "slow"}));
    assert_eq!(stopped.status, 200, "{}", stopped.text());
    let (status, found) = runner.join().unwrap();
    assert!(status >= 400 || found["status"] == "stopped", "{status} {found}");
    while server_seen(engine.port)["running"] != json!([]) {
        assert!(Instant::now() < until, "the statement still runs");
        std::thread::sleep(Duration::from_millis(100));
    }
}
