//! A real `superset_config.py`: its Python runs, and its functions are called where Superset calls them.

use serde_json::{Value, json};

use crate::support::{Client, Server, command, run_to_end, scratch};

/// A server with a configuration file, and a database `mine` with a table `t` of one row in each of two files.
struct World {
    server: Server,
    admin: Client,
    database: i64,
}

impl World {
    fn with(name: &str, config: &str) -> Self {
        let home = scratch(name);
        for (file, value) in [("one.db", 1), ("two.db", 2)] {
            let db = rusqlite::Connection::open(home.join(file)).unwrap();
            db.execute_batch(&format!("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES ({value})")).unwrap();
        }
        let file = home.join("superset_config.py");
        std::fs::write(&file, config).unwrap();
        let uri = format!("sqlite:///{}", home.join("one.db").display());
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--home", home.join("data").to_str().unwrap()]);
        run.args(["--config", file.to_str().unwrap()]).env("REGION", "EU");
        let server = Server::start_with(&mut run, home);
        let mut admin = server.admin();
        let body = json!({"database_name": "mine", "sqlalchemy_uri": uri, "expose_in_sqllab": true,
                          "allow_file_upload": true});
        let made = admin.post("/api/v1/database/", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let database = made.json()["id"].as_i64().unwrap();
        Self { server, admin, database }
    }

    fn sql(&mut self, id: &str, sql: &str) -> Value {
        let body = json!({"database_id": self.database, "sql": sql, "client_id": id, "runAsync": false,
                          "queryLimit": 10, "tab": "x", "sql_editor_id": "1"});
        self.admin.post("/api/v1/sqllab/execute/", &body).json()
    }
}

const SETTINGS: &str = r#"
import os
from flask import g

PREVENT_UNSAFE_DB_CONNECTIONS = False
RATELIMIT_ENABLED = False
FEATURE_FLAGS = {flag: True for flag in ["ENABLE_TEMPLATE_PROCESSING", "EMBEDDED_SUPERSET"]}
GUEST_ROLE_NAME = "Gamma"
"#;

#[test]
fn statements_are_changed_by_the_mutator() {
    let mut world = World::with(
        "mutator",
        &format!(
            r#"{SETTINGS}
def SQL_QUERY_MUTATOR(sql, security_manager=None, database=None):
    if "boom" in sql:
        raise RuntimeError("hunter2")
    if "slow" in sql:
        while True:
            pass
    who = security_manager.find_user(username=g.user.username)
    return f"SELECT '{{who.username}}@{{database.database_name}}' AS who, q.* FROM ({{sql}}) q"
"#
        ),
    );
    let found = world.sql("m1", "SELECT a FROM t");
    assert_eq!(found["data"], json!([{"who": "admin@mine", "a": 1}]), "{found}");
    for (id, word, why) in [("m2", "boom", "line 12: RuntimeError"), ("m3", "slow", "it takes too long")] {
        let failed = world.sql(id, &format!("SELECT '{word}'"));
        let message = &failed["errors"][0]["message"];
        assert_eq!(message, "The function SQL_QUERY_MUTATOR of the configuration failed.", "{failed}");
        let log = world.server.log();
        assert!(log.contains(why) && !log.contains("hunter2"), "{why}: {log}");
    }
    // a chart's query goes the same way; its columns count by position (`get_query_result.assign_column_label`)
    let dataset = json!({"database": world.database, "table_name": "t"});
    let made = world.admin.post("/api/v1/dataset/", &dataset);
    let id = made.json()["id"].as_i64().unwrap();
    let body = json!({"datasource": {"id": id, "type": "table"}, "result_type": "full", "result_format": "json",
                      "queries": [{"columns": ["a"], "metrics": [], "row_limit": 5}]});
    let answer = world.admin.post("/api/v1/chart/data", &body).json();
    assert_eq!(answer["result"][0]["data"], json!([{"a": "admin@mine"}]), "{answer}");
}

#[test]
fn connections_are_changed_by_the_mutator() {
    let mut world = World::with(
        "connection-mutator",
        &format!(
            r#"{SETTINGS}
def DB_CONNECTION_MUTATOR(uri, params, username, security_manager, source):
    if username == "admin":
        uri = uri.set(database=uri.database.replace("one.db", "two.db"))
    return uri, params
"#
        ),
    );
    assert_eq!(world.sql("c1", "SELECT a FROM t")["data"], json!([{"a": 2}]));
}

#[test]
fn connections_are_tried_and_judged_by_the_file() {
    let mut world = World::with(
        "uri-validator",
        &format!(
            r#"{SETTINGS}
def DB_SQLA_URI_VALIDATOR(uri):
    if uri.database.endswith("two.db"):
        raise ValueError("Two is not for everybody.")

def DB_CONNECTION_MUTATOR(uri, params, username, security_manager, source):
    if uri.database.endswith("three.db"):
        uri = uri.set(database=uri.database.replace("three.db", "nowhere/at/all.db"))
    return uri, params
"#
        ),
    );
    let uri = |world: &World, file: &str| format!("sqlite:///{}", world.server.home.join(file).display());
    for (file, status, said) in [
        ("one.db", 200, "OK"),
        ("two.db", 422, "Two is not for everybody."),
        ("three.db", 400, "unable to open"),
    ] {
        let body = json!({"sqlalchemy_uri": uri(&world, file), "database_name": file});
        let answer = world.admin.post("/api/v1/database/test_connection/", &body);
        assert_eq!(answer.status, status, "{file}: {}", answer.text());
        assert!(answer.text().contains(said), "{file}: {}", answer.text());
    }
    let body = json!({"sqlalchemy_uri": uri(&world, "two.db"), "database_name": "two"});
    assert_eq!(world.admin.post("/api/v1/database/", &body).status, 422);
}

#[test]
fn grains_datasets_and_files_are_as_the_file_says() {
    let mut world = World::with(
        "results",
        &format!(
            r#"{SETTINGS}
TIME_GRAIN_DENYLIST = ["PT1S", "P1Y"]
TIME_GRAIN_ADDONS = {{"PT2H": "2 hours"}}
TIME_GRAIN_ADDON_EXPRESSIONS = {{"sqlite": {{"PT2H": "two_hours({{col}})"}}}}
DATASET_HEALTH_CHECK = lambda d: f"{{d.table_name}} of {{d.database.backend}}: {{len(d.columns)}}"
CSV_EXPORT = {{"encoding": "utf-16", "sep": ";", "na_rep": "-"}}
SQLLAB_CTAS_SCHEMA_NAME_FUNC = lambda database, user, schema, sql: "main" if user.username == "admin" else None
TRACKING_URL_TRANSFORMER = lambda url: url + "/seen"
"#
        ),
    );
    let dataset = json!({"database": world.database, "table_name": "t"});
    let id = world.admin.post("/api/v1/dataset/", &dataset).json()["id"].as_i64().unwrap();
    let grains =
        world.admin.get(&format!("/api/v1/dataset/{id}")).json()["result"]["time_grain_sqla"].clone();
    let names: Vec<&str> = grains.as_array().unwrap().iter().map(|g| g[1].as_str().unwrap()).collect();
    assert!(
        names.contains(&"2 hours") && !names.contains(&"Second") && !names.contains(&"Year"),
        "{names:?}"
    );
    let query = |grain: &str| {
        json!({"datasource": {"id": id, "type": "table"}, "result_type": "query", "result_format": "json",
               "queries": [{"columns": [{"label": "x", "sqlExpression": "a", "columnType": "BASE_AXIS",
                                         "timeGrain": grain, "expressionType": "SQL"}],
                            "extras": {"time_grain_sqla": grain}}]})
    };
    let added = world.admin.post("/api/v1/chart/data", &query("PT2H")).text();
    assert!(!added.contains("Must be one of"), "{added}");
    assert!(world.admin.post("/api/v1/chart/data", &query("PT3H")).text().contains("Must be one of"));
    let explore =
        world.admin.get(&format!("/api/v1/explore/?datasource_id={id}&datasource_type=table")).json();
    assert_eq!(explore["result"]["dataset"]["health_check_message"], "t of sqlite: 1");
    let found = world.sql("csv1", "SELECT 'é' AS x, NULL AS y");
    assert_eq!(found["query"]["trackingUrl"], Value::Null, "{found}");
    let file = world.admin.get("/api/v1/sqllab/export/csv1/").body;
    let units: Vec<u16> = file.chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    assert_eq!(String::from_utf16(&units).unwrap(), "\u{feff}x;y\né;-\n");
}

#[test]
fn templates_have_the_functions_of_the_file() {
    let mut world = World::with(
        "addons",
        &format!(
            r#"{SETTINGS}
def region(default="?"):
    return os.environ.get("REGION", default) if g.user.username == "admin" else default

JINJA_CONTEXT_ADDONS = {{"twice": lambda n: n * 2, "region": region, "unit": "kg", "fails": lambda: 1 / 0}}
"#
        ),
    );
    let found = world.sql("j1", "SELECT {{ twice(21) }} AS n, '{{ region() }}' AS r, '{{ unit }}' AS u");
    assert_eq!(found["data"], json!([{"n": 42, "r": "EU", "u": "kg"}]), "{found}");
    let failed = world.sql("j2", "SELECT {{ fails() }}").to_string();
    assert!(failed.contains("The function fails of the configuration failed: ZeroDivisionError"), "{failed}");
}

#[test]
fn guests_flags_pages_and_uploads_ask_the_file() {
    let mut world = World::with(
        "asked",
        &format!(
            r#"{SETTINGS}
def GUEST_TOKEN_VALIDATOR_HOOK(body):
    return bool(body["rls"]) and all("clause" in rule for rule in body["rls"])

def GET_FEATURE_FLAGS_FUNC(flags):
    flags["TAGGING_SYSTEM"] = True
    return flags

COMMON_BOOTSTRAP_OVERRIDES_FUNC = lambda data: {{"conf": {{**data["conf"], "OWN_MARK": "here"}}}}
ALLOWED_USER_CSV_SCHEMA_FUNC = lambda database, user: ["nowhere"] if user.username == "admin" else []
"#
        ),
    );
    let admin = &mut world.admin;
    let made = admin.post("/api/v1/dashboard/", &json!({"dashboard_title": "D"}));
    let id = made.json()["id"].as_i64().unwrap().to_string();
    let resources = json!([{"type": "dashboard", "id": id}]);
    let ask = |rls: Value| json!({"user": {"username": "x"}, "resources": resources, "rls": rls});
    let refused = admin.post("/api/v1/security/guest_token/", &ask(json!([])));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("Guest token validation failed"), "{}", refused.text());
    assert_eq!(admin.post("/api/v1/security/guest_token/", &ask(json!([{"clause": "a = 1"}]))).status, 200);
    assert_eq!(admin.get("/api/v1/tag/").status, 200);
    assert!(admin.get("/superset/welcome/").text().contains("OWN_MARK"));
    let path = format!("/api/v1/database/{}/schemas/?q=(upload_allowed:!t)", world.database);
    assert_eq!(world.admin.get(&path).json()["result"], json!([]));
}

/// What `liteset config …` says of a file, and whether it is content.
fn config(name: &str, verb: &[&str], text: &str) -> (bool, String) {
    let home = scratch(name);
    let file = home.join("superset_config.py");
    std::fs::write(&file, text).unwrap();
    let mut run = command(&home);
    let data = home.join("data");
    run.arg("config").args(verb);
    run.args(["--home", data.to_str().unwrap(), "--config", file.to_str().unwrap()]);
    let out = run_to_end(&mut run);
    assert!(!data.exists(), "nothing is made");
    let said = [out.stdout, out.stderr].concat();
    let _ = std::fs::remove_dir_all(&home);
    (out.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_configuration_is_checked_and_explained_without_a_start() {
    let good = "SECRET_KEY = 'hunter2-hunter2-hunter2'\nROW_LIMIT = 10 * 500\n\
                LOGGING_CONFIGURATOR = 1\nROW_LIMITS = 1\n";
    let (is_good, said) = config("check-good", &["check"], good);
    assert!(is_good && said.contains("The configuration is good"), "{said}");
    assert!(said.contains("did you mean ROW_LIMIT?") && said.contains("LOGGING_CONFIGURATOR"), "{said}");
    let bad = "ROW_LIMIT = nope\nSECRET_KEY = 'hunter2'\ndef FLASK_APP_MUTATOR(app): pass\n";
    let (is_good, said) = config("check-bad", &["check"], bad);
    assert!(!is_good, "{said}");
    for part in
        ["line 1", "name 'nope' is not defined", "SECRET_KEY is too short", "line 3: FLASK_APP_MUTATOR"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let manager = "from superset.security import SupersetSecurityManager\nclass Own(SupersetSecurityManager):\n    \
                   def has_access(self, *all):\n        return True\nCUSTOM_SECURITY_MANAGER = Own\n";
    let (is_good, said) = config("check-manager", &["check"], manager);
    assert!(!is_good && said.contains("line 5: CUSTOM_SECURITY_MANAGER: it overrides has_access"), "{said}");
    for accepted in ["CUSTOM_SECURITY_MANAGER", "CUSTOM_SECURITY_MANAGER.has_access"] {
        let text = format!("{manager}LITESET_ACCEPT_IGNORED = ['{accepted}']\n");
        let (is_good, said) = config("accept-manager", &["check"], &text);
        assert!(is_good, "{accepted}: {said}");
    }
    let (_, said) = config("explain", &["explain", "ROW_LIMIT"], good);
    assert!(
        said.contains("ROW_LIMIT = 5000") && said.contains("line 2") && said.contains("honoured"),
        "{said}"
    );
    let (_, said) = config("explain-secret", &["explain", "SECRET_KEY"], good);
    assert!(said.contains("(not shown)") && !said.contains("hunter2"), "{said}");
}
