//! Against ClickHouse's own engine, where `LITESET_TEST_PYTHON` names a Python that has the package chdb.

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

struct House {
    child: Child,
    port: u16,
    _folder: tempfile_folder::Folder,
}

/// A folder that goes with the test.
mod tempfile_folder {
    pub struct Folder(pub std::path::PathBuf);
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

impl House {
    fn start(name: &str) -> Option<Self> {
        let Ok(python) = std::env::var("LITESET_TEST_PYTHON") else {
            eprintln!("skipped: LITESET_TEST_PYTHON does not name a Python with chdb");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("liteset-chdb-{}-{name}", std::process::id()));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/clickhouse_chdb.py");
        let mut child = Command::new(python)
            .args([script, folder.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(port) = line.trim().parse() else {
            let _ = child.wait();
            eprintln!("skipped: chdb is not installed");
            return None;
        };
        Some(Self { child, port, _folder: tempfile_folder::Folder(folder) })
    }

    fn database(&self, user: &str) -> Database {
        let uri = format!("clickhousedb+connect://{user}127.0.0.1:{}/default", self.port);
        Database::new(&Source { url: Url::parse(&uri).unwrap(), ..Source::default() }, 4).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn options() -> QueryOptions {
    QueryOptions { timeout: Duration::from_secs(20), ..QueryOptions::default() }
}

fn write() -> QueryOptions {
    QueryOptions { allow_write: true, ..options() }
}

async fn one(db: &Database, sql: &str) -> Scalar {
    let found = db.query(sql, &options()).await.unwrap();
    assert_eq!(found.row_count(), 1, "{sql}");
    found.data[0].get(0)
}

/// How the engine itself writes each type must be what the reader reads.
#[tokio::test]
async fn live_values() {
    let Some(house) = House::start("values") else { return };
    let db = house.database("");
    let json = Scalar::Json;
    for (sql, want) in [
        ("toUInt64(18446744073709551615)", Scalar::Decimal(u64::MAX.into())),
        ("toInt8(-7)", Scalar::Int(-7)),
        ("toInt256('-5')", Scalar::Text("-5".into())),
        ("toUInt128('340282366920938463463374607431768211455')", Scalar::Text(u128::MAX.to_string().into())),
        ("toDecimal64('-1.230', 3)", Scalar::Decimal("-1.230".parse().unwrap())),
        ("toDecimal256('123456789012345678901234567890.5', 2)", {
            Scalar::Decimal("123456789012345678901234567890.50".parse().unwrap())
        }),
        ("CAST(1.5 AS BFloat16)", Scalar::Float(1.5)),
        ("toFloat32(0.1)", Scalar::Float(f64::from(0.1_f32))),
        ("CAST('a' AS LowCardinality(Nullable(String)))", Scalar::Text("a".into())),
        ("CAST(NULL AS Nullable(Int8))", Scalar::Null),
        ("CAST('b' AS Enum8('a,' = -1, 'b' = 2))", Scalar::Text("b".into())),
        ("toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", {
            Scalar::Text("61f0c404-5cb3-11e7-907b-a6006ad3dba0".into())
        }),
        ("toIPv4('10.1.2.3')", Scalar::Text("10.1.2.3".into())),
        ("toIPv6('2001:db8::1')", Scalar::Text("2001:db8::1".into())),
        ("toFixedString('ab', 4)", Scalar::Text("ab".into())),
        ("unhex('ff00')", Scalar::Text("ff00".into())),
        ("true", Scalar::Bool(true)),
        ("[1, NULL]", json(serde_json::json!([1, null]))),
        ("map('a', [toUUID('00000000-0000-0000-0000-000000000001')])", {
            json(serde_json::json!({"a": ["00000000-0000-0000-0000-000000000001"]}))
        }),
        ("tuple(1, 'x')", json(serde_json::json!([1, "x"]))),
        ("CAST((1, 'x') AS Tuple(a Int8, b String))", json(serde_json::json!({"a": 1, "b": "x"}))),
        ("INTERVAL 3 DAY", Scalar::Int(3)),
        ("(1.0, 2.0)::Point", json(serde_json::json!([1.0, 2.0]))),
        ("'{\"a\":{\"b\":1}}'::JSON", Scalar::Text("{\"a\":{\"b\":1}}".into())),
        ("'x'::Variant(Int8, String)", Scalar::Text("x".into())),
    ] {
        assert_eq!(one(&db, &format!("SELECT {sql}")).await, want, "{sql}");
    }
    let days = one(&db, "SELECT toString(tuple(toDate('2149-06-06'), toDate32('1900-01-01')))").await;
    assert_eq!(days, Scalar::Text("('2149-06-06','1900-01-01')".into()));
    let found = db
        .query(
            "SELECT toDate('2149-06-06'), toDate32('1900-01-01'), toDateTime('2020-01-02 03:04:05', 'UTC'), \
             toDateTime64('1969-12-31 23:59:59.123', 3, 'UTC'), toDateTime('2020-07-02 03:04:05', 'Europe/Berlin')",
            &options(),
        )
        .await
        .unwrap();
    let shown: Vec<String> = found.data.iter().map(|c| format!("{:?}", c.get(0))).collect();
    assert_eq!(
        shown,
        [
            "Date(2149-06-06)",
            "Date(1900-01-01)",
            "Timestamp(2020-01-02T03:04:05)",
            "Timestamp(1969-12-31T23:59:59.123)",
            "TimestampTz(2020-07-02T03:04:05, 7200)"
        ]
    );
    assert_eq!(found.columns[4].sql_type, "DateTime('Europe/Berlin')");
    let unread = db.query("SELECT sumState(1)", &options()).await.unwrap_err();
    assert!(unread.to_string().contains("AggregateFunction"), "{unread}");
}

#[tokio::test]
async fn live_limits_and_batches() {
    let Some(house) = House::start("limits") else { return };
    let db = house.database("reader:secret@");
    let five = QueryOptions { max_rows: Some(5), ..options() };
    let few = db.query("SELECT number FROM numbers(1000000)", &five).await.unwrap();
    assert_eq!(few.row_count(), 5);
    let small = QueryOptions { max_bytes: 1 << 20, ..options() };
    let error = db.query("SELECT number FROM numbers(1000000)", &small).await.unwrap_err();
    assert_eq!(error, EngineError::TooLarge(1));
    let error = db.query("SELECT randomPrintableASCII(5000000) AS huge", &small).await.unwrap_err();
    assert_eq!(error, EngineError::TooLarge(1));
    let all = db.query("SELECT number, toString(number) FROM numbers(300000)", &options()).await.unwrap();
    assert_eq!(all.data[0].get(299_999), Scalar::Int(299_999));
    let empty = db.query("SELECT 1 AS a WHERE 0", &options()).await.unwrap();
    assert_eq!((empty.row_count(), empty.columns[0].name.as_str()), (0, "a"));
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
        db.batches("SELECT number FROM numbers(100000)", &options, 10_000, &out).await.unwrap();
        drop(out);
    };
    assert_eq!(tokio::join!(reader, writer).0, (100_000, 10));
}

#[tokio::test]
async fn live_writes_are_refused_by_the_server() {
    let Some(house) = House::start("writes") else { return };
    let db = house.database("");
    for sql in [
        "CREATE TABLE no (a Int8) ENGINE = Memory",
        "INSERT INTO FUNCTION file('/tmp/liteset-no', 'CSV', 'a Int8') VALUES (1)",
        "/**/ inSERT INTO TABLE FUNCTION file('/tmp/liteset-no', 'CSV', 'a Int8') SELECT 1",
        "WITH 1 AS x INSERT INTO FUNCTION file('/tmp/liteset-no', 'CSV', 'a Int8') SELECT x",
        "SELECT 1 SETTINGS readonly = 0",
        "SET readonly = 0",
        "DROP DATABASE default",
    ] {
        let Err(error) = db.query(sql, &options()).await else { panic!("{sql}") };
        assert!(error.to_string().contains("readonly"), "{sql}: {error}");
    }
    db.query("CREATE TABLE yes (a Int8 DEFAULT 1 COMMENT 'b') ENGINE = Memory COMMENT 'c'", &write())
        .await
        .unwrap();
    db.query("INSERT INTO yes VALUES (1), (2)", &write()).await.unwrap();
    assert_eq!(one(&db, "SELECT count() FROM yes").await, Scalar::Int(2));
    assert_eq!(db.tables("default").await.unwrap(), ["yes"]);
    assert!(db.schemas().await.unwrap().contains(&"system".to_owned()));
    let columns = db.columns("default", "yes").await.unwrap();
    assert_eq!((columns[0].type_.as_str(), columns[0].comment.as_deref()), ("Int8", Some("b")));
    assert_eq!(columns[0].default.as_deref(), Some("1"));
    assert_eq!(db.columns("default", "nope").await.unwrap(), []);
    assert_eq!(db.columns("no`pe", "x").await.unwrap(), []);
    assert_eq!(db.table_comment("default", "yes").await.unwrap().as_deref(), Some("c"));
    assert!(db.function_names().await.unwrap().unwrap().len() > 500);
}

#[tokio::test]
async fn live_time_and_cancelling() {
    let Some(house) = House::start("time") else { return };
    let db = house.database("");
    let slow = "SELECT count() FROM numbers(100000000000)";
    let short = Duration::from_secs(1);
    let error = db.query(slow, &QueryOptions { timeout: short, ..options() }).await.unwrap_err();
    assert_eq!(error, EngineError::Timeout(short));
    let error = db.query("-- hang", &QueryOptions { timeout: short, ..options() }).await.unwrap_err();
    assert_eq!(error, EngineError::Timeout(short));
    assert!(tokio::time::timeout(short, db.query(slow, &options())).await.is_err());
    for _ in 0..50 {
        let left = one(
            &db,
            "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1%' AND query NOT LIKE \
             '%processes%'",
        )
        .await;
        if left == Scalar::Int(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the statement still runs");
}

#[tokio::test]
async fn live_errors() {
    let Some(house) = House::start("errors") else { return };
    let db = house.database("");
    let error = db.query("SELECT nope", &options()).await.unwrap_err();
    let EngineError::Statement { class, message } = &error else { panic!("{error:?}") };
    assert_eq!(class, "clickhouse_connect.driver.exceptions.DatabaseError");
    assert!(
        message.starts_with("Received ClickHouse exception, code: 47, server response: Code: 47. DB::Exc"),
        "{message}"
    );
    let late = "SELECT throwIf(number = 900000, 'late') FROM numbers(1000000) SETTINGS max_block_size = 1000";
    let error = db.query(late, &options()).await.unwrap_err().to_string();
    assert!(error.contains("code: 395") && error.contains("late"), "{error}");
    let error = db.query("-- die", &options()).await.unwrap_err().to_string();
    assert!(error.contains("Connection aborted"), "{error}");
    let error = db.query("SELECT 1 FORMAT JSON", &options()).await.unwrap_err().to_string();
    assert!(error.contains("FORMAT clause"), "{error}");
    let wrong = house.database("reader:wrong@").ping().await.unwrap_err();
    assert!(matches!(&wrong, EngineError::Connect(text) if text.contains("code: 516")), "{wrong:?}");
}

/// Servers that are not there, or are something else.
#[tokio::test]
async fn errors_of_connecting() {
    for (uri, want) in [
        (
            "clickhousedb://127.0.0.1:1/x",
            "Failed to establish a new connection: [Errno 111] Connection refused",
        ),
        ("clickhousedb://no-such-host.invalid/x", "[Errno -2] Name or service not known"),
    ] {
        let source = Source { url: Url::parse(uri).unwrap(), ..Source::default() };
        let error = Database::new(&source, 1).unwrap().ping().await.unwrap_err();
        assert!(matches!(&error, EngineError::Connect(text) if text.contains(want)), "{uri}: {error:?}");
    }
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut stream, _)) = silent.accept().await {
            let mut start = [0; 512];
            let _ = stream.read(&mut start).await;
            let answer: &[u8] = if start.starts_with(b"POST") {
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
            } else {
                b"HTTP/1.0 400 Bad Request\r\n\r\n"
            };
            let _ = stream.write_all(answer).await;
        }
    });
    let ping = async |uri: String| {
        let source = Source { url: Url::parse(&uri).unwrap(), ..Source::default() };
        Database::new(&source, 1).unwrap().ping().await.unwrap_err().to_string()
    };
    let redirected = ping(format!("clickhousedb://127.0.0.1:{port}/x")).await;
    assert!(redirected.contains("HTTP driver received HTTP status 302"), "{redirected}");
    let plain = ping(format!("clickhousedb://127.0.0.1:{port}/x?secure=true")).await;
    assert!(plain.contains("SSLError"), "{plain}");
}
