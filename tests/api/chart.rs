//! Charts: their rows, who sees them, and what the data of one say.

use serde_json::{Value, json};

use crate::support::{Installation, REFUSED, Server, fields, make, message, refused, statuses};

fn chart(on: &Installation, name: &str) -> Value {
    json!({"slice_name": name, "datasource_id": on.dataset, "datasource_type": "table", "viz_type": "table"})
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let mut body = chart(on, "Bread ☃");
    body["params"] = json!("{\"viz_type\": \"table\"}");
    body["dashboards"] = json!([on.dashboard]);
    let made = admin.post("/api/v1/chart/", &body);
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(made.told(), (201, json!({"id": id, "result": body})));
    let path = format!("chart/{id}");
    let read = admin.result(&path);
    assert_eq!((&read["slice_name"], &read["params"]), (&body["slice_name"], &body["params"]));
    assert_eq!(read["owners"], json!([{"first_name": "Superset", "id": 1, "last_name": "Admin"}]));
    assert_eq!(read["dashboards"][0]["id"], on.dashboard);
    let uuid = admin.get(&format!("/api/v1/chart/?q=(filters:!((col:id,opr:eq,value:{id})))")).json();
    let uuid = uuid["result"][0]["uuid"].as_str().unwrap_or_default().to_owned();
    assert_eq!(admin.result(&format!("chart/{uuid}"))["id"], id, "by its uuid");
    let whole = format!(
        "SELECT datasource_name || perm FROM slices WHERE id = {id} AND created_by_fk = 1 AND last_saved_by_fk = 1 \
         AND changed_on >= created_on AND uuid IS NOT NULL"
    );
    let perm = format!("t[own].[t](id:{})", on.dataset);
    assert_eq!(on.metadata.texts(&whole), [perm]);
    let put =
        admin.put(&format!("/api/v1/{path}"), &json!({"description": "d", "owners": [], "dashboards": []}));
    assert_eq!(put.json()["result"], json!({"description": "d", "owners": [], "dashboards": []}));
    let read = admin.result(&path);
    assert_eq!((&read["owners"], &read["dashboards"]), (&json!([]), &json!([])));
    let mut ids = |q: &str| admin.ids("chart", q);
    assert_eq!(ids("(filters:!((col:slice_name,opr:chart_all_text,value:BREAD)))"), [id]);
    assert_eq!(ids(&format!("(filters:!((col:dashboards,opr:rel_m_m,value:{})))", on.dashboard)), [on.chart]);
    assert_eq!(ids("(filters:!((col:owners,opr:rel_m_m,value:1)))"), [on.chart]);
    assert_eq!(ids("(filters:!((col:viz_type,opr:in,value:!(table,pie))),order_column:slice_name)"), [id]);
    assert_eq!(ids("(order_column:slice_name,order_direction:asc)"), [id, on.chart]);
    assert_eq!(ids("(order_column:datasource_name,page_size:1,page:1)").len(), 1);
    let related = admin.get("/api/v1/chart/related/owners?q=(filter:Sup)").json();
    assert_eq!((&related["count"], &related["result"][0]["text"]), (&json!(1), &json!("Superset Admin")));
    let export = admin.get(&format!("/api/v1/chart/export/?q=!({id})"));
    assert_eq!((export.status, export.header("content-type")), (200, "application/zip"));
    assert_eq!(admin.get("/api/v1/chart/export/?q=!(99999)").told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/chart/?q=!({id},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")));
    assert_eq!(admin.delete(&format!("/api/v1/{path}")).told(), (200, message("OK")));
    assert_eq!(admin.get(&format!("/api/v1/{path}")).told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/chart/?q=!({})", on.chart));
    assert_eq!(bulk.told(), (200, message("Deleted 1 chart")));
    // what leans on a chart is gone with it
    let left = "SELECT id || '' FROM slice_user UNION SELECT id || '' FROM dashboard_slices";
    assert!(on.metadata.texts(left).is_empty());
    assert!(on.metadata.texts("SELECT id || '' FROM tagged_object WHERE object_type = 'chart'").is_empty());
}

#[test]
fn charts_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("chart"));
}

#[test]
fn charts_that_are_refused_and_people() {
    let on = Installation::on_sqlite("chart-refused");
    let mut admin = on.server.admin();
    let with = |key: &str, value: Value| {
        let mut body = chart(&on, "c");
        body[key] = value;
        body
    };
    let both = [
        (with("slice_name", json!(1)), 400, fields("slice_name", "Not a valid string.")),
        (with("params", json!("{")), 400, fields("params", "JSON not valid")),
        (with("query_context", json!({})), 400, fields("query_context", "Not a valid string.")),
        (with("cache_timeout", json!("a")), 400, fields("cache_timeout", "Not a valid integer.")),
        (with("owners", json!("1")), 400, fields("owners", "Not a valid list.")),
        (with("owners", json!([99999])), 422, fields("owners", "Owners are invalid")),
        (
            with("dashboards", json!(["a"])),
            400,
            json!({"message": {"dashboards": {"0": ["Not a valid integer."]}}}),
        ),
        (with("dashboards", json!([99999])), 422, fields("dashboards", "Dashboards do not exist")),
        (with("datasource_id", json!(99999)), 422, fields("datasource_id", "Datasource does not exist")),
        (with("uuid", json!("x")), 400, fields("uuid", "Not a valid UUID.")),
    ];
    refused(&mut admin, "POST", "chart/", &both);
    refused(&mut admin, "PUT", &format!("chart/{}", on.chart), &both);
    let kinds = "Must be one of: table, dataset, query, saved_query, view.";
    refused(
        &mut admin,
        "POST",
        "chart/",
        &[
            (with("slice_name", json!("")), 400, fields("slice_name", "Length must be between 1 and 250.")),
            (with("datasource_type", json!("cube")), 400, fields("datasource_type", kinds)),
            (
                json!({"slice_name": "c"}),
                400,
                json!({"message": {
            "datasource_id": ["Missing data for required field."],
            "datasource_type": ["Missing data for required field."]}}),
            ),
        ],
    );
    for key in ["99999", "x"] {
        refused(&mut admin, "PUT", &format!("chart/{key}"), &[(json!({}), 404, message("Not found"))]);
    }
    let foreign = json!({"slice_name": "taken"});
    assert_eq!(statuses(&mut on.server.anonymous(), "chart", on.chart, &foreign), REFUSED);
    let (mut alpha, alpha_id) = on.server.person("alf", "Alpha");
    assert_eq!(statuses(&mut alpha, "chart", on.chart, &foreign), [200, 200, 200, 400, 403, 403], "all data");
    let bulk = alpha.delete(&format!("/api/v1/chart/?q=!({})", on.chart));
    assert_eq!(bulk.told(), (403, message("Forbidden")));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(statuses(&mut gamma, "chart", on.chart, &foreign), [200, 404, 200, 400, 404, 404]);
    assert_eq!(gamma.ids("chart", "()"), [0; 0]);
    // who does not own a chart gives it to nobody; who gives their own away keeps it
    let mine = make(&mut alpha, "chart", &chart(&on, "mine"));
    let put = alpha.put(&format!("/api/v1/chart/{mine}"), &json!({"owners": [1]}));
    assert_eq!(put.status, 200, "{}", put.text());
    let owners = admin.result(&format!("chart/{mine}"))["owners"].clone();
    let mut ids: Vec<_> = owners.as_array().unwrap().iter().map(|o| o["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, alpha_id]);
}

#[test]
fn chart_data_counts_what_the_examples_hold() {
    let server = Server::start("data");
    let mut admin = server.admin();
    let datasets =
        admin.get("/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:deliveries)))").json();
    let id = datasets["result"][0]["id"].as_i64().unwrap();
    let query = |columns: Value| {
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
    // rison that is hostile is an answer, not a crash
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
