//! Statements that may not write. SQL Server has no session that cannot: its transaction is undone, and the words that
//! would end the transaction, or hide a statement in a text, are refused.

use super::error::read_only;
use crate::engines::error::EngineError;

/// Reserved words that are statements, or part of one, which a query does not need. None of them can be the bare name
/// of a column.
const WRITING: &[&str] = &[
    "ALTER",
    "BACKUP",
    "BEGIN",
    "BULK",
    "CHECKPOINT",
    "COMMIT",
    "CREATE",
    "DBCC",
    "DELETE",
    "DENY",
    "DROP",
    "EXEC",
    "EXECUTE",
    "GRANT",
    "INSERT",
    "INTO",
    "KILL",
    "MERGE",
    "RECONFIGURE",
    "RESTORE",
    "REVERT",
    "REVOKE",
    "ROLLBACK",
    "SAVE",
    "SET",
    "SETUSER",
    "SHUTDOWN",
    "TRUNCATE",
    "UPDATE",
    "UPDATETEXT",
    "USE",
    "WRITETEXT",
];

/// Words with which a batch of queries begins; a procedure could otherwise be called by its mere name.
const READING: &[&str] = &["SELECT", "WITH", "DECLARE"];

/// Refuses what may not be done.
pub(super) fn check(sql: &str, write: bool) -> Result<(), EngineError> {
    let words = words(sql);
    let any = |list: &[&str]| words.iter().find(|w| list.iter().any(|l| l.eq_ignore_ascii_case(w))).copied();
    // it bounds what the server sends
    if any(&["TEXTSIZE"]).is_some() {
        return Err(read_only("TEXTSIZE cannot be set"));
    }
    if write {
        return Ok(());
    }
    if let Some(word) = any(WRITING) {
        return Err(read_only(&format!("{} is not allowed", word.to_uppercase())));
    }
    let first = words.first().copied().unwrap_or_default();
    if !READING.iter().any(|r| r.eq_ignore_ascii_case(first)) {
        return Err(read_only("only queries are allowed"));
    }
    Ok(())
}

/// The bare words of a text: none of those in strings, quoted names and comments, which nest here.
fn words(sql: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), sql);
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '\'' | '"' => quoted(rest, c),
            '[' => quoted(rest, ']'),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            c if c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$') => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$')));
                let end = end.unwrap_or(rest.len());
                // a number may stand directly before a word
                let word = rest.get(..end).unwrap_or_default();
                let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(end);
                words.extend([word, word.get(digits..).unwrap_or_default()].iter().filter(|w| !w.is_empty()));
                end
            }
            c => c.len_utf8(),
        };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    words
}

/// Length of a quoted part; the closing quote is doubled inside it, which reads like two parts in a row.
fn quoted(text: &str, close: char) -> usize {
    text.get(1..).and_then(|r| r.find(close)).map_or(text.len(), |end| end + 2)
}

fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_pass() {
        for sql in [
            "SELECT 1",
            "  -- a\n SELECT [update], \"drop\" FROM t WHERE x = 'INSERT INTO'",
            "WITH a AS (SELECT 1 AS b) SELECT * FROM a",
            "SELECT /* /* DROP */ DROP */ 1",
            "SELECT [a]]b] FROM t",
            "DECLARE @n int = 1; SELECT @n",
            "SELECT inserted_at, createdby, dropped FROM t",
        ] {
            assert_eq!(check(sql, false), Ok(()), "{sql}");
        }
    }

    #[test]
    fn the_rest_does_not() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "SELECT 1; COMMIT; DROP TABLE t",
            "SELECT 1 COMMIT",
            "SELECT 1COMMIT",
            "SELECT * INTO x FROM t",
            "sp_executesql N'COMMIT'",
            "EXEC('COMMIT')",
            "SELECT 1 /* */ EXEC sp_who",
            "SELECT ']' EXEC sp_who",
            "SELECT [a]]] EXEC sp_who",
            "SET IMPLICIT_TRANSACTIONS OFF",
            "USE master",
            "SELECT 1; SET TEXTSIZE 2147483647",
            "",
        ] {
            assert!(check(sql, false).is_err(), "{sql}");
        }
        assert!(check("SET TEXTSIZE 2147483647", true).is_err());
        assert_eq!(check("INSERT INTO t VALUES (1)", true), Ok(()));
    }
}
