//! `liteset backup` and `restore`: while a server writes, broken files, from one database to the other.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::support::{
    Metadata, PostgresDatabase, Server, command, copy_to, postgres_uri, run_to_end, scratch,
};

fn liteset(home: &Path, arguments: &[&str]) -> Command {
    let mut command = command(home);
    command.args(arguments).env("SUPERSET_HOME", home.join("data"));
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    run_to_end(&mut liteset(home, arguments))
}

fn told(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn json_of(out: &Output) -> Value {
    assert!(out.status.success(), "{}", told(out));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn metadata(home: &Path) -> Metadata {
    Metadata::Sqlite(home.join("data").join("superset.db"))
}

/// An installation without a server.
fn stopped(name: &str) -> PathBuf {
    let home = scratch(name);
    copy_to(&home.join("data"), true);
    home
}

#[test]
fn a_backup_of_a_server_that_writes_has_every_row_that_was_there_and_none_half() {
    let server = Server::start("backup-load");
    let home = server.home.clone();
    let (stop, file) = (AtomicBool::new(false), home.join("load.backup"));
    let mut written: Vec<String> = Vec::new();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (mut admin, stop) = (server.admin(), &stop);
                scope.spawn(move || {
                    let mut names = Vec::new();
                    for n in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let name = format!("w{writer}-{n}");
                        let body = json!({"template_name": name, "css": name.repeat(400)});
                        assert_eq!(admin.post("/api/v1/css_template/", &body).status, 201);
                        names.push(name);
                    }
                    names
                })
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(500));
        let before = metadata(&home).texts("SELECT template_name FROM css_templates");
        assert!(!before.is_empty());
        let out = run(&home, &["backup", file.to_str().unwrap(), "--json"]);
        assert_eq!(json_of(&out)["secret_key"], false);
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| written.extend(writer.join().unwrap()));
        let elsewhere = scratch("backup-load-restored");
        let restored = run(&elsewhere, &["restore", file.to_str().unwrap(), "--json"]);
        json_of(&restored);
        let there = metadata(&elsewhere).texts("SELECT template_name FROM css_templates");
        assert!(before.iter().all(|name| there.contains(name)), "a committed row is not in the backup");
        assert!(there.iter().all(|name| written.contains(name)));
        let half = "SELECT template_name FROM css_templates WHERE length(css) <> 400 * length(template_name)";
        assert!(metadata(&elsewhere).texts(half).is_empty());
        for table in
            ["ab_user", "slices", "dashboards", "tables", "ab_permission_view_role", "alembic_version"]
        {
            assert_eq!(metadata(&elsewhere).rows(table), metadata(&home).rows(table), "{table}");
        }
    });
}

#[test]
fn a_restore_is_all_or_nothing() {
    let home = stopped("restore");
    let file = home.join("a.backup");
    let name = file.to_str().unwrap();
    json_of(&run(&home, &["backup", name, "--json"]));
    let again = run(&home, &["backup", name]);
    assert!(!again.status.success() && told(&again).contains("is there already"), "{}", told(&again));
    assert!(run(&home, &["backup", name, "--overwrite"]).status.success());
    let users = || metadata(&home).rows("ab_user");
    let before = users();
    let full = run(&home, &["restore", name]);
    assert!(!full.status.success() && told(&full).contains("is not empty"), "{}", told(&full));
    metadata(&home).run("UPDATE ab_user SET first_name = 'changed'");
    let changed = users();
    let whole = std::fs::read(&file).unwrap();
    let broken = home.join("broken.backup");
    for (what, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("flipped", {
            let mut bytes = whole.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
            bytes
        }),
        ("empty", Vec::new()),
        ("text", b"not a backup".to_vec()),
    ] {
        std::fs::write(&broken, bytes).unwrap();
        let out = run(&home, &["restore", broken.to_str().unwrap(), "--replace"]);
        assert_eq!(out.status.code(), Some(1), "{what}: {}", told(&out));
        assert_eq!(users(), changed, "{what}");
        assert!(!run(&home, &["restore", broken.to_str().unwrap(), "--check"]).status.success(), "{what}");
    }
    assert!(run(&home, &["restore", name, "--check"]).status.success());
    assert_eq!(users(), changed);
    assert!(run(&home, &["restore", name, "--replace"]).status.success());
    assert_eq!(users(), before);
    // what was restored starts, and its users log in
    let server =
        Server::start_with(liteset(&home, &["run"]).env("LITESET_RATELIMIT_ENABLED", "false"), home.clone());
    assert_eq!(server.admin().get("/api/v1/dashboard/").json()["count"], 2);
}

#[test]
fn the_key_is_in_a_backup_only_when_asked_for() {
    let home = stopped("backup-key");
    let (plain, keyed, key) = (home.join("plain"), home.join("keyed"), home.join("key"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    json_of(&run(&home, &["backup", &path(&plain), "--json"]));
    assert_eq!(
        json_of(&run(&home, &["backup", &path(&keyed), "--with-secret-key", "--json"]))["secret_key"],
        true
    );
    let secrets = std::fs::read_to_string(home.join("data").join("secrets.toml")).unwrap();
    let secret =
        secrets.lines().find_map(|line| line.strip_prefix("SECRET_KEY = ")).unwrap().trim_matches('"');
    let elsewhere = scratch("backup-key-restored");
    let restore = ["restore", &path(&plain), "--secret-key-file", &path(&key)];
    assert!(told(&run(&elsewhere, &restore)).contains("it has no key"));
    let elsewhere = scratch("backup-key-restored");
    let restore = ["restore", &path(&keyed), "--secret-key-file", &path(&key)];
    let out = run(&elsewhere, &restore);
    assert!(out.status.success() && !told(&out).contains(secret), "{}", told(&out));
    assert_eq!(std::fs::read_to_string(&key).unwrap().trim_end(), secret);
}

#[test]
fn a_backup_moves_between_databases() {
    let Some(uri) = postgres_uri() else { return };
    let home = stopped("backup-move");
    // made by somebody who comes later, with a value that only SQLite takes as it is
    metadata(&home).run(
        "INSERT INTO ab_user (id, first_name, last_name, username, email, active) \
         VALUES (50, 'a', 'b', 'late', 'l', 1); \
         UPDATE ab_user SET created_by_fk = 50 WHERE id = 1; \
         INSERT INTO query (id, client_id, database_id, start_time, changed_on) \
         VALUES (9, 'x', 1, 1795212350450.5, '2024-01-02 03:04:05')",
    );
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let first = json_of(&run(&home, &["backup", &path("one"), "--json"]));
    let there = Metadata::Postgres(Box::new(PostgresDatabase::create(&uri, "backup")));
    let on_postgres = there.liteset(&home);
    let out = run_to_end(&mut on_postgres(&["restore", &path("one"), "--json"]));
    assert_eq!(json_of(&out)["rows"], first["rows"]);
    assert_eq!(there.texts("SELECT created_by_fk::text FROM ab_user WHERE id = 1"), ["50"]);
    // numbers go on after those that are there, and references are checked as before
    there.run("INSERT INTO css_templates (template_name) VALUES ('next')");
    there.run("INSERT INTO slices (slice_name) VALUES ('next')");
    let deferrable = "SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND condeferrable";
    assert!(there.texts(deferrable).is_empty());
    assert_eq!(there.texts("SELECT (nextval('ab_user_id_seq') > 50)::text"), ["true"]);
    there.run("DELETE FROM css_templates");
    there.run("DELETE FROM slices WHERE slice_name = 'next'");
    let back = scratch("backup-move-back");
    let out = run_to_end(&mut on_postgres(&["backup", &path("two"), "--json"]));
    assert_eq!(json_of(&out)["rows"], first["rows"]);
    assert!(run(&back, &["restore", &path("two")]).status.success());
    for table in ["ab_user", "dashboards", "slices", "tables", "dbs", "ab_permission_view_role"] {
        assert_eq!(metadata(&back).rows(table), metadata(&home).rows(table), "{table}");
    }
}

#[test]
fn a_backup_moves_to_mysql_and_back() {
    let Some(there) = Metadata::on_mysql("backup") else { return };
    // names that differ in case only
    let name = there.texts("SELECT DATABASE()").remove(0);
    there.run(&format!("ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"));
    let home = stopped("backup-mysql");
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let first = json_of(&run(&home, &["backup", &path("good"), "--json"]));
    // nothing that MySQL would take
    metadata(&home).run("UPDATE dashboards SET dashboard_title = hex(zeroblob(300)) WHERE id = 1");
    json_of(&run(&home, &["backup", &path("bad"), "--json"]));
    let on_mysql = there.liteset(&home);
    let refused = |arguments: &[&str]| {
        let out = run_to_end(&mut on_mysql(arguments));
        assert!(!out.status.success() && told(&out).contains("dashboard_title"), "{}", told(&out));
    };
    // an empty database is empty afterwards
    refused(&["restore", &path("bad")]);
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()";
    assert_eq!(there.texts(tables), Vec::<String>::new());
    let out = run_to_end(&mut on_mysql(&["restore", &path("good"), "--json"]));
    assert_eq!(json_of(&out)["rows"], first["rows"]);
    // a full one is what it was
    there.run("UPDATE ab_user SET first_name = 'changed'");
    let changed = there.rows("ab_user");
    refused(&["restore", &path("bad"), "--replace"]);
    assert_eq!(there.rows("ab_user"), changed);
    assert!(run_to_end(&mut on_mysql(&["restore", &path("good"), "--replace"])).status.success());
    let back = scratch("backup-mysql-back");
    let out = run_to_end(&mut on_mysql(&["backup", &path("two"), "--json"]));
    assert_eq!(json_of(&out)["rows"], first["rows"]);
    assert!(run(&back, &["restore", &path("two")]).status.success());
    for table in ["ab_user", "dashboards", "slices", "tables", "dbs", "ab_permission_view_role"] {
        assert_eq!(metadata(&back).rows(table).len(), metadata(&home).rows(table).len(), "{table}");
    }
}
