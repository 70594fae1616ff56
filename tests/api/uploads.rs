//! Files that become tables: larger than any buffer, larger than allowed, from people who may not, and half of one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, multipart, postgres_uri};

/// A server whose uploads may have 4 MB.
fn server() -> Server {
    let settings = [("LITESET_MAX_UPLOAD_MB", "4"), ("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false")];
    Server::start_with_settings("uploads", &settings)
}

/// A database that takes files.
fn add(admin: &mut Client, name: &str, uri: &str) -> i64 {
    let body = json!({"database_name": name, "sqlalchemy_uri": uri, "allow_file_upload": true, "allow_dml": true,
                      "expose_in_sqllab": true});
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_i64().unwrap()
}

/// The rows of a statement.
fn rows(admin: &mut Client, database: i64, sql: &str) -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("up{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let body = json!({"database_id": database, "sql": sql, "client_id": id, "runAsync": false,
                      "queryLimit": 10, "tab": "uploads", "sql_editor_id": "1"});
    let answer = admin.post("/api/v1/sqllab/execute/", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].clone()
}

fn send(client: &mut Client, database: i64, table: &str, exists: &str, content: &[u8]) -> Answer {
    let fields = [("type", "csv"), ("table_name", table), ("already_exists", exists), ("delimiter", ",")];
    client.post_file(&format!("/api/v1/database/{database}/upload/"), &fields, "t.csv", content)
}

/// 3 MB whose last rows decide the types of two columns.
fn large() -> Vec<u8> {
    let mut text = String::from("id,number,text,day\n");
    for i in 0..40_000 {
        let (number, mixed) =
            if i < 39_000 { (i.to_string(), i.to_string()) } else { ("0.5".into(), "ü\"\"x".into()) };
        text.push_str(&format!("{i},{number},\"{mixed}\",2024-01-02 03:04:05 {:>40}\n", ""));
    }
    text.into_bytes()
}

#[test]
fn a_file_larger_than_any_buffer() {
    let server = server();
    let mut admin = server.admin();
    let file = server.home.join("target.db");
    let mut databases = vec![add(&mut admin, "file", &format!("sqlite:///{}", file.display()))];
    databases.extend(postgres_uri().map(|uri| add(&mut admin, "server", &uri)));
    let content = large();
    assert!(content.len() > 3 << 20);
    for id in databases {
        // the metadata in SQLite has each name once
        let table = format!("liteset_upload_{}_{id}", std::process::id());
        let sent = send(&mut admin, id, &table, "replace", &content);
        assert_eq!(sent.status, 201, "{} {}", sent.text(), server.log());
        let found = rows(
            &mut admin,
            id,
            &format!("SELECT count(*) AS n, sum(number) AS s, max(id) AS m, min(text) AS t FROM {table}"),
        );
        assert_eq!(
            (&found[0]["n"], &found[0]["m"], &found[0]["t"]),
            (&json!(40_000), &json!(39_999), &json!("0"))
        );
        let sum = (0..39_000).sum::<i64>() as f64 + 500.0;
        assert!((found[0]["s"].as_f64().unwrap() - sum).abs() < 0.1, "{found}");
        let last = rows(&mut admin, id, &format!("SELECT text FROM {table} WHERE id = 39999"));
        assert_eq!(last[0]["text"], "ü\"x");
        let again = send(&mut admin, id, &table, "fail", b"id\n1\n");
        assert!(again.status == 422 && again.text().contains("already exists"), "{}", again.text());
        if let Some(uri) = postgres_uri().filter(|_| id > 2) {
            drop_table(&uri, &table);
        }
    }
    let names = admin.post_file("/api/v1/database/upload_metadata/", &[("type", "csv")], "t.csv", &content);
    assert_eq!(names.json()["result"]["items"][0]["column_names"], json!(["id", "number", "text", "day"]));
}

fn drop_table(uri: &str, table: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(uri, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute(&format!("DROP TABLE IF EXISTS {table}")).await.unwrap();
        drop(client);
        let _ = driver.await;
    });
}

/// A row that the table refuses undoes those before it.
#[test]
fn all_rows_or_none() {
    let server = server();
    let mut admin = server.admin();
    let file = server.home.join("target.db");
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch("CREATE TABLE t (id INTEGER, CHECK (id < 5000))").unwrap();
    let id = add(&mut admin, "file", &format!("sqlite:///{}", file.display()));
    let content: String = (0..6_000).map(|i| format!("{i}\n")).collect();
    let refused = send(&mut admin, id, "t", "append", format!("id\n{content}").as_bytes());
    assert!(refused.status == 422 && refused.text().contains("CHECK"), "{}", refused.text());
    assert_eq!(rows(&mut admin, id, "SELECT count(*) AS n FROM t"), json!([{"n": 0}]));
    // and one that cannot be read is found before any is written
    let broken = format!("id\n{content}1,2,3\n");
    let refused = send(&mut admin, id, "u", "fail", broken.as_bytes());
    assert!(refused.text().contains("Expected 1 fields in line 6002, saw 3"), "{}", refused.text());
    let none = "SELECT count(*) AS n FROM sqlite_master WHERE name = 'u'";
    assert_eq!(db.query_row(none, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn files_that_are_too_large() {
    let server = server();
    let mut admin = server.admin();
    let path = "/api/v1/database/upload_metadata/";
    let answer = head(&server, &admin, path, 5 << 20, b"");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // what is sent without its length is counted
    let (kind, body) = multipart(&[("type", "csv")], "t.csv", &vec![b'x'; 5 << 20]);
    let head = format!("{}transfer-encoding: chunked\r\ncontent-type: {kind}\r\n\r\n", start(&admin, path));
    let mut socket = open(&server);
    socket.write_all(head.as_bytes()).unwrap();
    for piece in body.chunks(64 << 10) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        // it need not listen to the end
        if socket.write_all(&chunk).is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    // the answer may be lost with the connection, a good one cannot be
    if socket.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    assert_eq!(admin.get("/health").status, 200);
}

/// Nothing of a large file is taken from people who may not upload.
#[test]
fn who_may_not_upload_is_told_so_at_once() {
    let server = server();
    let path = "/api/v1/database/1/upload/";
    let (gamma, _) = server.person("g", "Gamma");
    let answer = head(&server, &gamma, path, 3 << 20, b"");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let mut nobody = server.anonymous();
    nobody.csrf = "x".into();
    let answer = head(&server, &nobody, path, 3 << 20, b"");
    // as before a small file: without a token of ours the log-in page
    assert!(answer.starts_with("HTTP/1.1 302"), "{answer}");
}

#[test]
fn half_a_file_leaves_nothing() {
    let server = server();
    let admin = server.admin();
    let path = "/api/v1/database/upload_metadata/";
    let (kind, body) = multipart(&[("type", "csv")], "t.csv", &vec![b'x'; 3 << 20]);
    let head =
        format!("{}content-length: {}\r\ncontent-type: {kind}\r\n\r\n", start(&admin, path), body.len());
    let mut socket = open(&server);
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&body[..2 << 20]).unwrap();
    let folder = server.home.join("data/tmp");
    wait("a file that is written", || spools(&server) > 0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "it has no name");
    drop(socket);
    wait("its end", || spools(&server) == 0);
}

/// Files of uploads that the server holds open.
fn spools(server: &Server) -> usize {
    let folder = server.home.join("data/tmp");
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let links = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|target| target.starts_with(&folder)).count()
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket
}

fn start(client: &Client, path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\nx-csrftoken: {}\r\naccept: application/json\r\n",
        client.cookie(),
        client.csrf
    )
}

/// The first line of the answer to a form that tells its length and sends no more than its beginning.
fn head(server: &Server, client: &Client, path: &str, length: usize, beginning: &[u8]) -> String {
    let mut socket = open(server);
    let head = format!(
        "{}content-length: {length}\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n",
        start(client, path)
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(beginning).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
