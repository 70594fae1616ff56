//! Connections: their rows, what is refused, what is masked, and a round trip on MariaDB where there is one.

use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{Installation, REFUSED, Server, fields, make, message, refused, statuses};

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

fn views(on: &Installation, name: &str) -> Vec<String> {
    on.metadata.texts(&format!("SELECT name FROM ab_view_menu WHERE name LIKE '%[{name}]%' ORDER BY name"))
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let file = on.server.home.join("second.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE u (b); CREATE VIEW w AS SELECT 1 AS c")
        .unwrap();
    let uri = format!("sqlite:///{}", file.display());
    let body = json!({"database_name": "sec ☃", "sqlalchemy_uri": uri, "extra": "{\"metadata_params\": {}}"});
    let id = make(&mut admin, "database", &body);
    assert_eq!(views(on, "sec ☃"), [format!("[sec ☃].(id:{id})"), "[sec ☃].[main]".to_owned()]);
    let path = format!("/api/v1/database/{id}");
    let read = admin.result(&format!("database/{id}"));
    assert_eq!((&read["database_name"], &read["backend"]), (&json!("sec ☃"), &json!("sqlite")));
    assert_eq!(admin.result(&format!("database/{id}/connection"))["sqlalchemy_uri"], uri);
    assert_eq!(admin.result(&format!("database/{id}/schemas/")), json!(["main"]));
    let tables = admin.result(&format!("database/{id}/tables/?q=(schema_name:main)"));
    let kinds: Vec<_> = tables.as_array().unwrap().iter().map(|t| (&t["value"], &t["type"])).collect();
    assert_eq!(kinds, [(&json!("u"), &json!("table")), (&json!("w"), &json!("view"))]);
    let related = admin.get(&format!("/api/v1/database/{}/related_objects/", on.database)).json();
    assert_eq!((&related["charts"]["count"], &related["dashboards"]["count"]), (&json!(1), &json!(1)));
    let put = admin.put(&path, &json!({"database_name": "third", "expose_in_sqllab": false}));
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(views(on, "sec ☃").is_empty());
    assert_eq!(views(on, "third"), [format!("[third].(id:{id})"), "[third].[main]".to_owned()]);
    let mut ids = |q: &str| admin.ids("database", q);
    assert_eq!(ids("(filters:!((col:database_name,opr:ct,value:HIR)))"), [id]);
    assert_eq!(ids("(filters:!((col:expose_in_sqllab,opr:eq,value:!t)))"), [on.database]);
    assert_eq!(ids("(order_column:database_name,order_direction:desc,page_size:-1)"), [id, on.database]);
    let held = admin.delete(&format!("/api/v1/database/{}", on.database));
    assert_eq!(held.told(), (422, message("Cannot delete a database that has datasets attached")));
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.get(&path).told(), (404, message("Not found")));
    assert!(views(on, "third").is_empty(), "its permissions are gone with it");
}

#[test]
fn databases_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("database"));
}

#[test]
fn databases_that_are_refused_and_people() {
    let on = Installation::on_sqlite("database-refused");
    let mut admin = on.server.admin();
    let uri = format!("sqlite:///{}", on.server.home.join("data.db").display());
    let with = |key: &str, value: Value| {
        let mut body = json!({"database_name": "new", "sqlalchemy_uri": uri});
        body[key] = value;
        body
    };
    let both = [
        (with("database_name", json!(1)), 400, fields("database_name", "Not a valid string.")),
        (with("database_name", json!("")), 400, fields("database_name", "Length must be between 1 and 250.")),
        (with("cache_timeout", json!("x")), 400, fields("cache_timeout", "Not a valid integer.")),
        (with("allow_dml", json!("perhaps")), 400, fields("allow_dml", "Not a valid boolean.")),
    ];
    refused(&mut admin, "POST", "database/", &both);
    refused(&mut admin, "PUT", &format!("database/{}", on.database), &both);
    let taken = "A database with the same name already exists.";
    refused(
        &mut admin,
        "POST",
        "database/",
        &[
            (with("database_name", json!("own")), 422, json!({"message": {"database_name": taken}})),
            (
                json!({"sqlalchemy_uri": uri}),
                400,
                fields("database_name", "Missing data for required field."),
            ),
        ],
    );
    refused(&mut admin, "PUT", "database/99999", &[(json!({}), 404, message("Not found"))]);
    for below in ["", "/schemas/", "/tables/?q=(schema_name:main)", "/related_objects/"] {
        assert_eq!(admin.get(&format!("/api/v1/database/99999{below}")).status, 404, "{below}");
    }
    let change = json!({"database_name": "taken"});
    assert_eq!(statuses(&mut on.server.anonymous(), "database", on.database, &change), REFUSED);
    for (role, read) in [("Alpha", 200), ("Gamma", 404)] {
        let (mut person, _) = on.server.person(role, role);
        let found = statuses(&mut person, "database", on.database, &change);
        assert_eq!(found, [200, read, 200, 403, 403, 403], "{role}");
    }
}
