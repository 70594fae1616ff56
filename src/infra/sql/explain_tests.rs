//! SQLite's own EXPLAIN as the referee: whatever table a program opens must have been found in the text (T8).

use std::collections::HashMap;

use rusqlite::Connection;

/// Names of the tables that the program of a statement opens.
fn opened(connection: &Connection, sql: &str) -> Vec<String> {
    let mut roots = HashMap::new();
    let mut schema = connection.prepare("SELECT rootpage, tbl_name FROM sqlite_schema").unwrap();
    let mut rows = schema.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        roots.insert(row.get::<_, i64>(0).unwrap(), row.get::<_, String>(1).unwrap());
    }
    let mut program = connection.prepare(&format!("EXPLAIN {sql}")).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let mut rows = program.query([]).unwrap();
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        if matches!(row.get::<_, String>(1).unwrap().as_str(), "OpenRead" | "OpenWrite" | "Clear") {
            let root = row.get::<_, i64>(if row.get::<_, String>(1).unwrap() == "Clear" { 2 } else { 3 });
            found.extend(roots.get(&root.unwrap()).cloned());
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn no_table_escapes_the_parser() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE a(x, y); CREATE TABLE secret(x, y); CREATE TABLE \"o d\"\"d\"(x);")
        .unwrap();
    let mut refused = 0;
    for sql in [
        "SELECT * FROM a, secret",
        "SELECT * FROM a /* , a */ JOIN secret USING (x)",
        "SELECT * FROM a -- nothing here\n, secret",
        "SELECT (SELECT max(x) FROM secret) FROM a",
        "SELECT * FROM a WHERE x IN (SELECT x FROM secret)",
        "SELECT * FROM a WHERE x IN secret",
        "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM secret s WHERE s.x = a.x)",
        "SELECT x FROM a UNION ALL SELECT x FROM secret",
        "SELECT x FROM a EXCEPT SELECT x FROM (SELECT x FROM secret)",
        "WITH a AS (SELECT * FROM secret) SELECT * FROM a",
        "WITH secret AS (SELECT * FROM a) SELECT * FROM secret",
        "WITH c AS (WITH d AS (SELECT * FROM secret) SELECT * FROM d) SELECT * FROM c",
        "WITH RECURSIVE c(x) AS (SELECT x FROM secret UNION ALL SELECT x + 1 FROM c WHERE x < 3) SELECT * FROM c",
        "SELECT * FROM (SELECT * FROM (SELECT * FROM \"secret\"))",
        "SELECT * FROM [secret], `a`",
        "SELECT * FROM 'secret'",
        "SELECT * FROM main.secret AS a",
        "SELECT * FROM \"o d\"\"d\"",
        "SELECT CASE WHEN (SELECT count(*) FROM secret) > 0 THEN 1 END FROM a ORDER BY (SELECT y FROM secret LIMIT 1)",
        "SELECT x FROM a GROUP BY x HAVING count(*) > (SELECT count(*) FROM secret)",
        "SELECT x FROM a LIMIT (SELECT count(*) FROM secret)",
        "SELECT sum(x) FILTER (WHERE x IN (SELECT x FROM secret)) FROM a",
        "SELECT row_number() OVER (ORDER BY (SELECT max(x) FROM secret)) FROM a",
        "VALUES ((SELECT x FROM secret))",
        "SELECT * FROM a NATURAL LEFT JOIN (a JOIN secret)",
        "INSERT INTO a SELECT * FROM secret",
        "DELETE FROM a WHERE x = (SELECT x FROM secret)",
        "UPDATE a SET x = (SELECT y FROM secret)",
        "SELECT * FROM a INDEXED BY nope WHERE 0 UNION SELECT * FROM secret",
        "SELECT\u{a0}1",
        "SELECT 1 FROM a WHERE '\\' = ' FROM b' OR x IN (SELECT x FROM secret)",
    ] {
        // what the parser does not understand is refused
        let Ok(script) = super::parse(sql, "sqlite") else {
            refused += 1;
            continue;
        };
        if connection.prepare(sql).is_err() {
            continue;
        }
        let found: Vec<String> = script.tables().into_iter().map(|t| t.table.to_lowercase()).collect();
        for table in opened(&connection, sql) {
            assert!(found.contains(&table.to_lowercase()), "{table} is not seen in {sql}: {found:?}");
        }
    }
    assert!(refused < 6, "{refused} ordinary statements are refused");
}

#[test]
fn no_table_of_the_corpus_escapes_the_parser() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE a(x UNIQUE, y); CREATE TABLE secret(x, y)").unwrap();
    let (mut seen, mut refused) = (0, 0);
    for sql in super::corpus::statements() {
        // a table that is made has no root page yet
        if sql.starts_with("EXPLAIN") || sql.starts_with("CREATE") || connection.prepare(&sql).is_err() {
            continue;
        }
        let Ok(script) = super::parse(&sql, "sqlite") else {
            refused += 1;
            continue;
        };
        seen += 1;
        let found: Vec<String> = script.tables().into_iter().map(|t| t.table.to_lowercase()).collect();
        for table in opened(&connection, &sql) {
            assert!(found.contains(&table.to_lowercase()), "{table} is not seen in {sql}: {found:?}");
        }
    }
    assert!(seen > 100 && refused < seen / 4, "{seen} were compared, {refused} refused");
}
