//! Starting: on nothing, twice, on a foreign or old database, with a weak secret.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Metadata, Server, command, run_to_end, scratch};

#[test]
fn the_first_start_needs_nothing_and_shows_the_examples() {
    let server = Server::first_start("first");
    let mut admin = server.admin();
    let dashboards =
        admin.get("/api/v1/dashboard/?q=(order_column:dashboard_title,order_direction:asc)").json();
    let titles: Vec<_> =
        dashboards["result"].as_array().unwrap().iter().map(|d| &d["dashboard_title"]).collect();
    assert_eq!(titles, ["Bakery", "Rivers and deliveries"]);
    assert!(admin.get("/api/v1/chart/").json()["count"].as_u64().unwrap() >= 12);
    let roles = admin.get("/api/v1/security/roles/").json();
    assert_eq!(roles["count"], 5);
    assert!(!server.log().contains("correct horse"), "the log holds the password");
    assert_eq!(server.anonymous().get("/readyz").status, 200);
}

#[test]
fn one_sqlite_file_has_one_server() {
    let server = Server::start("twice");
    let home = server.home.join("data");
    let out = run_to_end(command(&server.home).args(["--home", home.to_str().unwrap(), "--port", "1"]));
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("another liteset serves"));
}

#[test]
fn a_generated_password_is_in_a_file_of_its_owner_and_not_logged() {
    let home = scratch("generated");
    let mut first = command(&home);
    first.env_remove("LITESET_ADMIN_PASSWORD").args([
        "run",
        "--no-examples",
        "--home",
        home.to_str().unwrap(),
    ]);
    let server = Server::start_with(&mut first, home.clone());
    let log = server.log();
    let path = home.join("admin-password");
    assert!(log.contains(path.to_str().unwrap()), "{log}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let password = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    assert!(password.len() >= 16);
    assert!(!log.contains(&password));
    assert_eq!(server.anonymous().log_in("admin", &password), 302);
    assert_eq!(server.anonymous().log_in("admin", "admin"), 302);
    let mut wrong = server.anonymous();
    wrong.log_in("admin", "admin");
    assert_eq!(wrong.get("/api/v1/me/").status, 401);
}

#[test]
fn an_older_database_is_refused_and_left_untouched() {
    let home = scratch("older");
    let server = Server::start_with(
        command(&home).args(["run", "--no-examples", "--home", home.join("data").to_str().unwrap()]),
        home.clone(),
    );
    let file = home.join("older.db");
    drop(server);
    std::fs::create_dir_all(&home).unwrap();
    let c = rusqlite::Connection::open(&file).unwrap();
    c.execute_batch(
        "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES \
     ('74ad1125881c')",
    )
    .unwrap();
    drop(c);
    let before = std::fs::read(&file).unwrap();
    let out = run_to_end(
        command(&home)
            .env("LITESET_SQLALCHEMY_DATABASE_URI", format!("sqlite:///{}", file.display()))
            .env("SUPERSET_SECRET_KEY", "0123456789abcdefghijklmnop")
            .args(["run", "--home", home.to_str().unwrap(), "--port", "1"]),
    );
    assert!(!out.status.success());
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("74ad1125881c") && text.contains("c233f5365c9e"), "{text}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let _ = std::fs::remove_dir_all(&home);
}

#[test]
fn a_published_secret_is_refused() {
    let home = scratch("weak");
    let out = run_to_end(
        command(&home)
            .env("SUPERSET_SECRET_KEY", "TEST_NON_DEV_SECRET")
            .args(["--home", home.to_str().unwrap()]),
    );
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("published example value"));
}

#[test]
fn postgresql_is_made_ready_by_the_commands_with_superset_names() {
    if let Some(database) = Metadata::on_postgres("ready") {
        made_ready_by_the_commands_with_superset_names(&database);
    }
}

#[test]
fn mysql_is_made_ready_by_the_commands_with_superset_names() {
    if let Some(database) = Metadata::on_mysql("ready") {
        made_ready_by_the_commands_with_superset_names(&database);
    }
}

fn made_ready_by_the_commands_with_superset_names(database: &Metadata) {
    let home = scratch("ready");
    let mut empty = command(&home);
    empty.env("LITESET_SQLALCHEMY_DATABASE_URI", database.uri());
    empty.env("SUPERSET_SECRET_KEY", "0123456789abcdefghijklmnop").args(["run", "--port", "0"]);
    assert!(!run_to_end(&mut empty).status.success(), "an empty database is not adopted");
    let server = Server::start_with(&mut database.prepared(&home)(&["run"]), home.clone());
    assert_eq!(server.admin().get("/api/v1/me/").json()["result"]["username"], "admin");
    assert_eq!(server.admin().get("/api/v1/security/roles/").json()["count"], 5);
}

/// A fresh home is its owner's alone: the folder, and every file that work leaves in it.
#[cfg(unix)]
#[test]
fn a_fresh_home_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let home = scratch("home");
    let data = home.join("data");
    // an operator may have made it, for all to see
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let cache = format!(
        "{{\"CACHE_TYPE\": \"FileSystemCache\", \"CACHE_DIR\": \"{}\"}}",
        data.join("cache").display()
    );
    let mut run = command(&home);
    run.args(["run", "--home", data.to_str().unwrap()]).env("LITESET_DATA_CACHE_CONFIG", cache);
    let server = Server::start_with(&mut run, home);
    let mut admin = server.admin();
    let ask = crate::support::ask(1, "json");
    admin.post("/api/v1/chart/data", &ask);
    admin.post("/api/v1/css_template/", &serde_json::json!({"template_name": "t", "css": ""}));
    assert_eq!(server.anonymous().get("/readyz").status, 200);
    let (mut folders, mut seen) = (vec![data], Vec::new());
    while let Some(folder) = folders.pop() {
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let (path, meta) = (entry.path(), entry.metadata().unwrap());
            if meta.is_dir() {
                folders.push(path);
                continue;
            }
            assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{}", path.display());
            seen.push(entry.file_name().into_string().unwrap());
        }
    }
    for name in
        ["superset.db", "superset.db-wal", "superset.db-shm", "secrets.toml", "examples.db", "liteset.toml"]
    {
        assert!(seen.iter().any(|s| s == name), "{name} is not among {seen:?}");
    }
}
