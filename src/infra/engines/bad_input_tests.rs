//! Servers and results that are not as they should be: every driver answers with an error in time, and goes on working.

use std::time::{Duration, Instant};

use super::{Engine, EngineError, Engines, QueryOptions, Source, Statements, column::Scalar};
use crate::engine_specs::url::Url;

fn open(uri: &str) -> Engine {
    let source = Source { url: Url::parse(uri).unwrap(), ..Source::default() };
    Engines::new(None).make(&source).unwrap()
}

/// The live servers.
async fn servers() -> Vec<(Engine, &'static str)> {
    let mut found = Vec::new();
    match std::env::var("LITESET_TEST_POSTGRES") {
        Ok(uri) => found.push((open(&uri), "postgresql")),
        Err(_) => println!("not tried: PostgreSQL (LITESET_TEST_POSTGRES is not set)"),
    }
    let mariadb = open("mysql+pymysql://root:@127.0.0.1:3306/test");
    match mariadb.ping().await {
        Ok(()) => found.push((mariadb, "mysql")),
        Err(error) => println!("not tried: MariaDB ({error})"),
    }
    found
}

async fn works(engine: &Engine) {
    let found = engine.query("SELECT 1 AS a", &QueryOptions::default()).await.unwrap();
    assert_eq!(found.data[0].get(0), Scalar::Int(1));
}

#[tokio::test]
async fn results_with_very_many_columns() {
    for (engine, name) in servers().await {
        // PostgreSQL knows no more than 1,664
        let count = if name == "mysql" { 2_000 } else { 1_600 };
        let columns: Vec<String> = (0..count).map(|i| format!("{i} AS c{i}")).collect();
        let sql = format!("SELECT {} UNION ALL SELECT {}", columns.join(", "), columns.join(", "));
        let found = engine.query(&sql, &QueryOptions::default()).await.unwrap();
        assert_eq!((found.columns.len(), found.data.len()), (count, count), "{name}");
        assert_eq!(found.data[count - 1].get(1), Scalar::Int(count as i64 - 1), "{name}");
        // where that is too many the server says so
        let sql =
            format!("SELECT {}", (0..5_000).map(|i| format!("{i} AS c{i}")).collect::<Vec<_>>().join(", "));
        let answer = engine.query(&sql, &QueryOptions::default()).await;
        assert!(matches!(answer, Ok(_) | Err(EngineError::Statement { .. })), "{name}: {answer:?}");
        works(&engine).await;
    }
}

#[tokio::test]
async fn a_cell_larger_than_all_that_is_allowed() {
    for (engine, name) in servers().await {
        let options = QueryOptions { max_bytes: 1 << 20, ..QueryOptions::default() };
        let error = engine.query("SELECT repeat('x', 12000000) AS a", &options).await.unwrap_err();
        assert_eq!(error, EngineError::TooLarge(1), "{name}");
        works(&engine).await;
        let many =
            "SELECT repeat('x', 1000) AS a FROM information_schema.columns a, information_schema.columns b";
        let error = engine.query(many, &options).await.unwrap_err();
        assert_eq!(error, EngineError::TooLarge(1), "{name}");
        works(&engine).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_killed_in_the_middle_of_a_result() {
    for (engine, name) in servers().await {
        let marker = format!("liteset-kill-{}", std::process::id());
        let (sql, kill) = if name == "mysql" {
            (
                format!("SELECT sleep(20) /* {marker} */"),
                format!(
                    "SELECT concat('KILL ', id) FROM information_schema.processlist \
                     WHERE info LIKE '%{marker}%' AND id <> connection_id()"
                ),
            )
        } else {
            (
                format!(
                    "SELECT i, pg_sleep(CASE WHEN i > 20000 THEN 20 ELSE 0 END) FROM generate_series(1, 30000) i \
                     /* {marker} */"
                ),
                format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE query LIKE '%{marker}%' AND pid <> pg_backend_pid()"
                ),
            )
        };
        let begun = Instant::now();
        let running = {
            let engine = engine.clone();
            tokio::spawn(async move { engine.query(&sql, &QueryOptions::default()).await })
        };
        let writable = QueryOptions { allow_write: true, ..QueryOptions::default() };
        let mut killed = false;
        while !killed && begun.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let found = engine.query(&kill, &writable).await.unwrap();
            match found.data[0].len() {
                0 => continue,
                _ if name != "mysql" => killed = true,
                _ => {
                    let Scalar::Text(statement) = found.data[0].get(0) else { panic!("no text") };
                    engine.execute_all(Statements::list([statement.to_string()])).await.unwrap();
                    killed = true;
                }
            }
        }
        assert!(killed, "{name}");
        let error = running.await.unwrap().unwrap_err();
        assert!(
            matches!(error, EngineError::Statement { .. } | EngineError::Connect(_)),
            "{name}: {error:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(15), "{name}");
        works(&engine).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    for (engine, name) in servers().await {
        let all: &[&str] = if name == "mysql" {
            &[
                "SELECT x'ff41' AS a",
                "SELECT _binary x'c3' AS a",
                "SELECT CAST(x'ff' AS CHAR CHARACTER SET latin1) AS a",
            ]
        } else {
            &[
                "SELECT '\\xff41'::bytea AS a",
                "SELECT (-1)::\"char\" AS a",
                "SELECT convert_from('\\xe9'::bytea, 'LATIN1') AS a",
            ]
        };
        for sql in all {
            let found =
                engine.query(sql, &QueryOptions::default()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert_ne!(found.data[0].get(0), Scalar::Null, "{sql}");
        }
        if name != "mysql" {
            let wrong = "SELECT convert_from('\\xff'::bytea, 'UTF8')";
            assert!(matches!(
                engine.query(wrong, &QueryOptions::default()).await,
                Err(EngineError::Statement { .. })
            ));
        }
        works(&engine).await;
    }
}

/// A server that takes connections and says nothing, and one that says nonsense.
#[tokio::test]
async fn servers_that_do_not_speak() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let begun = Instant::now();
    let error =
        open(&format!("mysql://u:s3cret@127.0.0.1:{port}/d?connect_timeout=1")).ping().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10) && !error.to_string().contains("s3cret"), "{error}");
    let nonsense = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nonsense.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = nonsense.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, &[0xff; 4096]).await;
        }
    });
    for scheme in ["mysql", "postgresql"] {
        let begun = Instant::now();
        let engine = open(&format!("{scheme}://u:s3cret@127.0.0.1:{port}/d?connect_timeout=2"));
        let error = engine.ping().await.unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(35), "{scheme}");
    }
}

/// A backend that is stopped, and goes on when this is dropped.
#[cfg(target_os = "linux")]
struct Stopped(i64);

#[cfg(target_os = "linux")]
impl Stopped {
    /// Stops the one backend that a new engine has; none where that is not allowed.
    async fn behind(engine: &Engine) -> Option<Self> {
        let found =
            engine.query("SELECT pg_backend_pid()::int AS a", &QueryOptions::default()).await.unwrap();
        let Scalar::Int(pid) = found.data[0].get(0) else { panic!("no pid") };
        if !signal(pid, "-STOP") {
            println!("skipped: the server's processes cannot be stopped");
            return None;
        }
        Some(Self(pid))
    }
}

#[cfg(target_os = "linux")]
fn signal(pid: i64, name: &str) -> bool {
    let status = std::process::Command::new("kill").args([name, &pid.to_string()]).status();
    status.is_ok_and(|s| s.success())
}

#[cfg(target_os = "linux")]
impl Drop for Stopped {
    fn drop(&mut self) {
        signal(self.0, "-CONT");
    }
}

/// A backend that is stopped in the middle of its work: the time of the statement holds all the same, whichever way it
/// is asked; and who does not want to wait goes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_hangs() {
    let Ok(uri) = std::env::var("LITESET_TEST_POSTGRES") else {
        println!("skipped: LITESET_TEST_POSTGRES is not set");
        return;
    };
    let options = QueryOptions { timeout: Duration::from_secs(1), ..QueryOptions::default() };
    let late = EngineError::Timeout(options.timeout);
    for way in ["query", "session", "pieces", "stop"] {
        let engine = open(&uri);
        let Some(stopped) = Stopped::behind(&engine).await else { return };
        let begun = Instant::now();
        let answer = match way {
            "query" => engine.query("SELECT 1", &options).await.map(drop),
            "session" => engine.session(&options).await.map(drop),
            "pieces" => match engine.batches("SELECT 1", &options, 100).recv().await {
                Some(answer) => answer.map(drop),
                None => Ok(()),
            },
            _ => {
                let long = QueryOptions { timeout: Duration::from_secs(600), ..options.clone() };
                let asked = tokio::time::timeout(options.timeout, engine.query("SELECT 1", &long)).await;
                asked.map_err(|_| late.clone()).and_then(|found| found.map(drop))
            }
        };
        assert_eq!(answer, Err(late.clone()), "{way}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{way}: {:?}", begun.elapsed());
        // others are served while it hangs
        works(&engine).await;
        drop(stopped);
    }
}

/// Lets anybody in, and answers the first question with the head of a row.
async fn announce(mut socket: tokio::net::TcpStream) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut ignored = [0; 4096];
    socket.read_exact(&mut ignored[..8]).await?;
    socket.write_all(b"N").await?;
    let _ = socket.read(&mut ignored).await?;
    // AuthenticationOk, ReadyForQuery, and then the head of a DataRow
    socket.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await?;
    let _ = socket.read(&mut ignored).await?;
    let mut row = vec![b'D'];
    row.extend_from_slice(&1_000_000_000_u32.to_be_bytes());
    socket.write_all(&row).await?;
    // it hangs on the line until the other side goes
    while socket.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// A server that announces a row of a gigabyte is left before the row comes: nothing of it ever does here.
#[tokio::test]
async fn a_row_that_is_announced_as_too_large() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // some come only to cancel
            tokio::spawn(announce(socket));
        }
    });
    let engine = open(&format!("postgresql://u:p@127.0.0.1:{port}/d"));
    let options = QueryOptions { max_bytes: 3 << 20, ..QueryOptions::default() };
    let begun = Instant::now();
    assert_eq!(engine.query("SELECT 1", &options).await, Err(EngineError::TooLarge(3)));
    assert_eq!(engine.session(&options).await.map(drop), Err(EngineError::TooLarge(3)));
    assert_eq!(engine.batches("SELECT 1", &options, 9).recv().await, Some(Err(EngineError::TooLarge(3))));
    assert!(begun.elapsed() < options.timeout);
}

/// The words of an error are bounded as rows are, and so are rows in pieces.
#[tokio::test]
async fn other_messages_that_are_too_large() {
    let Ok(uri) = std::env::var("LITESET_TEST_POSTGRES") else {
        println!("skipped: LITESET_TEST_POSTGRES is not set");
        return;
    };
    let engine = open(&uri);
    let options = QueryOptions { max_bytes: 1 << 20, ..QueryOptions::default() };
    let words = "SELECT CAST(repeat(repeat('x', 2000), 10000) AS integer)";
    assert_eq!(engine.query(words, &options).await.unwrap_err(), EngineError::TooLarge(1));
    let mut pieces = engine.batches("SELECT repeat(repeat('x', 2000), 10000)", &options, 100);
    assert_eq!(pieces.recv().await.unwrap().unwrap_err(), EngineError::TooLarge(1));
    let mut session = engine.session(&options).await.unwrap();
    assert_eq!(
        session.query("SELECT repeat(repeat('x', 2000), 10000)").await.unwrap_err(),
        EngineError::TooLarge(1)
    );
    drop(session);
    // a bound is that of its statement, not of the connection's first
    let few = engine.query("SELECT repeat(repeat('x', 2000), 1500)", &QueryOptions::default()).await.unwrap();
    assert_eq!(few.row_count(), 1);
    works(&engine).await;
}
