//! PostgreSQL's errors as libpq and psycopg2 print them.

use tokio_postgres::error::{DbError, ErrorPosition};

use super::super::error::EngineError;

/// libpq's limits for the excerpt of a statement (`reportErrorPosition`).
const DISPLAY_SIZE: usize = 60;
const MIN_RIGHT_CONTEXT: usize = 10;

/// A statement's failure.
pub(super) fn statement_error(error: &tokio_postgres::Error, sql: &str) -> EngineError {
    let Some(db) = error.as_db_error() else {
        return EngineError::Connect(format!("{error}\n"));
    };
    EngineError::Statement { class: class(db.code().code()), message: message(db, sql) }
}

/// psycopg2's text of a server error: what libpq prints without the severity.
fn message(db: &DbError, sql: &str) -> String {
    let mut text = format!("{}\n", db.message());
    match db.position() {
        Some(ErrorPosition::Original(at)) => text.push_str(&excerpt(sql, *at as usize)),
        Some(ErrorPosition::Internal { position, query }) => {
            text.push_str(&excerpt(query, *position as usize))
        }
        None => {}
    }
    if let Some(detail) = db.detail() {
        text.push_str(&format!("DETAIL:  {detail}\n"));
    }
    if let Some(hint) = db.hint() {
        text.push_str(&format!("HINT:  {hint}\n"));
    }
    if let Some(context) = db.where_() {
        text.push_str(&format!("CONTEXT:  {context}\n"));
    }
    text
}

/// `LINE n: …` with a caret under the position (1-based, in characters).
fn excerpt(sql: &str, position: usize) -> String {
    let chars: Vec<char> = sql.chars().collect();
    let at = position.saturating_sub(1);
    if position == 0 || at > chars.len() {
        return String::new();
    }
    let mut begin = chars[..at].iter().rposition(|c| *c == '\n').map_or(0, |i| i + 1);
    let line = chars[..at].iter().filter(|c| **c == '\n').count() + 1;
    let rest = chars.get(at..).unwrap_or_default();
    let mut end = at + rest.iter().position(|c| *c == '\n' || *c == '\r').unwrap_or(rest.len());
    let (mut cut_left, mut cut_right) = (false, false);
    if end - begin > DISPLAY_SIZE {
        if begin + DISPLAY_SIZE >= at + MIN_RIGHT_CONTEXT {
            end = begin + DISPLAY_SIZE;
            cut_right = true;
        } else {
            if at + MIN_RIGHT_CONTEXT < end {
                end = at + MIN_RIGHT_CONTEXT;
                cut_right = true;
            }
            if end - begin > DISPLAY_SIZE {
                begin = end - DISPLAY_SIZE;
                cut_left = true;
            }
        }
    }
    let prefix = format!("LINE {line}: {}", if cut_left { "..." } else { "" });
    let shown: String =
        chars.get(begin..end).unwrap_or_default().iter().map(|c| if *c == '\t' { ' ' } else { *c }).collect();
    let caret = " ".repeat(prefix.len() + at - begin);
    format!("{prefix}{shown}{}\n{caret}^\n", if cut_right { "..." } else { "" })
}

/// psycopg2's exception class of an SQLSTATE.
fn class(code: &str) -> String {
    let name = match code {
        "42703" => "UndefinedColumn",
        "42P01" => "UndefinedTable",
        "42601" => "SyntaxError",
        "42883" => "UndefinedFunction",
        "42804" => "DatatypeMismatch",
        "42803" => "GroupingError",
        "42702" => "AmbiguousColumn",
        "42501" => "InsufficientPrivilege",
        "42704" => "UndefinedObject",
        "42P07" => "DuplicateTable",
        "42701" => "DuplicateColumn",
        "42846" => "CannotCoerce",
        "42P18" => "IndeterminateDatatype",
        "42P20" => "WindowingError",
        "42P10" => "InvalidColumnReference",
        "42725" => "AmbiguousFunction",
        "42809" => "WrongObjectType",
        "22P02" => "InvalidTextRepresentation",
        "22012" => "DivisionByZero",
        "22003" => "NumericValueOutOfRange",
        "22007" => "InvalidDatetimeFormat",
        "22008" => "DatetimeFieldOverflow",
        "22023" => "InvalidParameterValue",
        "23502" => "NotNullViolation",
        "23503" => "ForeignKeyViolation",
        "23505" => "UniqueViolation",
        "23514" => "CheckViolation",
        "25006" => "ReadOnlySqlTransaction",
        "3D000" => "InvalidCatalogName",
        "3F000" => "InvalidSchemaName",
        "0A000" => "FeatureNotSupported",
        "57014" => "QueryCanceled",
        "53200" => "OutOfMemory",
        "53300" => "TooManyConnections",
        "40001" => "SerializationFailure",
        "40P01" => "DeadlockDetected",
        "P0001" => "RaiseException",
        _ => {
            let class = match code.get(..2).unwrap_or_default() {
                "0A" => "NotSupportedError",
                "20" | "21" | "24" | "25" | "26" | "27" | "28" | "2D" | "2F" | "34" | "38" | "39" | "XX" => {
                    "InternalError"
                }
                "22" => "DataError",
                "23" => "IntegrityError",
                "3D" | "3F" | "42" | "44" => "ProgrammingError",
                "08" | "40" | "53" | "54" | "55" | "57" | "58" => "OperationalError",
                _ => "DatabaseError",
            };
            return format!("psycopg2.{class}");
        }
    };
    format!("psycopg2.errors.{name}")
}

/// The failure to connect, as libpq words it.
pub(super) fn connect_error(error: &tokio_postgres::Error, config: &tokio_postgres::Config) -> EngineError {
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let start = match host.parse::<std::net::IpAddr>() {
        Ok(_) => format!("connection to server at \"{host}\", port {port} failed: "),
        Err(_) if host == "localhost" => {
            format!("connection to server at \"localhost\" (127.0.0.1), port {port} failed: ")
        }
        Err(_) => format!("connection to server at \"{host}\", port {port} failed: "),
    };
    if let Some(db) = error.as_db_error() {
        return EngineError::Connect(format!("{start}{}:  {}\n", db.severity(), db.message()));
    }
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let text = if cause.contains("refused") {
        format!(
            "{start}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"
        )
    } else if cause.contains("lookup address") || cause.contains("resolution") {
        let reason = if cause.contains("not known") {
            "Name or service not known"
        } else {
            "Temporary failure in name resolution"
        };
        format!("could not translate host name \"{host}\" to address: {reason}\n")
    } else if cause.contains("timed out") {
        format!("{start}timeout expired\n")
    } else if cause.is_empty() {
        format!("{start}{error}\n")
    } else {
        format!("{start}{cause}\n")
    };
    EngineError::Connect(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_as_libpq_shows_them() {
        let sql = "SELECT\n  a\nFROM t\nWHERE\n  nope = 1";
        let at = sql.find("nope").unwrap() + 1;
        assert_eq!(excerpt(sql, at), "LINE 5:   nope = 1\n          ^\n");
        let long = format!("SELECT {} FROM t", "x".repeat(100));
        assert_eq!(excerpt(&long, 8), format!("LINE 1: SELECT {}...\n               ^\n", "x".repeat(53)));
        let late = excerpt(&long, 109);
        assert!(late.starts_with("LINE 1: ..."), "{late}");
        assert_eq!(excerpt("a", 0), "");
        assert_eq!(excerpt("a", 9), "");
    }
}
