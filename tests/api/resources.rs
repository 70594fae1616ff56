//! Resources through their API: what is written is read back, bad input is refused whole.

use serde_json::json;

use crate::support::Server;

#[test]
fn css_templates_are_created_changed_and_deleted() {
    let server = Server::start("css");
    let mut admin = server.admin();
    let made = admin.post("/api/v1/css_template/", &json!({"template_name": "wide", "css": "a{}"}));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/v1/css_template/{id}");
    assert_eq!(admin.put(&path, &json!({"css": "b{}"})).status, 200);
    let read = admin.get(&path).json();
    assert_eq!((&read["result"]["css"], &read["result"]["template_name"]), (&json!("b{}"), &json!("wide")));
    assert_eq!(admin.post("/api/v1/css_template/", &json!({"bogus": 1})).status, 422);
    assert_eq!(admin.delete(&path).status, 200);
    assert_eq!(admin.get(&path).status, 404);
}

#[test]
fn chart_data_counts_what_the_examples_hold() {
    let server = Server::start("data");
    let mut admin = server.admin();
    let datasets =
        admin.get("/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:deliveries)))").json();
    let id = datasets["result"][0]["id"].as_i64().unwrap();
    let query = |columns: serde_json::Value| {
        json!({
            "datasource": {"id": id, "type": "table"}, "result_format": "json", "result_type": "full",
            "queries": [{"columns": columns, "metrics": ["count"], "orderby": [["count", false]], "row_limit": 10}],
        })
    };
    let answer = admin.post("/api/v1/chart/data", &query(json!(["carrier"])));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let result = answer.json()["result"][0].clone();
    let rows = result["data"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let total: i64 = rows.iter().map(|r| r["count"].as_i64().unwrap()).sum();
    assert!((2900..=3000).contains(&total), "{total}");
    let again = admin.post("/api/v1/chart/data", &query(json!(["carrier"]))).json();
    assert_eq!(again["result"][0]["is_cached"], true, "liteset's own settings turn the cache on");
    let missing = admin.post("/api/v1/chart/data", &query(json!(["nope"])));
    assert_eq!(missing.status, 400);
    assert!(missing.text().contains("Columns missing in dataset"), "{}", missing.text());
    assert_eq!(server.anonymous().post("/api/v1/chart/data", &query(json!([]))).status, 401);
}

#[test]
fn hostile_rison_is_an_answer_not_a_crash() {
    let server = Server::start("rison");
    let mut admin = server.admin();
    let deep = format!("/api/v1/chart/?q={}", "(a:".repeat(3000));
    for path in [
        "/api/v1/chart/?q=(((",
        "/api/v1/chart/?q=(page:-9)",
        "/api/v1/chart/?q=%00",
        "/api/v1/chart/?q=!(1)",
        &deep,
    ] {
        let status = admin.get(path).status;
        assert!(matches!(status, 200 | 400 | 414 | 500), "{path}: {status}");
    }
    assert_eq!(admin.get("/api/v1/chart/").status, 200);
}
