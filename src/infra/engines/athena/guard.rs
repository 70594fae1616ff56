//! Statements that may not write. The service has no sessions that only read: what is sent without leave to write must
//! be a query, or ask what is there.

use super::raised;
use crate::engines::{
    error::EngineError,
    tokens::{tokens, word},
};

/// Words with which a statement begins that changes nothing. `USING EXTERNAL FUNCTION` is not among them: it calls a
/// program that the statement names, nor is `EXECUTE`, whose statement is not seen.
const READING: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN"];
/// What may stand between `EXPLAIN` and its statement.
const EXPLAINING: &[&str] = &["ANALYZE", "VERBOSE"];

/// Refuses what may not be done.
pub(super) fn check(sql: &str, write: bool) -> Result<(), EngineError> {
    if write {
        return Ok(());
    }
    let mut begins = true;
    // parentheses that are open in the options of EXPLAIN
    let (mut explains, mut options) = (false, 0_u32);
    for token in tokens(sql, step) {
        let upper = token.to_ascii_uppercase();
        match token {
            ";" => (begins, explains, options) = (true, false, 0),
            _ if !begins => {}
            "(" if explains => options += 1,
            ")" if options > 0 => options -= 1,
            _ if options > 0 => {}
            // parentheses around a query
            "(" => {}
            _ if explains && EXPLAINING.contains(&upper.as_str()) => {}
            _ if !READING.contains(&upper.as_str()) => return Err(refused(token)),
            _ => (explains, begins) = (upper == "EXPLAIN", upper == "EXPLAIN"),
        }
    }
    Ok(())
}

fn refused(token: &str) -> EngineError {
    let token: String = token.chars().take(40).collect();
    let words = format!("Only queries are allowed here, no statement that begins with {token}");
    raised("OperationalError", &words)
}

/// What belongs together in a text; strings and quoted names are one sign each, comments none.
fn step(rest: &str, c: char) -> (usize, bool) {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '$');
    match c {
        c if c.is_ascii_whitespace() => (1, false),
        // either sign ends a line
        '-' if rest.starts_with("--") => (rest.find(['\n', '\r']).unwrap_or(rest.len()), false),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |at| at + 2), false),
        '\'' | '"' | '`' => (quoted(rest, c), true),
        c if is_word(c) => (word(rest, is_word), true),
        c => (c.len_utf8(), true),
    }
}

/// The length of a string or quoted name; a doubled quote is two of them, which makes no difference here.
fn quoted(text: &str, quote: char) -> usize {
    text.char_indices().skip(1).find(|(_, c)| *c == quote).map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn queries_pass() {
        for sql in [
            "SELECT 1",
            "-- x\nSELECT ';DROP TABLE t';",
            "(SELECT 1) UNION ALL (SELECT 2)",
            "with a AS (SELECT 1) SELECT * FROM a -- DROP",
            "SHOW TABLES IN port",
            "DESCRIBE port.events",
            "VALUES (1), (2)",
            "EXPLAIN SELECT 1",
            "EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON) SELECT 1",
            "EXPLAIN ANALYZE VERBOSE (SELECT 1)",
            "SELECT 'a''; DROP TABLE t', \"insert\" /* ; DROP */ FROM t",
            "",
        ] {
            assert_eq!(check(sql, false), Ok(()), "{sql}");
        }
    }

    #[test]
    fn what_writes_does_not() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "SELECT 1; DROP TABLE t",
            "/* a */ CREATE TABLE t AS SELECT 1",
            "(DELETE FROM t)",
            "UNLOAD (SELECT 1) TO 's3://b/p/' WITH (format = 'PARQUET')",
            "EXECUTE p",
            "USING EXTERNAL FUNCTION f(x varchar) RETURNS varchar LAMBDA 'l' SELECT f('a')",
            "MSCK REPAIR TABLE t",
            "EXPLAIN ANALYZE INSERT INTO t SELECT 1",
            "EXPLAIN (TYPE IO) EXPLAIN DROP TABLE t",
            "-- x\rDROP TABLE t",
            "SELECT 'a\\'; DROP TABLE t --'",
            "\u{a0}SELECT 1",
            "VACUUM t",
        ] {
            assert!(check(sql, false).is_err(), "{sql}");
            assert_eq!(check(sql, true), Ok(()), "{sql}");
        }
    }
}
