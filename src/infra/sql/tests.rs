//! What foreign SQL may and may not do.

use std::time::Duration;

use super::*;

/// What a hostile text may take: 100 ms, and fifty times that without optimisation.
const BUDGET: Duration = Duration::from_millis(if cfg!(debug_assertions) { 5_000 } else { 100 });

/// The processor's time that this thread has used: what other programs take does not count.
pub(super) fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}

fn rules(engine: &str, table: &str, predicates: &[&str]) -> RlsRules {
    let table = TableName { catalog: None, schema: None, table: table.to_owned() };
    let predicates = Some(predicates.iter().map(|text| (*text).to_owned()).collect());
    RlsRules::new(engine, Place::default(), vec![RlsRule { table, predicates }])
}

fn names(sql: &str, engine: &str) -> Vec<String> {
    let mut names: Vec<_> = parse(sql, engine)
        .unwrap()
        .tables()
        .into_iter()
        .map(|name| {
            [name.catalog, name.schema, Some(name.table)].into_iter().flatten().collect::<Vec<_>>().join(".")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn finds_every_table() {
    for (sql, tables) in [
        ("SELECT * FROM t", vec!["t"]),
        ("SELECT * FROM s.t JOIN c.s.u USING (id), v", vec!["c.s.u", "s.t", "v"]),
        ("WITH t AS (SELECT * FROM u) SELECT * FROM t", vec!["u"]),
        ("WITH t AS (SELECT * FROM t) SELECT * FROM t", vec!["t"]),
        ("WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT * FROM t) SELECT * FROM t", vec![]),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, a", vec![]),
        ("SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y, x", vec!["x"]),
        ("SELECT (SELECT max(a) FROM u) FROM t WHERE a IN (SELECT a FROM v)", vec!["t", "u", "v"]),
        ("SELECT 1 UNION SELECT a FROM t INTERSECT (SELECT b FROM u)", vec!["t", "u"]),
        ("SELECT * FROM \"My \"\"T\"\"\"", vec!["My \"T\""]),
        ("SELECT * FROM t, LATERAL (SELECT * FROM u WHERE u.id = t.id) x", vec!["t", "u"]),
        ("SELECT * FROM generate_series(1, 3) g", vec![]),
        ("EXPLAIN SELECT * FROM t", vec!["t"]),
        ("INSERT INTO t SELECT * FROM u", vec!["t", "u"]),
    ] {
        assert_eq!(names(sql, "postgresql"), tables, "{sql}");
    }
    assert_eq!(names("SELECT * FROM Public.T", "postgresql"), ["public.t"]);
    assert_eq!(names("SELECT * FROM [a b].[c]", "mssql"), ["a b.c"]);
    assert_eq!(names("SELECT * FROM `p.d.t`", "bigquery"), ["p.d.t"]);
}

#[test]
fn only_known_readers_read() {
    let mutates = |sql: &str, engine: &str| parse(sql, engine).map(|script| script.has_mutation());
    for sql in [
        "SELECT 1",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "EXPLAIN SELECT 1",
        "SHOW server_version",
        "SET search_path = 'x'",
        "(SELECT 1) UNION (SELECT 2)",
    ] {
        assert_eq!(mutates(sql, "postgresql"), Ok(false), "{sql}");
    }
    for sql in [
        "INSERT INTO t VALUES (1)",
        "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
        "SELECT * FROM (WITH a AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM a) x",
        "SELECT * INTO u FROM t",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SELECT 1; DROP TABLE t",
        "COPY t TO '/tmp/x'",
        "CREATE TABLE t AS SELECT 1",
        "TRUNCATE t",
        "SET TRANSACTION READ WRITE",
        "SET default_transaction_read_only = off",
        "SET ROLE admin",
        "CALL f()",
        "GRANT ALL ON t TO u",
        "SELECT lo_get(lo_import('/etc/passwd'))",
        "SELECT pg_catalog.LO_EXPORT /**/ (1, '/tmp/x')",
        "SELECT * FROM dblink('x', 'DROP TABLE t') AS x(a int)",
        "SELECT a FROM t ORDER BY (SELECT \"pg_terminate_backend\"(1))",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "WITH a AS (SELECT setval('s', 1)) SELECT * FROM a",
    ] {
        assert_ne!(mutates(sql, "postgresql"), Ok(false), "{sql}");
    }
    assert_ne!(mutates("DO $$ BEGIN DELETE FROM t; END $$", "postgresql"), Ok(false));
    assert_eq!(mutates("PRAGMA table_info('t')", "sqlite"), Ok(false));
    assert_ne!(mutates("PRAGMA query_only = 0", "sqlite"), Ok(false));
    assert_ne!(mutates("ATTACH DATABASE 'x' AS y", "sqlite"), Ok(false));
}

#[test]
fn sees_functions_however_written() {
    let calls = |sql: &str, engine: &str| {
        parse(sql, engine).unwrap().calls_any(&["pg_read_file", "version", "current_user"])
    };
    for sql in [
        "SELECT version()",
        "SELECT VERSION /* x */ ()",
        "SELECT pg_catalog.version()",
        "SELECT \"version\"()",
        "SELECT * FROM pg_read_file('/etc/passwd')",
        "SELECT * FROM t WHERE a = (SELECT max(version()) FROM u)",
        "SELECT current_user",
        "WITH a AS (SELECT version() AS v) SELECT * FROM a",
        "SELECT sum(a) FILTER (WHERE version() = 'x') FROM t",
    ] {
        assert!(calls(sql, "postgresql"), "{sql}");
    }
    assert!(calls("SELECT /*!50000 version()*/", "mysql"));
    assert!(!calls("SELECT 'version()', version FROM t", "postgresql"));
}

#[test]
fn rules_reach_every_scan() {
    let rls = rules("postgresql", "t", &["a = 1", "b = 2 OR c = 3"]);
    let rewritten = |sql: &str| {
        let mut script = parse(sql, "postgresql").unwrap();
        script.apply_rls(&rls).map(|()| script.statements()[0].format_flat()).map_err(|error| error.message)
    };
    let scan = "(SELECT * FROM t WHERE a = 1 AND (b = 2 OR c = 3))";
    for (sql, text) in [
        ("SELECT * FROM t", format!("SELECT * FROM {scan} AS \"t\"")),
        (
            "SELECT * FROM t AS x JOIN u ON x.id = u.id",
            format!("SELECT * FROM {scan} AS x JOIN u ON x.id = u.id"),
        ),
        ("SELECT (SELECT max(a) FROM t)", format!("SELECT (SELECT MAX(a) FROM {scan} AS \"t\")")),
        ("SELECT 1 UNION SELECT a FROM t", format!("SELECT 1 UNION SELECT a FROM {scan} AS \"t\"")),
        (
            "WITH t AS (SELECT * FROM t) SELECT * FROM t",
            format!("WITH t AS (SELECT * FROM {scan} AS \"t\") SELECT * FROM t"),
        ),
    ] {
        assert_eq!(rewritten(sql), Ok(text), "{sql}");
    }
    assert!(rewritten("WITH x AS (SELECT a::numeric(4, 1), 'it''s' FROM t) SELECT * FROM x").is_ok());
    // Another spelling is no way around.
    assert!(rewritten("SELECT * FROM T").unwrap().contains("a = 1"));
    assert!(rewritten("SELECT * FROM \"T\"").unwrap().contains("a = 1"));
    assert!(rewritten("SELECT * FROM s.t").unwrap().contains("a = 1"), "the default schema is not known");
    assert_eq!(rewritten("SELECT * FROM w"), Ok("SELECT * FROM w".to_owned()));
    // What was not looked up, or cannot be rewritten, is refused.
    assert_eq!(rewritten("TABLE t"), Ok(format!("SELECT * FROM {scan} AS \"t\"")));
    let only = scan.replace("FROM t", "FROM ONLY t");
    assert_eq!(rewritten("SELECT * FROM ONLY t"), Ok(format!("SELECT * FROM {only} AS \"t\"")));
    assert!(rewritten(r#"SELECT * FROM U&"\0074""#).unwrap().contains("a = 1"));
    let table = TableName { catalog: None, schema: None, table: "t".to_owned() };
    let unknown = RlsRules::new("postgresql", Place::default(), vec![RlsRule { table, predicates: None }]);
    assert!(parse("SELECT * FROM t", "postgresql").unwrap().apply_rls(&unknown).is_err());
    let mut script = parse("SELECT * FROM t LEFT JOIN u ON true", "pinot").unwrap();
    assert!(script.apply_rls(&rules("pinot", "t", &["a = 1"]).as_predicate(true)).is_err());
}

#[test]
fn expressions_are_one_expression() {
    let select = |sql: &str| select_expression(sql, "postgresql").map(|fragment| fragment.text());
    assert_eq!(select("sum(a)  /* x */ + 1").unwrap(), "SUM(a) + 1");
    assert!(select_expression("(select 1)", "postgresql").unwrap().has_subquery());
    assert!(clause("a in (select 1)", "postgresql").unwrap().has_subquery());
    assert!(order_by_expression("(select 1) desc", "postgresql").unwrap().has_subquery());
    for sql in [
        "1 UNION SELECT password FROM ab_user",
        "1 FROM ab_user",
        "1; SELECT 2",
        "1) FROM ab_user --",
        "1, 2",
        "1 AS x",
        "*",
        "",
        "a = 1) OR (1 = 1",
        "'",
    ] {
        assert!(select(sql).is_err(), "{sql}");
    }
    let error = select("(((").unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.sql.as_str()),
        ("Error parsing near '(' at line 1:10", "SELECT (((")
    );
}

#[test]
fn hostile_texts_end_soon() {
    // an unoptimised build has time for less
    let big = 1024 * if cfg!(debug_assertions) { 256 } else { 1024 };
    let many = |piece: &str| piece.repeat(big / piece.len());
    let hostile = [
        "(".repeat(big),
        format!("SELECT {}1", "(".repeat(10_000)),
        format!("SELECT {}", many("1+")),
        format!("SELECT {}", "1+".repeat(100_000)) + "1",
        format!("SELECT {}1", "NOT ".repeat(50_000)),
        format!("SELECT {}1", "- ".repeat(50_000)),
        format!("SELECT 1 {}", "UNION SELECT 1 ".repeat(20_000)),
        format!("SELECT a{}", "[1]".repeat(50_000)),
        format!("SELECT a{}", "::int".repeat(50_000)),
        format!("SELECT {}", "CASE WHEN ".repeat(20_000)),
        format!("SELECT '{}", many("\\")),
        format!("SELECT {}", many("/*")),
        format!("SELECT a FROM t WHERE {}", "a = 1 OR ".repeat(30_000)) + "a = 2",
        format!("SELECT {}", "f(".repeat(50_000)),
        format!("SELECT * FROM {}t", "(SELECT * FROM ".repeat(5_000)),
        format!("SELECT {}", "a,".repeat(29_000)) + "a",
        format!(
            "WITH {} SELECT 1",
            (0..3_000).map(|i| format!("c{i} AS (SELECT 1)")).collect::<Vec<_>>().join(",")
        ),
    ];
    // below the largest size that is read at all
    let most = super::guard::MAX_BYTES - 64;
    let full = |piece: &str| piece.repeat(most / piece.len());
    let allowed = [
        full("("),
        full(")"),
        full("["),
        full("{"),
        full(";"),
        full("SELECT 1;"),
        full("'"),
        full("\""),
        full("`"),
        full("''"),
        full("\\"),
        full("$"),
        full("$$"),
        full("$a$"),
        full("/*"),
        full("--"),
        full("--\n"),
        full("/**/"),
        format!("SELECT a isnull {}", full("--\n")),
        format!("SELECT a mod {}", full("--\n")),
        format!("SELECT a global {}", full("--\n")),
        full("ONLY ("),
        full("TABLE --\n"),
        full("{{ x }} "),
        full("\u{0}"),
        full("é"),
        format!("SELECT '{}", full("\\'")),
        format!("SELECT '{}'", full("\\\\")),
        format!("SELECT E'{}'", full("\\'")),
        format!("SELECT \"{}", full("a\"\"")),
        format!("SELECT $x${}", full("$x ")),
        format!("SELECT /*{}", full("*")),
        format!("SELECT -- {}", full("-")),
        format!("SELECT * FROM a WHERE x IN ({}1)", full("1,")),
        format!("SELECT * FROM a WHERE x IN ({}'1')", full("'\\',")),
        format!("SELECT {}1", full("1 AS a,")),
        format!("SELECT * FROM {}a", full("a,")),
        format!("SELECT * FROM a {}", full("JOIN a ")),
        format!("SELECT a{}", full(".a")),
        format!("SELECT a{}", full(" -> 'a'")),
        format!("SELECT {}", full("not ")),
        format!("SELECT {}", full("a between ")),
        format!("INSERT INTO a VALUES {}(1)", full("(1),")),
        format!("WITH {} SELECT 1", full("a AS (SELECT 1),")),
        format!("SELECT {}", full("case ")),
        format!("EXPLAIN {}SELECT 1", full("EXPLAIN ")),
        full("DECLARE "),
        full("BEGIN "),
        format!("SELECT {}", full("CAST(")),
        format!("SELECT {}", full("ARRAY[")),
        format!("SELECT {}", full("x -> ")),
        format!("SELECT {}", full("EXISTS (SELECT ")),
        format!("SELECT {}", full("a IN (")),
        format!("SELECT {}", full("INTERVAL ")),
        format!("SELECT {}", full("a LIKE ")),
        format!("SELECT {}", full("a COLLATE ")),
        format!("SELECT {}", full("a || ")),
        format!("SELECT 1 FROM a {}", full("JOIN a ON a.a = a.a ")),
        format!("SELECT 1 FROM {}", full("a JOIN (")),
        format!("SELECT 1 FROM a {}", full("PIVOT (")),
        format!("SELECT 1 FROM {}", full("LATERAL (SELECT 1 FROM ")),
        format!("{}SELECT 1", full("WITH a AS (")),
        format!("SELECT 1 {}", full("ORDER BY a ")),
        format!("SELECT CASE {}END", full("WHEN a THEN b ")),
        format!("SELECT f(a) {}", full("OVER (PARTITION BY ")),
    ];
    let engines: &[&str] = if cfg!(debug_assertions) {
        &["postgresql", "mysql", "sqlite"]
    } else {
        &["postgresql", "mysql", "sqlite", "mssql", "duckdb", "clickhousedb", "trino", "redshift"]
    };
    let mut worst = Duration::ZERO;
    for sql in hostile.into_iter().chain(allowed) {
        for engine in engines {
            let start = processor_time();
            if let Ok(script) = parse(&sql, engine) {
                let _ = (script.format(), script.tables(), script.has_mutation());
            }
            let _ = clause(&sql, engine);
            let spent = processor_time() - start;
            worst = worst.max(spent);
            let start: String = sql.chars().take(40).collect();
            println!("{engine} {spent:?} {start:?}");
            assert!(spent < BUDGET, "{engine} {spent:?} {start:?}");
        }
    }
    println!("worst {worst:?}");
    assert!(worst > Duration::ZERO, "no time was measured");
}

#[test]
fn limits_are_read_and_set() {
    let mut script = parse("SELECT a FROM t LIMIT 10 OFFSET 5", "postgresql").unwrap();
    assert_eq!(script.statements()[0].limit_value(), Some(10));
    script.statements_mut()[0].set_limit(7);
    assert_eq!(script.statements()[0].format_flat(), "SELECT a FROM t LIMIT 7 OFFSET 5");
    assert_eq!(parse("SELECT a FROM t", "postgresql").unwrap().statements()[0].limit_value(), None);
}

#[test]
fn operators_that_the_parser_leaves_out() {
    let text = |sql: &str, engine: &str| clause(sql, engine).map(|clause| clause.text());
    assert_eq!(text("a << 2 | b >> 1", "sqlite"), Ok("a << 2 | b >> 1".into()));
    assert_eq!(text("a[1] = b[2][3]", "postgresql"), Ok("a[1] = b[2][3]".into()));
    assert_eq!(text("(array_agg(x))[1]", "postgresql"), Ok("(ARRAY_AGG(x))[1]".into()));
    assert_eq!(text("{{ nope }} = 1", "sqlite"), Ok("STRUCT(STRUCT(nope)) = 1".into()));
    assert_eq!(text("{{ nope }} = 1", "postgresql"), Ok("STRUCT(STRUCT(nope)) = 1".into()));
}

/// ClickHouse tells `toDate` from `TODATE` and `String` from `STRING`.
#[test]
fn names_of_clickhouse_keep_their_case() {
    let shown = |sql: &str| parse(sql, "clickhousedb").unwrap().format();
    assert_eq!(
        shown(
            "select toStartOfHour(toDateTime(at)) h, uniqExact(a), count() from t where x = 'a\\'b' group by h"
        ),
        "SELECT\n  toStartOfHour(toDateTime(at)) AS h,\n  uniqExact(a),\n  COUNT()\nFROM t\nWHERE\n  x = \
         'a\\'b'\nGROUP BY\n  h"
    );
    assert_eq!(
        shown(
            "SELECT CAST(a AS LowCardinality(Nullable(String))), CAST(b AS DateTime('Europe/Berlin')), CAST(c AS \
             Array(Int64))"
        ),
        "SELECT\n  CAST(a AS LowCardinality(Nullable(String))),\n  CAST(b AS DateTime('Europe/Berlin')),\n  \
         CAST(c AS Array(Int64))"
    );
}
