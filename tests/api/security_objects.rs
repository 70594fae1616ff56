//! Who may see and change which object (T21–T23, T30 of the security list). T20, what an import may overwrite, belongs
//! to the import of assets: no other route finds an object by a UUID that its sender chose.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server};

fn first_id(admin: &mut Client, resource: &str) -> i64 {
    admin.get(&format!("/api/v1/{resource}/?q=(page_size:1)")).json()["result"][0]["id"].as_i64().unwrap()
}

/// Grants a permission on a view menu to a new role; made beside the server, in its database.
pub fn role_with(server: &Server, name: &str, grants: &[(&str, &str)]) {
    let mut admin = server.admin();
    let made = admin.post("/api/v1/security/roles/", &json!({"name": name}));
    let role = made.json()["id"].as_i64().unwrap();
    let file = std::fs::read_dir(server.home.join("data")).unwrap().flatten().map(|e| e.path());
    let mut ids = Vec::new();
    for file in file.filter(|p| p.extension().is_some_and(|e| e == "db")) {
        let Ok(db) = rusqlite::Connection::open(&file) else { continue };
        for (permission, view) in grants {
            let sql = "SELECT pv.id FROM ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id \
                       JOIN ab_view_menu v ON v.id = pv.view_menu_id WHERE p.name = ? AND v.name LIKE ?";
            if let Ok(id) = db.query_row(sql, [permission, view], |row| row.get::<_, i64>(0)) {
                ids.push(id);
            }
        }
    }
    assert_eq!(ids.len(), grants.len(), "grants are missing");
    let path = format!("/api/v1/security/roles/{role}/permissions");
    let answer = admin.post(&path, &json!({"permission_view_menu_ids": ids}));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn relations_need_rights_on_both_ends() {
    let server = Server::start_with_settings("relations", &[]);
    let mut admin = server.admin();
    let (mut alpha, _) = server.person("abe", "Alpha");
    let (board, chart, dataset) =
        (first_id(&mut admin, "dashboard"), first_id(&mut admin, "chart"), first_id(&mut admin, "dataset"));
    let own = json!({"slice_name": "mine", "datasource_id": dataset, "datasource_type": "table", "viz_type": "table"});
    let mine = alpha.post("/api/v1/chart/", &own);
    assert_eq!(mine.status, 201, "{}", mine.text());
    let mine = mine.json()["id"].as_i64().unwrap();
    let mut into = own.clone();
    into["dashboards"] = json!([board]);
    assert_eq!(alpha.post("/api/v1/chart/", &into).status, 403, "a chart in somebody's dashboard");
    let path = format!("/api/v1/chart/{mine}");
    assert_eq!(
        alpha.put(&path, &json!({"dashboards": [board]})).status,
        403,
        "a chart moves into a dashboard"
    );
    for (path, body) in [
        (format!("/api/v1/chart/{chart}"), json!({"slice_name": "taken"})),
        (format!("/api/v1/dashboard/{board}"), json!({"dashboard_title": "taken"})),
        (format!("/api/v1/dataset/{dataset}"), json!({"description": "taken"})),
        (format!("/api/v1/dataset/{dataset}"), json!({"owners": [2]})),
    ] {
        assert_eq!(alpha.put(&path, &body).status, 403, "{path}");
    }
    for (resource, id) in [("chart", chart), ("dashboard", board), ("dataset", dataset)] {
        assert_eq!(alpha.delete(&format!("/api/v1/{resource}/{id}")).status, 403, "{resource}");
        assert_eq!(alpha.delete(&format!("/api/v1/{resource}/?q=!({id})")).status, 403, "{resource}");
    }
    assert_eq!(alpha.put(&format!("/api/v1/dataset/{dataset}/refresh"), &json!({})).status, 403);
}

#[test]
fn virtual_datasets_reach_no_further_than_their_writers() {
    let server = Server::start_with_settings("virtual", &[]);
    let mut admin = server.admin();
    let all = admin.get("/api/v1/dataset/?q=(page_size:50)").json();
    let named = |name: &str| {
        let rows = all["result"].as_array().unwrap();
        rows.iter().find(|d| d["table_name"] == name).cloned().unwrap()
    };
    let allowed = named("deliveries");
    let other = all["result"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["table_name"] != "deliveries" && d["kind"] == "physical")
        .unwrap()
        .clone();
    let secret = other["table_name"].as_str().unwrap().to_owned();
    let grant = format!("%.[deliveries](id:{})", allowed["id"]);
    role_with(
        &server,
        "Writer",
        &[
            // a browser's token
            ("can_read", "SecurityRestApi"),
            ("can_read", "Dataset"),
            ("can_write", "Dataset"),
            ("can_duplicate", "Dataset"),
            ("datasource_access", &grant),
        ],
    );
    let (mut writer, _) = server.person("wim", "Writer");
    let database = &allowed["database"]["id"];
    let body = |name: &str, sql: Value| json!({"database": database, "table_name": name, "sql": sql});
    let refused = |answer: Answer, what: &str| {
        assert!(matches!(answer.status, 403 | 404 | 422), "{what}: {} {}", answer.status, answer.text());
    };
    let steal = format!("SELECT * FROM {secret}");
    refused(writer.post("/api/v1/dataset/", &body("v1", json!(steal))), "a query of a table without access");
    let nested = format!(
        "WITH a AS (SELECT * FROM deliveries) SELECT * FROM a UNION ALL SELECT * FROM (SELECT * FROM {secret}) s"
    );
    refused(writer.post("/api/v1/dataset/", &body("v2", json!(nested))), "a nested query");
    let physical = json!({"database": database, "table_name": secret});
    refused(writer.post("/api/v1/dataset/", &physical), "a table without access");
    let made = writer.post("/api/v1/dataset/", &body("v3", json!("SELECT * FROM deliveries")));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_i64().unwrap();
    // what is not listed cannot be changed through the API either; the owner's right does not widen what is read
    refused(
        writer.put(&format!("/api/v1/dataset/{id}"), &json!({"sql": steal})),
        "an update to another table",
    );
    refused(
        writer.put(&format!("/api/v1/dataset/{id}"), &json!({"sql": null, "table_name": secret})),
        "a change of the table",
    );
    let dml = body("v4", json!("DELETE FROM deliveries"));
    assert!(writer.post("/api/v1/dataset/", &dml).status >= 400);
    let twice = body("v5", json!("SELECT 1; SELECT 2"));
    assert!(admin.post("/api/v1/dataset/", &twice).status >= 400);
}

#[test]
fn missing_and_forbidden_look_alike() {
    let server = Server::start_with_settings("alike", &[]);
    let mut admin = server.admin();
    let (mut gamma, _) = server.person("gwen", "Gamma");
    let ids = ["chart", "dashboard", "dataset", "database"].map(|r| first_id(&mut admin, r));
    let [chart, board, dataset, database] = ids;
    let missing = 999_999;
    let mut wrong = Vec::new();
    for (path, id) in [
        ("/api/v1/chart/ID", chart),
        ("/api/v1/chart/ID/data/", chart),
        ("/api/v1/dataset/ID", dataset),
        ("/api/v1/dataset/ID/related_objects", dataset),
        ("/api/v1/dataset/ID/drill_info/", dataset),
        ("/datasource/get/table/ID/", dataset),
        ("/api/v1/database/ID", database),
        ("/api/v1/database/ID/schemas/", database),
        ("/api/v1/database/ID/tables/?q=(schema_name:main)", database),
        ("/api/v1/dashboard/ID", board),
        ("/api/v1/dashboard/ID/charts", board),
        ("/api/v1/dashboard/ID/datasets", board),
        ("/superset/dashboard/ID/", board),
    ] {
        let there = gamma.get(&path.replace("ID", &id.to_string()));
        let nowhere = gamma.get(&path.replace("ID", &missing.to_string()));
        let body = |a: &Answer| {
            let text = a.text();
            if text.contains("<html") { String::new() } else { text }
        };
        if there.status != nowhere.status || body(&there) != body(&nowhere) {
            wrong.push(format!(
                "{path}: {} {} / {} {}",
                there.status,
                body(&there),
                nowhere.status,
                body(&nowhere)
            ));
        }
    }
    for (method, path, id) in [
        ("PUT", "/api/v1/chart/ID", chart),
        ("DELETE", "/api/v1/chart/ID", chart),
        ("DELETE", "/api/v1/dashboard/ID", board),
        ("PUT", "/api/v1/dashboard/ID", board),
    ] {
        let mut status =
            |id: i64| gamma.send(method, &path.replace("ID", &id.to_string()), Some(&json!({}))).status;
        let (there, nowhere) = (status(id), status(missing));
        if there != nowhere {
            wrong.push(format!("{method} {path}: {there} / {nowhere}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn guests_get_what_is_embedded_and_nothing_else() {
    let settings = [("SUPERSET_FEATURE_EMBEDDED_SUPERSET", "true"), ("LITESET_GUEST_ROLE_NAME", "Gamma")];
    let server = Server::start_with_settings("guest", &settings);
    let mut admin = server.admin();
    let boards = admin.get("/api/v1/dashboard/").json();
    let board = boards["result"][0]["id"].as_i64().unwrap();
    let other = boards["result"][1]["id"].as_i64().unwrap();
    let embedded =
        admin.post(&format!("/api/v1/dashboard/{board}/embedded"), &json!({"allowed_domains": []}));
    let uuid = embedded.json()["result"]["uuid"].as_str().unwrap().to_owned();
    let body =
        json!({"user": {"username": "g"}, "resources": [{"type": "dashboard", "id": uuid}], "rls": []});
    let token =
        admin.post("/api/v1/security/guest_token/", &body).json()["token"].as_str().unwrap().to_owned();
    let mut guest = server.anonymous();
    guest.headers = vec![("x-guesttoken".into(), token.clone())];
    assert_eq!(guest.send("GET", &format!("/api/v1/dashboard/{board}"), None).status, 200);
    let away = guest.send("GET", &format!("/api/v1/dashboard/{other}"), None).status;
    assert!(matches!(away, 403 | 404), "another dashboard: {away}");

    let charts = guest.send("GET", &format!("/api/v1/dashboard/{board}/charts"), None).json();
    let charts = charts["result"].as_array().unwrap();
    let chart =
        charts.iter().find(|c| c["form_data"]["groupby"].is_array() && c["form_data"]["metrics"].is_array());
    let chart = chart.unwrap();
    let form = &chart["form_data"];
    let dataset: i64 = form["datasource"].as_str().unwrap().split("__").next().unwrap().parse().unwrap();
    let context = json!({
        "datasource": {"id": dataset, "type": "table"},
        "queries": [{"columns": form["groupby"], "metrics": form["metrics"], "row_limit": 10}],
        "form_data": {"slice_id": chart["id"], "dashboardId": board},
        "result_format": "json",
        "result_type": "full",
    });
    let stored =
        admin.put(&format!("/api/v1/chart/{}", chart["id"]), &json!({"query_context": context.to_string()}));
    assert_eq!(stored.status, 200, "{}", stored.text());
    let mut ask = |token: &str, body: &Value| {
        guest.headers = vec![("x-guesttoken".into(), token.to_owned())];
        guest.send("POST", "/api/v1/chart/data", Some(body))
    };
    let data = ask(&token, &context);
    assert_eq!(data.status, 200, "{}", data.text());
    assert!(!data.text().contains("SELECT"), "an answer shows SQL: {}", data.text());
    let mut changed = context.clone();
    let metric = json!({"expressionType": "SQL", "sqlExpression": "MAX(1)", "label": "x"});
    changed["queries"][0]["metrics"] = json!([metric]);
    assert_eq!(ask(&token, &changed).status, 403, "another metric");
    let mut elsewhere = context.clone();
    elsewhere["form_data"]["dashboardId"] = json!(other);
    assert_eq!(ask(&token, &elsewhere).status, 403, "another dashboard");
    for wrong in ["", "x", &format!("{token}x"), &token[..token.len() - 4]] {
        assert_eq!(ask(wrong, &context).status, 401, "token {wrong}");
    }
}

/// T23: the columns of a dataset or table that one may not read are refused as what is not there.
#[test]
fn columns_of_what_is_not_readable() {
    let server = Server::start_with_settings("columns", &[]);
    let mut admin = server.admin();
    let (mut gamma, _) = server.person("gia", "Gamma");
    let (mut alpha, _) = server.person("ari", "Alpha");
    let all = admin.get("/api/v1/dataset/?q=(page_size:50)").json();
    let row = all["result"].as_array().unwrap().iter().find(|d| d["kind"] == "physical").unwrap().clone();
    let (id, table) = (row["id"].as_i64().unwrap(), row["table_name"].as_str().unwrap());
    let database = row["database"]["database_name"].as_str().unwrap();
    let virtual_ =
        server.add_virtual("hidden", &crate::support::Source::Examples, "SELECT 1 AS v", "INTEGER");
    let by_name = |database: &str, schema: &str, table: &str| {
        let flags = "normalize_columns:!f,always_filter_main_dttm:!f";
        format!(
            "/datasource/external_metadata_by_name/?q=(datasource_type:table,database_name:'{database}',\
             schema_name:{schema},table_name:'{table}',{flags})"
        )
    };
    let by_id = |id: i64| format!("/datasource/external_metadata/table/{id}/");
    let there = [
        by_id(id),
        by_id(virtual_),
        by_name(database, "main", table),
        by_name(database, "!n", table),
        by_name(database, "main", "hidden"),
        by_name(database, "main", "sqlite_master"),
        by_name(database, "main", "nowhere"),
    ];
    let missing = [by_id(999_999), by_name("no-such-database", "main", table)];
    for path in &there[..4] {
        assert_eq!(admin.get(path).status, 200, "{path}: {}", admin.get(path).text());
        assert_eq!(alpha.get(path).status, 200, "{path}");
    }
    let refusals: Vec<_> = missing.iter().map(|path| gamma.get(path)).map(|a| (a.status, a.text())).collect();
    assert_eq!(refusals[0].0, 404);
    for path in &there {
        let answer = gamma.get(path);
        let want = &refusals[usize::from(path.contains("by_name"))];
        assert_eq!((answer.status, answer.text()), *want, "{path}");
    }
}
