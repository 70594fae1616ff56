//! Statements that may not write. The service has no sessions that only read: what is sent without leave to write must
//! consist of queries.

use super::raised;
use crate::engines::{
    error::EngineError,
    tokens::{tokens, word},
};

/// Words with which a statement begins that changes nothing but variables of its own script.
const READING: &[&str] = &["SELECT", "WITH", "FROM", "DECLARE", "SET"];
/// Words behind `|>` with which rows of a query are written away.
const WRITING_PIPES: &[&str] = &["CREATE", "EXPORT", "INSERT"];

/// Refuses what may not be done.
pub(super) fn check(sql: &str, write: bool) -> Result<(), EngineError> {
    if write {
        return Ok(());
    }
    // whether it ends a comment is not written anywhere, and what follows must not be read in two ways
    if sql.replace("\r\n", "\n").contains('\r') {
        return Err(raised("403 Only line ends of Unix and Windows are allowed here"));
    }
    let mut begins = true;
    let mut piped = false;
    for token in tokens(sql, step) {
        let upper = token.to_ascii_uppercase();
        match token {
            ";" => (begins, piped) = (true, false),
            // parentheses around a query
            "(" if begins => {}
            "|>" => piped = true,
            _ if begins && !READING.contains(&upper.as_str()) => return Err(refused(token)),
            _ if piped && WRITING_PIPES.contains(&upper.as_str()) => return Err(refused(token)),
            _ => (begins, piped) = (false, false),
        }
    }
    Ok(())
}

fn refused(token: &str) -> EngineError {
    let token: String = token.chars().take(40).collect();
    raised(&format!("403 Only queries are allowed here, no statement that begins with {token}"))
}

/// What belongs together in a text; strings, quoted names and numbers are one sign each, comments none.
fn step(rest: &str, c: char) -> (usize, bool) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '@';
    match c {
        c if c.is_whitespace() => (c.len_utf8(), false),
        '#' => (line(rest), false),
        '-' if rest.starts_with("--") => (line(rest), false),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |at| at + 2), false),
        '\'' | '"' | '`' => (quoted(rest, c), true),
        '|' if rest.starts_with("|>") => (2, true),
        c if is_word(c) => (word(rest, is_word), true),
        c => (c.len_utf8(), true),
    }
}

fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// The length of a string or quoted name. A backslash keeps what follows from ending it, also in raw strings.
fn quoted(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let long = quote != '`' && text.starts_with(&triple);
    let end = if long { triple } else { quote.to_string() };
    let mut at = end.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(&end) {
            return at + end.len();
        }
        // only long strings go over lines
        if !long && rest.starts_with('\n') {
            return at;
        }
        let mut chars = rest.chars();
        let first = chars.next().map_or(1, char::len_utf8);
        let escaped = if rest.starts_with('\\') { chars.next().map_or(0, char::len_utf8) } else { 0 };
        at += first + escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn queries_pass() {
        for sql in [
            "SELECT 1",
            "-- x\nSELECT ';DROP TABLE t'; SELECT 2;",
            "(SELECT 1) UNION ALL (SELECT 2)",
            "WITH a AS (SELECT 1) SELECT * FROM a # DROP",
            "FROM t |> WHERE a > 1 |> SELECT a",
            "DECLARE x INT64 DEFAULT 1; SET x = 2; SELECT x",
            "SELECT r'\\'; DROP' , '''a';b''' , \"\"\"x\"\"\", `a;b` FROM t /* ; DROP */",
            "SELECT created, `insert` FROM t",
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
            "/* a */ CREATE TABLE t (a INT64)",
            "(DELETE FROM t)",
            "CALL p()",
            "EXECUTE IMMEDIATE 'DROP TABLE t'",
            "EXPORT DATA OPTIONS(uri='gs://b/*') AS SELECT 1",
            "BEGIN DROP TABLE t; END",
            "SELECT '\\\\'; MERGE t USING s ON 1 = 1 WHEN MATCHED THEN DELETE",
            "FROM t |> INSERT INTO u",
            "`p.d.f`()",
            "SELECT 1 -- \r '''\n; DROP TABLE t --'''",
            "SELECT 'a\n; DROP TABLE t --'",
        ] {
            assert!(check(sql, false).is_err(), "{sql}");
            assert_eq!(check(sql, true), Ok(()), "{sql}");
        }
    }
}
