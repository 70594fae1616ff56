//! The promises of a driver, kept against a server written from the public description of the protocol
//! (`tests/servers/tds_protocol.py`): no SQL Server runs here.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;
use crate::engines::{
    column::{ColumnData, Scalar},
    spec,
    url::Url,
};

/// The server, ended with the test.
struct TdsProtocol {
    child: Child,
    port: u16,
}

impl Drop for TdsProtocol {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TdsProtocol {
    fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/tds_protocol.py");
        let mut child = Command::new("python3").arg(script).stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { child, port: line.trim().parse().unwrap() })
    }

    fn open(&self, login: &str, rest: &str) -> Arc<Database> {
        let uri = format!("mssql+pymssql://{login}@127.0.0.1:{}/{rest}?encryption=off", self.port);
        let source = Source { url: Url::parse(&uri).unwrap(), ..Source::default() };
        Arc::new(Database::new(&source, 2))
    }
}

fn reading() -> QueryOptions {
    QueryOptions { timeout: Duration::from_secs(20), ..QueryOptions::default() }
}

macro_rules! server {
    () => {
        match TdsProtocol::start() {
            Some(server) => server,
            None => return println!("skipped: no python3"),
        }
    };
}

async fn journal(db: &Arc<Database>) -> Vec<String> {
    let found = db.query("SELECT journal", &reading()).await.unwrap();
    let text = |i| match found.data[0].get(i) {
        Scalar::Text(t) => t.into_string(),
        other => panic!("{other:?}"),
    };
    (0..found.row_count()).map(text).collect()
}

#[tokio::test]
async fn every_type_over_the_protocol() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    db.ping().await.unwrap();
    let found = db.query("SELECT types", &reading()).await.unwrap();
    let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 2).unwrap();
    let at = |h, m, s, us| day.and_hms_micro_opt(h, m, s, us).unwrap();
    for (name, type_, want) in [
        ("bit", "BIT", Scalar::Bool(true)),
        ("tinyint", "TINYINT", Scalar::Int(255)),
        ("smallint", "SMALLINT", Scalar::Int(-2)),
        ("int", "INT", Scalar::Int(-3)),
        ("bigint", "BIGINT", Scalar::Int(1 << 62)),
        ("real", "REAL", Scalar::Float(1.5)),
        ("float", "FLOAT", Scalar::Float(2.25)),
        ("money", "MONEY", Scalar::Decimal("12.3456".parse().unwrap())),
        ("decimal", "DECIMAL", Scalar::Decimal("-10.50".parse().unwrap())),
        ("guid", "UNIQUEIDENTIFIER", Scalar::Text("550e8400-e29b-41d4-a716-446655440000".into())),
        ("date", "DATE", Scalar::Date(day)),
        ("time", "TIME", Scalar::Time(at(12, 0, 0, 123_456).time())),
        ("datetime", "DATETIME", Scalar::Timestamp(at(1, 1, 1, 7000))),
        ("smalldatetime", "DATETIME", Scalar::Timestamp(at(1, 1, 0, 0))),
        ("datetime2", "DATETIME2", Scalar::Timestamp(at(12, 0, 0, 123_456))),
        ("datetimeoffset", "DATETIMEOFFSET", Scalar::TimestampTz(at(14, 0, 0, 123_456), 7200)),
        ("varbinary", "VARBINARY", Scalar::Bytes(vec![0, 255])),
        ("varchar", "VARCHAR", Scalar::Text("café".into())),
        ("nvarchar", "NVARCHAR", Scalar::Text("ü".into())),
        ("max", "NVARCHAR", Scalar::Text("x".repeat(10_000).into())),
        ("nothing", "INT", Scalar::Null),
    ] {
        let at = found.columns.iter().position(|c| c.name == name).unwrap();
        assert_eq!(found.columns[at].sql_type, type_, "{name}");
        assert_eq!(found.data[at].get(0), want, "{name}");
    }
}

#[tokio::test]
async fn limits_and_a_statement_that_is_given_up() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    let few = db.query("SELECT rows 100000", &QueryOptions { max_rows: Some(3), ..reading() }).await.unwrap();
    assert_eq!(few.data[0], ColumnData::Int(vec![Some(0), Some(1), Some(2)]));
    let size = QueryOptions { max_bytes: 1 << 20, ..reading() };
    assert_eq!(db.query("SELECT big 2000000", &size).await.unwrap_err(), EngineError::TooLarge(1));
    let limit = Duration::from_millis(200);
    let late = db.query("SELECT slow", &QueryOptions { timeout: limit, ..reading() }).await.unwrap_err();
    assert_eq!(late, EngineError::Timeout(limit));
    assert!(timeout(limit, db.query("SELECT slow", &reading())).await.is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = journal(&db).await;
    assert_eq!(told.iter().filter(|line| *line == "attention").count(), 2, "{told:?}");
    assert!(told.iter().any(|line| line.contains("SET TEXTSIZE 1048577")), "{told:?}");
    // a server that does not even answer to that holds nobody up
    assert!(timeout(limit, db.query("SELECT hang", &reading())).await.is_err());
    assert!(db.query("SELECT 1", &reading()).await.is_ok());
}

#[tokio::test]
async fn whoever_may_not_write_has_the_transaction_undone() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    db.query("SELECT rows 2", &reading()).await.unwrap();
    let error = db.query("SELECT 1; COMMIT; DROP TABLE t", &reading()).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    db.query("DROP TABLE t", &QueryOptions { allow_write: true, ..reading() }).await.unwrap();
    let mut session = db.session(&reading()).await.unwrap();
    session.query("SELECT 1").await.unwrap();
    assert!(session.query("DELETE FROM t").await.is_err());
    session.finish(true).await.unwrap();
    let told = journal(&db).await;
    let ends: Vec<_> = told.iter().filter_map(|l| l.strip_prefix("IF @@TRANCOUNT > 0 ")).collect();
    assert_eq!(ends, ["ROLLBACK TRANSACTION", "COMMIT TRANSACTION", "ROLLBACK TRANSACTION"], "{told:?}");
    assert_eq!(told.iter().filter(|l| l.contains("DROP") || l.contains("DELETE")).count(), 1, "{told:?}");
}

#[tokio::test]
async fn failures_have_pymssqls_words() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    let failed = db.query("SELECT fail", &reading()).await.unwrap_err();
    let EngineError::Statement { class, message } = &failed else { panic!("{failed:?}") };
    assert_eq!(class, "pymssql.exceptions.ProgrammingError");
    assert!(
        message.starts_with("(208, b\"Invalid object name 'nope'.DB-Lib error message 20018"),
        "{message}"
    );
    assert!(db.query("SELECT 1", &reading()).await.is_ok());
    assert!(matches!(db.query("SELECT break", &reading()).await, Err(EngineError::Connect(_))));
    let spec = spec("mssql", None);
    for (login, rest, kind) in [
        ("sa:wrong", "d", "CONNECTION_ACCESS_DENIED_ERROR"),
        ("sa:Passw0rd!", "nope", "CONNECTION_ACCESS_DENIED_ERROR"),
    ] {
        let error = server.open(login, rest).ping().await.unwrap_err();
        let found = spec.extract_errors(&error.to_string(), &[("username", "sa"), ("database", rest)]);
        assert_eq!(found[0].error_type, kind, "{error}");
        assert!(!error.to_string().contains("wrong"));
    }
    let closed = Source { url: Url::parse("mssql://sa:x@127.0.0.1:1/d").unwrap(), ..Source::default() };
    let error = Arc::new(Database::new(&closed, 1)).ping().await.unwrap_err();
    assert_eq!(spec.extract_errors(&error.to_string(), &[])[0].error_type, "CONNECTION_PORT_CLOSED_ERROR");
}

#[tokio::test]
async fn rows_come_in_batches() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    let (out, mut batches) = tokio::sync::mpsc::channel(2);
    let options = QueryOptions { max_rows: Some(5), ..reading() };
    tokio::spawn(async move { db.batches("SELECT rows 100", &options, 4, &out).await });
    let mut sizes = Vec::new();
    while let Some(batch) = batches.recv().await {
        sizes.push(batch.unwrap().row_count());
    }
    assert_eq!(sizes, [2, 2, 1]);
}
