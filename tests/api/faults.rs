//! Two who write at once, and writes that fail half way: all of a change is kept, or nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Client, Server};

fn database(server: &Server) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db
}

/// Every row of the tables that writes of objects touch, as text.
fn state(server: &Server) -> BTreeMap<&'static str, Vec<String>> {
    const TABLES: [&str; 19] = [
        "slices",
        "slice_user",
        "dashboards",
        "dashboard_user",
        "dashboard_slices",
        "dashboard_roles",
        "tables",
        "table_columns",
        "sql_metrics",
        "sqlatable_user",
        "dbs",
        "ab_user",
        "ab_user_role",
        "ab_permission_view",
        "ab_view_menu",
        "ab_permission_view_role",
        "tag",
        "tagged_object",
        "rls_filter_tables",
    ];
    let db = database(server);
    let rows = |table: &str| {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        // the log-in itself counts
        let columns: Vec<usize> = statement
            .column_names()
            .iter()
            .enumerate()
            .filter(|(_, name)| !name.contains("login"))
            .map(|(i, _)| i)
            .collect();
        let rows = statement.query_map([], |row| {
            columns.iter().map(|i| Ok(format!("{:?}", row.get::<_, rusqlite::types::Value>(*i)?))).collect()
        });
        rows.unwrap().map(|r: Result<Vec<String>, _>| r.unwrap().join("|")).collect()
    };
    TABLES.iter().map(|table| (*table, rows(table))).collect()
}

/// A trigger that fails whatever writes to a table.
fn break_table(server: &Server, table: &str, event: &str) {
    let sql = format!(
        "CREATE TRIGGER broken BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'injected fault'); END"
    );
    database(server).execute_batch(&sql).unwrap();
}

fn mend(server: &Server) {
    database(server).execute_batch("DROP TRIGGER broken").unwrap();
}

fn first(admin: &mut Client, resource: &str) -> i64 {
    admin.get(&format!("/api/v1/{resource}/?q=(page_size:1)")).json()["result"][0]["id"].as_i64().unwrap()
}

#[test]
fn a_write_that_fails_half_way_leaves_nothing() {
    let server = Server::start_with_settings("faults", &[("SUPERSET_FEATURE_TAGGING_SYSTEM", "true")]);
    let mut admin = server.admin();
    let [chart, board, dataset, source] =
        ["chart", "dashboard", "dataset", "database"].map(|resource| first(&mut admin, resource));
    let id = |resource: &str, id: i64| format!("/api/v1/{resource}/{id}");
    let copy = format!("/api/v1/dashboard/{board}/copy/");
    let metric =
        json!({"metrics": [{"metric_name": "half", "expression": "count(*)"}], "description": "half"});
    let uri = format!("sqlite:///{}", server.home.join("other.db").display());
    rusqlite::Connection::open(server.home.join("other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let person = json!({"username": "half", "first_name": "h", "last_name": "h", "email": "half@example.org", "password": "a long passphrase", "active": true, "roles": [1]});
    let deeds: Vec<(&str, String, Value, &str, &str)> = vec![
        (
            "POST",
            "/api/v1/chart/".into(),
            json!({"slice_name": "half", "datasource_id": dataset, "datasource_type": "table"}),
            "tagged_object",
            "INSERT",
        ),
        (
            "POST",
            "/api/v1/chart/".into(),
            json!({"slice_name": "half", "datasource_id": dataset, "datasource_type": "table"}),
            "slice_user",
            "INSERT",
        ),
        (
            "PUT",
            id("chart", chart),
            json!({"slice_name": "half", "owners": [1], "dashboards": []}),
            "dashboard_slices",
            "DELETE",
        ),
        ("DELETE", id("chart", chart), Value::Null, "slices", "DELETE"),
        ("POST", "/api/v1/dashboard/".into(), json!({"dashboard_title": "half"}), "tagged_object", "INSERT"),
        (
            "PUT",
            id("dashboard", board),
            json!({"dashboard_title": "half", "roles": [1]}),
            "dashboard_roles",
            "INSERT",
        ),
        (
            "POST",
            copy,
            json!({"dashboard_title": "half", "json_metadata": "{}", "duplicate_slices": true}),
            "dashboard_slices",
            "INSERT",
        ),
        ("DELETE", id("dashboard", board), Value::Null, "dashboards", "DELETE"),
        (
            "POST",
            "/api/v1/dataset/".into(),
            json!({"database": source, "table_name": "half", "sql": "SELECT 1 AS a, 2 AS b"}),
            "sql_metrics",
            "INSERT",
        ),
        (
            "POST",
            "/api/v1/dataset/".into(),
            json!({"database": source, "table_name": "half", "sql": "SELECT 1 AS a, 2 AS b"}),
            "tagged_object",
            "INSERT",
        ),
        ("PUT", id("dataset", dataset), metric, "sql_metrics", "INSERT"),
        ("DELETE", id("dataset", dataset), Value::Null, "tables", "DELETE"),
        (
            "POST",
            "/api/v1/database/".into(),
            json!({"database_name": "half", "sqlalchemy_uri": uri}),
            "ab_permission_view",
            "INSERT",
        ),
        ("PUT", id("database", source), json!({"database_name": "half"}), "ab_view_menu", "UPDATE"),
        ("POST", "/api/v1/security/users/".into(), person, "ab_user_role", "INSERT"),
        (
            "PUT",
            "/api/v1/security/users/1".into(),
            json!({"first_name": "half", "roles": [1, 2]}),
            "ab_user_role",
            "INSERT",
        ),
    ];
    for (method, path, body, table, event) in &deeds {
        let before = state(&server);
        break_table(&server, table, event);
        let body = (!body.is_null()).then_some(body);
        let answer = admin.send(method, path, body);
        mend(&server);
        assert!(
            answer.status >= 400,
            "{method} {path} with {event} on {table} broken: {} {}",
            answer.status,
            answer.text()
        );
        assert!(
            !answer.text().contains("injected fault") || table.starts_with("ab_"),
            "{path}: {}",
            answer.text()
        );
        let after = state(&server);
        for (name, rows) in &after {
            assert_eq!(
                &before[name], rows,
                "{method} {path} with {event} on {table} broken leaves {name} changed"
            );
        }
    }
    // without the fault they all work
    for (method, path, body, ..) in
        deeds.iter().filter(|d| !["DELETE"].contains(&d.0) && !d.1.contains("database"))
    {
        let answer = admin.send(method, path, Some(body));
        assert!(
            matches!(answer.status, 200 | 201 | 422),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
    }
}

#[test]
fn two_at_once_change_or_delete_one_object_once() {
    let server = Server::start_with_settings("at-once", &[]);
    let mut admin = server.admin();
    let dataset = first(&mut admin, "dataset");
    let chart = json!({"slice_name": "shared", "datasource_id": dataset, "datasource_type": "table"});
    for round in 0..5 {
        let made = admin.post("/api/v1/chart/", &chart).json()["id"].as_i64().unwrap();
        let path = format!("/api/v1/chart/{made}");
        let all = |method: &'static str| -> Vec<u16> {
            let people: Vec<_> = (0..4).map(|_| server.admin()).collect();
            let threads: Vec<_> = people
                .into_iter()
                .enumerate()
                .map(|(i, mut client)| {
                    let path = path.clone();
                    std::thread::spawn(move || {
                        let body = json!({"slice_name": format!("by {i}"), "description": format!("by {i}")});
                        client.send(method, &path, (method == "PUT").then_some(&body)).status
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        };
        assert_eq!(all("PUT"), [200; 4], "round {round}");
        let now = admin.get(&path).json();
        assert_eq!(now["result"]["slice_name"], now["result"]["description"], "two writes are mixed");
        let outcomes = all("DELETE");
        assert_eq!(outcomes.iter().filter(|s| **s == 200).count(), 1, "deleted more than once: {outcomes:?}");
        assert!(outcomes.iter().all(|s| matches!(s, 200 | 404)), "{outcomes:?}");
        let left = database(&server);
        let sql = "SELECT count(*) FROM slice_user WHERE slice_id = ?1";
        assert_eq!(left.query_row(sql, [made], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

#[test]
fn saved_queries_get_tags_by_themselves() {
    let server = Server::start_with_settings("implicit", &[("SUPERSET_FEATURE_TAGGING_SYSTEM", "true")]);
    let mut admin = server.admin();
    let database_id = first(&mut admin, "database");
    let body = json!({"label": "mine", "db_id": database_id, "sql": "SELECT 1"});
    let made = admin.post("/api/v1/saved_query/", &body).json()["id"].as_i64().unwrap();
    let tags = || -> Vec<String> {
        let db = database(&server);
        let sql = "SELECT t.name FROM tag t JOIN tagged_object o ON o.tag_id = t.id \
                   WHERE o.object_type = 'query' AND o.object_id = ?1 ORDER BY t.name";
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([made], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(tags(), ["owner:1", "type:query"]);
    assert_eq!(
        admin.put(&format!("/api/v1/saved_query/{made}"), &json!({"label": "still mine"})).status,
        200
    );
    assert_eq!(tags(), ["owner:1", "type:query"]);
    assert_eq!(admin.delete(&format!("/api/v1/saved_query/{made}")).status, 200);
    assert!(tags().is_empty());
}
