//! The schema on MySQL, which no transaction protects, and what its collations mean.

use serde_json::json;

use crate::support::{Installation, Metadata, run_to_end, scratch};

fn text(out: &std::process::Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn two_at_once_make_one_schema() {
    let Some(database) = Metadata::on_mysql("schema_twice") else { return };
    let liteset = database.liteset(&scratch("schema-twice"));
    let both: Vec<_> = (0..2)
        .map(|_| {
            let mut command = liteset(&["db", "upgrade"]);
            std::thread::spawn(move || run_to_end(&mut command))
        })
        .collect();
    for one in both {
        let out = one.join().unwrap();
        assert!(out.status.success(), "{}", text(&out));
    }
    assert_eq!(database.texts("SELECT version_num FROM alembic_version"), ["c233f5365c9e"]);
}

#[test]
fn a_schema_that_was_cut_short_is_begun_anew_and_others_are_left_alone() {
    let Some(database) = Metadata::on_mysql("schema_half") else { return };
    let liteset = database.liteset(&scratch("schema-half"));
    database.run(
        "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY);\n\
         CREATE TABLE ab_user (id int PRIMARY KEY)",
    );
    assert!(text(&run_to_end(&mut liteset(&["run", "--port", "1"]))).contains("is empty"));
    let out = run_to_end(&mut liteset(&["db", "upgrade"]));
    assert!(out.status.success(), "{}", text(&out));
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = database() \
                   AND table_name = 'ab_user'";
    assert_eq!(database.texts(columns), ["14"]);
    // a row in any table: somebody works there
    database.run("DELETE FROM alembic_version;\nINSERT INTO ab_role (name) VALUES ('mine')");
    assert!(!run_to_end(&mut liteset(&["db", "upgrade"])).status.success());
    assert_eq!(database.texts("SELECT name FROM ab_role"), ["mine"]);
}

#[test]
fn a_database_that_cannot_hold_every_character_is_refused() {
    let Some(database) = Metadata::on_mysql("schema_latin") else { return };
    database.run("ALTER DATABASE CHARACTER SET latin1");
    let liteset = database.liteset(&scratch("schema-latin"));
    let out = run_to_end(&mut liteset(&["db", "upgrade"]));
    assert!(!out.status.success());
    assert!(text(&out).contains("ALTER DATABASE … CHARACTER SET utf8mb4"), "{}", text(&out));
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = database()";
    assert!(database.texts(tables).is_empty());
}

/// `utf8mb4_general_ci` and its kin; `User` and `user` of the permissions are one row.
#[test]
fn names_are_compared_without_case() {
    let Some(on) = Installation::on_mysql("schema-case") else { return };
    let mut admin = on.server.admin();
    let views = on.metadata.texts("SELECT name FROM ab_view_menu WHERE name = 'user' OR name = 'SECURITY'");
    assert_eq!(views.len(), 2, "{views:?}");
    let role = |name: &str| json!({"name": name});
    assert_eq!(admin.post("/api/v1/security/roles/", &role("Sales")).status, 201);
    let twice = admin.post("/api/v1/security/roles/", &role("sales"));
    assert!(twice.status >= 400, "{}", twice.text());
    assert_eq!(on.metadata.texts("SELECT name FROM ab_role WHERE name = 'SALES'"), ["Sales"]);
    // all characters, in pages
    for n in 0..30 {
        let body = json!({"template_name": format!("🙂 {n:02}"), "css": "ü"});
        assert_eq!(admin.post("/api/v1/css_template/", &body).status, 201);
    }
    let mut seen = std::collections::BTreeSet::new();
    for page in 0..3 {
        let q = format!("(page:{page},page_size:10,order_column:template_name,order_direction:desc)");
        let found = admin.get(&format!("/api/v1/css_template/?q={q}")).json();
        for row in found["result"].as_array().unwrap() {
            seen.insert(row["template_name"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.len(), 30, "{seen:?}");
    assert!(seen.contains("🙂 07"));
}
