//! PostgreSQL's and MariaDB's own EXPLAIN as the referees: whatever table a plan names must have been found in the
//! text, or the text is refused (T8). And what they would execute as a write must not pass for reading (T10).

use serde_json::Value;

use super::corpus;
use crate::{
    engine_specs::url::Url,
    engines::{Engine, Engines, QueryOptions, Source, Statements, column::Scalar},
};

fn engine(uri: &str) -> Engine {
    let source = Source { url: Url::parse(uri).unwrap(), ..Source::default() };
    Engines::new(None).make(&source).unwrap()
}

fn writable() -> QueryOptions {
    QueryOptions { allow_write: true, ..QueryOptions::default() }
}

async fn plan(engine: &Engine, sql: &str) -> Option<Value> {
    // the database itself sees to it that nothing is done
    let found = engine.query(sql, &writable()).await.ok()?;
    let text = match found.data.first()?.get(0) {
        Scalar::Text(text) => text.to_string(),
        Scalar::Json(json) => return Some(json),
        _ => return None,
    };
    serde_json::from_str(&text).ok()
}

/// The values of a key, wherever it stands.
fn values<'a>(json: &'a Value, key: &str, out: &mut Vec<&'a str>) {
    match json {
        Value::Object(map) => {
            out.extend(map.get(key).and_then(Value::as_str));
            map.values().for_each(|v| values(v, key, out));
        }
        Value::Array(list) => list.iter().for_each(|v| values(v, key, out)),
        _ => {}
    }
}

/// Compares the corpus; how many statements the engine understood, and how many of them were refused.
async fn compare(engine: &Engine, name: &str, explain: &str, key: &str) -> (usize, Vec<String>) {
    let (mut seen, mut refused) = (0, Vec::new());
    for sql in corpus::statements() {
        if sql.starts_with("EXPLAIN") {
            continue;
        }
        let Some(plan) = plan(engine, &format!("{explain} {sql}")).await else { continue };
        let mut tables = Vec::new();
        values(&plan, key, &mut tables);
        let Ok(script) = super::parse(&sql, name) else {
            refused.push(sql);
            continue;
        };
        seen += 1;
        let found: Vec<String> = script.tables().into_iter().map(|t| t.table.to_lowercase()).collect();
        for table in tables {
            // an alias of the corpus is the table's name with a number
            let table = table.trim_end_matches('2');
            if !matches!(table, "a" | "secret") {
                continue;
            }
            assert!(found.iter().any(|f| f == table), "{table} is not seen in {sql}: {found:?}");
        }
        // a lock is no write
        let upper = sql.to_uppercase().replace("FOR UPDATE", "");
        let writes = ["INSERT", "UPDATE ", "DELETE", "MERGE", "REPLACE INTO", "CREATE", " INTO N"];
        if writes.iter().any(|w| upper.contains(w)) {
            assert!(script.has_mutation(), "passes for reading: {sql}");
        }
    }
    (seen, refused)
}

#[tokio::test]
async fn postgresql_names_no_table_that_was_not_found() {
    let Ok(uri) = std::env::var("LITESET_TEST_POSTGRES") else {
        println!("skipped: LITESET_TEST_POSTGRES is not set");
        return;
    };
    let name = format!("liteset_referee_{}", std::process::id());
    let server = engine(&uri);
    let one = async |e: &Engine, sql: String| e.execute_all(Statements::list([sql])).await;
    let mut url = Url::parse(&uri).unwrap();
    // CREATE DATABASE stands in no transaction: a schema does as well
    one(&server, format!("CREATE SCHEMA {name}")).await.unwrap();
    url.set_option("options", format!("-csearch_path={name}"));
    let source = Source { url, ..Source::default() };
    let engine = Engines::new(None).make(&source).unwrap();
    one(&engine, "CREATE TABLE a(x int UNIQUE, y int)".into()).await.unwrap();
    one(&engine, "CREATE TABLE secret(x int, y int)".into()).await.unwrap();
    let compared = compare(&engine, "postgresql", "EXPLAIN (FORMAT JSON, VERBOSE)", "Relation Name").await;
    one(&server, format!("DROP SCHEMA {name} CASCADE")).await.unwrap();
    let (seen, refused) = compared;
    println!("{seen} compared, {} refused: {refused:#?}", refused.len());
    assert!(seen > 200 && refused.len() < seen / 4, "{seen} compared, {refused:#?}");
}

#[tokio::test]
async fn mariadb_names_no_table_that_was_not_found() {
    if std::net::TcpStream::connect("127.0.0.1:3306").is_err() {
        println!("skipped: no MariaDB on 127.0.0.1:3306");
        return;
    }
    let name = format!("liteset_referee_{}", std::process::id());
    let server = engine("mysql://root@127.0.0.1:3306/");
    let one = async |e: &Engine, sql: String| e.execute_all(Statements::list([sql])).await;
    one(&server, format!("CREATE DATABASE {name}")).await.unwrap();
    let engine = engine(&format!("mysql://root@127.0.0.1:3306/{name}"));
    one(&engine, "CREATE TABLE a(x int UNIQUE, y int)".into()).await.unwrap();
    one(&engine, "CREATE TABLE secret(x int, y int)".into()).await.unwrap();
    one(&engine, "INSERT INTO secret VALUES (1, 2), (3, 4)".into()).await.unwrap();
    let compared = compare(&engine, "mysql", "EXPLAIN FORMAT=JSON", "table_name").await;
    one(&server, format!("DROP DATABASE {name}")).await.unwrap();
    let (seen, refused) = compared;
    println!("{seen} compared, {} refused: {refused:#?}", refused.len());
    assert!(seen > 100 && refused.len() < seen / 4, "{seen} compared, {refused:#?}");
}

/// Writes and files in disguise: refused, told as writing, or stopped by a function that is known.
#[test]
fn disguised_writes_do_not_pass_for_reading() {
    for (engine, sql) in [
        ("postgresql", "DO $$ BEGIN DELETE FROM secret; END $$"),
        ("postgresql", "COPY secret TO PROGRAM 'cat'"),
        ("postgresql", "COPY (SELECT * FROM secret) TO '/tmp/x'"),
        ("postgresql", "EXPLAIN ANALYZE DELETE FROM secret"),
        ("postgresql", "EXPLAIN (ANALYZE true) INSERT INTO secret VALUES (1)"),
        (
            "postgresql",
            "EXPLAIN (VERBOSE, ANALYZE) WITH w AS (DELETE FROM secret RETURNING 1) SELECT * FROM w",
        ),
        ("postgresql", "SELECT * INTO n FROM secret"),
        ("postgresql", "SELECT 1; DROP TABLE secret"),
        ("postgresql", "PREPARE p AS DELETE FROM secret"),
        ("postgresql", "EXECUTE p"),
        ("postgresql", "CALL p()"),
        ("postgresql", "LOCK TABLE secret"),
        ("postgresql", "REFRESH MATERIALIZED VIEW n"),
        ("postgresql", "SET default_transaction_read_only = off"),
        ("postgresql", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"),
        ("postgresql", "BEGIN; DELETE FROM secret; COMMIT"),
        ("postgresql", "SELECT lo_export(1, '/tmp/x')"),
        ("postgresql", "SELECT \"lo_export\"(1, '/tmp/x')"),
        ("postgresql", "SELECT pg_catalog.lo_export(1, '/tmp/x')"),
        ("postgresql", "SELECT set_config('transaction_read_only', 'off', false)"),
        ("postgresql", "SELECT dblink_exec('', 'DELETE FROM secret')"),
        ("mysql", "/*!50000 DELETE FROM secret */"),
        ("mysql", "SELECT * FROM secret INTO OUTFILE '/tmp/x'"),
        ("mysql", "SELECT * INTO DUMPFILE '/tmp/x' FROM secret"),
        ("mysql", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE secret"),
        ("mysql", "LOAD DATA INFILE '/etc/passwd' INTO TABLE secret"),
        ("mysql", "HANDLER secret OPEN"),
        ("mysql", "SET GLOBAL local_infile = 1"),
        ("mysql", "DO sleep(1)"),
        ("mysql", "ANALYZE FORMAT=JSON DELETE FROM secret"),
        ("sqlite", "ATTACH DATABASE '/tmp/x' AS x"),
        ("sqlite", "VACUUM INTO '/tmp/x'"),
        ("sqlite", "PRAGMA query_only = 0"),
        ("sqlite", "PRAGMA writable_schema(1)"),
        ("sqlite", "SELECT load_extension('x')"),
        ("sqlite", "SELECT writefile('/tmp/x', 'y')"),
    ] {
        if let Ok(script) = super::parse(sql, engine) {
            assert!(script.has_mutation(), "{engine} passes for reading: {sql}");
        }
    }
}
