//! Connections: what is refused, what is masked, and a round trip on MariaDB where there is one.

use std::net::TcpStream;

use serde_json::json;

use crate::support::Server;

#[test]
fn unsafe_connections_are_refused() {
    let server = Server::start("unsafe-db");
    let mut admin = server.admin();
    for uri in ["sqlite:////etc/passwd", "sqlite+pysqlite://", "shillelagh://"] {
        let answer = admin.post("/api/v1/database/", &json!({"database_name": "x", "sqlalchemy_uri": uri}));
        assert_eq!(answer.status, 400, "{uri}");
        assert!(answer.text().contains("cannot be used as a data source for security reasons"));
    }
    let uri = "mysql://u:s3cret-canary@127.0.0.1:1/d?local_infile=1";
    let answer = admin.post("/api/v1/database/test_connection/", &json!({"sqlalchemy_uri": uri}));
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("Forbidden query parameter") && !answer.text().contains("canary"));
    let answer = admin.post("/api/v1/database/test_connection/", &json!({"sqlalchemy_uri": "oracle://h/d"}));
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("liteset has no driver for Oracle"), "{}", answer.text());
}

#[test]
fn failures_of_connecting_are_explained_without_secrets() {
    let server = Server::start("fail-db");
    let mut admin = server.admin();
    for uri in [
        "postgresql://u:s3cret-canary@127.0.0.1:1/d",
        "mysql+pymysql://u:s3cret-canary@127.0.0.1:1/d",
        "postgresql://u:s3cret-canary@no-such-host.invalid/d",
    ] {
        let body = json!({"database_name": "x", "sqlalchemy_uri": uri});
        let answer = admin.post("/api/v1/database/", &body);
        assert_eq!(answer.status, 400, "{uri}: {}", answer.text());
        assert!(answer.json()["errors"][0]["error_type"].is_string());
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
}

#[test]
fn a_connection_to_mariadb_is_made_changed_and_deleted() {
    if TcpStream::connect("127.0.0.1:3306").is_err() {
        println!("skipped: no MariaDB on 127.0.0.1:3306");
        return;
    }
    let server = Server::start("maria");
    let mut admin = server.admin();
    let form = json!({
        "database_name": "maria", "engine": "mysql", "configuration_method": "dynamic_form",
        "parameters": {"host": "127.0.0.1", "port": 3306, "username": "root", "database": "test"},
    });
    let made = admin.post("/api/v1/database/", &form);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["result"]["sqlalchemy_uri"], "mysql+mysqldb://root@127.0.0.1:3306/test");
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/v1/database/{id}");
    let schemas = admin.get(&format!("{path}/schemas/")).json();
    assert!(schemas["result"].as_array().unwrap().contains(&json!("test")), "{schemas}");
    let permission =
        "/api/v1/security/permissions-resources/?q=(filters:!((col:view_menu.name,opr:eq,value:x)))";
    assert!(admin.get(permission).status < 500);
    assert_eq!(admin.post("/api/v1/database/", &form).status, 422);
    let wrong = admin.put(&path, &json!({"sqlalchemy_uri": "mysql://root@127.0.0.1:1/test"}));
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    let renamed = admin.put(&path, &json!({"database_name": "maria 2"}));
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    assert_eq!(admin.get(&path).json()["result"]["database_name"], "maria 2");
    assert_eq!(admin.post(&format!("{path}/sync_permissions/"), &json!({})).status, 200);
    // SQL Lab: statements of one text share a connection, and CSV comes in pieces
    let sql = "SET @v = 3; SELECT seq, @v AS v FROM seq_1_to_20000";
    let body =
        json!({"database_id": id, "sql": sql, "client_id": "maria", "queryLimit": 5, "runAsync": false});
    let run = admin.post("/api/v1/sqllab/execute/", &body).json();
    assert_eq!(run["data"][4], json!({"seq": 5, "v": 3}), "{run}");
    let body = json!({"database_id": id, "sql": "SELECT seq FROM seq_1_to_20000", "client_id": "many"});
    assert_eq!(admin.post("/api/v1/sqllab/execute/", &body).status, 200);
    assert_eq!(admin.get("/api/v1/sqllab/export/many/").text().lines().count(), 20_001);
    assert_eq!(admin.delete(&path).status, 200);
    assert_eq!(admin.get(&path).status, 404);
}

#[cfg(not(feature = "duckdb"))]
#[test]
fn a_binary_without_duckdb_says_so() {
    let server = Server::start("no-duckdb");
    let mut admin = server.admin();
    assert!(!admin.get("/api/v1/database/available/").text().contains("duckdb_engine"));
    let answer =
        admin.post("/api/v1/database/test_connection/", &json!({"sqlalchemy_uri": "duckdb:////tmp/x.db"}));
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("without the cargo feature"), "{}", answer.text());
}
