//! Queries that ran: their list, and who sees whose.

use serde_json::json;

use crate::support::{Client, Installation, message};

fn run(client: &mut Client, on: &Installation, name: &str) {
    let body = json!({"database_id": on.database, "sql": format!("SELECT '{name}' AS a"), "client_id": name,
                      "schema": "main", "tab": name});
    let answer = client.post("/api/v1/sqllab/execute/", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn listed(on: &Installation) {
    let mut admin = on.server.admin();
    run(&mut admin, on, "first");
    run(&mut admin, on, "second");
    let bad = json!({"database_id": on.database, "sql": "SELECT nope FROM nowhere", "client_id": "bad"});
    assert!(admin.post("/api/v1/sqllab/execute/", &bad).status >= 400);
    let mut ids = |q: &str| admin.ids("query", q);
    let all = ids("(order_column:start_time,order_direction:asc)");
    assert_eq!(all.len(), 3);
    assert_eq!(ids("(filters:!((col:sql,opr:sw,value:'SELECT%20!'SEC')))"), [all[1]]);
    assert_eq!(ids("(filters:!((col:status,opr:eq,value:failed)))"), [all[2]]);
    assert_eq!(ids("(filters:!((col:user,opr:rel_o_m,value:99999)))"), [0; 0]);
    assert_eq!(ids("(order_column:tab_name,order_direction:asc,page_size:1,page:2)"), [all[1]]);
    let read = admin.result(&format!("query/{}", all[0]));
    assert_eq!(
        (&read["client_id"], &read["rows"], &read["tab_name"]),
        (&json!("first"), &json!(1), &json!("first"))
    );
    assert_eq!(read["database"], json!({"id": on.database}));
    let states = admin.get("/api/v1/query/distinct/status").json();
    let state = |name: &str| json!({"text": name, "value": name});
    assert_eq!(states, json!({"count": 2, "result": [state("failed"), state("success")]}));
    let related = admin.get("/api/v1/query/related/database").json();
    assert_eq!(related["result"][0]["text"], "own");
    let since = admin.result("query/updated_since?q=(last_updated_ms:0)");
    assert_eq!(since.as_array().unwrap().len(), 3);
}

#[test]
fn queries_are_listed() {
    listed(&Installation::on_sqlite("query"));
}

#[test]
fn queries_of_others_and_what_is_refused() {
    let on = Installation::on_sqlite("query-refused");
    let mut admin = on.server.admin();
    run(&mut admin, &on, "hers");
    let id = admin.ids("query", "()")[0];
    for (path, status, said) in [
        ("query/updated_since", 400, "Not a valid rison schema 'last_updated_ms' is a required property"),
        (
            "query/updated_since?q=(last_updated_ms:x)",
            400,
            "Not a valid rison schema 'x' is not of type 'number'",
        ),
        ("query/99999", 404, "Not found"),
        ("query/distinct/sql", 404, "Not found"),
        ("query/?q=(order_column:sql_editor_id)", 400, "Invalid order by column: sql_editor_id"),
    ] {
        let answer = admin.get(&format!("/api/v1/{path}"));
        assert!(answer.status == status && answer.text().contains(said), "{path}: {}", answer.text());
    }
    let stop = admin.post("/api/v1/query/stop", &json!({"client_id": "nope"}));
    assert_eq!(stop.told(), (404, message("Query with client_id nope not found")));
    for method in ["PUT", "DELETE"] {
        assert_eq!(
            admin.send(method, &format!("/api/v1/query/{id}"), Some(&json!({}))).status,
            405,
            "{method}"
        );
    }
    let (mut lab, _) = on.server.person_with("lab", &["Gamma", "sql_lab"]);
    assert_eq!(lab.ids("query", "()"), [0; 0]);
    assert_eq!(lab.get(&format!("/api/v1/query/{id}")).told(), (404, message("Not found")));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(gamma.get("/api/v1/query/").told(), (403, message("Forbidden")));
    assert_eq!(on.server.anonymous().get("/api/v1/query/").status, 401);
}
