//! A person's own data on the first day: a database for uploads, files that can be connected, and those that cannot.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, command, scratch};

fn lab(client: &mut Client, database: &Value, sql: &str) -> Answer {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("own{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let body =
        json!({"database_id": database, "sql": sql, "client_id": id, "runAsync": false, "queryLimit": 10});
    client.post("/api/v1/sqllab/execute/", &body)
}

fn uri(path: &Path) -> String {
    format!("sqlite:///{}", path.display())
}

#[test]
fn a_csv_can_be_uploaded_at_once() {
    for examples in [true, false] {
        let home = scratch("own-uploads");
        let data = home.join("data");
        let mut run = command(&home);
        run.args(["run", "--home", data.to_str().unwrap()]);
        if !examples {
            run.arg("--no-examples");
        }
        let server = Server::start_with(&mut run, home);
        let mut admin = server.admin();
        let q = "q=(filters:!((col:allow_file_upload,opr:upload_is_enabled,value:!t)))";
        let found = admin.get(&format!("/api/v1/database/?{q}")).json();
        assert_eq!(found["count"], 1, "{found}");
        let database = &found["result"][0];
        assert_eq!(
            (&database["database_name"], &database["allow_dml"], &database["allow_file_upload"]),
            (&json!("uploads"), &json!(false), &json!(true))
        );
        let path = format!("/api/v1/database/{}/upload/", database["id"]);
        let fields =
            [("type", "csv"), ("table_name", "bread"), ("already_exists", "fail"), ("schema", "main")];
        let sent = admin.post_file(&path, &fields, "bread.csv", b"kind,n\nrye,2\noat,3\n");
        assert_eq!(sent.status, 201, "{}", sent.text());
        let rows = lab(&mut admin, &database["id"], "SELECT sum(n) AS n FROM bread");
        assert_eq!(rows.json()["data"], json!([{"n": 5}]), "{}", rows.text());
        let written = lab(&mut admin, &database["id"], "DELETE FROM bread");
        assert!(written.status >= 400, "{}", written.text());
        let datasets =
            admin.get("/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:bread)))").json();
        assert_eq!(datasets["count"], 1);
        // another connection has a dataset of the name, which this schema allows once: nothing is touched
        let other = data.join("files/other.db");
        let file = rusqlite::Connection::open(&other).unwrap();
        file.execute_batch("CREATE TABLE bread (n)").unwrap();
        let body = json!({"database_name": "other", "sqlalchemy_uri": uri(&other), "expose_in_sqllab": true});
        let other = admin.post("/api/v1/database/", &body).json()["id"].clone();
        let gone = admin.delete(&format!("/api/v1/dataset/{}", datasets["result"][0]["id"]));
        assert_eq!(gone.status, 200, "{}", gone.text());
        let made = admin.post("/api/v1/dataset/", &json!({"database": other, "table_name": "bread"}));
        assert_eq!(made.status, 201, "{}", made.text());
        for how in ["replace", "append"] {
            let fields =
                [("type", "csv"), ("table_name", "bread"), ("already_exists", how), ("schema", "main")];
            let sent = admin.post_file(&path, &fields, "bread.csv", b"kind,n\nrye,20\n");
            assert_eq!(sent.status, 500, "{}", sent.text());
            let rows = lab(&mut admin, &database["id"], "SELECT sum(n) AS n FROM bread");
            assert_eq!(rows.json()["data"], json!([{"n": 5}]), "{}", rows.text());
        }
        // the connection can be changed although it is a file
        let kept = json!({"database_name": "ours", "sqlalchemy_uri": uri(&data.join("files/uploads.db"))});
        let put = admin.put(&format!("/api/v1/database/{}", database["id"]), &kept);
        assert_eq!(put.status, 200, "{}", put.text());
        let (folder, file) = (data.join("files"), data.join("files/uploads.db"));
        for (path, mode) in [(folder, 0o700), (file, 0o600)] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
    }
}

#[test]
fn files_of_one_folder_can_be_connected() {
    let server = Server::first_start("own-files");
    let mut admin = server.admin();
    let data = server.home.join("data");
    let folder = data.join("files");
    let make = |path: &Path| {
        let file = rusqlite::Connection::open(path).unwrap();
        file.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (7)").unwrap();
    };
    std::fs::create_dir(folder.join("deep")).unwrap();
    make(&folder.join("deep/shop.db"));
    for scheme in ["sqlite", "sqlite+pysqlite"] {
        let named = format!("{scheme}:///{}?check_same_thread=false", folder.join("deep/shop.db").display());
        let body = json!({"database_name": scheme, "sqlalchemy_uri": named, "expose_in_sqllab": true});
        let tried = admin.post("/api/v1/database/test_connection/", &json!({"sqlalchemy_uri": named}));
        assert_eq!(tried.status, 200, "{}", tried.text());
        let made = admin.post("/api/v1/database/", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let rows = lab(&mut admin, &made.json()["id"], "SELECT n FROM t");
        assert_eq!(rows.json()["data"], json!([{"n": 7}]), "{}", rows.text());
        for file in [&folder.join("deep/shop.db"), &data.join("superset.db"), &data.join("examples.db")] {
            let attached = lab(&mut admin, &made.json()["id"], &format!("ATTACH '{}' AS m", file.display()));
            assert!(attached.status >= 400, "{}", attached.text());
        }
    }
    make(&server.home.join("elsewhere.db"));
    for (name, to) in [
        ("metadata.db", data.join("superset.db")),
        ("other.db", server.home.join("elsewhere.db")),
        ("up", data.clone()),
        ("root", "/".into()),
    ] {
        symlink(to, folder.join(name)).unwrap();
    }
    std::fs::hard_link(data.join("superset.db"), folder.join("hard.db")).unwrap();
    std::fs::hard_link(server.home.join("elsewhere.db"), folder.join("hard-other.db")).unwrap();
    let inside = |name: &str| format!("sqlite:///{}/{name}", folder.display());
    let mut ways = vec![
        uri(&data.join("superset.db")),
        uri(&data.join("examples.db")),
        uri(&server.home.join("elsewhere.db")),
        format!("sqlite:///file:{}", folder.join("deep/shop.db").display()),
        format!("{}?uri=true", inside("deep/shop.db")),
        format!("sqlite://host{}", folder.join("deep/shop.db").display()),
        format!("sqlite+aiosqlite:///{}", folder.join("deep/shop.db").display()),
        "sqlite://".to_owned(),
        "sqlite:///:memory:".to_owned(),
        "sqlite:///files/uploads.db".to_owned(),
    ];
    for name in [
        "metadata.db",
        "other.db",
        "hard.db",
        "hard-other.db",
        "up/superset.db",
        "up/examples.db",
        "../superset.db",
        "deep/../../superset.db",
        "../superset.db-wal",
        "root/etc/passwd",
        "missing.db",
        "deep",
        "",
    ] {
        ways.push(inside(name));
    }
    for way in &ways {
        let body = json!({"database_name": "way", "sqlalchemy_uri": way});
        for answer in [
            admin.post("/api/v1/database/", &body),
            admin.put("/api/v1/database/1", &json!({"sqlalchemy_uri": way})),
            admin.post("/api/v1/database/test_connection/", &json!({"sqlalchemy_uri": way})),
        ] {
            let text = answer.text();
            assert!(answer.status >= 400, "{way}: {} {text}", answer.status);
            assert!(text.contains("LOCAL_FILES_FOLDER"), "{way}: {text}");
            assert!(text.contains("PREVENT_UNSAFE_DB_CONNECTIONS"), "{way}: {text}");
        }
    }
    // a file that becomes a link after it was connected leads nowhere, either
    std::fs::remove_file(folder.join("deep/shop.db")).unwrap();
    symlink(data.join("superset.db"), folder.join("deep/shop.db")).unwrap();
    let found = admin.get("/api/v1/database/?q=(filters:!((col:database_name,opr:eq,value:sqlite)))").json();
    let answer = lab(&mut admin, &found["result"][0]["id"], "SELECT password FROM ab_user");
    assert!(answer.status >= 400 && !answer.text().contains("scrypt"), "{}", answer.text());
}

#[test]
fn a_folder_that_holds_the_metadata_is_none() {
    let home = scratch("own-folder");
    let data = home.join("data");
    let mut run = command(&home);
    run.args(["run", "--home", data.to_str().unwrap()]).env("LITESET_LOCAL_FILES_FOLDER", &data);
    let server = Server::start_with(&mut run, home);
    let mut admin = server.admin();
    for name in ["superset.db", "examples.db", "uploads.db"] {
        let body = json!({"database_name": "x", "sqlalchemy_uri": uri(&data.join(name))});
        let answer = admin.post("/api/v1/database/", &body);
        assert!(answer.status >= 400 && answer.text().contains("security reasons"), "{}", answer.text());
    }
}
