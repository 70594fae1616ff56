//! The token endpoint of an authorization server.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// What it was asked: content type and body.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// Gives the token `good` to whoever asks, and a refresh token with the number of the question.
pub struct TokenServer {
    pub port: u16,
    asked: Asked,
}

impl TokenServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Asked::default());
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                std::thread::spawn(move || answer(stream, &seen));
            }
        });
        Self { port, asked }
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(stream: TcpStream, asked: &Asked) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut content_type) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "content-type" => value.trim().clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let wrong = body.contains("wrong");
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push((content_type, body));
        asked.len()
    };
    let (status, text) = if wrong {
        ("400 Bad Request", r#"{"error": "invalid_grant"}"#.to_owned())
    } else {
        let text = format!(
            r#"{{"access_token": "good", "expires_in": 3600, "token_type": "Bearer",
                 "refresh_token": "again{number}"}}"#
        );
        ("200 OK", text)
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
    write!(reader.get_mut(), "{head}content-length: {}\r\n\r\n{text}", text.len()).ok()
}
