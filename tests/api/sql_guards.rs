//! What SQL may call and read, in each place where people write it (T6, T9, T10, T12): charts, samples, SQL Lab,
//! virtual datasets, alerts; on SQLite and PostgreSQL.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, Source, ask, postgres_uri};

/// A question for one metric, with the conditions given.
fn chart(dataset: i64, metric: &str, extras: &Value) -> Value {
    json!({
        "datasource": {"id": dataset, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{
            "columns": [], "row_limit": 10, "extras": extras,
            "metrics": [{"expressionType": "SQL", "sqlExpression": metric, "label": "m"}],
        }],
    })
}

/// The same text in every place of a query that takes SQL.
fn places(dataset: i64, call: &str) -> Vec<(&'static str, Value)> {
    let mut column = chart(dataset, "count(*)", &json!({}));
    column["queries"][0]["columns"] = json!([{"label": "c", "sqlExpression": call, "expressionType": "SQL"}]);
    let mut order = chart(dataset, "count(*)", &json!({}));
    order["queries"][0]["orderby"] =
        json!([[{"expressionType": "SQL", "sqlExpression": format!("max({call})"), "label": "o"}, true]]);
    let mut filter = chart(dataset, "count(*)", &json!({}));
    filter["queries"][0]["filters"] =
        json!([{"col": {"label": "c", "sqlExpression": call, "expressionType": "SQL"}, "op": "IS NOT NULL"}]);
    let mut series = chart(dataset, "count(*)", &json!({}));
    series["queries"][0]["columns"] = json!(["v"]);
    series["queries"][0]["series_columns"] = json!(["v"]);
    series["queries"][0]["series_limit"] = json!(2);
    series["queries"][0]["series_limit_metric"] =
        json!({"expressionType": "SQL", "sqlExpression": format!("max({call})"), "label": "s"});
    vec![
        ("metric", chart(dataset, &format!("max({call})"), &json!({}))),
        ("column", column),
        ("where", chart(dataset, "count(*)", &json!({"where": format!("{call} IS NOT NULL")}))),
        ("having", chart(dataset, "count(*)", &json!({"having": format!("max({call}) IS NOT NULL")}))),
        ("order", order),
        ("filter", filter),
        ("series", series),
    ]
}

fn error_of(answer: &Answer) -> String {
    let found = answer.json();
    let nested = &found["result"][0]["error"];
    let texts = [&found["message"], &found["errors"][0]["message"], nested];
    texts.iter().find_map(|text| text.as_str()).unwrap_or_default().to_owned()
}

fn assert_refused(answer: &Answer, what: &str) {
    assert_ne!(answer.status, 200, "{what}: {}", answer.text());
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text());
    let message = error_of(answer);
    assert!(message.contains("disallowed function(s)"), "{what}: {}", answer.text());
}

fn lab(client: &mut Client, database: i64, id: &str, sql: &str) -> (u16, Value) {
    let body = json!({
        "database_id": database, "sql": sql, "client_id": id, "sql_editor_id": "1", "tab": "t", "queryLimit": 10,
    });
    let answer = client.post("/api/v1/sqllab/execute/", &body);
    (answer.status, answer.json())
}

fn database_of(client: &mut Client, dataset: i64) -> i64 {
    let found = client.get(&format!("/api/v1/dataset/{dataset}")).json();
    found["result"]["database"]["id"].as_i64().unwrap()
}

/// T6, T9, T10: nobody's chart calls what acts or reaches out, an administrator's as little as others'.
fn charts_only_compute(server: &Server, dataset: i64, calls: &[&str]) {
    let mut admin = server.admin();
    for call in calls {
        for (place, body) in places(dataset, call) {
            assert_refused(&admin.post("/api/v1/chart/data", &body), &format!("{place}: {call}"));
        }
    }
}

#[test]
fn charts_on_sqlite_only_compute() {
    let server = Server::start_with_settings("guards-sqlite", &[]);
    let dataset = server.add_virtual("plain", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    charts_only_compute(
        &server,
        dataset,
        &[
            "load_extension('x')",
            "readfile('/etc/hostname')",
            "\"WriteFile\"('/tmp/x', 'y')",
            "edit /* */ ('x')",
        ],
    );
    let mut admin = server.admin();
    for free in ["sum(v)", "max(strftime('%Y', 'now'))", "round(avg(v), 2)"] {
        let answer = admin.post("/api/v1/chart/data", &chart(dataset, free, &json!({})));
        assert_eq!(answer.status, 200, "{free}: {}", answer.text());
    }
}

const POSTGRES_CALLS: &[&str] = &[
    "(ts_stat('SELECT to_tsvector(''simple'', ''x'')'))::text",
    "convert_from(loread(lo_open(lo_import('/etc/hostname'), 393216), 1000), 'utf8')",
    "PG_RELOAD_CONF()::text",
    "pg_catalog.set_config('search_path', 'x', false)",
    "\"pg_stat_file\"('/etc/hostname')::text",
    "pg_relation_filepath /* x */ ('pg_authid')",
    "query_to_xml('SELECT 1', true, true, '')::text",
    "schema_to_xml('public', true, true, '')::text",
    "pg_sleep_for('1 second')::text",
    "pg_advisory_lock(1)::text",
    "txid_current()::text",
    "pg_show_all_settings()::text",
];

#[test]
fn charts_on_postgres_only_compute() {
    let Some(uri) = postgres_uri() else { return };
    let server = Server::start_with_settings("guards-postgres", &[]);
    let dataset = server.add_virtual("plain", &Source::Uri(&uri), "SELECT 1 AS v", "INTEGER");
    charts_only_compute(&server, dataset, POSTGRES_CALLS);
    let mut admin = server.admin();
    // another spelling of what the configuration refuses
    for call in ["user", "current_role", "current_catalog", "getpgusername()", "current_setting('port')"] {
        let answer =
            admin.post("/api/v1/chart/data", &chart(dataset, &format!("max({call}::text)"), &json!({})));
        assert_refused(&answer, call);
    }
    for free in ["max(pg_typeof(v)::text)", "max(date_trunc('day', now())::text)", "max(current_date::text)"]
    {
        let answer = admin.post("/api/v1/chart/data", &chart(dataset, free, &json!({})));
        assert_eq!(answer.status, 200, "{free}: {}", answer.text());
    }
    let database = database_of(&mut admin, dataset);
    for (i, sql) in [
        "SELECT pg_stat_file('/etc/hostname')",
        "SELECT * FROM pg_ls_waldir()",
        "SHOW server_version",
        "SELECT * FROM pg_catalog.\"pg_shadow\"",
        "SELECT * FROM pg_stat_activity",
        "WITH a AS (SELECT * FROM PG_AUTHID) SELECT count(*) FROM a",
    ]
    .iter()
    .enumerate()
    {
        let (status, found) = lab(&mut admin, database, &format!("p{i}"), sql);
        assert_ne!(status, 200, "{sql}: {found}");
        assert_eq!(found["errors"][0]["error_type"], "SYNTAX_ERROR", "{sql}: {found}");
        assert!(found["errors"][0]["message"].as_str().unwrap().contains("disallowed"), "{sql}: {found}");
    }
    let (status, found) = lab(&mut admin, database, "free", "SELECT count(*) AS n FROM pg_class");
    assert_eq!(status, 200, "{found}");
    for sql in [
        "SELECT rolname AS v FROM pg_roles",
        "SELECT pg_ls_dir('.') AS v",
        "SELECT usename AS v FROM pg_user",
    ] {
        let body = json!({"database": database, "table_name": "v", "schema": "public", "sql": sql});
        let answer = admin.post("/api/v1/dataset/", &body);
        assert_eq!(answer.status, 422, "{sql}: {}", answer.text());
        // one that is there already
        let stored = server.add_virtual(sql, &Source::Uri(&uri), sql, "VARCHAR");
        let answer = admin.post("/api/v1/chart/data", &ask(stored, "json"));
        assert_ne!(answer.status, 200, "{sql}: {}", answer.text());
        let samples = format!("/datasource/samples?force=false&datasource_type=table&datasource_id={stored}");
        let answer = admin.post(&samples, &json!({}));
        assert_ne!(answer.status, 200, "{sql}: {}", answer.text());
    }
}

/// T9: who is bound by a row-level rule gets no rows under no table's name; others get what the author of a dataset
/// wrote.
#[test]
fn what_is_opaque_is_not_for_readers_with_rules() {
    let Some(uri) = postgres_uri() else { return };
    let server = Server::start_with_settings("guards-rules", &[("SUPERSET_FEATURE_RLS_IN_SQLLAB", "true")]);
    let opaque = "SELECT word AS v FROM ts_stat('SELECT to_tsvector(''simple'', ''x'')')";
    let dataset = server.add_virtual("opaque", &Source::Uri(&uri), opaque, "VARCHAR");
    let mut admin = server.admin();
    let database = database_of(&mut admin, dataset);
    let answer = admin.post("/api/v1/chart/data", &ask(dataset, "json"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["result"][0]["data"], json!([{"v": "x"}]));
    assert_eq!(lab(&mut admin, database, "before", opaque).0, 200);
    let roles = admin.get("/api/v1/security/roles/?q=(page_size:100)").json();
    let role =
        roles["result"].as_array().unwrap().iter().find(|r| r["name"] == "Admin").unwrap()["id"].clone();
    let rule = json!({
        "name": "r", "filter_type": "Regular", "tables": [dataset], "roles": [role], "clause": "v <> 'y'",
        "group_key": null, "description": null,
    });
    let made = admin.post("/api/v1/rowlevelsecurity/", &rule);
    assert_eq!(made.status, 201, "{}", made.text());
    let answer = admin.post("/api/v1/chart/data", &ask(dataset, "json"));
    assert_ne!(answer.status, 200, "{}", answer.text());
    let (status, found) = lab(&mut admin, database, "after", opaque);
    assert_ne!(status, 200, "{found}");
    assert_eq!(found["errors"][0]["error_type"], "QUERY_SECURITY_ACCESS_ERROR", "{found}");
    let (status, found) = lab(&mut admin, database, "stats", "SELECT most_common_vals FROM pg_stats");
    assert_ne!(status, 200, "{found}");
}

/// T6, T7: a condition stays in its place.
#[test]
fn conditions_stay_in_their_parentheses() {
    let server = Server::start_with_settings("guards-conditions", &[]);
    let rows = "SELECT 1 AS v UNION ALL SELECT 2 UNION ALL SELECT 3";
    let dataset = server.add_virtual("three", &Source::Examples, rows, "INTEGER");
    let mut admin = server.admin();
    let mut count = |extras: &Value| {
        let mut body = chart(dataset, "count(*)", extras);
        body["queries"][0]["filters"] = json!([{"col": "v", "op": "==", "val": 1}]);
        let answer = admin.post("/api/v1/chart/data", &body);
        let found = answer.json();
        (answer.status, found["result"][0]["data"][0]["m"].clone(), found["result"][0]["query"].to_string())
    };
    let (status, rows, sql) = count(&json!({"where": "v = 2 OR 1 = 1"}));
    assert_eq!((status, rows), (200, json!(1)), "{sql}");
    assert!(sql.contains("(v = 2 OR 1 = 1)"), "{sql}");
    let (status, rows, sql) = count(&json!({"where": "(v = 2) OR (1 = 1)"}));
    assert_eq!((status, rows), (200, json!(1)), "{sql}");
    let (status, _, sql) = count(&json!({"having": "count(*) > 5 OR 1 = 1"}));
    assert!(status == 200 && sql.contains("COUNT(*) > 5 OR 1 = 1"), "{sql}");
    for broken in [
        "1 = 1) OR (1 = 1",
        "1 = 1; SELECT 2",
        "1 = 1) UNION SELECT 1 --",
        "1 = 1 UNION SELECT 1",
        "(1 = 1",
        "1 = 1)) OR ((1 = 1",
        "1 = 1 GROUP BY v",
        "v = 1, v = 2",
    ] {
        for key in ["where", "having"] {
            let (status, _, sql) = count(&json!({key: broken}));
            assert_eq!(status, 400, "{key}: {broken}: {sql}");
        }
    }
    // a comment ends nothing: it is not executed
    let (status, rows, sql) = count(&json!({"where": "v = 1 -- x"}));
    assert_eq!((status, rows), (200, json!(1)), "{sql}");
    assert!(!sql.contains("--"), "{sql}");
}

/// T12: what a template makes is judged like what is written.
#[test]
fn templates_hide_no_call() {
    let settings =
        [("SUPERSET_FEATURE_ENABLE_TEMPLATE_PROCESSING", "true"), ("SUPERSET_FEATURE_ALERT_REPORTS", "true")];
    let server = Server::start_with_settings("guards-templates", &settings);
    let plain = server.add_virtual("plain", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    let hidden = "{{ 'read' ~ 'file' }}('/etc/hostname')";
    for (place, body) in places(plain, hidden) {
        let answer = admin.post("/api/v1/chart/data", &body);
        assert_ne!(answer.status, 200, "{place}: {}", answer.text());
    }
    let sql = format!("SELECT {hidden} AS v");
    let stored = server.add_virtual("hidden", &Source::Examples, &sql, "VARCHAR");
    assert_ne!(admin.post("/api/v1/chart/data", &ask(stored, "json")).status, 200);
    let database = database_of(&mut admin, plain);
    let (status, found) = lab(&mut admin, database, "t1", &sql);
    assert_ne!(status, 200, "{found}");
    assert!(found["errors"][0]["message"].as_str().unwrap().contains("'readfile'"), "{found}");
    let body = json!({"database": database, "table_name": "w", "sql": sql});
    assert_eq!(admin.post("/api/v1/dataset/", &body).status, 422);
    let path = format!("/api/v1/dataset/{plain}");
    let answer = admin.put(&path, &json!({"sql": "SELECT load_extension('x') AS v"}));
    assert_eq!(answer.status, 422, "{}", answer.text());
    let board = admin.get("/api/v1/dashboard/?q=(page_size:1)").json()["result"][0]["id"].clone();
    let alert = json!({
        "type": "Alert", "name": "a", "crontab": "0 0 * * *", "database": database, "dashboard": board,
        "sql": "SELECT readfile('/etc/hostname')", "validator_type": "operator", "recipients": [],
        "validator_config_json": {"op": ">", "threshold": 1}, "creation_method": "alerts_reports",
    });
    let answer = admin.post("/api/v1/report/", &alert);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("disallowed function"), "{}", answer.text());
}

/// T9, T10 in SQL Lab and in stored expressions; the operator's lists count.
#[test]
fn lists_of_the_operator_hold_everywhere() {
    let settings = [
        ("LITESET_DISALLOWED_SQL_FUNCTIONS", r#"{"sqlite": ["soundex", "sqlite_compileoption_get"]}"#),
        ("LITESET_DISALLOWED_SQL_TABLES", r#"{"sqlite": ["sqlite_master", "main.deliveries"]}"#),
    ];
    let server = Server::start_with_settings("guards-lists", &settings);
    let dataset = server.add_virtual("plain", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    let database = database_of(&mut admin, dataset);
    for (i, sql) in [
        "SELECT Soundex('x')",
        "PRAGMA compile_options",
        "SELECT * FROM pragma_compile_options()",
        "SELECT * FROM SQLITE_MASTER",
        "SELECT * FROM \"main\".\"sqlite_master\"",
        "SELECT * FROM main.deliveries",
    ]
    .iter()
    .enumerate()
    {
        let (status, found) = lab(&mut admin, database, &format!("l{i}"), sql);
        assert_ne!(status, 200, "{sql}: {found}");
        assert_eq!(found["errors"][0]["error_type"], "SYNTAX_ERROR", "{sql}: {found}");
        let stored = server.add_virtual(&format!("s{i}"), &Source::Examples, sql, "VARCHAR");
        let answer = admin.post("/api/v1/chart/data", &ask(stored, "json"));
        assert_ne!(answer.status, 200, "{sql}: {}", answer.text());
    }
    let (status, found) = lab(&mut admin, database, "free", "SELECT sqlite_version()");
    assert_eq!(status, 200, "the operator's list replaces the usual one: {found}");
}

#[test]
fn stored_expressions_are_judged_too() {
    let server = Server::start_with_settings("guards-stored", &[]);
    let dataset = server.add_virtual("plain", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db.execute(
        "INSERT INTO sql_metrics (created_on, changed_on, table_id, metric_name, expression) VALUES \
         ('2020-01-01 00:00:00.000000', '2020-01-01 00:00:00.000000', ?1, 'evil', 'max(readfile(''/etc/hostname''))')",
        [dataset],
    )
    .unwrap();
    db.execute("UPDATE table_columns SET expression = 'eval(''SELECT 1'')' WHERE table_id = ?1", [dataset])
        .unwrap();
    let mut admin = server.admin();
    let mut body = chart(dataset, "count(*)", &json!({}));
    body["queries"][0]["metrics"] = json!(["evil"]);
    assert_refused(&admin.post("/api/v1/chart/data", &body), "a stored metric");
    assert_refused(&admin.post("/api/v1/chart/data", &ask(dataset, "json")), "a calculated column");
    let values = admin.get(&format!("/api/v1/datasource/table/{dataset}/column/v/values/"));
    assert_ne!(values.status, 200, "{}", values.text());
}
