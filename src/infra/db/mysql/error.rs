//! What the server's numbers mean.

use super::super::DbError;
use crate::mysql::{Failure, Target, tuple};

/// After these the server ends the connection.
pub(super) fn ends_connection(code: u16) -> bool {
    matches!(code, 1053 | 1077..=1080 | 1153..=1161 | 1927 | 2006 | 2013 | 4031)
}

/// A deadlock, or a lock that was not had in time: what the transaction has done is undone, or half undone.
pub(super) fn undoes_transaction(code: u16) -> bool {
    matches!(code, 1205 | 1213)
}

/// A statement failed; the text is PyMySQL's.
pub(super) fn of_statement(failure: Failure) -> DbError {
    match failure {
        Failure::Server(code, sentence) => {
            let text = tuple(code, &sentence);
            match code {
                1022 | 1048 | 1062 | 1169 | 1216 | 1217 | 1364 | 1451 | 1452 | 1557 | 1586 | 1761 | 1762
                | 3819 | 4025 => DbError::Integrity(text),
                1264 | 1690 => DbError::OutOfRange(text),
                1037..=1041 | 1203 | 1205 | 1226 | 1290 | 1836 => DbError::Unavailable(text),
                code if ends_connection(code) && code != 1153 => DbError::Unavailable(text),
                _ => DbError::Query(text),
            }
        }
        Failure::Io(e) => DbError::Unavailable(format!("the connection to the server was lost: {e}")),
        Failure::Protocol => DbError::Unavailable("the server does not speak the protocol of MySQL".into()),
        Failure::TooLarge(limit) => DbError::Query(format!("an answer is larger than {} MB", limit >> 20)),
        Failure::Refused(text) => DbError::Unavailable(text),
    }
}

/// There is no connection: why, and what to do about it.
pub(super) fn of_connecting(failure: Failure, target: &Target) -> DbError {
    let place = match &target.socket {
        Some(file) => file.display().to_string(),
        None => format!("{}:{}", target.host, target.port),
    };
    let why = match failure {
        Failure::Server(1049, sentence) => format!(
            "{sentence}: create it with CREATE DATABASE `{}` CHARACTER SET utf8mb4 and grant it to the user",
            target.database.as_deref().unwrap_or_default()
        ),
        Failure::Server(code, sentence) => format!("{sentence} ({code})"),
        Failure::Io(e) if e.kind() == std::io::ErrorKind::NotFound && target.socket.is_none() => {
            "there is no host of this name".to_owned()
        }
        Failure::Io(e) if e.kind() == std::io::ErrorKind::TimedOut => "the server does not answer".to_owned(),
        Failure::Io(e) => e.to_string(),
        Failure::Protocol | Failure::TooLarge(_) => {
            "what answers there is neither MySQL nor MariaDB".to_owned()
        }
        Failure::Refused(text) => text,
    };
    DbError::Unavailable(format!("{place}: {why}"))
}

/// The statements of a text that has each end with a semicolon at the end of a line, and comments on lines of
/// their own.
pub(super) fn each_statement(text: &str) -> impl Iterator<Item = &str> {
    let said = |piece: &&str| piece.lines().any(|l| !l.trim().is_empty() && !l.starts_with("--"));
    text.split_inclusive(";\n").map(|piece| piece.trim_end().trim_end_matches(';')).filter(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_meaning() {
        let of = |code| of_statement(Failure::Server(code, "it's so".into()));
        assert!(matches!(of(1062), DbError::Integrity(text) if text == "(1062, \"it's so\")"));
        assert!(matches!(of(1264), DbError::OutOfRange(_)));
        assert!(matches!(of(1053), DbError::Unavailable(_)));
        assert!(matches!(of(1064), DbError::Query(_)));
    }

    #[test]
    fn statements_of_a_text() {
        let text = "-- a comment; with a semicolon\n\nCREATE TABLE a (\n  b int\n);\n\n\
                    INSERT INTO a VALUES (';');\n-- end\n";
        let found: Vec<_> = each_statement(text).collect();
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("b int\n)"));
        assert!(found[1].ends_with("VALUES (';')"));
    }
}
