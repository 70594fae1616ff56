//! Export and import: what goes out comes back, an import that fails leaves nothing, and hostile bundles do nothing.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _, Write as _},
};

use serde_json::json;
use zip::{CompressionMethod, write::SimpleFileOptions};

use crate::support::{Answer, Client, Installation, Metadata, command, make, multipart_as, run_to_end};

pub type Files = BTreeMap<String, Vec<u8>>;

fn zipped<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The files of a bundle without their root folder; the moment of the metadata is left out.
fn unzipped(bytes: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = Files::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = entry.name().unwrap().split_once('/').unwrap().1.to_owned();
        if name == "metadata.yaml" {
            let text = String::from_utf8(content).unwrap();
            content =
                text.lines().filter(|l| !l.starts_with("timestamp")).collect::<Vec<_>>().join("\n").into();
        }
        files.insert(name, content);
    }
    files
}

pub fn bundle(files: &Files) -> Vec<u8> {
    let named: Vec<(String, &Vec<u8>)> = files.iter().map(|(n, c)| (format!("bundle/{n}"), c)).collect();
    zipped(named.iter().map(|(n, c)| (n.as_str(), c.as_slice())))
}

pub fn export(client: &mut Client, resource: &str, id: i64) -> Files {
    let answer = client.get(&format!("/api/v1/{resource}/export/?q=!({id})"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/zip");
    assert!(!answer.header("cache-control").contains("public"), "made for one person");
    unzipped(&answer.body)
}

pub fn import(client: &mut Client, resource: &str, zip: &[u8], overwrite: bool) -> Answer {
    let field = if resource == "assets" { "bundle" } else { "formData" };
    let fields: &[(&str, &str)] = if overwrite { &[("overwrite", "true")] } else { &[] };
    let form = multipart_as(field, fields, "b.zip", zip);
    client.post_form_data(&format!("/api/v1/{resource}/import/"), form)
}

/// Numbers of rows of all tables but those that every request writes.
fn counts(on: &Installation) -> BTreeMap<String, String> {
    let tables = match &on.metadata {
        Metadata::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Metadata::Postgres(_) => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        Metadata::Mysql(_) => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
        }
    };
    let tables = on.metadata.texts(tables).into_iter().filter(|t| t != "logs" && !t.contains("log_in"));
    tables
        .map(|table| {
            let sql = format!("SELECT CAST(count(*) AS CHAR(20)) FROM \"{table}\"");
            (table, on.metadata.texts(&sql).remove(0))
        })
        .collect()
}

/// A dashboard with a layout, a filter and a chart of its own dataset with odd texts.
fn furnish(on: &Installation, admin: &mut Client) {
    let uuid = |table: &str, id: i64| -> String {
        let column = match on.metadata {
            Metadata::Sqlite(_) | Metadata::Mysql(_) => "lower(hex(uuid))",
            Metadata::Postgres(_) => "replace(CAST(uuid AS VARCHAR(36)), '-', '')",
        };
        let hex = on.metadata.texts(&format!("SELECT {column} FROM {table} WHERE id = {id}")).remove(0);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    };
    let chart = uuid("slices", on.chart);
    let position = json!({
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": ["CHART-a"]},
        "CHART-a": {"type": "CHART", "id": "CHART-a", "children": [],
                    "meta": {"chartId": on.chart, "uuid": chart, "width": 4, "height": 50, "sliceName": "own"}},
    });
    let metadata = json!({
        "native_filter_configuration": [{"id": "NATIVE_FILTER-1",
                                         "targets": [{"datasetId": on.dataset, "column": {"name": "a"}}],
                                         "scope": {"rootPath": ["ROOT_ID"], "excluded": [on.chart]}}],
        "expanded_slices": {on.chart.to_string(): true}, "color_scheme": "ü: yes",
    });
    let body = json!({"position_json": position.to_string(), "json_metadata": metadata.to_string(),
                      "css": ".a {\n  color: red;\n}\n", "slug": "own"});
    let answer = admin.put(&format!("/api/v1/dashboard/{}", on.dashboard), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let texts = json!({"a": "no", "b": "2024-05-01", "c": "0x1f", "d": "x ".repeat(90), "e": 1e-7});
    // an import writes the last two
    let dataset = format!("{}__table", on.dataset);
    let params = json!({"viz_type": "table", "texts": texts, "datasource": dataset, "annotation_layers": []});
    let body =
        json!({"params": params.to_string(), "viz_type": "table", "description": "- 'a': \"b\" #c\n\n d"});
    assert_eq!(admin.put(&format!("/api/v1/chart/{}", on.chart), &body).status, 200);
}

fn what_goes_out_comes_back(on: &Installation) {
    let mut admin = on.server.admin();
    furnish(on, &mut admin);
    let before = export(&mut admin, "dashboard", on.dashboard);
    let names: Vec<&str> = before.keys().map(|n| n.split('/').next().unwrap()).collect();
    assert_eq!(names, ["charts", "dashboards", "databases", "datasets", "metadata.yaml", "tags.yaml"]);
    let refused = import(&mut admin, "dashboard", &bundle(&before), false);
    assert_eq!(refused.status, 422);
    let text = refused.json()["errors"][0]["extra"].to_string();
    assert!(text.contains("Dashboard already exists and `overwrite=true` was not passed"), "{text}");
    assert_eq!(import(&mut admin, "dashboard", &bundle(&before), true).status, 200);
    assert_eq!(
        export(&mut admin, "dashboard", on.dashboard),
        before,
        "an import of what is there changes nothing"
    );

    for (resource, id) in [("dashboard", on.dashboard), ("chart", on.chart), ("dataset", on.dataset)] {
        assert_eq!(admin.delete(&format!("/api/v1/{resource}/{id}")).status, 200, "{resource}");
    }
    let answer = import(&mut admin, "dashboard", &bundle(&before), false);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id: i64 = on.metadata.texts("SELECT CAST(id AS VARCHAR(20)) FROM dashboards WHERE slug = 'own'")[0]
        .parse()
        .unwrap();
    let charts = on.metadata.texts(&format!(
        "SELECT CAST(slice_id AS VARCHAR(20)) FROM dashboard_slices WHERE dashboard_id = {id}"
    ));
    assert_eq!(charts.len(), 1, "the chart of the layout is on the dashboard again");
    let owners = on
        .metadata
        .texts(&format!("SELECT CAST(user_id AS VARCHAR(20)) FROM dashboard_user WHERE dashboard_id = {id}"));
    assert_eq!(owners.len(), 1, "who imports owns");
    let after = export(&mut admin, "dashboard", id);
    // only what names a key of this installation differs
    let plain = |files: &Files| -> Vec<String> {
        files
            .values()
            .map(|c| String::from_utf8_lossy(c).chars().filter(|c| !c.is_ascii_digit()).collect())
            .collect()
    };
    assert_eq!(plain(&after), plain(&before));
}

fn a_failure_leaves_nothing(on: &Installation) {
    let mut admin = on.server.admin();
    furnish(on, &mut admin);
    let files = export(&mut admin, "dashboard", on.dashboard);
    // everything of it is new, and the last dashboard names a chart that nobody knows
    let renamed: Files = files
        .into_iter()
        .map(|(name, content)| {
            let text = String::from_utf8(content)
                .unwrap()
                .replace("-4", "-a")
                .replace("name: own", "name: other")
                .replace("table_name: t\n", "table_name: t2\n");
            let text = text.replace("slug: own", "slug: other").replace("timed_refresh", "x");
            (name, text.into_bytes())
        })
        .collect();
    let mut broken = renamed.clone();
    let last = "dashboard_title: z\nslug: zz\nuuid: 11111111-1111-4111-8111-111111111111\nposition: {}\n\
                metadata:\n  timed_refresh_immune_slices:\n  - 987654\nversion: 1.0.0\n";
    broken.insert("dashboards/zzz.yaml".into(), last.into());
    let before = counts(on);
    for resource in ["dashboard", "assets"] {
        let mut files = broken.clone();
        if resource == "assets" {
            files.insert("metadata.yaml".into(), b"version: 1.0.0\ntype: assets\n".to_vec());
        }
        let answer = import(&mut admin, resource, &bundle(&files), true);
        assert_eq!(answer.status, 500, "{}", answer.text());
        assert_eq!(counts(on), before, "{resource}");
    }
    assert_eq!(import(&mut admin, "dashboard", &bundle(&renamed), false).status, 200, "the rest was right");
    assert_ne!(counts(on), before);
}

fn hostile_bundles_do_nothing(on: &Installation) {
    let mut admin = on.server.admin();
    let before = counts(on);
    let metadata = b"version: 1.0.0\ntype: Slice\n".as_slice();
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..30 {
        aliases += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "));
    }
    let deep = "[".repeat(100_000);
    let indented: String = (0..3000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    let zeros = vec![b'0'; 3 << 20];
    let texts: &[(&str, &[u8])] = &[
        ("aliases", aliases.as_bytes()),
        ("deep", deep.as_bytes()),
        ("indented", indented.as_bytes()),
        ("zeros", &zeros),
        ("python", b"!!python/object/apply:os.system ['touch /tmp/liteset-owned']"),
        ("itself", b"a: &a [*a]"),
        ("no text", b"\xfe\xff"),
        ("control", b"a: \x01"),
        (
            "types",
            b"slice_name: 2024-05-01\nviz_type: 1\nuuid: [a]\nversion: null\ndataset_uuid: {a: b}\nparams: x",
        ),
        ("keys", b"{[a]: b, 1: c, null: d}"),
        ("empty", b"#"),
    ];
    for (what, text) in texts {
        let zip = zipped([("b/metadata.yaml", metadata), ("b/charts/c.yaml", text)]);
        let answer = import(&mut admin, "chart", &zip, true);
        assert!(matches!(answer.status, 400 | 422 | 500), "{what}: {}", answer.status);
        assert!(answer.json()["errors"].is_array(), "{what}: {}", answer.text());
    }
    for name in [
        "../../../../tmp/liteset-owned.yaml",
        "/tmp/liteset-owned.yaml",
        "b/../../charts/c.yaml",
        "b\\charts\\c.yaml",
        "b/charts/c.yaml/",
    ] {
        let zip = zipped([("b/metadata.yaml", metadata), (name, b"slice_name: x".as_slice())]);
        let answer = import(&mut admin, "chart", &zip, true);
        assert!(matches!(answer.status, 200 | 400 | 422 | 500), "{name}: {}", answer.status);
    }
    for bytes in [b"".as_slice(), b"PK\x05\x06", b"PK\x03\x04broken", &zipped([])] {
        for resource in ["chart", "database", "theme", "assets"] {
            let answer = import(&mut admin, resource, bytes, true);
            assert!(matches!(answer.status, 400 | 422 | 500), "{resource}: {}", answer.status);
        }
    }
    assert!(!std::path::Path::new("/tmp/liteset-owned").exists());
    assert!(!std::path::Path::new("/tmp/liteset-owned.yaml").exists());
    assert_eq!(counts(on), before);
}

fn objects_of_others_stay(on: &Installation) {
    let mut admin = on.server.admin();
    furnish(on, &mut admin);
    let files = export(&mut admin, "dashboard", on.dashboard);
    let charts = export(&mut admin, "chart", on.chart);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    let text =
        |answer: &Answer| answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
    let before = counts(on);
    let answer = import(&mut alpha, "chart", &bundle(&charts), true);
    assert_eq!(
        (answer.status, text(&answer).as_str()),
        (500, "A chart already exists and user doesn't have permissions to overwrite it")
    );
    let answer = import(&mut alpha, "dashboard", &bundle(&files), true);
    assert_eq!(
        (answer.status, text(&answer).as_str()),
        (500, "A dashboard already exists and user doesn't have permissions to overwrite it")
    );
    let fresh: Files = charts
        .iter()
        .map(|(n, c)| {
            (
                n.clone(),
                String::from_utf8_lossy(c)
                    .replace("-4", "-a")
                    .replace("name: own", "name: mine")
                    .into_bytes(),
            )
        })
        .collect();
    let answer = import(&mut gamma, "chart", &bundle(&fresh), false);
    assert_eq!(
        (answer.status, text(&answer).as_str()),
        (500, "Database doesn't exist and user doesn't have permission to create databases")
    );
    assert_eq!(import(&mut gamma, "dataset", &bundle(&charts), true).status, 403);
    assert_eq!(
        gamma.get(&format!("/api/v1/chart/export/?q=!({})", on.chart)).status,
        404,
        "not theirs to see"
    );
    assert_eq!(counts(on), before);
}

fn secrets_stay(on: &Installation) {
    let mut admin = on.server.admin();
    let file = |uuid: &str| {
        format!(
            "database_name: warehouse\nsqlalchemy_uri: postgresql://u:XXXXXXXXXX@127.0.0.1:1/d\n\
             allow_csv_upload: false\nextra: {{}}\nuuid: {uuid}\nversion: 1.0.0\n"
        )
    };
    let mut files = Files::new();
    files.insert("metadata.yaml".into(), b"version: 1.0.0\ntype: Database\n".to_vec());
    files
        .insert("databases/warehouse.yaml".into(), file("22222222-2222-4222-8222-222222222222").into_bytes());
    let asked = import(&mut admin, "database", &bundle(&files), false);
    assert_eq!(asked.status, 422, "{}", asked.text());
    let extra = asked.json()["errors"][0]["extra"]["databases/warehouse.yaml"].clone();
    assert_eq!(extra, json!({"_schema": ["Must provide a password for the database"]}));
    let form = multipart_as(
        "formData",
        &[("passwords", r#"{"databases/warehouse.yaml": "hush-hush"}"#)],
        "b.zip",
        &bundle(&files),
    );
    let answer = admin.post_form_data("/api/v1/database/import/", form);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id: i64 =
        on.metadata.texts("SELECT CAST(id AS VARCHAR(20)) FROM dbs WHERE database_name = 'warehouse'")[0]
            .parse()
            .unwrap();
    let exported = export(&mut admin, "database", id);
    let all: String = exported.values().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
    assert!(all.contains("u:XXXXXXXXXX@") && !all.contains("hush"), "{all}");
    assert!(!on.server.log().contains("hush-hush"));
}

fn everything(on: &Installation) {
    secrets_stay(on);
    hostile_bundles_do_nothing(on);
    objects_of_others_stay(on);
    a_failure_leaves_nothing(on);
    what_goes_out_comes_back(on);
}

#[test]
fn bundles_on_sqlite() {
    everything(&Installation::on_sqlite("import-export"));
}

#[test]
fn bundles_on_postgresql() {
    if let Some(on) = Installation::on_postgres("import-export") {
        everything(&on);
    }
}

#[test]
fn bundles_on_mysql() {
    if let Some(on) = Installation::on_mysql("import-export") {
        everything(&on);
    }
}

#[test]
fn a_folder_changes_only_with_its_objects() {
    let on = Installation::on_sqlite("import-export-folder");
    let mut admin = on.server.admin();
    furnish(&on, &mut admin);
    // two saved queries of one name
    for sql in ["SELECT 1", "SELECT 2"] {
        make(&mut admin, "saved_query", &json!({"label": "same", "db_id": on.database, "sql": sql}));
    }
    let folder = on.server.home.join("assets");
    let data = on.server.home.join("data");
    let liteset = |arguments: &[&str]| {
        let mut run = command(&on.server.home);
        run.args(arguments).args(["--home", data.to_str().unwrap()]);
        run.env("SUPERSET_FEATURE_TAGGING_SYSTEM", "true")
            .env("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false");
        let out = run_to_end(&mut run);
        (out.status.success(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let path = folder.to_str().unwrap();
    let (done, first, log) = liteset(&["export", path]);
    assert!(done, "{log}");
    assert!(first.ends_with("7 added, 0 changed, 0 removed, 0 unchanged\n"), "{first}");
    let (_, again, _) = liteset(&["export", path]);
    assert_eq!(again, "0 added, 0 changed, 0 removed, 7 unchanged\n");
    let (done, plan, log) = liteset(&["import", path, "--dry-run"]);
    assert!(done, "{log}");
    assert_eq!(plan, "would be 0 added, 0 changed, 6 unchanged\n");
    assert_eq!(admin.put(&format!("/api/v1/chart/{}", on.chart), &json!({"description": "new"})).status, 200);
    let (_, plan, _) = liteset(&["import", path, "--dry-run"]);
    assert_eq!(plan.lines().count(), 2, "{plan}");
    assert!(plan.starts_with("~ charts/own_"), "{plan}");
    let (done, _, log) = liteset(&["import", path]);
    assert!(done, "{log}");
    let (_, again, _) = liteset(&["export", path]);
    assert!(again.starts_with("0 added, 0 changed"), "{again}");
    assert_eq!(admin.delete(&format!("/api/v1/dashboard/{}", on.dashboard)).status, 200);
    let (_, gone, _) = liteset(&["export", path]);
    assert!(gone.starts_with("- dashboards/own_") && gone.contains("1 removed"), "{gone}");
    // the original's verb works on the folder, too
    let (done, _, log) = liteset(&["import-directory", path, "-o"]);
    assert!(done, "{log}");
}
