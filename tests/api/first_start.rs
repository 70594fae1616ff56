//! Starting: on nothing, twice, on a foreign or old database, with a weak secret.

use crate::support::{PostgresDatabase, Server, command, postgres_uri, run_to_end, scratch};

#[test]
fn the_first_start_needs_nothing_and_shows_the_examples() {
    let server = Server::start("first");
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
fn a_generated_password_is_printed_once_and_not_logged() {
    let home = scratch("generated");
    let mut first = command(&home);
    first.env_remove("LITESET_ADMIN_PASSWORD").args([
        "run",
        "--no-examples",
        "--home",
        home.to_str().unwrap(),
    ]);
    let server = Server::start_with(&mut first, home);
    let log = server.log();
    let password =
        log.split("with the password ").nth(1).and_then(|r| r.split_whitespace().next()).unwrap().to_owned();
    assert!(password.len() >= 16);
    assert!(log.lines().filter(|l| l.starts_with('{')).all(|l| !l.contains(&password)));
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
    c.execute_batch("CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('74ad1125881c')")
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
    let Some(uri) = postgres_uri() else { return };
    let home = scratch("postgres");
    let database = PostgresDatabase::create(&uri, "ready");
    let mut empty = command(&home);
    empty.env("LITESET_SQLALCHEMY_DATABASE_URI", database.uri());
    empty.env("SUPERSET_SECRET_KEY", "0123456789abcdefghijklmnop").args(["run", "--port", "0"]);
    assert!(!run_to_end(&mut empty).status.success(), "an empty database is not adopted");
    let server = Server::start_with(&mut database.prepared(&home)(&["run"]), home.clone());
    assert_eq!(server.admin().get("/api/v1/me/").json()["result"]["username"], "admin");
    assert_eq!(server.admin().get("/api/v1/security/roles/").json()["count"], 5);
}
