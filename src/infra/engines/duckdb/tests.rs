//! The promises of a driver, kept by DuckDB.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::{
    engine_specs::url::Url,
    engines::{
        Statements,
        column::{ColumnData, Scalar},
        driver::Inspect as _,
    },
};

/// A directory of a test, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("liteset-duckdb-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(std::fs::canonicalize(path).unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn source(path: &Path, config: serde_json::Value) -> Source {
    Source {
        url: Url::parse(&format!("duckdb:///{}", path.display())).unwrap(),
        arguments: json!({"config": config}).as_object().cloned().unwrap(),
        ..Source::default()
    }
}

fn open(path: &Path) -> Database {
    Database::new(&source(path, json!({})), None, &[], 2).unwrap()
}

fn memory() -> Database {
    open(Path::new(":memory:"))
}

fn reading() -> QueryOptions {
    QueryOptions { timeout: Duration::from_secs(20), ..QueryOptions::default() }
}

fn writing() -> QueryOptions {
    QueryOptions { allow_write: true, ..reading() }
}

async fn value(sql: &str) -> Scalar {
    memory().query(sql, &reading()).await.unwrap().data[0].get(0)
}

/// Compared with DuckDB's Python driver.
#[tokio::test]
async fn values() {
    for (sql, want) in [
        ("1::HUGEINT", Scalar::Int(1)),
        ("170141183460469231731687303715884105727::HUGEINT", Scalar::Decimal(i128::MAX.into())),
        ("340282366920938463463374607431768211455::UHUGEINT", Scalar::Decimal(u128::MAX.into())),
        ("18446744073709551615::UBIGINT", Scalar::Decimal(u64::MAX.into())),
        ("1.50::DECIMAL(5,2)", Scalar::Decimal("1.50".parse().unwrap())),
        ("-7::DECIMAL(38,0)", Scalar::Decimal("-7".parse().unwrap())),
        ("[1, NULL, 2]", Scalar::Json(json!([1, null, 2]))),
        ("[1, 2]::INT[2]", Scalar::Json(json!([1, 2]))),
        ("{'a': 1, 'b': [1.5::DOUBLE]}", Scalar::Json(json!({"a": 1, "b": [1.5]}))),
        ("MAP {'k': DATE '2020-01-02'}", Scalar::Json(json!({"k": "2020-01-02"}))),
        ("'a'::ENUM('a', 'b')", Scalar::Text("a".into())),
        (
            "'550e8400-e29b-41d4-a716-446655440000'::UUID",
            Scalar::Text("550e8400-e29b-41d4-a716-446655440000".into()),
        ),
        ("INTERVAL '1 month 3 hours'", Scalar::Interval((30 * 24 + 3) * 3_600_000_000)),
        ("'ab'::BLOB", Scalar::Bytes(b"ab".to_vec())),
        ("'1010'::BIT", Scalar::Text("1010".into())),
        ("'{\"a\":1}'::JSON", Scalar::Text("{\"a\":1}".into())),
        ("union_value(num := 2)", Scalar::Int(2)),
        ("123456789012345678901234567890::BIGNUM", Scalar::Text("123456789012345678901234567890".into())),
        ("(-200)::BIGNUM", Scalar::Text("-200".into())),
        ("1.5::FLOAT", Scalar::Float(1.5)),
        ("true", Scalar::Bool(true)),
        ("NULL", Scalar::Null),
    ] {
        assert_eq!(value(&format!("SELECT {sql}")).await, want, "{sql}");
    }
    let noon = chrono::NaiveDate::from_ymd_opt(2020, 1, 2).unwrap().and_hms_opt(3, 4, 5).unwrap();
    for sql in ["TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"] {
        assert_eq!(value(&format!("SELECT '2020-01-02 03:04:05'::{sql}")).await, Scalar::Timestamp(noon));
    }
    assert_eq!(value("SELECT TIMESTAMPTZ '2020-01-02 05:04:05+02'").await, Scalar::TimestampTz(noon, 0));
    assert_eq!(value("SELECT TIME '03:04:05'").await, Scalar::Time(noon.time()));
    let found = memory().query("SELECT 1 AS a, 'x' AS b, NULL AS c WHERE false", &reading()).await.unwrap();
    assert_eq!(found.row_count(), 0);
    let names: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn limits_of_rows_bytes_and_time() {
    let db = memory();
    let endless = "SELECT range::VARCHAR AS a FROM range(1000000000000)";
    let few = db.query(endless, &QueryOptions { max_rows: Some(3), ..reading() }).await.unwrap();
    assert_eq!(few.row_count(), 3);
    let size = QueryOptions { max_bytes: 1 << 20, ..reading() };
    assert_eq!(db.query(endless, &size).await.unwrap_err(), EngineError::TooLarge(1));
    let long = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b";
    let limit = Duration::from_millis(200);
    let late = db.query(long, &QueryOptions { timeout: limit, ..reading() }).await.unwrap_err();
    assert_eq!(late, EngineError::Timeout(limit));
    // both connections are free again, although two statements were given up
    for _ in 0..2 {
        assert!(tokio::time::timeout(limit, db.query(long, &reading())).await.is_err());
    }
    let next = tokio::time::timeout(Duration::from_secs(10), db.query("SELECT 1", &reading())).await;
    assert!(next.unwrap().is_ok());
}

#[tokio::test]
async fn writing_and_reading_one_file() {
    let folder = Folder::new("file");
    let (db, other) = (open(&folder.file("x.db")), open(&folder.file("x.db")));
    db.ping().await.unwrap();
    db.query("CREATE TABLE t AS SELECT range AS a FROM range(10)", &writing()).await.unwrap();
    let found = other.query("SELECT sum(a) FROM t", &reading()).await.unwrap();
    assert_eq!(found.data[0].get(0), Scalar::Int(45));
    let error = db.query("INSERT INTO t VALUES (1)", &reading()).await.unwrap_err();
    assert!(error.to_string().contains("read-only mode"), "{error}");
    // those who read wait for the one who writes
    let mut session = Box::new(db.begin(&writing()).await.unwrap());
    session.query("INSERT INTO t VALUES (100)").await.unwrap();
    assert_eq!(session.query("SELECT max(a) FROM t").await.unwrap().data[0].get(0), Scalar::Int(100));
    let reader = tokio::spawn(async move { other.query("SELECT max(a) FROM t", &reading()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!reader.is_finished());
    session.finish(true).await.unwrap();
    assert_eq!(reader.await.unwrap().unwrap().data[0].get(0), Scalar::Int(100));
    let half = ["INSERT INTO t VALUES (200)".to_owned(), "INSERT INTO nope VALUES (1)".to_owned()];
    assert!(db.execute_all(Statements::list(half)).await.is_err());
    assert_eq!(db.query("SELECT max(a) FROM t", &reading()).await.unwrap().data[0].get(0), Scalar::Int(100));
}

/// T16: nothing but the database itself is reached, and a database that is only read is not written by detours.
#[tokio::test]
async fn hostile_statements() {
    let folder = Folder::new("hostile");
    let path = folder.file("x.db");
    std::fs::write(folder.file("f.csv"), "a,b\n1,2\n").unwrap();
    let db = open(&path);
    db.query("CREATE TABLE t AS SELECT range AS a FROM range(10)", &writing()).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let own = path.display();
    let dir = folder.0.display();
    let statements = [
        format!("SELECT * FROM '{dir}/f.csv'"),
        format!("SELECT * FROM read_csv('{dir}/f.csv')"),
        "SELECT * FROM read_text('/etc/passwd')".to_owned(),
        "SELECT * FROM read_blob('/etc/passwd')".to_owned(),
        "SELECT * FROM glob('/etc/*')".to_owned(),
        "SELECT * FROM sniff_csv('/etc/passwd')".to_owned(),
        "SELECT * FROM parquet_metadata('/etc/passwd')".to_owned(),
        "SELECT * FROM read_csv('http://127.0.0.1:1/x')".to_owned(),
        format!("ATTACH '{dir}/y.db' AS y"),
        format!("COPY t TO '{dir}/out.csv'"),
        format!("COPY t TO '{own}' (FORMAT csv, USE_TMP_FILE false)"),
        format!("COPY t TO '{own}.wal' (FORMAT csv, USE_TMP_FILE false)"),
        format!("WITH x AS (COPY t TO '{own}.wal' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x"),
        format!("SELECT 1; COPY t TO '{own}.wal' (FORMAT csv, USE_TMP_FILE false)"),
        format!("COPY t FROM '{dir}/f.csv'"),
        format!("EXPORT DATABASE '{dir}/out'"),
        format!("IMPORT DATABASE '{dir}/out'"),
        "INSTALL httpfs".to_owned(),
        "LOAD httpfs".to_owned(),
        "LOAD '/tmp/x.duckdb_extension'".to_owned(),
        "SET enable_external_access = true".to_owned(),
        "SET memory_limit = '1TB'".to_owned(),
        "SET disabled_filesystems = ''".to_owned(),
        "RESET lock_configuration".to_owned(),
        "SET lock_configuration = false".to_owned(),
        format!("PRAGMA profiling_output = '{dir}/p'"),
        format!("PRAGMA log_query_path = '{dir}/q'"),
        format!("CALL enable_logging(storage = 'file', storage_path = '{dir}/l')"),
        "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')".to_owned(),
    ];
    for sql in &statements {
        for options in [reading(), writing()] {
            let answer = db.query(sql, &options).await;
            assert!(answer.is_err(), "{sql} (writes: {}): {answer:?}", options.allow_write);
        }
        assert_eq!(std::fs::read(&path).unwrap().get(..4096), before.get(..4096), "{sql}");
    }
    let mut names: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["f.csv", "x.db"]);
    let found = db.query("SELECT count(*) FROM t", &reading()).await.unwrap();
    assert_eq!(found.data[0].get(0), Scalar::Int(10));
}

#[tokio::test]
async fn files_of_an_offered_directory_are_tables() {
    let folder = Folder::new("tables");
    let (files, secret) = (folder.file("files"), folder.file("secret.csv"));
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("f.csv"), "a,b\n1,x\n2,y\n").unwrap();
    std::fs::write(&secret, "a\n1\n").unwrap();
    std::os::unix::fs::symlink(&secret, files.join("link.csv")).unwrap();
    let config = json!({"allowed_directories": [files.to_str()]});
    let source = source(&folder.file("x.db"), config);
    assert!(Database::new(&source, None, &[], 2).is_err());
    let db = Database::new(&source, None, std::slice::from_ref(&files), 2).unwrap();
    let (dir, own) = (files.display(), folder.file("x.db"));
    let found = db.query(&format!("SELECT sum(a) FROM '{dir}/f.csv'"), &reading()).await.unwrap();
    assert_eq!(found.data[0].get(0), Scalar::Int(3));
    db.query(&format!("CREATE TABLE t AS FROM '{dir}/f.csv'"), &writing()).await.unwrap();
    db.query(&format!("EXPLAIN SELECT * FROM '{dir}/f.csv'"), &reading()).await.unwrap();
    db.query("DESCRIBE t", &reading()).await.unwrap();
    let wrong = db.query("SELEC 1", &reading()).await.unwrap_err().to_string();
    assert!(wrong.starts_with("Parser Error: syntax error at or near \"SELEC\""), "{wrong}");
    for sql in [
        format!("COPY t TO '{dir}/out.csv'"),
        format!("COPY (SELECT 1) TO '{}' (FORMAT csv, USE_TMP_FILE false)", own.display()),
        format!("WITH x AS (COPY t TO '{dir}/out.csv') SELECT 1"),
        format!("SELECT 1; COPY t TO '{dir}/out.csv'"),
        format!("EXPLAIN ANALYZE COPY t TO '{dir}/out.csv'"),
        format!("PREPARE p AS COPY t TO '{dir}/out.csv'"),
        format!("SELECT * FROM '{dir}/link.csv'"),
        format!("SELECT * FROM '{dir}/../secret.csv'"),
        format!("SELECT * FROM '{}'", secret.display()),
        "SELECT * FROM read_text('/etc/passwd')".to_owned(),
    ] {
        assert!(db.query(&sql, &reading()).await.is_err(), "{sql}");
    }
    assert!(!files.join("out.csv").exists());
}

#[tokio::test]
async fn the_metadata_database_and_foreign_places_are_refused() {
    let folder = Folder::new("meta");
    let meta = folder.file("meta.db");
    std::fs::write(&meta, b"").unwrap();
    let link = folder.file("link.db");
    std::fs::hard_link(&meta, &link).unwrap();
    for path in [&meta, &link, &folder.file("meta.db-wal")] {
        let db = Database::new(&source(path, json!({})), Some(&meta), &[], 1).unwrap();
        let error = db.query("SELECT 1", &reading()).await.unwrap_err();
        assert_eq!(error.to_string(), "the metadata database cannot be queried", "{}", path.display());
    }
    for name in ["sqlite:/x.db", "postgres:dbname=x", "http://h/x.db", "s3://b/x.db"] {
        assert!(file::named(name).is_err(), "{name}");
    }
    let cloud = file::named("md:mine").err().unwrap().to_string();
    assert!(cloud.contains("MotherDuck") && cloud.contains("extension"), "{cloud}");
}

#[tokio::test]
async fn the_catalog() {
    let folder = Folder::new("catalog");
    let db = open(&folder.file("shop.db"));
    let make = [
        "CREATE TABLE t (id INTEGER PRIMARY KEY DEFAULT 7, d DECIMAL(10,2), l INTEGER[], name VARCHAR, UNIQUE (name))",
        "COMMENT ON TABLE t IS 'hello'",
        "COMMENT ON COLUMN t.d IS 'money'",
        "CREATE TABLE o (t_id INTEGER REFERENCES t(id))",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE SCHEMA \"Odd one\"",
        "CREATE TABLE \"Odd one\".u (a INTEGER, b INTEGER, PRIMARY KEY (b, a))",
    ];
    db.execute_all(Statements::list(make)).await.unwrap();
    let schemas = db.schemas().await.unwrap();
    assert!(schemas.contains(&"shop.main".to_owned()) && schemas.contains(&"shop.\"Odd one\"".to_owned()));
    assert!(schemas.contains(&"system.information_schema".to_owned()), "{schemas:?}");
    for schema in ["main", "shop.main"] {
        assert_eq!(db.tables(schema).await.unwrap(), ["o", "t"]);
        assert_eq!(db.views(schema).await.unwrap(), ["v"]);
        assert_eq!(db.primary_key(schema, "t").await.unwrap().columns, ["id"]);
    }
    assert_eq!(db.primary_key("shop.\"Odd one\"", "u").await.unwrap().columns, ["b", "a"]);
    let columns = db.columns("shop.main", "t").await.unwrap();
    let described: Vec<String> =
        columns.iter().map(|c| format!("{} {} {}", c.name, c.type_, c.nullable)).collect();
    assert_eq!(described, ["id INTEGER false", "d NUMERIC(10, 2) true", "l NULL true", "name VARCHAR true"]);
    assert_eq!((columns[0].default.as_deref(), columns[1].comment.as_deref()), (Some("7"), Some("money")));
    assert_eq!(db.table_comment("main", "t").await.unwrap().as_deref(), Some("hello"));
    let foreign = db.foreign_keys("main", "o").await.unwrap();
    assert_eq!(
        (foreign[0].referred_table.as_str(), &foreign[0].referred_columns),
        ("t", &vec!["id".to_owned()])
    );
    assert_eq!(db.unique_constraints("main", "t").await.unwrap()[0].columns, ["name"]);
    assert!(db.columns("main", "nope").await.unwrap().is_empty());
    assert!(db.columns("main", "t' OR '1'='1").await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_come_in_batches() {
    let db = memory();
    let options = QueryOptions { max_rows: Some(7), ..reading() };
    let (out, mut batches) = tokio::sync::mpsc::channel(2);
    tokio::spawn(async move { db.batches("SELECT * FROM range(10000)", &options, 3, &out).await });
    let mut sizes = Vec::new();
    while let Some(batch) = batches.recv().await {
        sizes.push(batch.unwrap().row_count());
    }
    assert_eq!(sizes, [3, 3, 1]);
    let db = memory();
    let (out, mut batches) = tokio::sync::mpsc::channel(2);
    let sender = tokio::spawn(async move { db.batches("SELECT nope", &reading(), 3, &out).await });
    assert!(batches.recv().await.is_none());
    let failed = sender.await.unwrap();
    assert!(
        matches!(failed, Err(EngineError::Statement { class, .. }) if class == "_duckdb.BinderException")
    );
    let found = memory().query("SELECT * FROM range(3)", &reading()).await.unwrap();
    assert_eq!(found.data[0], ColumnData::Int(vec![Some(0), Some(1), Some(2)]));
}
