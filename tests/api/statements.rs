//! How many statements a request takes.

use serde_json::json;

use crate::{
    logging::lines,
    support::{Client, Server, make},
};

fn start(name: &str) -> Server {
    let settings =
        [("LITESET_LOG", "info,liteset::sql=debug"), ("SUPERSET_FEATURE_ENABLE_TEMPLATE_PROCESSING", "true")];
    Server::start_with_settings(name, &settings)
}

/// The texts of the statements of a request on a kind of database, `metadata` or `analytical`.
fn statements(server: &Server, id: &str, database: &str) -> Vec<String> {
    let of_database = |line: &serde_json::Value| line["fields"]["database"] == database;
    let found = lines(server, "liteset::sql", id).into_iter().filter(of_database);
    found.map(|line| line["fields"]["statement"].as_str().unwrap_or_default().to_owned()).collect()
}

fn examples(admin: &mut Client) -> i64 {
    let found = admin.get("/api/v1/database/?q=(filters:!((col:database_name,opr:eq,value:examples)))");
    found.json()["result"][0]["id"].as_i64().unwrap()
}

#[test]
fn the_row_of_a_query_is_read_once() {
    let server = start("statements-query");
    let mut admin = server.admin();
    let database = examples(&mut admin);
    let answer = admin.post(
        "/api/v1/sqllab/execute/",
        &json!({"database_id": database, "sql": "SELECT {{ 1 + 1 }} AS a", "client_id": "once", "runAsync": false}),
    );
    assert_eq!((answer.status, &answer.json()["data"]), (200, &json!([{"a": 2}])), "{}", answer.text());
    let all = statements(&server, answer.header("x-request-id"), "metadata");
    let reads: Vec<&String> = all.iter().filter(|text| text.contains("FROM query q")).collect();
    // whether its client has sent it before, and the row once it is complete
    assert_eq!(reads.len(), 2, "{reads:#?}");
    assert!(reads[0].contains("client_id = ?") && reads[1].contains("q.id = ?"), "{reads:#?}");
}

#[test]
fn templates_of_a_chart_are_built_once() {
    let server = start("statements-chart");
    let mut admin = server.admin();
    let database = examples(&mut admin);
    let sql = "SELECT 'x' AS a, {{ 1 + 1 }} AS b";
    let dataset =
        make(&mut admin, "dataset", &json!({"database": database, "table_name": "templated", "sql": sql}));
    // building asks the database whether the axis is temporal: as often as it builds
    let axis = json!({"label": "axis", "sqlExpression": "a || a", "expressionType": "SQL",
        "columnType": "BASE_AXIS", "timeGrain": "P1D"});
    let answer = admin.post(
        "/api/v1/chart/data",
        &json!({"datasource": {"id": dataset, "type": "table"}, "result_format": "json", "result_type": "full",
            "queries": [{"columns": [axis, "b"], "metrics": [], "row_limit": 10}]}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["result"][0]["data"], json!([{"axis": "xx", "b": 2}]));
    let all = statements(&server, answer.header("x-request-id"), "analytical");
    assert_eq!(all.len(), 2, "one question, one query: {all:#?}");
}
