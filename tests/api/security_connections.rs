//! Connections as a way to the files of this machine (T14, T16, T17, T18): who may make them, what their options may
//! say, and that no way leads to the metadata database.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Client, Server};

#[test]
fn only_who_may_write_connections_may_try_them() {
    let server = Server::start_with_settings("tries", &[]);
    let tunnel = json!({"server_address": "127.0.0.1", "server_port": 22, "username": "x", "password": "x"});
    let body = json!({"sqlalchemy_uri": "postgresql://127.0.0.1:1/x", "database_name": "x", "engine": "postgresql",
                      "configuration_method": "dynamic_form", "parameters": {}, "ssh_tunnel": tunnel});
    for role in ["Gamma", "Alpha"] {
        let (mut client, _) = server.person(&role.to_lowercase(), role);
        for (method, path) in [
            ("POST", "test_connection/"),
            ("POST", "validate_parameters/"),
            ("POST", ""),
            ("PUT", "1"),
            ("DELETE", "1"),
            ("DELETE", "1/ssh_tunnel/"),
            ("POST", "1/sync_permissions/"),
        ] {
            let answer = client.send(method, &format!("/api/v1/database/{path}"), Some(&body));
            assert_eq!(answer.status, 403, "{role} may {method} {path}: {}", answer.text());
        }
    }
    let mut nobody = server.anonymous();
    assert!(matches!(nobody.post("/api/v1/database/test_connection/", &body).status, 302 | 400 | 401));
}

fn tried(admin: &mut Client, body: &Value) -> (u16, String) {
    let answer = admin.post("/api/v1/database/test_connection/", body);
    (answer.status, answer.text())
}

/// Wherever an option stands that has a driver read a file, it is refused or without effect.
#[test]
fn options_that_name_files() {
    let server = Server::start_with_settings("options", &[]);
    let mut admin = server.admin();
    for engine in ["mysql", "mysql+pymysql", "mysql+mysqldb", "mariadb", "starrocks"] {
        for option in ["local_infile", "allow_local_infile", "LOCAL_INFILE"] {
            let uri = format!("{engine}://u:p@127.0.0.1:1/d");
            let arguments = json!({"connect_args": {option: 1}});
            for body in [
                json!({"sqlalchemy_uri": format!("{uri}?{option}=1")}),
                json!({"sqlalchemy_uri": uri, "extra": json!({"engine_params": arguments}).to_string()}),
                json!({"sqlalchemy_uri": uri, "masked_encrypted_extra": arguments.to_string()}),
            ] {
                let (status, text) = tried(&mut admin, &body);
                assert!(
                    status >= 400 && text.contains("Forbidden query parameter"),
                    "{body}: {status} {text}"
                );
            }
        }
    }
    // neither what blocks nor what never ends is read, and nothing of what is read is told
    let fifo = server.home.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let secret = server.home.join("secret.pem");
    std::fs::write(&secret, "-----BEGIN CERTIFICATE-----\ns3cret-canary\n-----END CERTIFICATE-----\n")
        .unwrap();
    for file in [Path::new("/dev/zero"), &fifo, &secret, Path::new("/etc/passwd")] {
        for (uri, option) in [
            ("postgresql://u:p@127.0.0.1:1/d?sslmode=verify-full", "sslrootcert"),
            ("mysql://u:p@127.0.0.1:1/d?ssl_verify_cert=1", "ssl_ca"),
        ] {
            let begun = Instant::now();
            let arguments = json!({"engine_params": {"connect_args": {option: file}}}).to_string();
            for body in [
                json!({"sqlalchemy_uri": format!("{uri}&{option}={}", file.display())}),
                json!({"sqlalchemy_uri": uri, "extra": arguments}),
            ] {
                let (status, text) = tried(&mut admin, &body);
                assert!(
                    status >= 400 && !text.contains("s3cret") && !text.contains("root:"),
                    "{body}: {text}"
                );
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{uri} {}", file.display());
        }
    }
    // files that a client would read for itself, and files of settings
    for uri in [
        "postgresql://u:p@127.0.0.1:1/d?service=x&passfile=/etc/passwd&sslkey=/etc/passwd&sslcert=/etc/passwd",
        "mysql://u:p@127.0.0.1:1/d?read_default_file=/etc/passwd&ssl_key=/etc/passwd&ssl_cert=/etc/passwd",
        "clickhousedb://h/d?client_cert=/etc/passwd&client_cert_key=/etc/passwd",
        "clickhousedb://h/d?ca_cert=/etc/passwd",
        "trino://h/d?cert=/etc/passwd&key=/etc/passwd",
    ] {
        let (status, text) = tried(&mut admin, &json!({"sqlalchemy_uri": uri}));
        assert!(status >= 400 && !text.contains("root:"), "{uri}: {text}");
    }
    assert_eq!(admin.get("/health").status, 200);
}

/// A file is no data source, by whatever name of its driver, when it is made, changed or tried.
#[test]
fn other_names_of_drivers() {
    let server = Server::start_with_settings("aliases", &[]);
    let mut admin = server.admin();
    let good = json!({"database_name": "good", "sqlalchemy_uri": "sqlite://"});
    assert_eq!(admin.post("/api/v1/database/", &good).status, 400);
    for uri in [
        "sqlite:////etc/passwd",
        "sqlite+pysqlite:////etc/passwd",
        "sqlite+pysqlcipher:////etc/passwd",
        "sqlite+aiosqlite:////etc/passwd",
        "sqlite+anything:////etc/passwd",
        "shillelagh://",
        "shillelagh+apsw://",
    ] {
        for answer in [
            admin.post("/api/v1/database/", &json!({"database_name": "x", "sqlalchemy_uri": uri})),
            admin.put("/api/v1/database/1", &json!({"sqlalchemy_uri": uri})),
            admin.post("/api/v1/database/test_connection/", &json!({"sqlalchemy_uri": uri})),
        ] {
            let text = answer.text();
            assert!(answer.status >= 400, "{uri}: {} {text}", answer.status);
            assert!(text.contains("security reasons"), "{uri}: {text}");
        }
    }
    for uri in ["SQLite:////etc/passwd", "SQLITE+PYSQLITE:////etc/passwd", " sqlite:////etc/passwd"] {
        let (status, text) = tried(&mut admin, &json!({"sqlalchemy_uri": uri}));
        assert!(status >= 400 && !text.contains("OK"), "{uri}: {text}");
    }
}

/// Even where files are data sources, one of them never is.
#[test]
fn no_way_leads_to_the_metadata() {
    let server =
        Server::start_with_settings("metadata", &[("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false")]);
    let mut admin = server.admin();
    let file = server.home.join("data/superset.db");
    let (link, hard) = (server.home.join("link.db"), server.home.join("hard.db"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    std::fs::hard_link(&file, &hard).unwrap();
    let folder = server.home.join("folder");
    std::os::unix::fs::symlink(server.home.join("data"), &folder).unwrap();
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let number = open.filter_map(Result::ok).find(|e| std::fs::read_link(e.path()).is_ok_and(|l| l == file));
    let number = number.unwrap().file_name();
    let plain = file.display().to_string();
    let mut ways = vec![
        plain.clone(),
        link.display().to_string(),
        hard.display().to_string(),
        folder.join("superset.db").display().to_string(),
        format!("{}/./superset.db", server.home.join("data").display()),
        format!("{}/../data/superset.db", server.home.join("data").display()),
        format!("/proc/self/fd/{}", number.display()),
        format!("/proc/self/root{plain}"),
        format!("{plain}-wal"),
    ];
    for prefix in ["file:", "file://", "file:file:", "file:file://", "FILE:", "file:FILE:file:"] {
        for ending in ["", "?mode=ro", "%3Fmode=ro", "%3Fimmutable=1", "#x", "%23x"] {
            ways.push(format!("{prefix}{plain}{ending}"));
        }
    }
    for way in &ways {
        for slashes in ["sqlite:///", "sqlite+pysqlite:///"] {
            let body = json!({"database_name": "way", "sqlalchemy_uri": format!("{slashes}{way}"),
                              "expose_in_sqllab": true});
            let made = admin.post("/api/v1/database/", &body);
            if made.status >= 400 {
                continue;
            }
            // whatever else it opened
            let id = made.json()["id"].clone();
            let asked = json!({"database_id": id, "client_id": "way", "runAsync": false, "queryLimit": 10,
                               "sql": "SELECT password FROM ab_user"});
            let answer = admin.post("/api/v1/sqllab/execute/", &asked);
            assert!(answer.status >= 400 && !answer.text().contains("scrypt"), "{way}: {}", answer.text());
            assert_eq!(admin.delete(&format!("/api/v1/database/{id}")).status, 200);
        }
    }
    assert!(!tried(&mut admin, &json!({"sqlalchemy_uri": format!("sqlite:///{plain}")})).1.contains("OK"));
    let own = server.home.join("own.db");
    let body = json!({"database_name": "own", "sqlalchemy_uri": format!("sqlite:///{}", own.display()),
                      "expose_in_sqllab": true, "allow_dml": true});
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let stolen = server.home.join("stolen.db");
    for (n, sql) in [
        format!("ATTACH '{plain}' AS m"),
        format!("ATTACH ('{}' || '{}') AS m", &plain[..5], &plain[5..]),
        format!("ATTACH (SELECT '{plain}') AS m"),
        format!("ATTACH DATABASE 'file:{plain}?mode=ro' AS m"),
        format!("VACUUM INTO '{}'", stolen.display()),
        "PRAGMA writable_schema = 1".to_owned(),
        "PRAGMA journal_mode = OFF".to_owned(),
        format!("PRAGMA temp_store_directory = '{}'", server.home.display()),
        "SELECT load_extension('/tmp/x.so')".to_owned(),
        format!("SELECT readfile('{plain}')"),
        format!("SELECT writefile('{}', 'x')", stolen.display()),
        format!("CREATE VIRTUAL TABLE temp.c USING csv(filename='{plain}')"),
        "SELECT fts3_tokenizer('x', x'00')".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let asked = json!({"database_id": made.json()["id"], "client_id": format!("m{n}"), "runAsync": false,
                           "queryLimit": 10, "sql": sql});
        let answer = admin.post("/api/v1/sqllab/execute/", &asked);
        assert!(answer.status >= 400, "{sql}: {} {}", answer.status, answer.text());
        assert!(!stolen.exists(), "{sql}");
    }
}
