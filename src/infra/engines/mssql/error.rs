//! SQL Server's errors as pymssql raises them: a tuple of a number and of bytes.

use std::io::ErrorKind;

use tiberius::error::Error;

use crate::engines::error::EngineError;

/// Python's class of a failed connection.
pub(in crate::engines) const CONNECT_CLASS: &str = "pymssql.exceptions.OperationalError";

/// Python's exception class, by the number of the error.
fn class(code: u32) -> &'static str {
    match code {
        102 | 207 | 208 | 2812 | 4104 => "pymssql.exceptions.ProgrammingError",
        515 | 547 | 2601 | 2627 => "pymssql.exceptions.IntegrityError",
        _ => CONNECT_CLASS,
    }
}

/// A tuple as Python prints it.
fn tuple(code: u32, text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = format!("({code}, b{quote}");
    for byte in text.bytes() {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if char::from(b) == quote => out.extend(['\\', quote]),
            b' '..=b'~' => out.push(char::from(byte)),
            b => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.extend([quote, ')']);
    out
}

/// The server's sentence with what DB-Library adds to it.
fn with_db_lib_text(message: &str, severity: u8) -> String {
    format!(
        "{message}DB-Lib error message 20018, severity {severity}:\nGeneral SQL Server error: Check messages from the \
         SQL Server\n"
    )
}

/// No connection to the port; `None` when the name is not known.
pub(super) fn refused_connection(host: &str, kind: Option<ErrorKind>) -> EngineError {
    let sentence = format!(
        "DB-Lib error message 20009, severity 9:\nUnable to connect: Adaptive Server is unavailable or does not exist \
         ({host})\n"
    );
    // the numbers that Superset's patterns know
    let reason = match kind {
        None => "",
        Some(ErrorKind::TimedOut) => "Net-Lib error during Operation timed out (60)\n",
        Some(_) => "Net-Lib error during Connection refused (61)\n",
    };
    EngineError::Connect(tuple(20009, &format!("{sentence}{reason}")))
}

/// A failure after the port was open.
pub(super) fn connect_error(error: &Error, host: &str) -> EngineError {
    EngineError::Connect(match error {
        Error::Server(e) => tuple(
            e.code(),
            &format!(
                "{}DB-Lib error message 20002, severity 9:\nAdaptive Server connection failed ({host})\n",
                with_db_lib_text(e.message(), e.class())
            ),
        ),
        Error::Io { kind: ErrorKind::TimedOut, .. } => {
            return refused_connection(host, Some(ErrorKind::TimedOut));
        }
        Error::Io { .. } => tuple(
            20004,
            &format!("DB-Lib error message 20004, severity 9:\nRead from the server failed ({host})\n"),
        ),
        Error::Tls(text) => tuple(20002, text),
        _ => tuple(20002, &format!("{host} does not speak the protocol of SQL Server")),
    })
}

/// A failure of a statement.
pub(super) fn statement_error(error: &Error) -> EngineError {
    match error {
        Error::Server(e) => EngineError::Statement {
            class: class(e.code()).to_owned(),
            message: tuple(e.code(), &with_db_lib_text(e.message(), e.class())),
        },
        // one value that cannot be read, or a connection that broke
        other => EngineError::Connect(tuple(20004, &format!("Read from the server failed: {other}"))),
    }
}

/// A statement that is refused before the server sees it, in the words of a database that is only read.
pub(super) fn read_only(why: &str) -> EngineError {
    EngineError::Statement {
        class: CONNECT_CLASS.to_owned(),
        message: tuple(3906, &format!("Failed to update database because the database is read-only: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_specs::spec;
    use crate::error::ErrorType;

    #[test]
    fn as_python_prints_them() {
        assert_eq!(tuple(208, "Invalid object name 'x'.\n"), "(208, b\"Invalid object name 'x'.\\n\")");
        assert_eq!(tuple(1, "a\"b'c ü"), "(1, b'a\"b\\'c \\xc3\\xbc')");
        assert_eq!(class(208), "pymssql.exceptions.ProgrammingError");
    }

    #[test]
    fn failed_connections_are_explained() {
        let spec = spec("mssql", Some("pymssql"));
        let context = [("hostname", "h"), ("port", "1433"), ("username", "u"), ("database", "d")];
        for (kind, want) in [
            (None, ErrorType::ConnectionInvalidHostnameError),
            (Some(ErrorKind::ConnectionRefused), ErrorType::ConnectionPortClosedError),
            (Some(ErrorKind::TimedOut), ErrorType::ConnectionHostDownError),
        ] {
            let found = spec.extract_errors(&refused_connection("h", kind).to_string(), &context);
            assert_eq!(found[0].error_type, want);
        }
    }
}
