//! `liteset db copy`: an installation moves from SQLite to PostgreSQL and back.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::{Value, json};

use crate::support::{
    Metadata, PostgresDatabase, Server, command, postgres_uri, run_to_end, scratch, template,
};

const SECRET: &str = "0123456789abcdefghijklmnop";

fn liteset(home: &Path, uri: &str, arguments: &[&str]) -> Command {
    let mut command = command(home);
    command.env("LITESET_SQLALCHEMY_DATABASE_URI", uri).env("SUPERSET_SECRET_KEY", SECRET);
    command.args(arguments).args(["--home", home.to_str().unwrap()]);
    command
}

fn run(home: &Path, uri: &str, arguments: &[&str]) -> (bool, String) {
    let out = run_to_end(&mut liteset(home, uri, arguments));
    let text = [&out.stdout[..], &out.stderr[..]].concat();
    (out.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn file(path: &Path) -> String {
    format!("sqlite:///{}", path.display())
}

/// Every row of a file by table.
fn rows(path: &Path) -> BTreeMap<String, Vec<String>> {
    let metadata = Metadata::Sqlite(path.to_owned());
    let tables = metadata.texts("SELECT name FROM sqlite_master WHERE type = 'table'");
    let sorted = |table: &String| {
        let mut rows = metadata.rows(table);
        rows.sort();
        rows
    };
    tables.iter().map(|table| (table.clone(), sorted(table))).collect()
}

/// A first start with examples, and rows of every awkward kind.
fn installation(home: &Path) -> std::path::PathBuf {
    let data = home.join("data");
    template::copy_to(&data, true);
    let path = data.join("superset.db");
    Metadata::Sqlite(path.clone()).run(
        "INSERT INTO logs (action, user_id, json, dttm) VALUES \
         ('odd', NULL, '{\"a\": \"ü😀\"}', '2024-01-02 03:04:05.000006'); \
         INSERT INTO query (client_id, database_id, tmp_table_name, sql, status, progress, start_time, changed_on) \
         VALUES ('odd', (SELECT min(id) FROM dbs), '', 'select ''?''', 'success', 100, 1795212350450.10498, \
         '2024-01-02 03:04:05.000000'); \
         UPDATE sql_metrics SET currency = '{\"symbol\": \"EUR\", \"symbolPosition\": \"suffix\"}' \
         WHERE id = (SELECT min(id) FROM sql_metrics)",
    );
    path
}

#[test]
fn an_installation_moves_to_postgresql_and_back() {
    let Some(server) = postgres_uri() else { return };
    let home = scratch("copy");
    let from = installation(&home);
    let database = PostgresDatabase::create(&server, "copy");
    let (fine, text) = run(&home, &file(&from), &["db", "copy", "--to", &database.uri(), "--json"]);
    assert!(fine, "{text}");
    let counts: Value = serde_json::from_str(&text[..=text.find("\n}").unwrap() + 1]).unwrap();
    let before = rows(&from);
    for (table, there) in &before {
        if table != "alembic_version" {
            assert_eq!(counts[table], there.len(), "{table}");
        }
    }
    // once more: not into what is there
    let (fine, text) = run(&home, &file(&from), &["db", "copy", "--to", &database.uri()]);
    assert!(!fine && text.contains("not empty"), "{text}");

    let back = home.join("back.db");
    let (fine, text) = run(&home, &database.uri(), &["db", "copy", "--to", &file(&back)]);
    assert!(fine, "{text}");
    let after = rows(&back);
    for (table, there) in &before {
        let plain = |rows: &[String]| rows.iter().map(|row| row.replace(' ', "")).collect::<Vec<_>>();
        // PostgreSQL writes JSON in its own way
        assert_eq!(plain(there), plain(&after[table]), "{table}");
    }
    assert!(!home.join("back.db.unfinished").exists());

    let server = Server::start_with(&mut liteset(&home, &database.uri(), &["run"]), scratch("copy-served"));
    let mut admin = server.admin();
    let charts = admin.get("/api/v1/chart/").json()["count"].as_u64().unwrap();
    assert_eq!(charts, before["slices"].len() as u64);
    // sequences go on after what is there
    for (resource, body) in [
        ("css_template", json!({"template_name": "new", "css": ""})),
        ("dashboard", json!({"dashboard_title": "new"})),
    ] {
        let answer = admin.post(&format!("/api/v1/{resource}/"), &body);
        assert_eq!(answer.status, 201, "{resource}: {}", answer.text());
    }
    let role = admin.post("/api/v1/security/roles/", &json!({"name": "new"}));
    assert!(role.status < 300, "{}", role.text());
    drop(server);
    drop(database);
    let _ = std::fs::remove_dir_all(&home);
}

#[test]
fn what_cannot_be_copied_leaves_nothing() {
    let Some(server) = postgres_uri() else { return };
    let home = scratch("copy-broken");
    let from = installation(&home);
    let database = PostgresDatabase::create(&server, "copy_broken");
    // SQLite was never asked to look
    let c = rusqlite::Connection::open(&from).unwrap();
    let stray = "INSERT INTO favstar (user_id, class_name, obj_id) VALUES (4711, 'slice', 1)";
    c.execute_batch(&format!("PRAGMA foreign_keys = OFF; {stray}")).unwrap();
    drop(c);
    let (fine, text) = run(&home, &file(&from), &["db", "copy", "--to", &database.uri()]);
    assert!(!fine && text.contains("favstar"), "{text}");
    let metadata = Metadata::Postgres(Box::new(database));
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    assert!(metadata.texts(tables).is_empty());
    let (fine, text) =
        run(&home, &file(&home.join("none.db")), &["db", "copy", "--to", &file(&home.join("x.db"))]);
    assert!(!fine && text.contains("empty"), "{text}");
    assert!(!home.join("x.db").exists());
    let _ = std::fs::remove_dir_all(&home);
}
