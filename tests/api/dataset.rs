//! Datasets: physical and virtual ones, their columns and metrics, and the permission that goes with each.

use serde_json::{Value, json};

use crate::support::{Installation, REFUSED, fields, make, message, refused, statuses};

fn virtual_one(on: &Installation, name: &str) -> Value {
    json!({"database": on.database, "table_name": name, "sql": "SELECT 1 AS a, 'x' AS b"})
}

fn views(on: &Installation, like: &str) -> Vec<String> {
    on.metadata.texts(&format!("SELECT name FROM ab_view_menu WHERE name LIKE '{like}' ORDER BY name"))
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let made = admin.post("/api/v1/dataset/", &virtual_one(on, "bread"));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/v1/dataset/{id}");
    assert_eq!(views(on, "[own].[bread]%"), [format!("[own].[bread](id:{id})")]);
    let read = admin.result(&format!("dataset/{id}"));
    let names = |read: &Value, list: &str, key: &str| {
        let mut names: Vec<_> =
            read[list].as_array().unwrap().iter().map(|c| c[key].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&read, "columns", "column_name"), ["a", "b"]);
    assert_eq!(names(&read, "metrics", "metric_name"), ["count"]);
    assert_eq!((&read["kind"], &read["database"]["id"]), (&json!("virtual"), &json!(on.database)));
    let renamed = admin.put(&path, &json!({"table_name": "butter ☃", "description": "d"}));
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    assert_eq!(views(on, "[own].[b%"), [format!("[own].[butter ☃](id:{id})")], "the permission has its name");
    let change = json!({
        "columns": [{"id": read["columns"][0]["id"], "column_name": "z", "verbose_name": "Z", "type": "INT"}],
        "metrics": [{"metric_name": "m", "expression": "count(*)"}],
    });
    let put = admin.put(&path, &change);
    assert_eq!(put.status, 200, "{}", put.text());
    let read = admin.result(&format!("dataset/{id}"));
    assert_eq!(
        (names(&read, "columns", "column_name"), names(&read, "metrics", "metric_name")),
        (vec!["z".to_owned()], vec!["m".to_owned()])
    );
    let column = read["columns"][0]["id"].as_i64().unwrap();
    let metric = read["metrics"][0]["id"].as_i64().unwrap();
    assert_eq!(admin.put(&format!("{path}/refresh"), &json!({})).told(), (200, message("OK")));
    assert_eq!(names(&admin.result(&format!("dataset/{id}")), "columns", "column_name"), ["a", "b"]);
    assert_eq!(admin.delete(&format!("{path}/metric/{metric}")).told(), (200, message("OK")));
    assert_eq!(admin.delete(&format!("{path}/metric/{metric}")).told(), (404, message("Not found")));
    assert_eq!(admin.delete(&format!("{path}/column/{column}")).status, 404, "the refresh has made others");
    let mut ids = |q: &str| admin.ids("dataset", q);
    assert_eq!(ids("(filters:!((col:sql,opr:dataset_is_null_or_empty,value:!t)))"), [on.dataset]);
    assert_eq!(ids("(filters:!((col:table_name,opr:sw,value:BUTT)))"), [id]);
    assert_eq!(ids("(order_column:table_name,order_direction:desc)"), [on.dataset, id]);
    assert_eq!(ids("(order_column:database.database_name,page_size:1,page:1)").len(), 1);
    let copy = admin.post("/api/v1/dataset/duplicate", &json!({"base_model_id": id, "table_name": "copy"}));
    assert_eq!(copy.status, 201, "{}", copy.text());
    let copy = copy.json()["id"].as_i64().unwrap();
    let there = json!({"database_id": on.database, "table_name": "t"});
    let there = admin.post("/api/v1/dataset/get_or_create/", &there);
    assert_eq!(there.told(), (200, json!({"result": {"table_id": on.dataset}})));
    let users = admin.get(&format!("/api/v1/dataset/{}/related_objects", on.dataset)).json();
    assert_eq!((&users["charts"]["count"], &users["dashboards"]["count"]), (&json!(1), &json!(1)));
    let export = admin.get(&format!("/api/v1/dataset/export/?q=!({id})"));
    assert_eq!((export.status, export.header("content-type")), (200, "application/zip"));
    let bulk = admin.delete(&format!("/api/v1/dataset/?q=!({copy},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/dataset/?q=!({copy})"));
    assert_eq!(bulk.told(), (200, message("Deleted 1 dataset")));
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert!(views(on, "[own].[b%").is_empty() && views(on, "[own].[copy%").is_empty());
    let left = format!("SELECT column_name FROM table_columns WHERE table_id <> {}", on.dataset);
    assert!(on.metadata.texts(&left).is_empty());
}

#[test]
fn datasets_are_written_and_read() {
    Installation::on_all("dataset", written_and_read);
}

#[test]
fn datasets_that_are_refused_and_people() {
    let on = Installation::on_sqlite("dataset-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, "dataset", &virtual_one(&on, "mine"));
    let with = |key: &str, value: Value| {
        let mut body = virtual_one(&on, "new");
        body[key] = value;
        body
    };
    refused(
        &mut admin,
        "POST",
        "dataset/",
        &[
            (with("table_name", json!("mine")), 422, fields("table", "Dataset mine already exists")),
            (with("table_name", json!(1)), 400, fields("table_name", "Not a valid string.")),
            (with("database", json!(99999)), 422, fields("database", "Database does not exist")),
            (with("database", json!("x")), 400, fields("database", "Not a valid integer.")),
            (with("owners", json!([99999])), 422, fields("owners", "Owners are invalid")),
            (with("bogus", json!(1)), 400, fields("bogus", "Unknown field.")),
            (json!({"table_name": "t"}), 400, fields("database", "Missing data for required field.")),
        ],
    );
    let missing = admin.post("/api/v1/dataset/", &json!({"database": on.database, "table_name": "nowhere"}));
    assert_eq!(missing.status, 422, "{}", missing.text());
    let path = format!("dataset/{id}");
    let duplicates = "One or more columns are duplicated";
    refused(
        &mut admin,
        "PUT",
        &path,
        &[
            (json!({"owners": [99999]}), 422, fields("owners", "Owners are invalid")),
            (
                json!({"columns": [{"column_name": "a"}, {"column_name": "a"}]}),
                422,
                fields("columns", duplicates),
            ),
            (
                json!({"columns": [{"id": 99999, "column_name": "z"}]}),
                422,
                fields("columns", "One or more columns do not exist"),
            ),
            (
                json!({"metrics": [{"id": 99999, "metric_name": "z", "expression": "1"}]}),
                422,
                fields("metrics", "One or more metrics do not exist"),
            ),
            (
                json!({"metrics": [{"metric_name": "count", "expression": "1"}]}),
                422,
                fields("metrics", "One or more metrics already exist"),
            ),
        ],
    );
    let put = admin.put(&format!("/api/v1/{path}"), &json!({"bogus": 1})).text();
    let error =
        r#""extra": {"messages": {"bogus": ["Unknown field."]}, "payload": {"bogus": 1}, "issue_codes": ["#;
    assert!(put.contains("MARSHMALLOW_ERROR") && put.contains(error), "{put}");
    refused(&mut admin, "PUT", "dataset/99999", &[(json!({}), 404, message("Not found"))]);
    refused(
        &mut admin,
        "POST",
        "dataset/duplicate",
        &[
            (
                json!({"base_model_id": 99999, "table_name": "z"}),
                422,
                message("Dataset parameters are invalid."),
            ),
            (
                json!({"base_model_id": id, "table_name": "mine"}),
                422,
                message("Dataset parameters are invalid."),
            ),
            (
                json!({"base_model_id": on.dataset, "table_name": "z"}),
                422,
                message("Dataset parameters are invalid."),
            ),
        ],
    );
    let change = json!({"description": "taken"});
    assert_eq!(statuses(&mut on.server.anonymous(), "dataset", id, &change), REFUSED);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(statuses(&mut alpha, "dataset", id, &change), [200, 200, 200, 400, 403, 403]);
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(statuses(&mut gamma, "dataset", id, &change), [200, 404, 200, 403, 403, 403]);
    assert_eq!(gamma.ids("dataset", "()"), [0; 0]);
}
