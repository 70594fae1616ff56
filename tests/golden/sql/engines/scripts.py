"""Records what Superset's parser tells of statements: their number, tables, whether they write, and the text that SQL
Lab would run with a limit of 1001. Run it with the Python of an installed Superset: `python scripts.py`."""

import json
from pathlib import Path

from superset.sql.parse import SQLScript

COMMON = """
SELECT 1
SELECT a FROM t
SELECT a FROM s.t
SELECT a FROM c.s.t
SELECT a FROM t;
SELECT a FROM t LIMIT 5
SELECT a FROM t LIMIT 5 OFFSET 10
SELECT a FROM t LIMIT 5000
SELECT a FROM t ORDER BY a
SELECT DISTINCT a FROM t
SELECT a FROM t OFFSET 5
SELECT a FROM t1 JOIN t2 ON t1.x = t2.x LEFT JOIN t3 ON t3.x = t2.x
SELECT a FROM t1, t2, (SELECT b FROM t3) AS x
SELECT a FROM t1 CROSS JOIN t2
SELECT a FROM t1 NATURAL JOIN t2
SELECT a FROM t1 RIGHT OUTER JOIN t2 USING (x)
SELECT a FROM t1 FULL JOIN t2 ON t1.a = t2.a
SELECT a FROM t1 AS x WHERE EXISTS (SELECT 1 FROM t2 WHERE t2.a = x.a)
SELECT a FROM t1 WHERE a IN (SELECT b FROM t2 WHERE c NOT IN (SELECT d FROM t3))
SELECT (SELECT MAX(a) FROM t2) FROM t1
SELECT CASE WHEN a > (SELECT AVG(a) FROM t2) THEN 1 ELSE 0 END FROM t1
SELECT a FROM t1 UNION SELECT b FROM t2
SELECT a FROM t1 UNION ALL SELECT b FROM t2 ORDER BY 1
SELECT a FROM t1 EXCEPT SELECT b FROM t2
SELECT a FROM t1 INTERSECT SELECT b FROM t2
(SELECT a FROM t1) UNION (SELECT b FROM t2)
(SELECT a FROM t)
WITH x AS (SELECT a FROM t) SELECT a FROM x
WITH x AS (SELECT a FROM t1), y AS (SELECT a FROM x JOIN t2 ON x.a = t2.a) SELECT * FROM y
WITH t AS (SELECT a FROM t) SELECT a FROM t
WITH t AS (SELECT 1 AS a) SELECT * FROM t JOIN s.t AS u ON t.a = u.a
WITH x AS (SELECT a FROM t1) SELECT * FROM (WITH y AS (SELECT a FROM t2) SELECT * FROM y) AS z
WITH x AS (SELECT a FROM t1) SELECT a FROM x UNION ALL SELECT a FROM t2
SELECT COUNT(*), SUM(a) FROM t GROUP BY b HAVING COUNT(*) > 1
SELECT SUM(a) OVER (PARTITION BY b ORDER BY c) FROM t
SELECT a AS "from" FROM "t"
SELECT 'FROM x' FROM t -- FROM y
SELECT /* FROM z */ a FROM t
SELECT a FROM t WHERE b = ';' ; SELECT 2
SELECT 1; SELECT a FROM t2;
; ;SELECT 1;;
SELECT a FROM t WHERE b LIKE '%a' AND c BETWEEN 1 AND 2 OR NOT d IS NULL
SELECT CAST(a AS INTEGER), COALESCE(b, 0) FROM t
SELECT T.A FROM T
SELECT a FROM S.T
VALUES (1), (2)
INSERT INTO t VALUES (1)
INSERT INTO t SELECT a FROM t2
INSERT INTO s.t (a) SELECT a FROM c.s.t2
UPDATE t SET a = 1
UPDATE t SET a = (SELECT MAX(b) FROM t2) WHERE c IN (SELECT d FROM t3)
DELETE FROM t
DELETE FROM t WHERE a IN (SELECT b FROM t2)
MERGE INTO t USING t2 ON t.a = t2.a WHEN MATCHED THEN UPDATE SET b = 1
CREATE TABLE n AS SELECT a FROM t
CREATE TABLE n (a INT)
CREATE VIEW v AS SELECT a FROM t
DROP TABLE t
DROP VIEW IF EXISTS v
TRUNCATE TABLE t
ALTER TABLE t ADD COLUMN b INT
GRANT SELECT ON t TO u
REVOKE SELECT ON t FROM u
EXPLAIN SELECT a FROM t
DESCRIBE t
SHOW TABLES
USE s
SET a = 1
CALL p(1)
COMMIT
BEGIN
"""
OF = {
    "postgresql": """
SELECT a FROM ONLY t
SELECT a::int, b->>'c', d #> '{e,f}' FROM t
SELECT a FROM t TABLESAMPLE SYSTEM (10)
SELECT a FROM t1, LATERAL (SELECT b FROM t2 WHERE t2.a = t1.a) AS x
SELECT a FROM generate_series(1, 10) AS a
SELECT a FROM t FOR UPDATE
SELECT a INTO n FROM t
SELECT a FROM t FETCH FIRST 5 ROWS ONLY
SELECT DISTINCT ON (a) a, b FROM t ORDER BY a
SELECT ARRAY(SELECT a FROM t)
SELECT ARRAY[1, 2][1] FROM t
SELECT $$ FROM x $$ FROM t
SELECT $q$ ; $q$ FROM t; SELECT 1
SELECT E'a\\'b' FROM t
SELECT "T".a FROM "S"."T"
TABLE t
WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x
WITH x AS (INSERT INTO t SELECT a FROM t2 RETURNING a) SELECT a FROM x
WITH x AS (UPDATE t SET a = 1 RETURNING a) SELECT a FROM x
WITH RECURSIVE x(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM x WHERE a < (SELECT MAX(b) FROM t)) SELECT a FROM x
EXPLAIN ANALYZE SELECT a FROM t
EXPLAIN ANALYZE DELETE FROM t
DO $$ BEGIN DELETE FROM t; END $$
COPY t TO STDOUT
COPY t FROM '/tmp/x'
VACUUM t
ANALYZE t
LOCK TABLE t
REFRESH MATERIALIZED VIEW v
CREATE INDEX i ON t (a)
CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql
SELECT pg_sleep(1)
SELECT query_to_xml('SELECT a FROM t', true, true, '')
SHOW search_path
SET search_path TO s
SELECT a FROM t WHERE b ~ 'x' AND c ILIKE 'd%' AND e = ANY (SELECT f FROM t2)
SELECT x.* FROM t AS x, unnest(x.b) AS y
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t
SELECT COUNT(*) FILTER (WHERE a > (SELECT 1 FROM t2)) FROM t
SELECT a FROM t1 GROUP BY GROUPING SETS ((a), ())
SELECT JSON_AGG(t) FROM t
SELECT a AT TIME ZONE 'UTC' FROM t
COMMENT ON TABLE t IS 'x'
NOTIFY c
LISTEN c
DISCARD ALL
RESET ALL
""",
    "mysql": """
SELECT `a` FROM `t`
SELECT a FROM `s`.`t`
SELECT a FROM t LIMIT 10, 5
SELECT a FROM t # c
SELECT a FROM t STRAIGHT_JOIN t2
SELECT a FROM t USE INDEX (i) WHERE b = 1
SELECT a FROM t PARTITION (p)
SELECT a FROM t FOR UPDATE
SELECT a FROM t LOCK IN SHARE MODE
SELECT SQL_CALC_FOUND_ROWS a FROM t
SELECT a FROM t INTO OUTFILE '/tmp/x'
SELECT 'it\\'s' FROM t
SELECT "x" FROM t
SELECT /*! a FROM t2, */ b FROM t
SELECT /*!50000 a */ FROM t
SELECT a FROM t WHERE b RLIKE 'x' AND c <=> d
SELECT GROUP_CONCAT(a ORDER BY b SEPARATOR ',') FROM t
SELECT DATE_ADD(a, INTERVAL 1 DAY) FROM t
SELECT a FROM t WHERE MATCH (b) AGAINST ('c' IN BOOLEAN MODE)
SELECT IF(a, b, (SELECT c FROM t2)) FROM t
SELECT @a := 1 FROM t
REPLACE INTO t VALUES (1)
INSERT INTO t SET a = 1
INSERT IGNORE INTO t SELECT a FROM t2
INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2
UPDATE t1, t2 SET t1.a = t2.a
DELETE t1 FROM t1 JOIN t2 ON t1.a = t2.a
LOAD DATA INFILE '/tmp/x' INTO TABLE t
SHOW CREATE TABLE t
SHOW COLUMNS FROM t
SHOW INDEX FROM t
SHOW DATABASES
SHOW VARIABLES LIKE 'a%'
DESC t
EXPLAIN FORMAT=JSON SELECT a FROM t
HANDLER t OPEN
RENAME TABLE t TO u
OPTIMIZE TABLE t
KILL 1
FLUSH TABLES
SET GLOBAL a = 1
SET @a = (SELECT b FROM t)
SELECT a FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) AS j
SELECT a DIV 2, a MOD 2, a XOR b FROM t
SELECT BINARY a FROM t
""",
    "sqlite": """
SELECT a FROM [t]
SELECT a FROM `t`
SELECT a FROM main.t
SELECT a FROM t INDEXED BY i
SELECT a FROM t WHERE b GLOB 'x*' AND c IS 1 AND d IS NOT 2
SELECT a FROM t, json_each(t.b)
SELECT a FROM pragma_table_info('t')
SELECT a FROM t WHERE b IN t2
PRAGMA table_info(t)
PRAGMA query_only = 0
ATTACH 'x' AS y
DETACH y
REPLACE INTO t VALUES (1)
INSERT OR IGNORE INTO t VALUES (1)
VACUUM
REINDEX
SELECT a FROM sqlite_master
SELECT strftime('%Y', a) FROM t
SELECT a || b FROM t
SELECT iif(a, b, c) FROM t
EXPLAIN QUERY PLAN SELECT a FROM t
""",
    "mssql": """
SELECT TOP 5 a FROM t
SELECT TOP (5) a FROM t
SELECT TOP 5 PERCENT a FROM t
SELECT TOP 5 WITH TIES a FROM t ORDER BY a
SELECT DISTINCT TOP 5 a FROM t
SELECT a FROM [t]
SELECT [a b] FROM [s].[t]
SELECT a FROM db.dbo.t
SELECT a FROM srv.db.dbo.t
SELECT a FROM db..t
SELECT a FROM t WITH (NOLOCK)
SELECT a FROM t1 WITH (NOLOCK) JOIN t2 WITH (NOLOCK) ON t1.a = t2.a
SELECT a FROM t1 CROSS APPLY (SELECT b FROM t2 WHERE t2.a = t1.a) AS x
SELECT a FROM t1 OUTER APPLY (SELECT TOP 1 b FROM t2) AS x
SELECT a FROM t ORDER BY a OFFSET 5 ROWS
SELECT a FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 3 ROWS ONLY
SELECT a INTO #n FROM t
SELECT a INTO n FROM t
SELECT x = a FROM t
SELECT a FROM t WHERE b = N'x'
SELECT ISNULL(a, 0), LEN(b), GETDATE() FROM t
SELECT a FROM t PIVOT (SUM(b) FOR c IN ([1], [2])) AS p
SELECT a FROM t FOR JSON AUTO
SELECT a FROM t OPTION (MAXDOP 1)
SELECT a FROM (VALUES (1), (2)) AS v(a)
SELECT a FROM (SELECT TOP 3 b FROM t ORDER BY b) AS x
SELECT STRING_AGG(a, ',') FROM t
SELECT CONVERT(VARCHAR(10), a, 120) FROM t
SELECT a + 'b' FROM t
EXEC p 1
EXEC sp_executesql N'DELETE FROM t'
EXECUTE p
DECLARE @a INT = 1
SET @a = 1
DECLARE @a INT; SELECT a FROM t WHERE b = @a
IF 1 = 1 DELETE FROM t
BEGIN TRAN
BULK INSERT t FROM 'x'
SELECT a FROM OPENROWSET('x', 'y', 'SELECT 1')
SELECT a FROM OPENQUERY(srv, 'SELECT a FROM t')
DBCC CHECKDB
USE db
WITH x AS (SELECT a FROM t) DELETE FROM x
UPDATE x SET a = 1 FROM t AS x JOIN t2 ON x.a = t2.a
DELETE x FROM t AS x JOIN t2 ON x.a = t2.a
SELECT a FROM t UNION SELECT TOP 2 b FROM u
SELECT NEXT VALUE FOR s.q
SELECT a FROM t AS x (b)
SELECT a FROM sys.tables
SELECT a AS 'b' FROM t
SELECT TRY_CAST(a AS INT), IIF(a > 1, 2, 3) FROM t
WAITFOR DELAY '00:00:10'
KILL 51
GO
""",
    "clickhousedb": """
SELECT a FROM t FINAL
SELECT a FROM t SAMPLE 0.1
SELECT a FROM t PREWHERE b = 1 WHERE c = 2
SELECT a FROM t LIMIT 5 BY b
SELECT a FROM t LIMIT 1 BY b LIMIT 10
SELECT a FROM t ARRAY JOIN b AS c
SELECT a FROM t1 GLOBAL ANY LEFT JOIN t2 USING (x)
SELECT a FROM t1 ASOF JOIN t2 ON t1.a = t2.a AND t1.b > t2.b
SELECT a FROM numbers(10)
SELECT a FROM remote('h', 's.t')
SELECT a FROM url('http://x', CSV)
SELECT a FROM file('x', CSV)
SELECT a FROM s3('x')
SELECT a FROM mysql('h', 'd', 't', 'u', 'p')
SELECT a FROM merge('s', '.*')
SELECT a FROM cluster('c', s.t)
SELECT a FROM t SETTINGS max_threads = 1
SELECT a FROM t FORMAT JSON
SELECT a FROM t INTO OUTFILE 'x'
WITH 1 AS x SELECT x, a FROM t
WITH (SELECT MAX(a) FROM t2) AS m SELECT a, m FROM t
SELECT a FROM t WITH TOTALS
SELECT count() FROM t GROUP BY a WITH TOTALS
SELECT a ? b : c FROM t
SELECT [1, 2][1], (1, 2).1, {'a': 1} FROM t
SELECT arrayMap(x -> x + 1, a) FROM t
SELECT quantile(0.5)(a) FROM t
SELECT a::Int32 FROM t
SELECT * EXCEPT (a) FROM t
SELECT COLUMNS('a.*') FROM t
SELECT a FROM t WHERE b GLOBAL IN (SELECT c FROM t2)
SELECT dictGet('d', 'a', 1)
SELECT a FROM system.tables
OPTIMIZE TABLE t FINAL
SYSTEM RELOAD DICTIONARIES
KILL QUERY WHERE 1
ATTACH TABLE t
DETACH TABLE t
RENAME TABLE t TO u
EXCHANGE TABLES t AND u
ALTER TABLE t DELETE WHERE a = 1
ALTER TABLE t UPDATE a = 1 WHERE b = 2
CREATE TABLE n ENGINE = Memory AS SELECT a FROM t
INSERT INTO FUNCTION file('x') SELECT a FROM t
INSERT INTO t FORMAT CSV 1
EXISTS TABLE t
SHOW CREATE TABLE t
DESCRIBE TABLE t
""",
    "trino": """
SELECT a FROM c.s.t FOR VERSION AS OF 1
SELECT a FROM t OFFSET 5 LIMIT 10
SELECT a FROM t FETCH FIRST 5 ROWS ONLY
SELECT a FROM t CROSS JOIN UNNEST(b) AS u (c)
SELECT a FROM t TABLESAMPLE BERNOULLI (10)
SELECT a FROM t MATCH_RECOGNIZE (PATTERN (x) DEFINE x AS a > 1)
SELECT a FROM TABLE(system.query(query => 'SELECT 1'))
SELECT a FROM TABLE(my.query(query => 'DELETE FROM t'))
SELECT a FROM "t$partitions"
SELECT approx_distinct(a), TRY(b / 0) FROM t
SELECT transform(a, x -> x + 1) FROM t
SELECT ROW(1, 2), MAP(ARRAY['a'], ARRAY[1]) FROM t
SELECT a FROM t WHERE b = DATE '2004-01-01' AND c > INTERVAL '1' DAY
SELECT date_trunc('day', a) FROM t
SELECT a AT TIME ZONE 'UTC' FROM t
EXPLAIN ANALYZE DELETE FROM t
EXPLAIN ANALYZE SELECT a FROM t
SHOW CATALOGS
SHOW SCHEMAS FROM c
SHOW COLUMNS FROM t
SHOW CREATE TABLE t
SHOW STATS FOR t
CALL system.p()
EXECUTE IMMEDIATE 'DELETE FROM t'
PREPARE p FROM SELECT 1
EXECUTE p
DEALLOCATE PREPARE p
REFRESH MATERIALIZED VIEW v
ANALYZE t
SET SESSION a = 1
RESET SESSION a
COMMENT ON TABLE t IS 'x'
CREATE TABLE n WITH (format = 'ORC') AS SELECT a FROM t
""",
    "duckdb": """
FROM t
FROM t SELECT a
SELECT * EXCLUDE (a) FROM t
SELECT * REPLACE (a + 1 AS a) FROM t
SELECT COLUMNS('a.*') FROM t
SELECT a FROM 'x.parquet'
SELECT a FROM read_csv('x.csv')
SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1
SELECT a FROM t USING SAMPLE 10
SELECT {'a': 1}, [1, 2], MAP {'a': 1} FROM t
SELECT a FROM t1 ASOF JOIN t2 ON t1.a >= t2.a
SELECT a FROM t1 POSITIONAL JOIN t2
SELECT a FROM t1 SEMI JOIN t2 USING (x)
SELECT list_transform(a, x -> x + 1) FROM t
SELECT a FROM t GROUP BY ALL ORDER BY ALL
PIVOT t ON a USING SUM(b)
UNPIVOT t ON a INTO NAME x VALUE y
SUMMARIZE t
DESCRIBE SELECT a FROM t
SHOW ALL TABLES
COPY t TO 'x.csv'
COPY (SELECT a FROM t) TO 'x.csv'
COPY t FROM 'x.csv'
ATTACH 'x.db' AS y
DETACH y
INSTALL httpfs
LOAD httpfs
PRAGMA table_info('t')
PRAGMA database_list
SET threads = 1
EXPORT DATABASE 'x'
IMPORT DATABASE 'x'
CHECKPOINT
VACUUM
CREATE OR REPLACE TABLE n AS FROM t
INSERT INTO t BY NAME SELECT a FROM t2
SELECT a FROM query('SELECT a FROM t')
SELECT a FROM query_table('t')
SELECT a FROM glob('*')
SELECT a FROM file.main.t
EXPLAIN ANALYZE DELETE FROM t
""",
}
OF["redshift"] = OF["postgresql"]
OF["cockroachdb"] = (
    "SELECT a FROM t AS OF SYSTEM TIME '-10s'\nSELECT a FROM t@i\nUPSERT INTO t VALUES (1)\nSELECT a FROM [SHOW"
    " TABLES]\n"
)
OF["starrocks"] = OF["mysql"]
OF["presto"] = OF["trino"]


def told(sql, engine):
    script = SQLScript(sql, engine)
    tables = sorted(
        {".".join(p for p in (t.catalog, t.schema, t.table) if p) for s in script.statements for t in s.tables}
    )
    out = {"count": len(script.statements), "tables": tables, "writes": script.has_mutation()}
    if script.statements:
        out["own"] = script.statements[-1].get_limit_value()
        if not script.has_mutation():
            for statement in script.statements:
                statement.set_limit_value(1001)
            out["text"] = script.format()
    return out


def main():
    path = Path(__file__).parent / "scripts.json"
    # what is ours on purpose is written by hand and stays
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    ours = {(one["engine"], one["sql"]): one["ours"] for one in before if "ours" in one}
    lines = []
    for engine in [
        "sqlite",
        "postgresql",
        "redshift",
        "cockroachdb",
        "mysql",
        "starrocks",
        "mssql",
        "clickhousedb",
        "trino",
        "presto",
        "duckdb",
    ]:
        for sql in (COMMON + OF[engine]).splitlines():
            if not sql:
                continue
            try:
                answer = told(sql, engine)
            except Exception as error:
                answer = {"error": str(getattr(error, "message", None) or error)}
            if (engine, sql) in ours:
                answer["ours"] = ours[engine, sql]
            lines.append(json.dumps({"engine": engine, "sql": sql} | answer, ensure_ascii=False))
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(len(lines), "statements")


if __name__ == "__main__":
    main()
