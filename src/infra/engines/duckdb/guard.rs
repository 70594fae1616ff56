//! What a statement may not do: reach files, networks and code, or loosen its own protection.
//!
//! DuckDB takes the database's own file for an allowed path, even where it is only read, and `COPY` overwrites it.
//! Where nothing else is to be read, the file system as a whole is shut after opening; elsewhere the statement is
//! looked at.

use std::borrow::Cow;

use duckdb::Connection;
use serde_json::Value;

use super::{
    error::{failure, refused},
    settings::Settings,
};
use crate::engines::error::EngineError;

/// Makes the settings and locks them. `closed` shuts the file system: for instances that do not write.
pub(super) fn protect(connection: &Connection, settings: &Settings, closed: bool) -> duckdb::Result<()> {
    let mut script = String::new();
    let mut set = |key: &str, value: Cow<'_, str>| script.push_str(&format!("SET GLOBAL {key} = {value};\n"));
    let quoted = |text: &str| Cow::Owned(format!("'{}'", text.replace('\'', "''")));
    let path = |path: &std::path::Path| quoted(&path.to_string_lossy());
    set("temp_directory", settings.temp_directory.as_deref().map_or(Cow::Borrowed("''"), path));
    for (key, value) in settings.set.iter().filter(|(k, _)| !matches!(k.as_str(), "schema" | "search_path")) {
        set(key, quoted(value));
    }
    let directories: Vec<_> = settings.directories.iter().map(|d| path(d)).collect();
    if !directories.is_empty() {
        set("allowed_directories", Cow::Owned(format!("[{}]", directories.join(", "))));
    }
    set("enable_external_access", Cow::Borrowed("false"));
    if closed {
        set("disabled_filesystems", Cow::Borrowed("'LocalFileSystem'"));
    }
    for (key, value) in settings.set.iter().filter(|(k, _)| matches!(k.as_str(), "schema" | "search_path")) {
        script.push_str(&format!("SET {key} = {};\n", quoted(value)));
    }
    script.push_str("SET GLOBAL lock_configuration = true");
    connection.execute_batch(&script)
}

/// Kinds of nodes that only read. DuckDB's common table expressions may also insert or copy.
const READING: &[&str] = &["SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"];

/// Refuses whatever is not a query, where statements could write files without writing to the database. DuckDB's own
/// parser tells what a statement is.
pub(super) fn only_reads(connection: &Connection, sql: &str) -> Result<(), EngineError> {
    let answer = parsed(connection, after_explain(sql))?;
    let syntax_error = answer.get("error_type").and_then(Value::as_str) == Some("parser");
    // what cannot be parsed is not executed either, and DuckDB's own message is the better one
    if syntax_error || answer.get("error") == Some(&Value::Bool(false)) && only_reading_nodes(&answer) {
        return Ok(());
    }
    Err(refused("only queries are allowed on this database"))
}

fn parsed(connection: &Connection, sql: &str) -> Result<Value, EngineError> {
    let text: String = connection
        .query_row("SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", [sql], |row| row.get(0))
        .map_err(failure)?;
    serde_json::from_str(&text).map_err(|_| refused("the statement cannot be checked"))
}

fn only_reading_nodes(value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().all(only_reading_nodes),
        Value::Object(map) => {
            let kind = map.get("type").and_then(Value::as_str).filter(|t| t.ends_with("_NODE"));
            kind.is_none_or(|k| READING.contains(&k)) && map.values().all(only_reading_nodes)
        }
        _ => true,
    }
}

/// What follows `EXPLAIN` and `EXPLAIN ANALYZE`; the text itself when it does not begin so.
fn after_explain(sql: &str) -> &str {
    let word = |text: &str, word: &str| {
        let rest = text.trim_start();
        let head = rest.get(..word.len()).filter(|h| h.eq_ignore_ascii_case(word))?;
        let rest = rest.get(head.len()..)?;
        rest.starts_with(char::is_whitespace).then(|| rest.len())
    };
    let Some(left) = word(sql, "EXPLAIN") else { return sql };
    let rest = sql.get(sql.len() - left..).unwrap_or(sql);
    match word(rest, "ANALYZE") {
        Some(left) => rest.get(rest.len() - left..).unwrap_or(rest),
        None => rest,
    }
}

/// Refuses copies to files: where writing is allowed, the database's own file is among those that DuckDB would
/// overwrite.
pub(super) fn refuse_copy_to(sql: &str) -> Result<(), EngineError> {
    let words = words(sql);
    let has = |word: &str| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    let copies = words
        .iter()
        .position(|w| w.eq_ignore_ascii_case("copy"))
        .is_some_and(|at| words.iter().skip(at).any(|w| w.eq_ignore_ascii_case("to")));
    if copies || has("export") && has("database") {
        return Err(refused("COPY TO and EXPORT DATABASE are disabled"));
    }
    Ok(())
}

/// The bare words of a text: none of those in strings, quoted names and comments.
fn words(sql: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), sql);
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '\'' | '"' => rest.get(1..).and_then(|r| r.find(c)).map(|end| end + 2),
            '-' if rest.starts_with("--") => Some(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => Some(rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '$' => dollar_quoted(rest),
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let end = end.unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                words.push(word);
                let escaped =
                    word.eq_ignore_ascii_case("e") && rest.get(end..).is_some_and(|r| r.starts_with('\''));
                Some(if escaped { end + escaped_string(rest.get(end..).unwrap_or_default()) } else { end })
            }
            _ => None,
        };
        rest = rest.get(skipped.unwrap_or(c.len_utf8())..).unwrap_or_default();
    }
    words
}

/// Length of a string in which backslashes escape.
fn escaped_string(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\'' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of `$tag$…$tag$` at the start of a text.
fn dollar_quoted(text: &str) -> Option<usize> {
    let end = text.get(1..)?.find('$')? + 2;
    let tag = text.get(..end)?;
    let name = tag.trim_matches('$');
    if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    Some(text.get(end..)?.find(tag)? + 2 * end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_out_are_found_and_nothing_else() {
        for sql in [
            "COPY t TO 'x'",
            "/* a */ copy (SELECT 1) TO 'x' (FORMAT csv)",
            "SELECT 1; -- it's\nCOPY t TO 'x'",
            "WITH x AS (COPY t TO 'x') SELECT 1",
            "SELECT $$ ' $$; COPY t TO 'x'",
            "SELECT E'\\''; COPY t TO 'x' --'",
            "EXPORT DATABASE 'x'",
        ] {
            assert!(refuse_copy_to(sql).is_err(), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES ('copy this to them')",
            "SELECT \"copy\" AS \"to\" FROM t",
            "COPY t FROM 'x.csv'",
            "SELECT 1 -- COPY t TO 'x'",
            "SELECT $a$ COPY t TO 'x' $a$",
        ] {
            assert!(refuse_copy_to(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn what_is_explained() {
        assert_eq!(after_explain(" explain  ANALYZE SELECT 1").trim(), "SELECT 1");
        assert_eq!(after_explain("EXPLAIN SELECT 1").trim(), "SELECT 1");
        assert_eq!(after_explain("EXPLAINED"), "EXPLAINED");
        assert_eq!(after_explain("é"), "é");
    }
}
