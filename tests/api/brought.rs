//! What people brought: texts, connections, files, numbers and templates of installations that moved here.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, postgres, postgres_uri};

/// A server on whose connections anything may be named.
fn server(name: &str, settings: &[(&str, &str)]) -> Server {
    let open = [("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false")];
    Server::start_with_settings(name, &[&open, settings].concat())
}

fn add(admin: &mut Client, name: &str, uri: &str) -> i64 {
    let body = json!({"database_name": name, "sqlalchemy_uri": uri, "allow_file_upload": true,
                      "expose_in_sqllab": true});
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_i64().unwrap()
}

/// A SQLite file with tables.
fn file(server: &Server, admin: &mut Client, name: &str, sql: &str) -> i64 {
    let path = server.home.join(format!("{name}.db"));
    rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    add(admin, name, &format!("sqlite:///{}", path.display()))
}

fn lab_with(client: &mut Client, database: i64, sql: &str, params: &str) -> Answer {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("br{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let body = json!({"database_id": database, "sql": sql, "client_id": id, "runAsync": false, "queryLimit": 100,
                      "tab": "t", "sql_editor_id": "1", "templateParams": params});
    client.post("/api/v1/sqllab/execute/", &body)
}

fn lab(client: &mut Client, database: i64, sql: &str) -> Answer {
    lab_with(client, database, sql, "{}")
}

/// A query with a clause of which the parser knows nothing.
fn odd(query: &str) -> String {
    let series = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 2)";
    format!("{series} SEARCH DEPTH FIRST BY n SET o {query}")
}

/// The rows of a statement that is taken.
fn rows(client: &mut Client, database: i64, sql: &str) -> Value {
    let answer = lab(client, database, sql);
    assert_eq!(answer.status, 200, "{sql}: {}", answer.text());
    answer.json()["data"].clone()
}

fn dataset(admin: &mut Client, body: &Value) -> Answer {
    admin.post("/api/v1/dataset/", body)
}

fn id_of(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_i64().unwrap()
}

fn chart(client: &mut Client, dataset: i64, format: &str, query: &Value) -> Answer {
    let body = json!({"datasource": {"id": dataset, "type": "table"}, "force": true, "result_format": format,
                      "result_type": "full", "queries": [query]});
    client.post("/api/v1/chart/data", &body)
}

#[test]
fn blanks_of_word_processors() {
    let server = server("brought-blanks", &[]);
    let mut admin = server.admin();
    let db =
        file(&server, &mut admin, "blanks", "CREATE TABLE t(cat TEXT, v INT); INSERT INTO t VALUES ('A', 2)");
    for blank in ["\u{a0}", "\u{3000}", "\u{2003}", "\u{2028}", "\u{feff}"] {
        let sql = format!("select{blank}v,{blank}'x{blank}' as s from{blank}t");
        assert_eq!(rows(&mut admin, db, &sql), json!([{"v": 2, "s": format!("x{blank}")}]), "{blank:?}");
    }
    let set = id_of(&dataset(&mut admin, &json!({"database": db, "schema": "main", "table_name": "t"})));
    let metric = json!({"expressionType": "SQL", "sqlExpression": "sum(v)\u{a0}*\u{a0}2", "label": "m"});
    let query = json!({"metrics": [metric], "columns": [], "extras": {"where": "cat\u{a0}= 'A'"}});
    let answer = chart(&mut admin, set, "json", &query);
    assert_eq!(answer.json()["result"][0]["data"], json!([{"m": 4}]), "{}", answer.text());
}

#[test]
fn grammar_of_the_databases() {
    let server = server("brought-grammar", &[]);
    let mut admin = server.admin();
    let db = file(&server, &mut admin, "grammar", "CREATE TABLE t(v INT); INSERT INTO t VALUES (1), (60001)");
    let list: Vec<String> = (0..60_001).map(|n| n.to_string()).collect();
    let sql = format!("SELECT v FROM t WHERE v IN ({})", list.join(", "));
    assert_eq!(rows(&mut admin, db, &sql), json!([{"v": 1}]));
    let columns = rows(&mut admin, db, "PRAGMA table_info(t)");
    assert_eq!(columns[0]["name"], "v");
    let listed = lab(&mut admin, db, "SELECT name FROM sqlite_master");
    assert!(listed.status != 200 && listed.text().contains("sqlite_master"), "{}", listed.text());
    let Some(uri) = postgres_uri() else { return };
    let pg = add(&mut admin, "pg", &uri);
    for (i, sql) in [
        "TABLE pg_catalog.pg_am",
        "SELECT amname FROM ONLY pg_catalog.pg_am",
        "SELECT U&\"\\0061mname\" FROM pg_catalog.pg_am",
        "SELECT * FROM xmltable('/r/x' PASSING ('<r><x>1</x></r>'::xml) COLUMNS n int PATH '.')",
        odd("SELECT amname FROM pg_catalog.pg_am, r").as_str(),
    ]
    .iter()
    .enumerate()
    {
        assert!(!rows(&mut admin, pg, sql).as_array().unwrap().is_empty(), "{sql}");
        let body = json!({"database": pg, "schema": "public", "table_name": format!("v{i}"), "sql": sql});
        let set = id_of(&dataset(&mut admin, &body));
        let count = json!({"expressionType": "SQL", "sqlExpression": "count(*)", "label": "n"});
        let answer = chart(&mut admin, set, "json", &json!({"metrics": [count], "columns": []}));
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text());
    }
    // what neither knows has the parser's error
    let wrong = lab(&mut admin, pg, "SELECT amname FROM pg_catalog.pg_am FROBNICATE BY 1");
    assert_eq!(wrong.status, 422, "{}", wrong.text());
}

/// A text of which the tables are not known is for nobody with a rule, and nobody who may read single tables only.
#[test]
fn unread_texts_are_for_those_who_may_read_everything() {
    let Some(uri) = postgres_uri() else { return };
    let server = server("brought-unread", &[]);
    let mut admin = server.admin();
    let pg = add(&mut admin, "pg", &uri);
    let strange = odd("SELECT amname FROM pg_catalog.pg_am, r");
    let body = json!({"database": pg, "schema": "public", "table_name": "odd", "sql": strange});
    let set = id_of(&dataset(&mut admin, &body));
    let query = json!({"columns": ["amname"], "metrics": []});
    assert_eq!(chart(&mut admin, set, "json", &query).status, 200);
    assert_eq!(lab(&mut admin, pg, &strange).status, 200);
    for sql in ["SELECT rolname FROM pg_catalog.pg_authid, r", "SELECT pg_read_file('/etc/hostname') FROM r"]
    {
        let refused = lab(&mut admin, pg, &odd(sql));
        assert!(refused.status != 200 && refused.text().contains("isallowed"), "{sql}: {}", refused.text());
    }
    let refused = lab(&mut admin, pg, &odd("SELECT pg_advisory_lock(1) FROM r"));
    assert!(refused.status != 200 && refused.text().contains("DDL/DML"), "{}", refused.text());
    let (mut gamma, _) = server.person("gamma", "Gamma");
    assert_ne!(lab(&mut gamma, pg, &strange).status, 200);
    let refused = chart(&mut gamma, set, "json", &query);
    assert!(!refused.text().contains("heap"), "{}", refused.text());
    // a rule on any dataset of the database binds the administrator, too
    let role = admin.get("/api/v1/security/roles/?q=(page_size:100)").json();
    let roles = role["result"].as_array().unwrap();
    let role = roles.iter().find(|role| role["name"] == "Admin").unwrap()["id"].clone();
    let rule =
        json!({"name": "r", "filter_type": "Regular", "tables": [set], "roles": [role], "clause": "1 = 1"});
    let made = admin.post("/api/v1/rowlevelsecurity/", &rule);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_ne!(lab(&mut admin, pg, &strange).status, 200);
    let refused = chart(&mut admin, set, "json", &query);
    assert!(!refused.text().contains("heap"), "{}", refused.text());
}

#[test]
fn options_of_connections() {
    let Some(uri) = postgres_uri() else { return };
    let server = server("brought-options", &[]);
    let mut admin = server.admin();
    let bare = uri.split('?').next().unwrap();
    for options in [
        "options=-c%20statement_timeout%3D5000",
        "options=-c+statement_timeout%3D5000%20-c%20search_path%3Dpg_catalog",
        "application_name=my%20app&keepalives=1&keepalives_idle=30&target_session_attrs=any&connect_timeout=5",
    ] {
        let body = json!({"sqlalchemy_uri": format!("{bare}?{options}"), "database_name": "t", "extra": "{}",
                          "impersonate_user": false});
        let answer = admin.post("/api/v1/database/test_connection/", &body);
        assert_eq!((answer.status, answer.json()), (200, json!({"message": "OK"})), "{options}");
    }
    let pg = add(&mut admin, "pg", &format!("{bare}?options=-c%20timezone%3DAsia/Tokyo%20-c%20geqo%3Doff"));
    let hour = "SELECT to_char(TIMESTAMP WITH TIME ZONE '2020-01-01 00:00:00+00', 'HH24') AS h";
    assert_eq!(rows(&mut admin, pg, hour), json!([{"h": "09"}]));
    // one that is not there, and the one that is
    let (credentials, place) = bare.split_once("://").unwrap().1.split_once('@').unwrap();
    let (address, name) = place.split_once('/').unwrap();
    let address = if address.contains(':') { address.to_owned() } else { format!("{address}:5432") };
    let several = format!("postgresql://{credentials}@/{name}?host=127.0.0.1:1&host={address}");
    let pg = add(&mut admin, "several", &several);
    assert_eq!(rows(&mut admin, pg, "SELECT 1 AS n"), json!([{"n": 1}]));
}

#[test]
fn names_with_slashes_and_dots() {
    let server = server("brought-names", &[]);
    let mut admin = server.admin();
    let db = file(&server, &mut admin, "names", "CREATE TABLE \"a/b.c\"(v INT); CREATE TABLE \"d.e\"(w INT)");
    for (path, name, column) in [("a%2Fb.c", "a/b.c", "v"), ("a/b.c", "a/b.c", "v"), ("d.e", "d.e", "w")] {
        let found = admin.get(&format!("/api/v1/database/{db}/table/{path}/main/"));
        assert_eq!(found.json()["columns"][0]["name"], column, "{path}: {}", found.text());
        assert_eq!(admin.get(&format!("/api/v1/database/{db}/table_extra/{path}/main/")).status, 200);
        let star = admin.get(&format!("/api/v1/database/{db}/select_star/{path}/main/"));
        assert!(star.text().contains(name), "{path}: {}", star.text());
    }
}

fn send(client: &mut Client, database: i64, table: &str, more: &[(&str, &str)], content: &str) -> Answer {
    let fields = [&[("type", "csv"), ("table_name", table), ("already_exists", "fail")], more].concat();
    client.post_file(&format!("/api/v1/database/{database}/upload/"), &fields, "t.csv", content.as_bytes())
}

#[test]
fn files_as_pandas_reads_them() {
    let server = server("brought-files", &[]);
    let mut admin = server.admin();
    let db = file(&server, &mut admin, "files", "");
    let up = |admin: &mut Client, table: &str, more: &[(&str, &str)], content: &str| {
        let answer = send(admin, db, table, more, content);
        assert_eq!(answer.status, 201, "{table}: {}", answer.text());
        rows(admin, db, &format!("SELECT * FROM {table}"))
    };
    let long = up(&mut admin, "long", &[], "id\n123456789012345678901234567890\n1\n");
    assert_eq!(long, json!([{"id": "123456789012345678901234567890"}, {"id": "1"}]));
    let holes = up(&mut admin, "holes", &[("schema", "undefined")], "id,n\n9007199254740993,a\n,b\n");
    // SQL Lab sends what a browser would round as text
    assert_eq!(holes[0]["id"], json!("9007199254740993"));
    assert_eq!(up(&mut admin, "tabs", &[("delimiter", "\\t")], "a\tb\n1\tx\n"), json!([{"a": 1, "b": "x"}]));
    assert_eq!(
        up(&mut admin, "sets", &[("delimiter", "[;,]")], "a;b,c\n1,2;3\n"),
        json!([{"a": 1, "b": 2, "c": 3}])
    );
    let days = up(&mut admin, "days", &[("column_dates", "d")], "d\n13/01/2020\n01/02/2020\n");
    assert!(days[1]["d"].to_string().contains("2020-02-01"), "{days}");
    for (table, more, content) in [
        ("unsigned", vec![], "id\n18446744073709551615\n1\n"),
        ("pattern", vec![("delimiter", "[;")], "a;b\n1;2\n"),
        ("wraps", vec![("column_data_types", "{\"a\": \"int16\"}")], "a\n70000\n"),
        ("truth", vec![("column_data_types", "{\"a\": \"bool\"}")], "a\nyes\nno\n"),
        ("nodate", vec![("column_dates", "x")], "a\n1\n"),
        ("notype", vec![("column_data_types", "{\"x\": \"int64\"}")], "a\n1\n"),
    ] {
        let answer = send(&mut admin, db, table, &more, content);
        assert_eq!(answer.status, 422, "{table}: {}", answer.text());
    }
    let path = server.home.join("files.db");
    let left = "SELECT count(*) FROM sqlite_master \
                WHERE name IN ('unsigned', 'pattern', 'wraps', 'truth', 'nodate', 'notype')";
    let left: i64 = rusqlite::Connection::open(path).unwrap().query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn names_that_are_too_long_leave_nothing() {
    let Some(uri) = postgres_uri() else { return };
    let server = server("brought-long", &[]);
    let mut admin = server.admin();
    let pg = add(&mut admin, "pg", &uri);
    let left = |start: &str| {
        postgres::number(&uri, &format!("SELECT count(*) FROM pg_class WHERE relname LIKE '{start}%'"))
    };
    for (name, unit) in
        [(format!("ln{}", "x".repeat(62)), "63 characters"), (format!("ln{}", "é".repeat(40)), "63 bytes")]
    {
        let refused = send(&mut admin, pg, &name, &[], "a\n1\n");
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains(unit), "{}", refused.text());
    }
    let wide = format!("{}\n1\n", "c".repeat(64));
    assert_eq!(send(&mut admin, pg, "lnwide", &[], &wide).status, 422);
    assert_eq!(left("ln"), 0);
}

#[test]
fn large_integers_beside_nulls() {
    let server = server("brought-numbers", &[]);
    let mut admin = server.admin();
    let sql = "CREATE TABLE t(id INTEGER, big BIGINT, k TEXT); \
               INSERT INTO t VALUES (1, 9007199254740993, 'a'), (2, NULL, 'b'), (3, -9223372036854775808, 'c')";
    let db = file(&server, &mut admin, "numbers", sql);
    let set = id_of(&dataset(&mut admin, &json!({"database": db, "schema": "main", "table_name": "t"})));
    let plain = json!({"columns": ["id", "big"], "metrics": [], "orderby": [["id", true]]});
    let text = chart(&mut admin, set, "json", &plain).text();
    assert!(text.contains("\"big\": 9007199254740993") && text.contains("\"big\": null"), "{text}");
    assert!(text.contains("\"big\": -9223372036854775808"), "{text}");
    let csv = chart(&mut admin, set, "csv", &plain).text();
    assert!(csv.contains("1,9007199254740993") && csv.contains("3,-9223372036854775808"), "{csv}");
    for (operator, least) in [("max", false), ("min", true), ("sum", false)] {
        let metric =
            json!({"expressionType": "SQL", "sqlExpression": format!("{operator}(big)"), "label": "m"});
        let pivot = json!({"operation": "pivot", "options": {"index": ["id"], "columns": ["k"],
                           "aggregates": {"m": {"operator": operator}}, "drop_missing_columns": false}});
        let query = json!({"columns": ["id", "k"], "metrics": [metric], "orderby": [["id", true]],
                           "post_processing": [pivot, {"operation": "flatten", "options": {}}]});
        for format in ["json", "csv"] {
            let text = chart(&mut admin, set, format, &query).text();
            assert!(text.contains("9007199254740993"), "{operator} {format}: {text}");
            assert!(!least || text.contains("-9223372036854775808"), "{operator} {format}: {text}");
        }
    }
    let twice = rows(&mut admin, db, "SELECT 1 AS a, 2 AS a, 3 AS a__1");
    assert_eq!(twice, json!([{"a": 1, "a__2": 2, "a__1": 3}]));
}

#[test]
fn templates_of_datasets() {
    let flags = [("LITESET_FEATURE_FLAGS", r#"{"ENABLE_TEMPLATE_PROCESSING": true}"#)];
    let server = server("brought-templates", &flags);
    let mut admin = server.admin();
    let db = file(
        &server,
        &mut admin,
        "templates",
        "CREATE TABLE t(cat TEXT, ts TEXT); INSERT INTO t VALUES ('A', '2023-01-05')",
    );
    let sql = "select '{{ get_time_filter('ts').time_range }}' as a, '{{ filter_values('cat')|join('-') }}' as b, \
               '{% for f in get_filters('cat') %}{{ f.op }}{% endfor %}' as c from t \
               where cat in {{ filter_values('cat')|where_in }}";
    let params = json!({"_filters": [{"col": "cat", "op": "IN", "val": ["A", "B"]},
                                     {"col": "ts", "op": "TEMPORAL_RANGE", "val": "2023-01-01 : 2023-02-01"}]});
    let answer = lab_with(&mut admin, db, sql, &params.to_string());
    let want = json!([{"a": "2023-01-01 : 2023-02-01", "b": "A-B", "c": "IN"}]);
    assert_eq!(answer.json()["data"], want, "{}", answer.text());
    // the documented guard
    let guarded =
        "select * from t where 1 = 1 {% if from_dttm is not none %} and ts >= '{{ from_dttm }}' {% endif %}";
    let body = json!({"database": db, "schema": "main", "table_name": "guarded", "sql": guarded});
    let set = id_of(&dataset(&mut admin, &body));
    let broken = json!({"database": db, "schema": "main", "table_name": "broken", "sql": "select {{ nope.x }} from t"});
    let broken = dataset(&mut admin, &broken);
    assert!(broken.status == 422 && broken.text().contains("nope"), "{}", broken.text());
    let who = "coalesce(cat, '-') || '{{ current_username() }}'";
    let column = json!({"columns": [{"column_name": "who", "expression": who}],
                        "metrics": [{"metric_name": "n", "expression": "COUNT(*)"}]});
    let changed = admin.put(&format!("/api/v1/dataset/{set}"), &column);
    assert_eq!(changed.status, 200, "{}", changed.text());
    let found = admin.get(&format!("/api/v1/dataset/{set}?include_rendered_sql=true")).json();
    let of = |key: &str| {
        found["result"][key].as_array().unwrap().iter().find_map(|c| c.get("rendered_expression").cloned())
    };
    assert_eq!(of("columns"), Some(json!("coalesce(cat, '-') || 'admin'")), "{found}");
    assert_eq!(of("metrics"), Some(json!("COUNT(*)")));
    assert!(found["result"]["rendered_sql"].is_string());
    let plain = admin.get(&format!("/api/v1/dataset/{set}")).json();
    assert!(plain["result"].get("rendered_sql").is_none());
}
