//! DuckDB through the whole server: a database made by its form, a chart, SQL Lab, and statements that reach for more
//! than the database (T16). With the feature `duckdb` only.

use serde_json::{Value, json};

use crate::support::{Client, Server};

fn run(client: &mut Client, database: &Value, id: &str, sql: &str) -> (u16, Value) {
    let body = json!({
        "database_id": database, "sql": sql, "client_id": id, "sql_editor_id": "1", "tab": "t", "queryLimit": 100,
    });
    let answer = client.post("/api/v1/sqllab/execute/", &body);
    (answer.status, answer.json())
}

#[test]
fn a_file_is_connected_explored_charted_and_protected() {
    let server = Server::start("duckdb");
    let mut admin = server.admin();
    let available = admin.get("/api/v1/database/available/").json();
    let offered =
        available["databases"].as_array().unwrap().iter().find(|d| d["engine"] == "duckdb").unwrap();
    assert_eq!(offered["available_drivers"], json!(["duckdb_engine"]));
    assert!(offered["parameters"]["properties"]["access_token"].is_object());

    let file = server.home.join("shop.db");
    let form = json!({
        "database_name": "shop", "engine": "duckdb", "configuration_method": "dynamic_form",
        "parameters": {"database": file.to_str()}, "expose_in_sqllab": true, "allow_dml": true,
    });
    let made = admin.post("/api/v1/database/", &form);
    assert_eq!(made.status, 201, "{}", made.text());
    let (id, uri) = (made.json()["id"].clone(), format!("duckdb:///{}", file.display()));
    assert_eq!(made.json()["result"]["sqlalchemy_uri"], uri.as_str());
    for (i, sql) in [
        "CREATE TABLE sales AS SELECT DATE '2024-01-01' + range::INTEGER AS day, range % 3 AS kind, \
         1.25::DECIMAL(10,2) AS price FROM range(90)",
        "CREATE VIEW cheap AS SELECT * FROM sales WHERE kind = 0",
    ]
    .into_iter()
    .enumerate()
    {
        let (status, answer) = run(&mut admin, &id, &format!("make{i}"), sql);
        assert_eq!(status, 200, "{answer}");
    }
    let path = format!("/api/v1/database/{id}");
    let schemas = admin.get(&format!("{path}/schemas/")).json();
    assert!(schemas["result"].as_array().unwrap().contains(&json!("shop.main")), "{schemas}");
    let tables = admin.get(&format!("{path}/tables/?q=(schema_name:shop.main)")).json();
    let names: Vec<_> = tables["result"].as_array().unwrap().iter().map(|t| t["value"].clone()).collect();
    assert_eq!(names, [json!("cheap"), json!("sales")], "{tables}");

    let dataset =
        admin.post("/api/v1/dataset/", &json!({"database": id, "schema": "main", "table_name": "sales"}));
    assert_eq!(dataset.status, 201, "{}", dataset.text());
    let chart = json!({
        "datasource": {"id": dataset.json()["id"], "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{
            "columns": [{"expressionType": "SQL", "label": "day", "sqlExpression": "day", "timeGrain": "P1M",
                         "columnType": "BASE_AXIS"}],
            "metrics": [{"expressionType": "SIMPLE", "aggregate": "SUM", "label": "total",
                         "column": {"column_name": "price"}}],
            "orderby": [["day", true]], "row_limit": 100,
        }],
    });
    let found = admin.post("/api/v1/chart/data", &chart);
    assert_eq!(found.status, 200, "{}", found.text());
    let rows = found.json()["result"][0]["data"].clone();
    let totals: Vec<_> = rows.as_array().unwrap().iter().map(|r| r["total"].clone()).collect();
    assert_eq!(totals, [json!(38.75), json!(36.25), json!(37.5)], "{}", found.text());
    let query = found.json()["result"][0]["query"].as_str().unwrap().to_owned();
    assert!(query.contains("DATE_TRUNC('month', day)"), "{query}");

    let (status, wrong) = run(&mut admin, &id, "wrong", "SELECT nope FROM sales");
    assert!(
        status >= 400 && wrong["errors"][0]["message"].as_str().unwrap().contains("Binder Error"),
        "{wrong}"
    );
    let (own, outside) = (file.display(), server.home.join("out.csv"));
    for (i, sql) in [
        "SELECT * FROM read_csv('/etc/passwd')".to_owned(),
        "SELECT * FROM '/etc/passwd'".to_owned(),
        "SELECT content FROM read_text('/etc/hostname')".to_owned(),
        format!("ATTACH '{}' AS meta", server.home.join("data/superset.db").display()),
        format!("COPY sales TO '{}'", outside.display()),
        format!("COPY sales TO '{own}' (FORMAT csv, USE_TMP_FILE false)"),
        "INSTALL httpfs".to_owned(),
        "LOAD httpfs".to_owned(),
        "SET enable_external_access = true".to_owned(),
        "SET lock_configuration = false".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, answer) = run(&mut admin, &id, &format!("bad{i}"), &sql);
        assert!(status >= 400, "{sql}: {answer}");
    }
    assert!(!outside.exists());
    let (_, whole) = run(&mut admin, &id, "whole", "SELECT count(*) AS n, [1, 2] AS l FROM sales");
    assert_eq!(whole["data"][0]["n"], 90, "{whole}");

    for (uri, extra, word) in [
        (
            format!("duckdb:///{}", server.home.join("data/superset.db").display()),
            json!({}),
            "metadata database",
        ),
        ("duckdb:///md:mine?motherduck_token=s3cret-canary".to_owned(), json!({}), "MotherDuck"),
        (
            uri.clone(),
            json!({"engine_params": {"connect_args": {"config": {"allowed_directories": ["/etc"]}}}}),
            "not offered",
        ),
        (format!("{uri}?allow_unsigned_extensions=true"), json!({}), "cannot be made"),
    ] {
        let body = json!({"sqlalchemy_uri": uri, "extra": extra.to_string()});
        let answer = admin.post("/api/v1/database/test_connection/", &body);
        assert!((400..500).contains(&answer.status), "{uri}: {}", answer.text());
        assert!(
            answer.text().contains(word) && !answer.text().contains("canary"),
            "{uri}: {}",
            answer.text()
        );
    }
}
