//! How many statements a request takes.

use serde_json::json;

use crate::{
    import_export::{bundle, export, import},
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

#[test]
fn a_bundle_of_many_dashboards_takes_as_many_statements_as_one_of_few() {
    let server = start("statements-export");
    let mut admin = server.admin();
    let count = |admin: &mut Client| {
        let ids = admin.get("/api/v1/dashboard/?q=(page_size:100)").json()["ids"].to_string();
        let answer = admin.get(&format!("/api/v1/dashboard/export/?q=!({})", ids.trim_matches(['[', ']'])));
        assert_eq!(answer.status, 200, "{}", answer.text());
        (ids.split(',').count(), statements(&server, answer.header("x-request-id"), "metadata").len())
    };
    let (few, statements_for_few) = count(&mut admin);
    for n in 0..9 {
        make(&mut admin, "dashboard", &json!({"dashboard_title": format!("another {n}")}));
    }
    assert_eq!(count(&mut admin), (few + 9, statements_for_few));
}

#[test]
fn columns_of_a_dataset_come_together() {
    let server = start("statements-import");
    let mut admin = server.admin();
    let dataset = admin.get("/api/v1/dataset/").json()["ids"][0].as_i64().unwrap();
    let before = export(&mut admin, "dataset", dataset);
    let count = |admin: &mut Client, columns: usize| {
        let mut files = before.clone();
        for (_, content) in files.iter_mut().filter(|(name, _)| name.starts_with("datasets/")) {
            let mut new = String::from("columns:\n");
            for n in 0..columns {
                new.push_str(&format!("- column_name: another_{n}\n  type: TEXT\n  is_active: true\n"));
            }
            *content = String::from_utf8_lossy(content).replacen("columns:\n", &new, 1).into_bytes();
        }
        let answer = import(admin, "dataset", &bundle(&files), true);
        assert_eq!(answer.status, 200, "{}", answer.text());
        statements(&server, answer.header("x-request-id"), "metadata").len()
    };
    // the first one makes an owner
    count(&mut admin, 0);
    let one = count(&mut admin, 1);
    assert_eq!(count(&mut admin, 61), one);
    let there = admin.get(&format!("/api/v1/dataset/{dataset}")).json()["result"]["columns"].clone();
    let there = there.as_array().unwrap().iter();
    let names: Vec<&str> = there.filter_map(|column| column["column_name"].as_str()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("another_")).count(), 61);
    // columns that the file does not have go again
    count(&mut admin, 0);
    assert_eq!(export(&mut admin, "dataset", dataset), before);
}
