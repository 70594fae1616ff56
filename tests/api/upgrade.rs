//! `liteset db upgrade`: an installation whose schema was taken back to that of an older Superset, on both databases.
//! What the original makes of real ones is compared by `tests/upgrade.py`.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::support::{Metadata, Server, command, run_to_end, scratch, template};

const SECRET: &str = "0123456789abcdefghijklmnop";

/// An installation without server.
struct Older {
    metadata: Metadata,
    home: std::path::PathBuf,
    uri: String,
}

impl Drop for Older {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.home);
        }
    }
}

/// Back from the head to 5.0.
const TO_5_0: &str = "ALTER TABLE tables DROP COLUMN folders; ALTER TABLE sql_metrics DROP COLUMN currency; \
     ALTER TABLE sql_metrics ADD COLUMN currency VARCHAR(128); DROP TABLE ab_api_key; DROP TABLE themes; \
     UPDATE alembic_version SET version_num = '74ad1125881c';";
/// And to 4.1.
const TO_4_1: &str = "ALTER TABLE css_templates DROP COLUMN uuid; ALTER TABLE favstar DROP COLUMN uuid; \
     UPDATE alembic_version SET version_num = '48cbb571fa3a';";

/// A database with a dataset, a metric, and charts and permissions of the time.
const CONTENT: &str = "INSERT INTO dbs (id, database_name, sqlalchemy_uri, created_on, changed_on) VALUES \
     (900, 'older', 'sqlite://', '2024-01-02 03:04:05', '2024-01-02 03:04:05'); \
     INSERT INTO tables (id, table_name, database_id, created_on, changed_on) VALUES \
     (900, 't', 900, '2024-01-02 03:04:05', '2024-01-02 03:04:05'); \
     INSERT INTO sql_metrics (id, metric_name, expression, table_id, currency, created_on, changed_on) SELECT \
     m.*, '2024-01-02 03:04:05', '2024-01-02 03:04:05' FROM (VALUES \
     (901, 'a', 'sum(a)', 900, '{\"symbol\": \"USD\", \"symbolPosition\": \"prefix\"}'), \
     (902, 'b', 'sum(b)', 900, 'no JSON'), (903, 'c', 'sum(c)', 900, '\"{\\\"symbol\\\": \\\"EUR\\\"}\"')) AS m; \
     INSERT INTO dashboards (id, dashboard_title, created_on, changed_on) VALUES \
     (900, 'older', '2024-01-02 03:04:05', '2024-01-02 03:04:05'); \
     INSERT INTO ab_role (id, name) VALUES (900, 'Uploaders'); \
     INSERT INTO ab_permission (id, name) VALUES (900, 'can_csv_upload'); \
     INSERT INTO ab_permission_view (id, permission_id, view_menu_id) SELECT 9000, 900, id FROM ab_view_menu \
     WHERE name = 'Database'; \
     INSERT INTO ab_permission_view_role (id, permission_view_id, role_id) VALUES (90000, 9000, 900);";

const AREA: &str = r#"{"datasource": "900__table", "viz_type": "area", "metrics": ["a"], "groupby": ["x"],
    "granularity_sqla": "ds", "x_axis_sort_series": "name"}"#;

impl Older {
    fn on_sqlite(name: &str, to_4_1: bool) -> Self {
        let home = scratch(name);
        let data = home.join("data");
        template::copy_to(&data, false);
        let path = data.join("superset.db");
        let uri = format!("sqlite:///{}", path.display());
        let older = Self { metadata: Metadata::Sqlite(path.clone()), home, uri };
        let c = rusqlite::Connection::open(&path).unwrap();
        c.pragma_update(None, "foreign_keys", false).unwrap();
        c.pragma_update(None, "journal_mode", "DELETE").unwrap();
        // SQLite drops no column that a foreign key has
        let sql: String =
            c.query_row("SELECT sql FROM sqlite_master WHERE name = 'dashboards'", [], |r| r.get(0)).unwrap();
        let kept = sql.lines().filter(|line| !line.contains("theme_id")).collect::<Vec<_>>().join("\n");
        let columns = {
            let statement = c.prepare("SELECT * FROM dashboards").unwrap();
            let names = statement.column_names().into_iter().filter(|name| *name != "theme_id");
            names.collect::<Vec<_>>().join(", ")
        };
        let kept = kept.replacen("dashboards", "older_dashboards", 1);
        c.execute_batch(&format!(
            "{kept}; INSERT INTO older_dashboards ({columns}) SELECT {columns} FROM dashboards; \
             DROP TABLE dashboards; ALTER TABLE older_dashboards RENAME TO dashboards"
        ))
        .unwrap();
        drop(c);
        older.fill(to_4_1)
    }

    fn on_postgres(name: &str, to_4_1: bool) -> Option<Self> {
        let home = scratch(name);
        let metadata = Metadata::on_postgres(&name.replace('-', "_"))?;
        drop(metadata.prepared(&home));
        let uri = metadata.uri();
        let older = Self { metadata, home, uri };
        older.metadata.run("ALTER TABLE dashboards DROP COLUMN theme_id; DROP FUNCTION safe_to_jsonb");
        older.metadata.run(
            "ALTER TABLE sql_metrics DROP COLUMN currency; ALTER TABLE sql_metrics ADD COLUMN currency jsonb",
        );
        older.metadata.run("DROP SEQUENCE ab_api_key_id_seq");
        Some(older.fill(to_4_1))
    }

    fn fill(self, to_4_1: bool) -> Self {
        self.metadata.run(TO_5_0);
        if to_4_1 {
            self.metadata.run(TO_4_1);
        }
        self.metadata.run(CONTENT);
        for (id, kind, params) in [(901, "area", AREA), (902, "line", "{"), (903, "table", "{}")] {
            let params = params.replace('\'', "''");
            self.metadata.run(&format!(
                "INSERT INTO slices (id, slice_name, viz_type, datasource_type, datasource_id, params, \
                 created_on, changed_on) VALUES ({id}, 'chart {id}', '{kind}', 'table', 900, '{params}', \
                 '2024-01-02 03:04:05', '2024-01-02 03:04:05')"
            ));
        }
        self
    }

    fn liteset(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.home);
        command.env("LITESET_SQLALCHEMY_DATABASE_URI", &self.uri).env("SUPERSET_SECRET_KEY", SECRET);
        command.args(arguments).args(["--home", self.home.join("data").to_str().unwrap()]);
        command
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let out = run_to_end(&mut self.liteset(arguments));
        let text = [&out.stdout[..], &out.stderr[..]].concat();
        (out.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn revision(&self) -> Vec<String> {
        self.metadata.texts("SELECT version_num FROM alembic_version")
    }

    fn chart(&self, id: i64) -> (String, Value) {
        let one = |column: &str| {
            self.metadata.texts(&format!("SELECT {column} FROM slices WHERE id = {id}")).remove(0)
        };
        (one("viz_type"), serde_json::from_str(&one("params")).unwrap_or_default())
    }

    fn is_upgraded(&self) {
        assert_eq!(self.revision(), ["c233f5365c9e"]);
        let currency = "SELECT CAST(currency AS TEXT) FROM sql_metrics WHERE id IN (901, 903) ORDER BY id";
        let currencies: Vec<Value> =
            self.metadata.texts(currency).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let want = [json!({"symbol": "USD", "symbolPosition": "prefix"}), json!({"symbol": "EUR"})];
        assert_eq!(currencies, want);
        let none = "SELECT metric_name FROM sql_metrics WHERE id = 902 AND currency IS NULL";
        assert_eq!(self.metadata.texts(none), ["b"]);
        let dashboards = "SELECT dashboard_title FROM dashboards WHERE id = 900 AND theme_id IS NULL";
        assert_eq!(self.metadata.texts(dashboards), ["older"]);
    }
}

fn both(name: &str, to_4_1: bool) -> Vec<Older> {
    let on_sqlite = Older::on_sqlite(&format!("{name}-lite"), to_4_1);
    std::iter::once(on_sqlite).chain(Older::on_postgres(&format!("{name}-pg"), to_4_1)).collect()
}

#[test]
fn a_database_of_4_1_becomes_one_of_6_0() {
    for older in both("upgrade-4-1", true) {
        let (fine, text) = older.run(&["run", "--port", "1"]);
        assert!(!fine && text.contains("of Superset 4.1") && text.contains("liteset db upgrade"), "{text}");
        let (fine, text) = older.run(&["db", "upgrade", "--plan"]);
        assert!(
            fine && text.contains("From Superset 4.1") && text.contains("charts of kind area: 1"),
            "{text}"
        );
        assert_eq!(older.revision(), ["48cbb571fa3a"]);
        let (fine, text) = older.run(&["db", "upgrade", "--no-backup"]);
        assert!(fine, "{text}");
        older.is_upgraded();
        let (kind, params) = older.chart(901);
        assert_eq!(kind, "echarts_area");
        assert_eq!(params["x_axis"], "ds");
        assert_eq!(params["x_axis_sort"], "name", "the later revision saw what the earlier one made");
        assert_eq!(params["form_data_bak"]["viz_type"], "area");
        // what cannot be read stays, and is named
        assert_eq!(older.chart(902).0, "line");
        assert!(text.contains("902"), "{text}");
        let uploads = "SELECT p.name FROM ab_permission_view_role x \
                       JOIN ab_permission_view pv ON pv.id = x.permission_view_id \
                       JOIN ab_permission p ON p.id = pv.permission_id WHERE role_id = 900";
        assert_eq!(older.metadata.texts(uploads), ["can_upload"]);
        assert!(
            older.metadata.texts("SELECT name FROM ab_permission WHERE name = 'can_csv_upload'").is_empty()
        );
        let (fine, text) = older.run(&["db", "upgrade"]);
        assert!(fine, "{text}");
        assert!(older.run(&["init"]).0);
        let server = Server::start_with(&mut older.liteset(&["run"]), scratch("upgrade-served"));
        let mut admin = server.admin();
        let chart = admin.get("/api/v1/chart/901").json();
        assert_eq!(chart["result"]["viz_type"], "echarts_area", "{chart}");
        assert_eq!(admin.get("/api/v1/dashboard/900").json()["result"]["dashboard_title"], "older");
        assert_eq!(admin.get("/api/v1/theme/").json()["count"], 2);
        // foreign keys of 4.1 are in the way of nothing
        let user = json!({"username": "new", "first_name": "n", "last_name": "n", "email": "n@example.org",
            "password": "a good password", "active": true, "roles": [900]});
        let answer = admin.post("/api/v1/security/users/", &user);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let user = answer.json()["id"].as_i64().unwrap();
        let answer = admin.delete(&format!("/api/v1/security/users/{user}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn a_sqlite_file_is_copied_before() {
    let older = Older::on_sqlite("upgrade-backup", false);
    let Metadata::Sqlite(path) = &older.metadata else { unreachable!() };
    let before = rows(path);
    let (fine, text) = older.run(&["db", "upgrade"]);
    assert!(fine, "{text}");
    older.is_upgraded();
    assert_eq!(older.chart(901).0, "area", "5.0 knows no kinds that become others");
    let folder = path.parent().unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let backups: Vec<_> = files.filter(|p| p.to_string_lossy().contains(".db.backup-")).collect();
    assert_eq!(backups.len(), 1);
    assert!(text.contains(backups[0].to_str().unwrap()), "{text}");
    assert_eq!(rows(&backups[0]), before);
}

#[test]
fn a_server_s_database_wants_a_backup_first() {
    let Some(older) = Older::on_postgres("upgrade-wants", false) else { return };
    let (fine, text) = older.run(&["db", "upgrade"]);
    assert!(!fine && text.contains("--no-backup"), "{text}");
    assert_eq!(older.revision(), ["74ad1125881c"]);
}

/// Every row of a file.
fn rows(path: &Path) -> Vec<String> {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut statement =
        db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = statement.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = Vec::new();
    for table in tables {
        let rows = Metadata::Sqlite(path.to_owned()).rows(&table);
        found.extend(rows.into_iter().map(|row| format!("{table}|{row}")));
    }
    found
}

#[test]
fn a_schema_that_was_changed_by_hand_is_refused() {
    for (change, difference) in [
        ("ALTER TABLE slices DROP COLUMN cache_timeout", "column slices.cache_timeout is missing"),
        ("DROP TABLE user_favorite_tag", "table user_favorite_tag is missing"),
        (
            "ALTER TABLE tag ADD COLUMN mine INTEGER NOT NULL DEFAULT 1; ALTER TABLE tag ADD COLUMN note TEXT",
            "",
        ),
        ("CREATE TABLE themes (id INTEGER)", "column themes.uuid is missing"),
    ] {
        for older in both("upgrade-hand", false) {
            older.metadata.run(change);
            let kept = older.metadata.rows("slices");
            let (fine, text) = older.run(&["db", "upgrade", "--no-backup"]);
            if difference.is_empty() {
                assert!(fine, "{text}");
                continue;
            }
            assert!(!fine && text.contains(difference), "{change}: {text}");
            assert_eq!(older.revision(), ["74ad1125881c"]);
            assert_eq!(older.metadata.rows("slices"), kept);
        }
    }
}

#[test]
fn revisions_that_are_not_known_are_refused() {
    for (revision, why) in [("5a7bad26f2a7", "older than Superset 4.1"), ("ffffffffffff", "not known here")] {
        for older in both("upgrade-unknown", false) {
            older.metadata.run(&format!("UPDATE alembic_version SET version_num = '{revision}'"));
            let (fine, text) = older.run(&["db", "upgrade", "--no-backup"]);
            assert!(!fine && text.contains(why) && text.contains(revision), "{text}");
            assert_eq!(older.revision(), [revision]);
        }
    }
}

#[test]
fn an_upgrade_of_superset_that_was_cut_short_is_finished() {
    for older in both("upgrade-half", true) {
        // two heads: the branch before the merge
        older.metadata.run("UPDATE alembic_version SET version_num = 'df3d7e2eb9a4'");
        older.metadata.run("INSERT INTO alembic_version VALUES ('7b17aa722e30')");
        let uuid = if matches!(older.metadata, Metadata::Sqlite(_)) { "BINARY(16)" } else { "UUID" };
        older.metadata.run(&format!("ALTER TABLE css_templates ADD COLUMN uuid {uuid}"));
        older.metadata.run(&format!("ALTER TABLE favstar ADD COLUMN uuid {uuid}"));
        let (fine, text) = older.run(&["db", "upgrade", "--no-backup"]);
        assert!(fine && text.contains("between Superset 4.1 and 5.0"), "{text}");
        older.is_upgraded();
    }
}

#[test]
fn of_two_upgrades_at_once_one_does_it() {
    for older in both("upgrade-two", true) {
        // the secrets of a home are made by one
        assert!(older.run(&["db", "upgrade", "--plan"]).0);
        let start = || {
            let mut command = older.liteset(&["db", "upgrade", "--no-backup"]);
            command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap()
        };
        let ended: Vec<_> = [start(), start()].into_iter().map(|c| c.wait_with_output().unwrap()).collect();
        let texts: Vec<_> = ended.iter().map(|out| String::from_utf8_lossy(&out.stderr)).collect();
        assert!(ended.iter().any(|out| out.status.success()), "{texts:?}");
        for (out, text) in ended.iter().zip(&texts) {
            assert!(out.status.success() || text.contains("another upgrade has run meanwhile"), "{text}");
        }
        older.is_upgraded();
    }
}

#[test]
fn a_killed_upgrade_changes_nothing_or_is_finished_by_a_second() {
    for older in both("upgrade-killed", true) {
        for at in [1_u64, 20, 40, 60, 90] {
            let mut command = older.liteset(&["db", "upgrade", "--no-backup"]);
            let mut process = command
                .stderr(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(at));
            let _ = process.kill();
            process.wait().unwrap();
            let (fine, text) = older.run(&["db", "upgrade", "--plan"]);
            assert!(fine, "{text}");
            let revision = older.revision();
            assert!(revision == ["48cbb571fa3a"] || revision == ["c233f5365c9e"], "{revision:?}");
        }
        let (fine, text) = older.run(&["db", "upgrade", "--no-backup"]);
        assert!(fine, "{text}");
        older.is_upgraded();
    }
}
