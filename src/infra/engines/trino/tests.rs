//! Against `tests/servers/trino_protocol.py`, which speaks the protocol and is no engine.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::*;
use crate::{
    engine_specs::url::Url,
    engines::{column::Scalar, driver::Inspect as _},
};

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/trino_protocol.py");
        let mut command = Command::new("python3");
        command.arg(script);
        let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
            eprintln!("skipped: python3 is not installed");
            return None;
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { child, port: line.trim().parse().unwrap() })
    }

    fn database(&self, backend: &str, user: &str) -> Database {
        let flavour = if backend == "trino" { Flavour::Trino } else { Flavour::Presto };
        let uri = format!("{backend}://{user}127.0.0.1:{}/hive/web?allow_insecure_auth=true", self.port);
        Database::new(&Source { url: Url::parse(&uri).unwrap(), ..Source::default() }, flavour, 4).unwrap()
    }

    async fn seen(&self) -> serde_json::Value {
        let body = reqwest::Client::builder()
            .tls_backend_preconfigured(crate::pg::client_config(&crate::pg::Verify::Nothing).unwrap());
        let client = body.no_proxy().build().unwrap();
        let answer = client.get(format!("http://127.0.0.1:{}/_seen", self.port)).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Waits until the server has nothing open.
    async fn quiet(&self) {
        for _ in 0..100 {
            let seen = self.seen().await;
            if seen["running"] == serde_json::json!([]) && seen["transactions"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("something is left open: {}", self.seen().await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn options() -> QueryOptions {
    QueryOptions { timeout: Duration::from_secs(20), ..QueryOptions::default() }
}

fn debug_values(found: &ResultSet) -> Vec<String> {
    found.data.iter().map(|column| format!("{:?}", column.get(0))).collect()
}

#[tokio::test]
async fn values_of_both_drivers() {
    let Some(server) = Server::start() else { return };
    let found = server.database("trino", "ann:secret@").query("SELECT all_types", &options()).await.unwrap();
    assert_eq!(
        debug_values(&found),
        [
            "Bool(true)",
            "Int(9007199254740993)",
            "Float(NaN)",
            "Float(1.5)",
            "Decimal(BigDecimal(sign=Minus, scale=2, digits=[120]))",
            "Text(\"größe\")",
            "Bytes([0, 255])",
            "Date(2020-01-02)",
            "Timestamp(2020-01-02T03:04:05.678)",
            "TimestampTz(2020-07-01T12:00:00, 7200)",
            "Time(01:02:03.500)",
            "Interval(86400500000)",
            "Json(Array [Number(1.5), Null])",
            "Json(Object {\"a\": Number(1)})",
            "Json(Array [Number(1), String(\"2020-01-02T03:04:05\")])",
            "Text(\"61f0c404-5cb3-11e7-907b-a6006ad3dba0\")",
            "Text(\"{\\\"a\\\": 1}\")",
            "Null",
        ]
    );
    assert_eq!(found.columns[9].sql_type, "timestamp(3) with time zone");
    let found = server.database("presto", "").query("SELECT all_types", &options()).await.unwrap();
    assert_eq!(found.data[7].get(0), Scalar::Text("2020-01-02".into()));
    server.quiet().await;
}

#[tokio::test]
async fn pages_limits_and_batches() {
    let Some(server) = Server::start() else { return };
    let db = server.database("trino", "");
    let all = db.query("SELECT many", &options()).await.unwrap();
    assert_eq!((all.row_count(), all.data[0].get(24_999)), (25_000, Scalar::Int(24_999)));
    let few = QueryOptions { max_rows: Some(5), ..options() };
    assert_eq!(db.query("SELECT many", &few).await.unwrap().row_count(), 5);
    let small = QueryOptions { max_bytes: 100_000, ..options() };
    assert_eq!(db.query("SELECT many", &small).await.unwrap_err(), EngineError::TooLarge(0));
    assert_eq!(db.query("SELECT huge", &small).await.unwrap_err(), EngineError::TooLarge(0));
    let (out, mut batches) = tokio::sync::mpsc::channel::<Result<ResultSet, EngineError>>(2);
    let reader = async {
        let (mut rows, mut count) = (0, 0);
        while let Some(batch) = batches.recv().await {
            rows += batch.unwrap().row_count();
            count += 1;
        }
        (rows, count)
    };
    let options = options();
    let writer = async {
        db.batches("SELECT many", &options, 10_000, &out).await.unwrap();
        drop(out);
    };
    assert_eq!(tokio::join!(reader, writer).0, (25_000, 5));
    server.quiet().await;
}

#[tokio::test]
async fn writes_are_refused_by_the_server() {
    let Some(server) = Server::start() else { return };
    for backend in ["trino", "presto"] {
        let db = server.database(backend, "");
        let error = db.query("CREATE TABLE no (a int)", &options()).await.unwrap_err();
        assert!(error.to_string().contains("read-only transaction"), "{error}");
        let write = QueryOptions { allow_write: true, ..options() };
        db.query("CREATE TABLE yes (a int)", &write).await.unwrap();
    }
    server.quiet().await;
    assert_eq!(server.seen().await["written"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn time_cancelling_and_progress() {
    let Some(server) = Server::start() else { return };
    let db = server.database("trino", "");
    let short = Duration::from_millis(700);
    for sql in ["SELECT slow", "SELECT hang"] {
        let error = db.query(sql, &QueryOptions { timeout: short, ..options() }).await.unwrap_err();
        assert_eq!(error, EngineError::Timeout(short));
    }
    server.quiet().await;
    assert!(tokio::time::timeout(short, db.query("SELECT slow", &options())).await.is_err());
    server.quiet().await;
    let (sender, mut progress) = tokio::sync::watch::channel(crate::engines::Progress::default());
    let asked = QueryOptions { progress: Some(sender), ..options() };
    let killer = async {
        let seen = progress.wait_for(|p| p.percent > 40.0).await.unwrap().clone();
        db.cancel(&seen.query_id.unwrap()).await.unwrap();
    };
    let (error, ()) = tokio::join!(db.query("SELECT slow", &asked), killer);
    assert!(error.unwrap_err().to_string().contains("ADMINISTRATIVELY_KILLED"));
    server.quiet().await;
}

#[tokio::test]
async fn errors() {
    let Some(server) = Server::start() else { return };
    let db = server.database("trino", "");
    let error = db.query("SELECT nope FROM towns", &options()).await.unwrap_err();
    let EngineError::Statement { class, message } = &error else { panic!("{error:?}") };
    assert_eq!(class, "trino.exceptions.TrinoUserError");
    assert!(message.contains("name=COLUMN_NOT_FOUND, message=\"line 1:8: Column 'nope'"), "{message}");
    let error = db.query("SELECT die", &options()).await.unwrap_err();
    assert!(error.to_string().contains("Connection aborted"), "{error}");
    let wrong = server.database("trino", "ann:wrong@").ping().await.unwrap_err();
    assert_eq!(wrong, EngineError::Unauthorized("error 401: Unauthorized".into()));
    let wrong = server.database("presto", "").query("SELECT nope FROM towns", &options()).await.unwrap_err();
    assert_eq!(wrong.to_string(), "line 1:8: Column 'nope' cannot be resolved");
    for (uri, want) in [
        ("trino://127.0.0.1:1/x", "[Errno 111] Connection refused"),
        ("trino://no-such-host.invalid/x", "[Errno -2] Name or service not known"),
    ] {
        let source = Source { url: Url::parse(uri).unwrap(), ..Source::default() };
        let error = Database::new(&source, Flavour::Trino, 1).unwrap().ping().await.unwrap_err();
        assert!(matches!(&error, EngineError::Connect(text) if text.contains(want)), "{uri}: {error:?}");
    }
    server.quiet().await;
}

#[tokio::test]
async fn what_there_is() {
    let Some(server) = Server::start() else { return };
    for backend in ["trino", "presto"] {
        let db = server.database(backend, "");
        assert_eq!(db.catalogs().await.unwrap(), ["hive", "system"]);
        assert!(db.schemas().await.unwrap().contains(&"web".to_owned()));
        assert_eq!(db.tables("web").await.unwrap(), ["towns"]);
        assert_eq!(db.views("web").await.unwrap(), ["big_towns"]);
        let columns = db.columns("web", "towns").await.unwrap();
        let at = if backend == "trino" { "TIMESTAMP(3)" } else { "TIMESTAMP" };
        assert_eq!((columns[0].type_.as_str(), columns[2].type_.as_str()), ("VARCHAR(20)", at));
        assert_eq!(db.columns("web", "nope").await.unwrap(), []);
        assert_eq!(db.indexes("web", "towns").await.unwrap()[0].columns, ["ds"]);
        assert!(db.function_names().await.unwrap().unwrap().contains(&"abs".to_owned()));
    }
    let comment = server.database("trino", "").table_comment("web", "towns").await.unwrap();
    assert_eq!(comment.as_deref(), Some("Towns of the web"));
    server.quiet().await;
}
