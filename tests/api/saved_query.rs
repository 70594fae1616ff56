//! Saved queries: everybody's own, and nobody else's.

use serde_json::{Value, json};

use crate::support::{HIDDEN, Installation, NO_RIGHT, REFUSED, fields, make, message, refused, statuses};

fn query(on: &Installation, label: &str) -> Value {
    json!({"label": label, "db_id": on.database, "sql": "SELECT a FROM t", "schema": "main"})
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let id = make(&mut admin, "saved_query", &query(on, "by day ☃"));
    let path = format!("saved_query/{id}");
    let read = admin.result(&path);
    assert_eq!((&read["label"], &read["sql"]), (&json!("by day ☃"), &json!("SELECT a FROM t")));
    assert_eq!(read["database"], json!({"database_name": "own", "id": on.database}));
    assert_eq!(read["sql_tables"], json!([{"catalog": null, "schema": null, "table": "t"}]));
    let put = admin.put(&format!("/api/v1/{path}"), &json!({"description": "d", "extra_json": null}));
    let changed = put.json()["result"].clone();
    assert_eq!(
        (put.status, &changed["description"], &changed["label"]),
        (200, &json!("d"), &json!("by day ☃"))
    );
    assert_eq!(changed["extra_json"], "{}", "never nothing");
    // whose it is says no body
    let owners = format!("SELECT user_id || '' FROM saved_query WHERE id = {id} AND uuid IS NOT NULL");
    assert_eq!(on.metadata.texts(&owners), ["1"]);
    let other =
        make(&mut admin, "saved_query", &json!({"label": "Other", "db_id": on.database, "sql": null}));
    let mut ids = |q: &str| admin.ids("saved_query", q);
    assert_eq!(ids("(filters:!((col:label,opr:all_text,value:'FROM%20t')))"), [id]);
    assert_eq!(
        ids(&format!("(filters:!((col:database,opr:rel_o_m,value:{})),order_column:label)", on.database))
            .len(),
        2
    );
    assert_eq!(ids("(filters:!((col:schema,opr:eq,value:main)))"), [id]);
    assert_eq!(ids("(filters:!((col:label,opr:nct,value:DAY)))"), [other]);
    assert_eq!(ids("(order_column:database.database_name,page:1,page_size:1)").len(), 1);
    let schemas = admin.get("/api/v1/saved_query/distinct/schema").json();
    assert_eq!(schemas, json!({"count": 1, "result": [{"text": "main", "value": "main"}]}));
    let related = admin.get("/api/v1/saved_query/related/database?q=(filter:ow)").json();
    assert_eq!(related["result"], json!([{"extra": {}, "text": "own", "value": on.database}]));
    let export = admin.get(&format!("/api/v1/saved_query/export/?q=!({id})"));
    assert_eq!((export.status, export.header("content-type")), (200, "application/zip"));
    assert_eq!(admin.get("/api/v1/saved_query/export/?q=!(99999)").told(), (404, message("Not found")));
    assert_eq!(admin.delete("/api/v1/saved_query/?q=!(99999)").told(), (404, message("Not found")));
    assert_eq!(admin.delete(&format!("/api/v1/{path}")).told(), (200, message("OK")));
    let bulk = admin.delete(&format!("/api/v1/saved_query/?q=!({other})"));
    assert_eq!(bulk.told(), (200, message("Deleted 1 saved query")));
}

#[test]
fn saved_queries_are_written_and_read() {
    Installation::on_all("saved-query", written_and_read);
}

#[test]
fn saved_queries_that_are_refused_and_people() {
    let on = Installation::on_sqlite("saved-query-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, "saved_query", &query(&on, "mine"));
    let with = |key: &str, value: Value| {
        let mut body = query(&on, "l");
        body[key] = value;
        body
    };
    let both = [
        (with("label", json!(1)), 422, fields("label", "Not a valid string.")),
        (with("label", json!("x".repeat(257))), 422, fields("label", "Longer than maximum length 256.")),
        (with("schema", json!("x".repeat(129))), 422, fields("schema", "Longer than maximum length 128.")),
        (with("db_id", json!(null)), 422, fields("db_id", "Field may not be null.")),
        (with("user_id", json!(2)), 422, fields("user_id", "Unknown field.")),
        (with("tags", json!([])), 422, fields("tags", "Unknown field.")),
    ];
    refused(&mut admin, "POST", "saved_query/", &both);
    refused(&mut admin, "PUT", &format!("saved_query/{id}"), &both);
    for wrong in [json!(99999), json!("x"), json!([])] {
        let made = admin.post("/api/v1/saved_query/", &with("db_id", wrong.clone()));
        assert!(made.status == 422 && made.json()["error"].is_string(), "{wrong}: {}", made.text());
    }
    // `True` is 1 to SQLite and MySQL
    let made = admin.post("/api/v1/saved_query/", &with("db_id", json!(on.database == 1)));
    assert_eq!((made.status, &made.json()["result"]["db_id"]), (201, &json!(1)), "{}", made.text());
    assert_eq!(statuses(&mut on.server.anonymous(), "saved_query", id, &json!({})), REFUSED);
    for role in ["Gamma", "Alpha"] {
        let (mut person, _) = on.server.person(role, role);
        assert_eq!(statuses(&mut person, "saved_query", id, &json!({})), NO_RIGHT, "{role}");
    }
    let (mut lab, _) = on.server.person_with("lab", &["Gamma", "sql_lab"]);
    let mut hidden = HIDDEN;
    hidden[3] = 422;
    assert_eq!(statuses(&mut lab, "saved_query", id, &json!({})), hidden, "of somebody else");
    assert_eq!(lab.ids("saved_query", "()"), [0; 0]);
    assert_eq!(lab.delete(&format!("/api/v1/saved_query/?q=!({id})")).status, 404);
}
