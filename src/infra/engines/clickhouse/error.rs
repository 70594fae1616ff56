//! Failures as clickhouse-connect and clickhouse-sqlalchemy raise them.

use super::super::{
    error::EngineError,
    http::{Access, Failure},
};

/// The Python module whose exceptions are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Python {
    /// `clickhousedb://`.
    Connect,
    /// `clickhouse://`.
    SqlAlchemy,
}

/// The server's number for a statement that ran out of time.
const TIMEOUT_EXCEEDED: &str = "159";
/// Characters of the server's words that are told (`max_error_size`).
const MAX_WORDS: usize = 1024;

impl Python {
    pub fn for_backend(backend: &str) -> Self {
        if backend == "clickhousedb" { Self::Connect } else { Self::SqlAlchemy }
    }

    pub fn operational(self) -> &'static str {
        match self {
            Self::Connect => "clickhouse_connect.driver.exceptions.OperationalError",
            Self::SqlAlchemy => "clickhouse_sqlalchemy.exceptions.DatabaseException",
        }
    }

    fn database(self) -> &'static str {
        match self {
            Self::Connect => "clickhouse_connect.driver.exceptions.DatabaseError",
            Self::SqlAlchemy => "clickhouse_sqlalchemy.exceptions.DatabaseException",
        }
    }

    /// A server that could not be reached, or was lost.
    pub fn failure(self, failure: &Failure, access: &Access, origin: &str) -> EngineError {
        let text = failure.text(access, "/");
        let message = match self {
            Self::Connect => format!("Error {text} executing HTTP request attempt 1 ({origin})"),
            Self::SqlAlchemy => format!("Orig exception: {text}"),
        };
        if failure.is_connecting() {
            return EngineError::Connect(message);
        }
        EngineError::Statement { class: self.operational().to_owned(), message }
    }

    /// An answer that is an error. Its words are told only when they are ClickHouse's: a connection may lead to any
    /// server that this machine reaches, and what that one says is nobody's (T33).
    pub fn refused(self, status: u16, code: Option<&str>, body: &str, origin: &str) -> EngineError {
        let body: String = body.trim().chars().take(MAX_WORDS).collect();
        let body = if is_exception(&body) { body } else { String::new() };
        let message = match (self, code) {
            (Self::SqlAlchemy, _) if body.is_empty() => format!("Orig exception: HTTP status {status}"),
            (Self::SqlAlchemy, _) => format!("Orig exception: {body}"),
            (Self::Connect, code) => {
                let mut text = match code {
                    Some(code) => format!("Received ClickHouse exception, code: {code}"),
                    None => format!("HTTP driver received HTTP status {status}"),
                };
                if !body.is_empty() {
                    text.push_str(&format!(", server response: {body}"));
                }
                format!("{text} (for url {origin})")
            }
        };
        EngineError::Statement { class: self.database().to_owned(), message }
    }
}

/// `Code: 60. DB::Exception: …`, or `Code: 60, e.displayText() = DB::Exception: …` of older servers.
fn is_exception(words: &str) -> bool {
    let Some(rest) = words.strip_prefix("Code: ") else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.get(digits..).unwrap_or_default();
    digits > 0 && [". DB::", ", e.displayText() = DB::"].iter().any(|form| rest.starts_with(form))
}

/// True for the error of a statement that took too long.
pub(super) fn is_timeout(code: Option<&str>) -> bool {
    code == Some(TIMEOUT_EXCEEDED)
}

/// The server's words and number in the bytes that end a result which broke: servers write them behind the rows.
pub(super) fn in_the_middle(bytes: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let at = text.rfind("Code: ")?;
    // where one exception quotes another, the outer comes first
    let at = text.get(..at)?.rfind("Code: ").filter(|outer| at - outer < 64).unwrap_or(at);
    let words = text.get(at..)?;
    let (code, rest) = words.strip_prefix("Code: ")?.split_once('.')?;
    let is_one = code.parse::<u32>().is_ok() && rest.trim_start().starts_with("DB::");
    let words = words.split("__exception__").next().unwrap_or(words);
    // newer servers end it with its length and a tag
    let end = words.rfind(')').map_or(words.len(), |end| end + 1);
    is_one.then(|| (code.to_owned(), words.get(..end).unwrap_or(words).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_behind_rows() {
        let raw = b"\x01\x02\x03__exception__\r\nabcdefgh\r\nCode: 395. DB::Exception: boom: while executing. \
                    (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.9.2.1)\n120 abcdefgh\r\n__exception__\r\n";
        let (code, words) = in_the_middle(raw).unwrap();
        assert_eq!(code, "395");
        assert!(words.ends_with("(version 26.9.2.1)"), "{words}");
        assert_eq!(in_the_middle(b"Code: x. DB::Exception: a"), None);
        assert_eq!(in_the_middle(b"nothing"), None);
    }

    #[test]
    fn words() {
        let error =
            Python::Connect.refused(404, Some("60"), "Code: 60. DB::Exception: no table\n", "http://h:8123");
        let EngineError::Statement { class, message } = error else { panic!() };
        assert_eq!(class, "clickhouse_connect.driver.exceptions.DatabaseError");
        assert_eq!(
            message,
            "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception: no table \
             (for url http://h:8123)"
        );
    }

    /// T33.
    #[test]
    fn what_other_servers_say_is_not_told() {
        let secret = "{\"AccessKeyId\": \"secret\", \"Code: 1. DB::\": 1}";
        for python in [Python::Connect, Python::SqlAlchemy] {
            for (status, code) in [(403, None), (200, Some("60"))] {
                let error = python.refused(status, code, secret, "http://h:80");
                let EngineError::Statement { message, .. } = error else { panic!() };
                assert!(!message.contains("AccessKeyId"), "{message}");
            }
        }
        assert!(is_exception("Code: 60, e.displayText() = DB::Exception: old"));
    }
}
