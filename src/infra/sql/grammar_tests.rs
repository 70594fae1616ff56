//! What the grammars of PostgreSQL, MariaDB and SQLite take for a query is taken, and what is printed means what was
//! read: the engine's own EXPLAIN is asked, of the text and of ours. (Not here: where sqlglot changes the type of a
//! value and not the value, as `date_part` to EXTRACT, and the precision of `INTERVAL(3) '…'`, which gets lost.)

use crate::{
    engine_specs::url::Url,
    engines::{Engine, Engines, QueryOptions, Source, Statements},
};

const TABLES: &[&str] = &[
    "CREATE TABLE a(x int UNIQUE, y int, s varchar(20), d timestamp)",
    "CREATE TABLE b(x int, y int, s varchar(20))",
];

/// After the themes of PostgreSQL's regression tests: select, join, subselect, union, with, window, groupingsets, case,
/// arrays, json, strings, xml, tablesample, rowtypes.
const POSTGRESQL: &[&str] = &[
    "TABLE a",
    "TABLE ONLY a ORDER BY x LIMIT 1",
    "(TABLE a) UNION ALL TABLE a",
    "WITH w AS (TABLE a) TABLE w",
    "SELECT * FROM ONLY a",
    "SELECT * FROM ONLY (a) AS q, ONLY b",
    "SELECT U&\"\\0078\" FROM U&\"\\0061\"",
    "SELECT U&'d\\0061t\\+000061' AS s",
    "SELECT U&'d!0061t!+000061' UESCAPE '!' AS s",
    "SELECT * FROM xmltable('/r' PASSING ('<r><x>1</x></r>'::xml) COLUMNS x int PATH 'x')",
    "SELECT xmlelement(name foo, xmlattributes(x AS bar), s) FROM a",
    "SELECT xmlforest(x, y AS z) FROM a",
    "SELECT '<a/>'::xml IS DOCUMENT",
    "SELECT x FROM a WHERE x IN (1, 2) AND NOT y IN (3) OR s LIKE 'a%' ESCAPE '!'",
    "SELECT x FROM a WHERE s SIMILAR TO 'a|b' AND s NOT SIMILAR TO 'c' ESCAPE '#'",
    "SELECT x FROM a WHERE s ~* 'x' AND s !~ 'y' AND s !~~ 'z'",
    "SELECT (d, d) OVERLAPS (d, interval '1 day') FROM a",
    "SELECT x FROM a WHERE x BETWEEN SYMMETRIC 3 AND 1",
    "SELECT x FROM a WHERE (x < 3) IS UNKNOWN OR (y > 1) IS NOT TRUE",
    "SELECT x FROM a WHERE x IS DISTINCT FROM y AND x IS NOT DISTINCT FROM 3",
    "SELECT x FROM a WHERE ROW(x, y) < ROW(1, 2)",
    "SELECT x FROM a WHERE (x, y) IN (SELECT x, y FROM b)",
    "SELECT x FROM a WHERE x = ANY (ARRAY[1, 2]) AND y > ALL (SELECT y FROM b)",
    "SELECT x FROM a WHERE s LIKE ANY (ARRAY['a', 'b'])",
    "SELECT -x, ~x, @ y, |/ 4, ||/ 8, x ^ 2, x % 3, x # y, x << 1, x >> 1, x & y, x | y FROM a",
    "SELECT x - -y, - -x, -(-x), 2 - (3 - 4), (2 + 3) * 4, 2 ^ 3 ^ 2, -2 ^ 2 FROM a",
    "SELECT NOT x = 1 AND y = 2, NOT (x = 1 AND y = 2) FROM a",
    "SELECT x::text || y::text, CAST(x AS numeric(10, 2)), '{1}'::bigint[] IS NULL FROM a",
    "SELECT x FROM a ORDER BY x USING <",
    "SELECT x FROM a ORDER BY x DESC NULLS LAST, y ASC NULLS FIRST LIMIT ALL OFFSET 1",
    "SELECT x FROM a ORDER BY x FETCH FIRST 3 ROWS ONLY",
    "SELECT x FROM a ORDER BY x OFFSET 1 ROW FETCH NEXT ROW WITH TIES",
    "SELECT DISTINCT ON (x, y) x, s FROM a ORDER BY x, y",
    "SELECT ALL x FROM a",
    "SELECT FROM a",
    "SELECT",
    "SELECT a.*, (b).x, (b.*) IS NULL FROM a, b",
    "SELECT (ROW(1, 2)).f1",
    "SELECT x AS \"select\", y \"from\" FROM a AS \"order\"",
    "SELECT count(*) FILTER (WHERE x > 1), sum(DISTINCT y), array_agg(x ORDER BY y DESC) FROM a",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x), mode() WITHIN GROUP (ORDER BY y) FROM a",
    "SELECT x, rank() OVER (PARTITION BY y ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM a",
    "SELECT sum(x) OVER w, lag(x) OVER (w ROWS UNBOUNDED PRECEDING) FROM a WINDOW w AS (PARTITION BY y ORDER BY x)",
    "SELECT sum(x) OVER (ORDER BY x GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM a",
    "SELECT sum(x) OVER (ORDER BY d RANGE BETWEEN '1 day' PRECEDING AND '1 day' FOLLOWING) FROM a",
    "SELECT x, y, count(*) FROM a GROUP BY GROUPING SETS ((x, y), (x), ())",
    "SELECT x, y, grouping(x, y), count(*) FROM a GROUP BY ROLLUP (x, y)",
    "SELECT x, y, count(*) FROM a GROUP BY CUBE (x, (x, y))",
    "SELECT x, y, count(*) FROM a GROUP BY DISTINCT ROLLUP (x, y), ROLLUP (x)",
    "SELECT x, count(*) FROM a GROUP BY x HAVING count(*) > 1 AND max(y) IS NOT NULL",
    "SELECT CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, CASE WHEN x > 1 THEN 1 ELSE NULL END FROM a",
    "SELECT COALESCE(x, y, 0), NULLIF(x, y), GREATEST(x, y), LEAST(x, 1) FROM a",
    "SELECT * FROM a JOIN b USING (x) LEFT JOIN b AS c ON c.y = a.y",
    "SELECT * FROM a JOIN b USING (x) AS j WHERE j.x = 1",
    "SELECT * FROM a NATURAL FULL OUTER JOIN b",
    "SELECT * FROM (a CROSS JOIN b) AS j(p, q, r, t, u, v, w)",
    "SELECT * FROM a LEFT JOIN (b JOIN a AS c ON b.x = c.x) ON a.y = b.y",
    "SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x) AS l",
    "SELECT * FROM a CROSS JOIN LATERAL generate_series(1, a.x) WITH ORDINALITY AS g(n, o)",
    "SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) WITH ORDINALITY AS t(p, q, o)",
    "SELECT * FROM json_to_record('{\"p\": 1}') AS r(p int, q text)",
    "SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS u(n, s)",
    "SELECT * FROM a TABLESAMPLE BERNOULLI (50) REPEATABLE (3)",
    "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS v(n, s)",
    "VALUES (1, 2), (3, 4) ORDER BY 1 DESC LIMIT 1",
    "SELECT x FROM a UNION SELECT x FROM b INTERSECT SELECT 1",
    "(SELECT x FROM a UNION SELECT x FROM b) INTERSECT SELECT 1",
    "SELECT x FROM a EXCEPT ALL SELECT x FROM b ORDER BY x",
    "SELECT x FROM a EXCEPT (SELECT x FROM b EXCEPT SELECT 1)",
    "(SELECT x FROM a ORDER BY x LIMIT 1) UNION ALL (SELECT x FROM b ORDER BY x DESC LIMIT 1)",
    "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SEARCH DEPTH FIRST BY n SET o \
     SELECT * FROM r",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) CYCLE n SET c USING p SELECT n FROM r",
    "WITH w AS MATERIALIZED (SELECT * FROM a), v AS NOT MATERIALIZED (SELECT * FROM b) SELECT * FROM w, v",
    "SELECT (ARRAY[1, 2])[1], (ARRAY[[1, 2], [3, 4]])[1:2][2], ('{1,2}'::int[])[2], ARRAY(SELECT x FROM a)",
    "SELECT ARRAY[1, 2] @> ARRAY[1], ARRAY[1] && ARRAY[2], ARRAY[1] || 2",
    "SELECT '{\"a\": [1]}'::jsonb -> 'a' ->> 0, '{\"a\": 1}'::jsonb #>> '{a}', '{\"a\": 1}'::jsonb ? 'a'",
    "SELECT '{\"a\": 1}'::jsonb ?| ARRAY['a'], '{\"a\": 1}'::jsonb @> '{\"a\": 1}', '{}'::jsonb - 'a'",
    "SELECT jsonb_path_query('{\"a\": 1}'::jsonb, '$.a'), '{\"a\": 1}'::jsonb @? '$.a'",
    "SELECT EXTRACT(epoch FROM d), d AT TIME ZONE 'UTC', d + INTERVAL '1 day' FROM a",
    "SELECT INTERVAL '1 year', INTERVAL '1 2:03' DAY TO MINUTE, INTERVAL '1 day 2 hours'",
    "SELECT DATE '2020-01-01', TIME '10:00', TIMESTAMP WITH TIME ZONE '2020-01-01 00:00+02', bool 't', bit '101'",
    "SELECT B'101', X'1F', E'a\\nb', $$it's$$, $q$a$$b$q$, N'x'",
    "SELECT 1e3, .5, 5., 0x1F, 0o17, 0b11, 1_000",
    "SELECT substring(s FROM 1 FOR 2), substring(s FROM 'a#\"b#\"c' FOR '#'), substring(s FROM 2) FROM a",
    "SELECT overlay(s PLACING 'x' FROM 1), overlay(s PLACING 'x' FROM 1 FOR 2) FROM a",
    "SELECT trim(BOTH 'x' FROM s), trim(s), trim(LEADING FROM s), position('a' IN s), char_length(s) FROM a",
    "SELECT s COLLATE \"C\" < 'b' COLLATE \"C\", upper(s) COLLATE pg_catalog.\"C\" FROM a",
    "SELECT current_date, current_timestamp(3), localtime, current_user, session_user, current_schema",
    "SELECT normalize('a', NFC), 'a' IS NFC NORMALIZED, 'b' IS NORMALIZED",
    "SELECT x OPERATOR(pg_catalog.+) y FROM a",
    "SELECT make_interval(days => 3), concat(VARIADIC ARRAY['a', 'b'])",
    "SELECT x FROM a WHERE EXISTS (SELECT FROM b WHERE b.x = a.x)",
    "SELECT (SELECT max(y) FROM b WHERE b.x = a.x) AS m FROM a",
    "SELECT x FROM a WHERE x NOT IN (SELECT x FROM b) AND NOT EXISTS (TABLE b)",
    "SELECT x FROM a FOR SHARE",
    "SELECT x IS NULL, y IS NOT NULL, x ISNULL, y NOTNULL FROM a",
    "SELECT a FROM a",
    "SELECT a.x, s.x FROM a a, (SELECT 1 AS x) s(x)",
    "SELECT 1 AS a, 2 AS A, 3 AS \"A\"",
    "SELECT x::int4::text::varchar(3), CAST('1' AS double precision), '2'::\"char\" FROM a",
    "SELECT cast(ROW(x, y) AS text) FROM a",
    "SELECT json_object('a' VALUE x, 'b': y) FROM a",
    "SELECT json_arrayagg(x ORDER BY y RETURNING jsonb) FROM a",
    "SELECT '[1]' IS JSON ARRAY",
    "SELECT * FROM a WHERE x = 1 AND (y = 2 OR s = 'x') AND NOT (x > y OR y IS NULL)",
    "SELECT count(*) FROM a AS t(p, q) WHERE t.p = 1",
    "SELECT * FROM a ORDER BY (x + y) * 2, s COLLATE \"C\" DESC",
    "SELECT string_agg(s, ',' ORDER BY x), bool_and(x > 1), count(DISTINCT (x, y)) FROM a",
    "SELECT first_value(x) OVER (ORDER BY y), ntile(4) OVER (ORDER BY x) FROM a",
    "SELECT x FROM a LIMIT (SELECT 1) OFFSET 1 + 1",
    "SELECT (x > 1) = (y > 1), x = 1 IS TRUE FROM a",
];

/// After MariaDB's tests of its parser, SELECT, unions, windows, JSON and dates.
const MARIADB: &[&str] = &[
    "SELECT x DIV 2, x MOD 2, x % 3, x XOR y, NOT x, !x, x && y, x || y, x ^ y, ~x FROM a",
    "SELECT x FROM a WHERE x <=> NULL AND s REGEXP 'a' AND s NOT RLIKE 'b'",
    "SELECT x FROM a WHERE s SOUNDS LIKE 'b'",
    "SELECT SQL_CALC_FOUND_ROWS x FROM a LIMIT 1",
    "SELECT DISTINCTROW x FROM a",
    "SELECT STRAIGHT_JOIN * FROM a JOIN b ON a.x = b.x",
    "SELECT * FROM a STRAIGHT_JOIN b ON a.x = b.x",
    "SELECT * FROM a USE INDEX (x) WHERE x = 1",
    "SELECT * FROM a FORCE INDEX FOR ORDER BY (x) ORDER BY x",
    "SELECT x, count(*) FROM a GROUP BY x WITH ROLLUP",
    "SELECT x FROM a ORDER BY x LIMIT 1, 2",
    "SELECT x FROM a ORDER BY x LIMIT 2 OFFSET 1",
    "SELECT GROUP_CONCAT(DISTINCT s ORDER BY x DESC SEPARATOR ';') FROM a",
    "SELECT d + INTERVAL 1 DAY, INTERVAL 2 HOUR + d, DATE_ADD(d, INTERVAL '1:2' MINUTE_SECOND) FROM a",
    "SELECT EXTRACT(YEAR_MONTH FROM d), TIMESTAMPDIFF(DAY, d, d), CONVERT(x, CHAR), CONVERT(s USING utf8mb4) FROM a",
    "SELECT CAST(x AS UNSIGNED), CAST(s AS CHAR(3)), CAST(x AS DECIMAL(10, 2)), BINARY s FROM a",
    "SELECT 'a' 'b', \"c\", _utf8mb4'x', x'1F', 0x1F, b'101', N'n'",
    "SELECT `x` AS `select`, a.`y` FROM `a`",
    "SELECT x FROM a UNION SELECT x FROM b UNION ALL SELECT 1",
    "(SELECT x FROM a LIMIT 1) UNION (SELECT x FROM b ORDER BY x LIMIT 1) ORDER BY 1",
    "SELECT x FROM a INTERSECT SELECT x FROM b EXCEPT SELECT 2",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r",
    "SELECT x, ROW_NUMBER() OVER (PARTITION BY y ORDER BY x) FROM a",
    "SELECT SUM(x) OVER w FROM a WINDOW w AS (ORDER BY y)",
    "SELECT JSON_EXTRACT('{\"a\": 1}', '$.a'), JSON_VALUE('{\"a\": 1}', '$.a')",
    "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (n INT PATH '$')) AS j",
    "SELECT IF(x, 1, 2), IFNULL(x, 0), CASE WHEN x THEN 1 END, ISNULL(x) FROM a",
    "SELECT @@version_comment IS NULL, CURRENT_TIMESTAMP(3), NOW()",
    "SELECT * FROM a WHERE (x, y) IN ((1, 2), (3, 4))",
    "SELECT * FROM a WHERE x BETWEEN 1 AND 2 AND s LIKE 'a%' ESCAPE '|'",
    "SELECT * FROM a WHERE MATCH (s) AGAINST ('x' IN BOOLEAN MODE)",
    "SELECT * FROM a NATURAL LEFT JOIN b",
    "SELECT * FROM { OJ a LEFT OUTER JOIN b ON a.x = b.x }",
    "SELECT * FROM (a, b)",
    "SELECT * FROM a LEFT JOIN (b CROSS JOIN a AS c) ON a.x = b.x",
    "VALUES (1, 2), (3, 4)",
    "SELECT -x - -y, 1 - (2 - 3), x << 1 | 2 & 3 FROM a",
    "SELECT x FROM a FOR UPDATE",
    "SELECT * FROM a WHERE d > '2020-01-01' AND d < TIMESTAMP '2021-01-01 00:00:00'",
    "SELECT SUBSTRING(s FROM 2 FOR 1), TRIM(LEADING 'a' FROM s), POSITION('a' IN s), CHAR(65 USING utf8mb4) FROM a",
    "SELECT x FROM a LIMIT ROWS EXAMINED 10",
    "SELECT x IS TRUE, y IS NOT UNKNOWN, x IN (1) = 0 FROM a",
    "SELECT COUNT(DISTINCT x, y) FROM a",
    "SELECT HIGH_PRIORITY x FROM a",
];

/// After SQLite's tests of select, expr, join, with, window, and its lexer.
const SQLITE: &[&str] = &[
    "SELECT x IS 1, x IS NOT y, x ISNULL, y NOTNULL, x NOT NULL FROM a",
    "SELECT x == 1, x <> 2, x != 3, x << 1, x >> 1, x & y, x | y, ~x, x % 2, x || y FROM a",
    "SELECT s GLOB 'a*', s NOT LIKE 'b', s LIKE 'c' ESCAPE '!' FROM a WHERE 0",
    "SELECT s GLOB 'a*' AND s NOT GLOB 'b*' FROM a",
    "SELECT [x], `y`, \"s\" FROM [a] AS 'q'",
    "SELECT 'it''s', x'1F', 1e3, .5, 0x1F, NULL, CURRENT_TIMESTAMP",
    "SELECT x FROM a LIMIT 2, 1",
    "SELECT x FROM a ORDER BY x COLLATE NOCASE DESC NULLS LAST LIMIT 1 OFFSET 1",
    "SELECT * FROM a, b LEFT JOIN a AS c USING (x)",
    "SELECT * FROM a NATURAL JOIN b",
    "SELECT * FROM a INDEXED BY sqlite_autoindex_a_1 WHERE x = 1",
    "SELECT * FROM a NOT INDEXED",
    "SELECT * FROM (a JOIN b ON a.x = b.x)",
    "SELECT * FROM a FULL OUTER JOIN b ON a.x = b.x",
    "SELECT x FROM a UNION SELECT x FROM b EXCEPT SELECT 1 INTERSECT SELECT 2",
    "VALUES (1, 2), (3, 4)",
    "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r",
    "WITH w AS MATERIALIZED (SELECT * FROM a) SELECT * FROM w",
    "SELECT count(*) FILTER (WHERE x > 1) OVER (PARTITION BY y) FROM a",
    "SELECT sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM a",
    "SELECT group_concat(s, ';' ORDER BY x) FROM a",
    "SELECT x -> '$', x ->> '$.a' FROM a",
    "SELECT CAST(x AS TEXT), typeof(x), iif(x, 1, 2) FROM a",
    "SELECT * FROM a WHERE (x, y) IN (VALUES (1, 2))",
    "SELECT * FROM a WHERE x NOT IN (SELECT x FROM b) OR x IN ()",
    "SELECT * FROM a WHERE (x, y) = (1, 2) AND EXISTS (SELECT 1)",
    "SELECT CASE x WHEN 1 THEN 2 ELSE 3 END, CASE WHEN x THEN y END FROM a",
    "SELECT * FROM json_each('[1, 2]'), json_tree('[1]')",
    "SELECT * FROM json_each('[1, 2]') AS j",
    "SELECT *, a.*, rowid, oid FROM a",
    "SELECT größe, \"ß\" FROM (SELECT 1 AS größe, 2 AS \"ß\")",
    "SELECT x AS 'an alias', y \"another\" FROM a",
    "SELECT DISTINCT x FROM a GROUP BY x HAVING count(*) > 0 ORDER BY 1",
    "SELECT - - x, -(-x), 2 - (3 - 4), +x, NOT x = 1 FROM a",
    "SELECT x COLLATE BINARY = 'a', x BETWEEN 1 AND 2 AND y NOT BETWEEN 3 AND 4 FROM a",
    "SELECT x IS DISTINCT FROM y, x IS NOT DISTINCT FROM 1 FROM a",
    "SELECT max(x, y), min(x), total(x) FROM a",
    "SELECT 1 WHERE 1 -- a comment\n/* and another */",
    "SELECT \u{feff}1",
];

fn engine(uri: &str) -> Engine {
    let source = Source { url: Url::parse(uri).unwrap(), ..Source::default() };
    Engines::new(None).make(&source).unwrap()
}

async fn run(engine: &Engine, sql: &str) {
    engine.execute_all(Statements::list([sql])).await.unwrap();
}

/// The plan of a text, line by line; none if the engine does not take it.
async fn plan(engine: &Engine, explain: &str, sql: &str) -> Option<String> {
    let found = engine.query(&format!("{explain} {sql}"), &QueryOptions::default()).await.ok()?;
    let row = |row: usize| {
        let cells = found.data.iter().map(|column| format!("{:?}", column.get(row)));
        cells.collect::<Vec<_>>().join("|")
    };
    Some((0..found.row_count()).map(row).collect::<Vec<_>>().join("\n"))
}

/// Asks the engine about each statement; what it takes must be taken, and its plan must be that of the printed text.
async fn compare(engine: &Engine, name: &str, explain: &str, statements: &[&str], most_unread: usize) {
    let (mut known, mut unread, mut wrong) = (0, Vec::new(), Vec::new());
    for sql in statements {
        let Some(want) = plan(engine, explain, sql).await else {
            println!("{name} does not know: {sql}");
            continue;
        };
        known += 1;
        let Ok(script) = super::parse_or_take_unread(sql, name) else {
            wrong.push(format!("refused: {sql}"));
            continue;
        };
        if script.is_unread() {
            unread.push(*sql);
        }
        let printed = script.format();
        match plan(engine, explain, &printed).await {
            Some(got) if got == want => {}
            Some(got) => wrong.push(format!("{sql}\n  became {printed:?}\n  {want}\n  {got}")),
            None => wrong.push(format!("{sql}\n  became {printed:?}, which {name} does not know")),
        }
    }
    println!("{name}: {known} of {} known, {} unread: {unread:#?}", statements.len(), unread.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(known * 10 > statements.len() * 8, "{name} knows {known} statements only");
    assert!(unread.len() <= most_unread, "{} are not read", unread.len());
}

#[tokio::test]
async fn what_postgresql_takes_is_taken_and_means_the_same() {
    let Ok(uri) = std::env::var("LITESET_TEST_POSTGRES") else {
        println!("skipped: LITESET_TEST_POSTGRES is not set");
        return;
    };
    let name = format!("liteset_grammar_{}", std::process::id());
    let server = engine(&uri);
    run(&server, &format!("CREATE SCHEMA {name}")).await;
    let mut url = Url::parse(&uri).unwrap();
    url.set_option("options", format!("-c search_path={name}"));
    let engine = Engines::new(None).make(&Source { url, ..Source::default() }).unwrap();
    for table in TABLES {
        run(&engine, table).await;
    }
    let work = compare(&engine, "postgresql", "EXPLAIN (VERBOSE, COSTS OFF)", POSTGRESQL, 13);
    let outcome = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(work)).await;
    run(&server, &format!("DROP SCHEMA {name} CASCADE")).await;
    outcome.unwrap();
}

#[tokio::test]
async fn what_mariadb_takes_is_taken_and_means_the_same() {
    if std::net::TcpStream::connect("127.0.0.1:3306").is_err() {
        println!("skipped: no MariaDB on 127.0.0.1:3306");
        return;
    }
    let name = format!("liteset_grammar_{}", std::process::id());
    let server = engine("mysql://root@127.0.0.1:3306/");
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let engine = engine(&format!("mysql://root@127.0.0.1:3306/{name}"));
    for table in TABLES {
        run(&engine, table).await;
    }
    let work = compare(&engine, "mysql", "EXPLAIN", MARIADB, 8);
    let outcome = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(work)).await;
    run(&server, &format!("DROP DATABASE {name}")).await;
    outcome.unwrap();
}

#[tokio::test]
async fn what_sqlite_takes_is_taken_and_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&format!("sqlite:///{}", folder.path().join("g.db").display()));
    for table in TABLES {
        run(&engine, table).await;
    }
    compare(&engine, "sqlite", "EXPLAIN QUERY PLAN", SQLITE, 5).await;
}
