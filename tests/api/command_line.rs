//! Verbs of the command line that need no server, through the real binary; `tests/background/command_line.py` compares
//! those of Superset with recorded runs.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Metadata, Server, command, copy_to, run_to_end, scratch};

/// An installation without a server.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let home = scratch(name);
        copy_to(&home.join("data"), true);
        Self(home)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.0);
        command.args(arguments);
        command.env("SUPERSET_HOME", self.0.join("data"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run_to_end(&mut self.command(arguments))
    }

    fn metadata(&self) -> Metadata {
        Metadata::Sqlite(self.0.join("data").join("superset.db"))
    }
}

fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn stdout(out: &Output) -> String {
    assert!(out.status.success(), "{}", text(out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn with_input(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn mistakes_are_told_in_the_words_of_click() {
    let home = Path::new("/");
    for (arguments, path, sentence) in [
        (&["nonsense"][..], "liteset", "No such command 'nonsense'."),
        (&["fab", "nonsense"], "liteset fab", "No such command 'nonsense'."),
        (&["version", "--nope"], "liteset version", "No such option: --nope"),
        (&["fab", "import-roles"], "liteset fab import-roles", "Missing option '--path' / '-p'."),
        (&["import-directory"], "liteset import-directory", "Missing argument 'DIRECTORY'."),
        (
            &["fab", "import-roles", "-p"],
            "liteset fab import-roles",
            "Option '--path' / '-p' requires an argument.",
        ),
    ] {
        let out = run_to_end(command(home).args(arguments));
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{told}");
        assert!(told.starts_with(&format!("Usage: {path} ")), "{told}");
        assert!(told.ends_with(&format!("\n\nError: {sentence}\n")), "{told}");
    }
}

#[test]
fn verbs_that_mean_nothing_here_say_so() {
    for arguments in [
        &["shell"][..],
        &["db", "downgrade", "-1"],
        &["db", "stamp", "head"],
        &["fab", "create-app", "--name", "x"],
        &["legacy-export-dashboards", "-f", "x"],
        &["legacy-export-datasource-schema", "-b"],
        &["load-examples", "--load-test-data"],
        &["compute-thumbnails", "-a"],
        &["update-api-docs"],
    ] {
        let out = run_to_end(command(Path::new("/")).args(arguments));
        assert_eq!(out.status.code(), Some(1), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&out.stderr).lines().count(), 1, "{arguments:?}: {}", text(&out));
    }
}

#[test]
fn the_command_line_describes_itself() {
    let home = Path::new("/");
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run_to_end(command(home).args(["completions", shell]))).contains("load-examples"));
    }
    assert!(stdout(&run_to_end(command(home).args(["man"]))).contains(".TH liteset"));
    assert!(stdout(&run_to_end(command(home).args(["man", "users", "delete"]))).contains(".TH"));
    let version = stdout(&run_to_end(command(home).args(["--version"])));
    for fact in ["commit ", "target ", "profile ", "features ", "Superset 6.0.0"] {
        assert!(version.contains(fact), "{version}");
    }
    assert!(stdout(&run_to_end(command(home).args(["licenses"]))).contains("\nsalvo 1."));
    let bill = stdout(&run_to_end(command(home).args(["licenses", "--cyclonedx"])));
    assert_eq!(serde_json::from_str::<Value>(&bill).unwrap()["bomFormat"], "CycloneDX");
    let routes = stdout(&run_to_end(command(&scratch("routes")).args(["routes", "--json"])));
    let routes: Vec<Value> = serde_json::from_str(&routes).unwrap();
    assert!(routes.iter().any(|r| r["rule"] == "/api/v1/chart/" && r["methods"] == "POST"));
}

#[test]
fn names_may_be_written_with_underscores() {
    let home = Home::new("underscores");
    let out = home.run(&["set_database_uri", "--database-name", "here", "--uri", "sqlite:////x.db"]);
    assert!(out.status.success(), "{}", text(&out));
    let uri = "SELECT sqlalchemy_uri FROM dbs WHERE database_name = 'here'";
    assert_eq!(home.metadata().texts(uri), ["sqlite:////x.db"]);
}

#[test]
fn users_are_made_listed_changed_and_deleted() {
    let home = Home::new("users");
    let create = ["users", "create", "--username", "ada", "--email", "ada@example.org", "--role", "Gamma"];
    let out = with_input(&mut home.command(&create), "correct horse\n");
    assert!(out.status.success(), "{}", text(&out));
    assert!(!text(&out).contains("correct horse"), "{}", text(&out));
    let list =
        || -> Vec<Value> { serde_json::from_str(&stdout(&home.run(&["users", "list", "--json"]))).unwrap() };
    let roles =
        || list().into_iter().find(|user| user["username"] == "ada").map(|user| user["roles"].clone());
    assert_eq!(roles(), Some(serde_json::json!(["Gamma"])));
    assert!(home.run(&["users", "set-roles", "ada", "Alpha", "sql_lab"]).status.success());
    assert_eq!(roles(), Some(serde_json::json!(["Alpha", "sql_lab"])));
    let refused = home.run(&["users", "set-roles", "ada", "Alpha", "Nobody"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("there is no role Nobody"), "{}", text(&refused));
    assert_eq!(roles(), Some(serde_json::json!(["Alpha", "sql_lab"])));
    let hash = "SELECT password FROM ab_user WHERE username = 'ada'";
    let before = home.metadata().texts(hash);
    let out =
        with_input(&mut home.command(&["users", "set-password", "ada"]), "another horse\nanother horse\n");
    assert!(out.status.success() && !text(&out).contains("another horse"), "{}", text(&out));
    assert_ne!(home.metadata().texts(hash), before);
    let out = with_input(&mut home.command(&["users", "set-password", "ada"]), "one\ntwo\n");
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out).contains("do not match") && text(&out).contains("Aborted!"), "{}", text(&out));
    let last = home.run(&["users", "delete", "admin", "--yes"]);
    assert!(text(&last).contains("is the last one with the role Admin"), "{}", text(&last));
    assert_eq!(with_input(&mut home.command(&["users", "delete", "ada"]), "n\n").status.code(), Some(1));
    assert!(with_input(&mut home.command(&["users", "delete", "ada"]), "y\n").status.success());
    assert_eq!(roles(), None);
}

#[test]
fn secrets_are_rotated_all_or_none_and_once() {
    let home = Home::new("rotate");
    let uri = "postgresql://somebody:the-password@127.0.0.1:1/x";
    assert!(home.run(&["set-database-uri", "-d", "one", "-u", uri]).status.success());
    let stored = || home.metadata().texts("SELECT hex(password) FROM dbs WHERE database_name = 'one'");
    let first = stored();
    let secrets = std::fs::read_to_string(home.0.join("data").join("secrets.toml")).unwrap();
    let old = secrets.lines().find_map(|line| line.strip_prefix("SECRET_KEY = ")).unwrap().trim_matches('"');
    let new = "a new key that is long enough 0123456789";
    let rotate = |key: &str, previous: &str, more: &[&str]| {
        let arguments = [&["secrets", "rotate", "--json"][..], more].concat();
        run_to_end(
            home.command(&arguments)
                .env("SUPERSET_SECRET_KEY", key)
                .env("LITESET_PREVIOUS_SECRET_KEY", previous),
        )
    };
    let counts = |out: &Output| -> (u64, u64) {
        let columns: Vec<Value> = serde_json::from_str(&stdout(out)).unwrap();
        let sum = |key: &str| columns.iter().map(|column| column[key].as_u64().unwrap()).sum();
        (sum("rotated"), sum("current"))
    };
    let wrong = rotate(new, "not the key of this installation", &[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong).contains("dbs.password") && text(&wrong).contains("nothing was changed"),
        "{}",
        text(&wrong)
    );
    assert_eq!(counts(&rotate(new, old, &["--dry-run"])), (1, 0));
    assert_eq!(stored(), first);
    assert_eq!(counts(&rotate(new, old, &[])), (1, 0));
    let second = stored();
    assert_ne!(second, first);
    assert_eq!(counts(&rotate(new, old, &[])), (0, 1));
    assert_eq!(stored(), second);
    let out = run_to_end(home.command(&["re-encrypt-secrets", "-a", new]).env("SUPERSET_SECRET_KEY", old));
    assert!(out.status.success(), "{}", text(&out));
    assert_eq!(stored(), first);
    let none = home.run(&["re-encrypt-secrets"]);
    assert_eq!(
        (none.status.code(), String::from_utf8_lossy(&none.stderr).into_owned()),
        (Some(1), "A previous secret key must be provided\n".to_owned())
    );
}

#[test]
fn the_doctor_tells_what_works_and_what_does_not() {
    let home = Home::new("doctor");
    let look = |home: &Home| {
        let out = home.run(&["doctor", "--json"]);
        let checks: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
        let state = |name: &str| {
            checks
                .iter()
                .find(|check| check["name"] == name)
                .map(|check| check["state"].as_str().unwrap().to_owned())
        };
        (
            out.status.code(),
            state("database"),
            state("schema"),
            state("connection examples"),
            state("secrets"),
        )
    };
    let ok = || Some("ok".to_owned());
    let failed = || Some("failed".to_owned());
    assert_eq!(look(&home), (Some(0), ok(), ok(), ok(), ok()));
    home.metadata().run(
        "UPDATE dbs SET sqlalchemy_uri = 'postgresql://nobody@127.0.0.1:1/x', password = 'bm90IGVuY3J5cHRlZA==' \
         WHERE database_name = 'examples'; ALTER TABLE slices DROP COLUMN certified_by",
    );
    assert_eq!(look(&home), (Some(1), ok(), failed(), failed(), failed()));
    let told = home.run(&["doctor"]);
    assert!(text(&told).contains("slices.certified_by") && text(&told).contains('→'), "{}", text(&told));
    std::fs::remove_file(home.0.join("data").join("superset.db")).unwrap();
    assert_eq!(look(&home), (Some(1), failed(), None, None, None));
}

#[test]
fn examples_come_beside_what_is_there_and_once() {
    let home = Home::new("load-examples");
    let count = |table: &str| home.metadata().texts(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"));
    let before = [count("dashboards"), count("slices"), count("tables"), count("dbs")];
    assert!(home.run(&["load-examples"]).status.success());
    let all = || [count("dashboards"), count("slices"), count("tables"), count("dbs")];
    assert_eq!(all(), before);
    home.metadata().run(
        "DELETE FROM dashboard_slices; DELETE FROM dashboard_user; DELETE FROM dashboards; DELETE FROM slice_user; \
         DELETE FROM slices",
    );
    std::fs::remove_file(home.0.join("data").join("examples.db")).unwrap();
    let out = home.run(&["load-examples", "--force"]);
    assert!(out.status.success(), "{}", text(&out));
    assert_eq!(all(), before);
    assert!(home.0.join("data").join("examples.db").exists());
    let owned = "SELECT CAST(count(*) AS TEXT) FROM dashboard_user";
    assert_eq!(home.metadata().texts(owned), ["0"]);
}

/// Data of the examples in a database of a server, to which the connection is led.
fn examples_on(there: &Metadata, schema: &str) {
    let home = Home::new("load-examples-server");
    home.metadata().run(
        "DELETE FROM dashboard_slices; DELETE FROM slice_user; DELETE FROM slices; DELETE FROM sqlatable_user; \
         DELETE FROM table_columns; DELETE FROM sql_metrics; DELETE FROM tables",
    );
    let uri = there.uri();
    let run = |arguments: &[&str]| {
        let out = run_to_end(home.command(arguments).env("SUPERSET__SQLALCHEMY_EXAMPLES_URI", &uri));
        assert!(out.status.success(), "{}", text(&out));
    };
    run(&["load-examples"]);
    let stored = home.metadata().texts("SELECT sqlalchemy_uri FROM dbs WHERE database_name = 'examples'");
    assert!(!stored[0].starts_with("sqlite") && !stored[0].contains(":root@"), "{stored:?}");
    let schemas = "SELECT DISTINCT \"schema\" FROM tables WHERE database_id = 1 AND \"schema\" <> 'main'";
    assert_eq!(home.metadata().texts(schemas), [schema]);
    for (table, least) in [("bakery_sales", 10_000), ("river_levels", 8_760), ("deliveries", 3_000)] {
        let count = there.texts(&format!("SELECT CAST(count(*) AS CHAR(9)) FROM {table}"));
        assert!(count[0].trim().parse::<i64>().unwrap() >= least, "{table}: {count:?}");
    }
    let exact = "SELECT CAST(count(*) AS CHAR(9)) FROM bakery_sales \
                 WHERE revenue <> round(CAST(revenue AS DECIMAL(20, 6)), 2)";
    assert_eq!(there.texts(exact)[0].trim(), "0", "what was rounded to cents still is");
    there.run("DROP TABLE deliveries");
    run(&["load-examples"]);
    assert_eq!(there.texts("SELECT CAST(count(*) AS CHAR(9)) FROM deliveries").len(), 1);
    // charts on them are answered
    let server =
        Server::start_with(home.command(&["run"]).env("LITESET_RATELIMIT_ENABLED", "false"), home.0.clone());
    let mut admin = server.admin();
    let list = admin.get("/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:bakery_sales)))").json();
    let id = list["result"].as_array().unwrap().iter().find(|d| d["schema"] == schema).unwrap()["id"]
        .as_i64()
        .unwrap();
    let question = json!({
        "datasource": {"id": id, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["branch"], "metrics": ["revenue"], "row_limit": 100}],
    });
    let asked = admin.post("/api/v1/chart/data", &question);
    assert_eq!(asked.status, 200, "{}", asked.text());
    assert_eq!(asked.json()["result"][0]["rowcount"], 5);
}

#[test]
fn examples_lie_where_the_configuration_says() {
    if let Some(there) = Metadata::on_postgres("examples") {
        examples_on(&there, "public");
    }
    if let Some(there) = Metadata::on_mysql("examples") {
        let name = there.texts("SELECT DATABASE()");
        examples_on(&there, &name[0]);
    }
}
