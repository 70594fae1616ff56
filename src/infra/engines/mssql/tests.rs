//! The promises of a driver, kept against a server written from the public description of the protocol
//! (`tests/servers/tds_protocol.py`): no SQL Server runs here.

use crate::error::ErrorType;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;
use crate::{
    engine_specs::{spec, url::Url},
    engines::column::{ColumnData, Scalar},
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
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/tds_protocol.py");
        let mut command = Command::new("python3");
        let mut child = command.arg(script).args(arguments).stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { child, port: line.trim().parse().unwrap() })
    }

    fn open(&self, login: &str, rest: &str) -> Arc<Database> {
        let uri = format!("mssql+pymssql://{login}@127.0.0.1:{}/{rest}?encryption=off", self.port);
        let source = Source { url: Url::parse(&uri).unwrap(), ..Source::default() };
        Arc::new(Database::new(&source, 2).unwrap())
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
    // a result with as many rows as are wanted leaves the connection as it was, also in the middle of a session
    let few = QueryOptions { max_rows: Some(3), ..reading() };
    let mut session = Box::new(db.begin(&few).await.unwrap());
    for _ in 0..3 {
        assert_eq!(session.query("SELECT rows 3").await.unwrap().row_count(), 3);
    }
    session.finish(false).await.unwrap();
    let size = QueryOptions { max_bytes: 1 << 20, ..reading() };
    assert_eq!(db.query("SELECT big 2000000", &size).await.unwrap_err(), EngineError::TooLarge(1));
    let limit = Duration::from_millis(200);
    let late = db.query("SELECT slow", &QueryOptions { timeout: limit, ..reading() }).await.unwrap_err();
    assert_eq!(late, EngineError::Timeout(limit));
    assert!(timeout(limit, db.query("SELECT slow", &reading())).await.is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let lines = journal(&db).await;
    assert_eq!(lines.iter().filter(|line| *line == "attention").count(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("SET TEXTSIZE 1048577")), "{lines:?}");
    // a server that does not even answer to that holds nobody up
    assert!(timeout(limit, db.query("SELECT hang", &reading())).await.is_err());
    assert!(db.query("SELECT 1", &reading()).await.is_ok());
}

/// A value that never ends is left when it is too large, by whatever way it is asked for.
#[tokio::test]
async fn a_row_without_an_end() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    let options = QueryOptions { max_bytes: 2 << 20, ..reading() };
    assert_eq!(db.query("SELECT endless", &options).await.unwrap_err(), EngineError::TooLarge(2));
    let mut session = Box::new(db.begin(&options).await.unwrap());
    assert_eq!(session.query("SELECT endless").await.unwrap_err(), EngineError::TooLarge(2));
    drop(session);
    let (out, mut batches) = tokio::sync::mpsc::channel(2);
    let asking = db.clone();
    let asked = tokio::spawn(async move { asking.batches("SELECT endless", &options, 9, &out).await });
    assert_eq!(batches.recv().await, None);
    assert_eq!(asked.await.unwrap(), Err(EngineError::TooLarge(2)));
    // rows that each are small enough may be many
    let many = QueryOptions { max_bytes: 16 << 20, ..reading() };
    assert_eq!(db.query("SELECT rows 100000", &many).await.unwrap().row_count(), 100_000);
}

#[tokio::test]
async fn whoever_may_not_write_has_the_transaction_undone() {
    let server = server!();
    let db = server.open("sa:Passw0rd!", "d");
    db.query("SELECT rows 2", &reading()).await.unwrap();
    let error = db.query("SELECT 1; COMMIT; DROP TABLE t", &reading()).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    db.query("DROP TABLE t", &QueryOptions { allow_write: true, ..reading() }).await.unwrap();
    let mut session = Box::new(db.begin(&reading()).await.unwrap());
    session.query("SELECT 1").await.unwrap();
    assert!(session.query("DELETE FROM t").await.is_err());
    session.finish(true).await.unwrap();
    let lines = journal(&db).await;
    let ends: Vec<_> = lines.iter().filter_map(|l| l.strip_prefix("IF @@TRANCOUNT > 0 ")).collect();
    assert_eq!(ends, ["ROLLBACK TRANSACTION", "COMMIT TRANSACTION", "ROLLBACK TRANSACTION"], "{lines:?}");
    assert_eq!(lines.iter().filter(|l| l.contains("DROP") || l.contains("DELETE")).count(), 1, "{lines:?}");
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
        ("sa:wrong", "d", ErrorType::ConnectionAccessDeniedError),
        ("sa:Passw0rd!", "nope", ErrorType::ConnectionAccessDeniedError),
    ] {
        let error = server.open(login, rest).ping().await.unwrap_err();
        let found = spec.extract_errors(&error.to_string(), &[("username", "sa"), ("database", rest)]);
        assert_eq!(found[0].error_type, kind, "{error}");
        assert!(!error.to_string().contains("wrong"));
    }
    let closed = Source { url: Url::parse("mssql://sa:x@127.0.0.1:1/d").unwrap(), ..Source::default() };
    let error = Database::new(&closed, 1).unwrap().ping().await.unwrap_err();
    assert_eq!(
        spec.extract_errors(&error.to_string(), &[])[0].error_type,
        ErrorType::ConnectionPortClosedError
    );
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

/// A certificate of an authority of its own for 127.0.0.1, made by OpenSSL; gone at the end.
struct Certificates(std::path::PathBuf);

impl Certificates {
    fn make() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("liteset-tds-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let made = Self(folder);
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let steps: [&[&str]; 3] = [
            &["req", "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority"],
            &["req", "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=server"],
            &[
                "x509",
                "-req",
                "-in",
                "request.pem",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                "names",
                "-out",
                "server.pem",
            ],
        ];
        std::fs::write(made.0.join("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
            .unwrap();
        for step in steps {
            let mut command = Command::new("openssl");
            command.args(step).args(if step[0] == "req" { &curve[..] } else { &[] });
            let done = command.current_dir(&made.0).stderr(Stdio::null()).status().ok()?;
            assert!(done.success(), "{step:?}");
        }
        let both = made.text("key.pem") + &made.text("server.pem");
        std::fs::write(made.0.join("both.pem"), both).unwrap();
        Some(made)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How the log-in and a statement travelled, or why not.
async fn encrypted(port: u16, driver: &str, query: &str, ca: Option<String>) -> Result<(bool, bool), String> {
    let uri = format!("mssql+{driver}://sa:Passw0rd!@127.0.0.1:{port}/d?{query}");
    let source = Source { url: Url::parse(&uri).unwrap(), server_cert: ca, ..Source::default() };
    let db = Database::new(&source, 1).map_err(|e| e.to_string())?;
    let found = db.query("SELECT encrypted", &reading()).await.map_err(|e| e.to_string())?;
    let yes = |at: usize| found.data[at].get(0) == Scalar::Text("True".into());
    Ok((yes(0), yes(1)))
}

/// What the options ask for is what happens, whatever the server can; and who is asked to look at the certificate does.
#[tokio::test]
async fn encryption_is_what_was_asked_for() {
    let Some(certificates) = Certificates::make() else { return println!("skipped: no openssl") };
    let both = certificates.0.join("both.pem");
    let mut servers = std::collections::HashMap::new();
    for level in ["off", "login", "required", "strict"] {
        let arguments = ["--encryption", level, "--certificate", both.to_str().unwrap()];
        let Some(server) = TdsProtocol::start_with(&arguments) else {
            return println!("skipped: no python3");
        };
        servers.insert(level, server);
    }
    let ca = || Some(certificates.text("ca.pem"));
    let (trusts, asks) = ("Encrypt=yes&TrustServerCertificate=yes", "Encrypt=yes");
    let nothing = Ok((false, false));
    let login = Ok((true, false));
    let all = Ok((true, true));
    for (level, driver, query, checked, want) in [
        // the server decides; one that knows no encryption at all is not trusted without a word
        ("off", "pymssql", "", false, None),
        ("off", "pymssql", "encryption=off", false, Some(&nothing)),
        ("login", "pymssql", "", false, Some(&login)),
        ("required", "pymssql", "", false, Some(&all)),
        // nothing is encrypted, and where it must be there is no connection
        ("login", "pymssql", "encryption=off", false, Some(&nothing)),
        ("required", "pymssql", "encryption=off", false, None),
        // everything is, and where it cannot be there is no connection
        ("login", "pymssql", "encryption=require", false, Some(&all)),
        ("required", "pymssql", "encryption=require", false, Some(&all)),
        ("off", "pymssql", "encryption=require", false, None),
        ("required", "pyodbc", trusts, false, Some(&all)),
        ("off", "pyodbc", trusts, false, None),
        // a certificate that nobody vouches for, and one that the connection vouches for
        ("required", "pyodbc", asks, false, None),
        ("required", "pyodbc", "Encrypt=yes&TrustServerCertificate=no", false, None),
        ("required", "pymssql", "encryption=require&TrustServerCertificate=no", false, None),
        ("required", "pyodbc", asks, true, Some(&all)),
        ("login", "pyodbc", asks, true, Some(&all)),
        // encrypted from the first byte
        ("strict", "pyodbc", "Encrypt=strict", true, Some(&all)),
        ("strict", "pyodbc", "Encrypt=strict", false, None),
        ("strict", "pyodbc", "Encrypt=strict&TrustServerCertificate=yes", false, Some(&all)),
        ("required", "pyodbc", "Encrypt=strict", true, None),
    ] {
        let found = encrypted(servers[level].port, driver, query, if checked { ca() } else { None }).await;
        match want {
            Some(want) => assert_eq!(&found, want, "{level} {driver} {query}"),
            None => {
                let error = found.expect_err(&format!("{level} {driver} {query}"));
                assert!(!error.contains("Passw0rd"), "{error}");
            }
        }
    }
}
