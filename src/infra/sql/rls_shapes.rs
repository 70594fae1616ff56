//! Shapes of SQL that read a table, for the tests of row-level rules: `{t}` stands for a spelling of its name.

/// SQL, and how many references to a CTE of the table's name it has, which stay as they are.
pub(super) type Shape = (&'static str, usize);

/// Shapes whose outcome shows `boy` when a row of that gender is read.
pub(super) const TELLING: &[Shape] = &[
    ("SELECT gender FROM {t}", 0),
    ("SELECT * FROM {t} AS p", 0),
    ("SELECT p.gender FROM {t} AS p JOIN other AS o ON o.id = p.id", 0),
    ("SELECT p.gender FROM other AS o JOIN {t} AS p USING (id)", 0),
    ("SELECT p.gender FROM other AS o, {t} AS p", 0),
    ("SELECT p.gender FROM other AS o LEFT JOIN {t} AS p ON o.id = p.id", 0),
    ("SELECT p.gender FROM other AS o CROSS JOIN {t} AS p", 0),
    ("SELECT a.gender FROM {t} AS a JOIN {t} AS b ON a.id = b.id", 0),
    ("SELECT gender FROM (SELECT * FROM {t}) AS a", 0),
    ("SELECT gender FROM (SELECT * FROM (SELECT * FROM {t} AS c) AS b) AS a", 0),
    ("SELECT p.gender FROM (other AS o JOIN {t} AS p ON o.id = p.id)", 0),
    ("SELECT p.gender FROM other AS n JOIN (other AS o JOIN {t} AS p ON o.id = p.id) ON n.id = o.id", 0),
    ("WITH x AS (SELECT * FROM {t}) SELECT gender FROM x", 0),
    ("WITH x AS (SELECT * FROM {t}), y AS (SELECT * FROM x) SELECT gender FROM y", 0),
    ("WITH people AS (SELECT * FROM {t}) SELECT gender FROM people", 1),
    ("WITH x AS (WITH y AS (SELECT * FROM {t}) SELECT * FROM y) SELECT gender FROM x", 0),
    (
        "WITH RECURSIVE r AS (SELECT id, gender FROM {t} UNION ALL SELECT p.id + 100, p.gender FROM {t} AS p JOIN r ON \
         r.id = p.id WHERE r.id < 100) SELECT gender FROM r",
        0,
    ),
    (
        "SELECT gender FROM (WITH people AS (SELECT 'x' AS gender) SELECT gender FROM people) AS a UNION ALL \
         SELECT gender FROM {t}",
        1,
    ),
    ("SELECT a.gender FROM (WITH x AS (SELECT * FROM {t}) SELECT * FROM x) AS a", 0),
    ("SELECT 'none' AS gender UNION SELECT gender FROM {t}", 0),
    ("SELECT gender FROM {t} EXCEPT SELECT 'girl' AS gender", 0),
    ("SELECT gender FROM {t} INTERSECT SELECT gender FROM {t}", 0),
    ("SELECT gender FROM (SELECT gender FROM {t} UNION ALL SELECT gender FROM {t}) AS u", 0),
    ("SELECT (SELECT MIN(gender) FROM {t}) AS gender", 0),
    ("SELECT 'boy' AS g FROM other WHERE 'boy' IN (SELECT gender FROM {t})", 0),
    ("SELECT 'boy' AS g FROM other WHERE EXISTS (SELECT 1 FROM {t} AS p WHERE p.gender = 'boy')", 0),
    ("SELECT 'boy' AS g FROM other GROUP BY name HAVING 'boy' IN (SELECT gender FROM {t})", 0),
    ("SELECT 'boy' AS g FROM other AS a JOIN other AS b ON 'boy' IN (SELECT gender FROM {t})", 0),
    ("SELECT MIN((SELECT MIN(gender) FROM {t})) OVER () AS g FROM other", 0),
    ("SELECT MAX(CASE WHEN 'boy' IN (SELECT gender FROM {t}) THEN 'boy' ELSE 'none' END) AS g FROM other", 0),
    ("SELECT 'boy' AS g FROM other LIMIT (SELECT COUNT(*) FROM {t} AS p WHERE p.gender = 'boy')", 0),
    ("SELECT gender FROM {t} WHERE gender = 'boy' OR 1 = 1", 0),
    ("SELECT UPPER(a.gender), a.gender FROM {t} AS a NATURAL JOIN {t} AS b", 0),
    ("SELECT * FROM (VALUES ((SELECT MIN(gender) FROM {t}))) AS v", 0),
    ("VALUES ((SELECT MIN(gender) FROM {t}))", 0),
    ("SELECT a.gender FROM other AS o, LATERAL (SELECT * FROM {t} AS p WHERE p.id = o.id) AS a", 0),
    ("SELECT a.gender FROM other AS o CROSS JOIN LATERAL (SELECT * FROM {t} AS p WHERE p.id = o.id) AS a", 0),
    ("SELECT x.g FROM {t} AS x(i, g)", 0),
    ("SELECT gender FROM {t} TABLESAMPLE SYSTEM (100)", 0),
    ("SELECT CAST(ARRAY(SELECT gender FROM {t}) AS TEXT)", 0),
    ("SELECT COUNT(*) FILTER (WHERE 'boy' IN (SELECT gender FROM {t})), MIN(p.gender) FROM {t} AS p", 0),
    ("SELECT x.gender FROM (SELECT gender, ROW_NUMBER() OVER (ORDER BY gender) AS n FROM {t}) AS x", 0),
    ("SELECT gender FROM {t} GROUP BY gender ORDER BY COUNT(*)", 0),
    ("SELECT DISTINCT gender FROM {t}", 0),
];

/// Shapes in which it cannot be seen from the outcome, or which write.
pub(super) const SILENT: &[Shape] = &[
    ("SELECT 'x' AS g FROM other ORDER BY (SELECT MIN(gender) FROM {t})", 0),
    ("SELECT 'x' AS g FROM other GROUP BY (SELECT MIN(gender) FROM {t})", 0),
    ("SELECT * FROM {t} PIVOT(COUNT(id) FOR gender IN ('boy', 'girl')) AS pv", 0),
    ("SELECT * FROM {t} UNPIVOT(v FOR n IN (a, b)) AS pv", 0),
    ("SELECT RANK() OVER (ORDER BY (SELECT MIN(gender) FROM {t})) FROM other", 0),
    ("SELECT SUM(id) OVER w FROM other WINDOW w AS (PARTITION BY (SELECT MIN(gender) FROM {t}))", 0),
    ("SELECT * FROM other QUALIFY ROW_NUMBER() OVER (ORDER BY (SELECT MIN(gender) FROM {t})) = 1", 0),
    ("SELECT * FROM other AS o CROSS APPLY (SELECT * FROM {t} AS p WHERE p.id = o.id) AS a", 0),
    ("SELECT * FROM {t} WITH (NOLOCK)", 0),
    ("SELECT * FROM {t} (NOLOCK)", 0),
    ("SELECT TOP 5 * FROM {t}", 0),
    ("FROM {t}", 0),
    ("FROM {t} SELECT gender", 0),
    ("TABLE {t}", 0),
    ("SELECT gender FROM ONLY {t}", 0),
    ("SELECT gender FROM ONLY ({t})", 0),
    ("SELECT id IN {t} FROM other", 0),
    ("SELECT 1 FROM other UNION TABLE {t}", 0),
    ("SELECT * FROM view(SELECT * FROM {t})", 0),
    ("SELECT * FROM {t} FINAL", 0),
    ("SELECT * FROM {t} FOR SYSTEM_TIME AS OF '2020-01-01'", 0),
    ("SELECT * FROM TABLE(exclude_columns(input => TABLE({t}), columns => DESCRIPTOR(id)))", 0),
    ("EXPLAIN SELECT * FROM {t}", 0),
    ("INSERT INTO other SELECT id, gender FROM {t}", 0),
    ("CREATE TABLE made AS SELECT * FROM {t}", 0),
    ("CREATE VIEW made AS SELECT * FROM {t}", 0),
    ("DELETE FROM other WHERE name IN (SELECT gender FROM {t})", 0),
    ("UPDATE other SET name = (SELECT MIN(gender) FROM {t})", 0),
    ("WITH d AS (DELETE FROM other RETURNING (SELECT MIN(gender) FROM {t}) AS g) SELECT g FROM d", 0),
];

/// Whole tables without a SELECT: filtered like one where they are read as one, else refused.
pub(super) const WHOLE_TABLES: &[&str] = &["CREATE TABLE made AS TABLE {t}", "SELECT 1 UNION TABLE {t}"];

/// What must be refused wherever it is understood: the table stands where it cannot be filtered.
pub(super) const REFUSED: &[&str] = &[
    "DELETE FROM {t}",
    "DELETE FROM {t} WHERE gender = 'boy' RETURNING *",
    "UPDATE {t} SET gender = 'x'",
    "WITH d AS (UPDATE {t} SET id = id RETURNING gender) SELECT gender FROM d",
    "INSERT INTO {t} VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET id = 1 RETURNING gender",
    "INSERT INTO {t} VALUES (1, 'x') RETURNING gender",
    "MERGE INTO {t} AS p USING other AS o ON o.id = p.id WHEN MATCHED THEN DELETE",
    "COPY {t} TO STDOUT",
    "ALTER TABLE {t} RENAME TO free",
    "CREATE TABLE made CLONE {t}",
    "SELECT * FROM query('SELECT * FROM {t}')",
    "EXECUTE IMMEDIATE 'SELECT * FROM {t}'",
    "CALL show('{t}')",
    "SET search_path = elsewhere",
    "SET ROLE somebody",
    "WITH allowed AS (SELECT 'boy' AS g) SELECT * FROM {t}",
];
