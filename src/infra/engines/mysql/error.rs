//! MySQL's errors as PyMySQL and mysqlclient raise them.

use super::super::error::EngineError;
use crate::mysql::{Failure, tuple};

/// The Python module whose exceptions are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Python {
    PyMySql,
    MySqlDb,
}

impl Python {
    pub fn for_driver(driver: Option<&str>) -> Self {
        if driver == Some("pymysql") { Self::PyMySql } else { Self::MySqlDb }
    }

    /// `pymysql.err.OperationalError`.
    pub fn operational(self) -> &'static str {
        match self {
            Self::PyMySql => "pymysql.err.OperationalError",
            Self::MySqlDb => "MySQLdb.OperationalError",
        }
    }

    fn class(self, code: u16) -> String {
        let name = match code {
            1007 | 1064 | 1102 | 1103 | 1110..=1113 | 1146 | 1149 | 1179 => "ProgrammingError",
            1171 | 1230 | 1263..=1265 | 1366 | 1367 | 1406 | 1441 => "DataError",
            1048 | 1062 | 1215..=1217 | 1451 | 1452 => "IntegrityError",
            1196 | 1235 | 1286 | 1289 => "NotSupportedError",
            0..1000 => "InternalError",
            _ => "OperationalError",
        };
        let module = if self == Self::PyMySql { "pymysql.err" } else { "MySQLdb" };
        format!("{module}.{name}")
    }
}

/// A failure while a connection is made.
pub(super) fn connect_error(failure: &Failure, host: &str, python: Python) -> EngineError {
    EngineError::Connect(match failure {
        Failure::Server(code, message) => tuple(*code, message),
        Failure::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => tuple(
            2003,
            &format!("Can't connect to MySQL server on '{host}' ([Errno 111] Connection refused)"),
        ),
        Failure::Io(e) if e.kind() == std::io::ErrorKind::NotFound => match python {
            Python::PyMySql => tuple(
                2003,
                &format!("Can't connect to MySQL server on '{host}' ([Errno -2] Name or service not known)"),
            ),
            Python::MySqlDb => tuple(2005, &format!("Unknown MySQL server host '{host}' (-2)")),
        },
        Failure::Io(e) if e.kind() == std::io::ErrorKind::TimedOut => {
            tuple(2003, &format!("Can't connect to MySQL server on '{host}' (timed out)"))
        }
        Failure::Io(e) => tuple(2013, &format!("Lost connection to MySQL server during query ({e})")),
        Failure::Protocol | Failure::TooLarge(_) => {
            tuple(2027, &format!("'{host}' does not speak the protocol of MySQL"))
        }
        Failure::Refused(text) => tuple(2059, text),
    })
}

/// A failure of a statement.
pub(super) fn statement_error(failure: &Failure, python: Python) -> EngineError {
    match failure {
        Failure::Server(code, message) => {
            EngineError::Statement { class: python.class(*code), message: tuple(*code, message) }
        }
        Failure::TooLarge(limit) => EngineError::TooLarge(limit >> 20),
        Failure::Refused(text) => {
            EngineError::Statement { class: python.operational().to_owned(), message: tuple(2059, text) }
        }
        Failure::Io(_) | Failure::Protocol => {
            EngineError::Connect(tuple(2013, "Lost connection to MySQL server during query"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_prints_them() {
        let python = Python::for_driver(Some("pymysql"));
        let failure = Failure::Server(1054, "Unknown column 'nope' in 'SELECT'".into());
        let EngineError::Statement { class, message } = statement_error(&failure, python) else { panic!() };
        assert_eq!(class, "pymysql.err.OperationalError");
        assert_eq!(message, "(1054, \"Unknown column 'nope' in 'SELECT'\")");
        assert_eq!(tuple(1, "a\"b'c"), "(1, 'a\"b\\'c')");
        let refused = Failure::Io(std::io::ErrorKind::ConnectionRefused.into());
        let text = connect_error(&refused, "127.0.0.1", python).to_string();
        assert_eq!(
            text,
            "(2003, \"Can't connect to MySQL server on '127.0.0.1' ([Errno 111] Connection refused)\")"
        );
    }
}
