//! What can go wrong on a connection.

/// Why there is no answer, or none that was hoped for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The stream broke.
    Io(std::io::Error),
    /// The server sent what the protocol does not allow.
    Protocol,
    /// A packet above the limit.
    TooLarge(usize),
    /// The server's error: number and sentence.
    Server(u16, String),
    /// We cannot or will not go on.
    Refused(String),
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

/// A tuple of a number and a sentence as Python prints it.
pub(crate) fn tuple(code: u16, message: &str) -> String {
    let quote = if message.contains('\'') && !message.contains('"') { '"' } else { '\'' };
    let mut text = format!("({code}, {quote}");
    for c in message.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c == quote => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text.extend([quote, ')']);
    text
}
