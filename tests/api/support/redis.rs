//! The Redis server of the machine, spoken to without a library.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use super::server::skip;

/// The database of the tests.
const DB: &str = "7";

/// A prefix for streams of one test, if there is a server on the usual port.
pub fn redis_prefix(name: &str) -> Option<String> {
    if TcpStream::connect("127.0.0.1:6379").is_err() {
        skip("no Redis on 127.0.0.1:6379");
        return None;
    }
    Some(format!("liteset-test-{}-{name}-", std::process::id()))
}

/// Adds an event to the stream of all, as another process would.
pub fn redis_add(prefix: &str, data: &str) {
    let stream = format!("{prefix}full");
    let commands = [vec!["SELECT", DB], vec!["XADD", &stream, "MAXLEN", "1000", "*", "data", data]];
    let mut server = TcpStream::connect("127.0.0.1:6379").unwrap();
    for command in commands {
        let mut text = format!("*{}\r\n", command.len());
        for word in command {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        server.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(&server).read_line(&mut answer).unwrap();
        assert!(!answer.starts_with('-'), "{answer}");
    }
}
