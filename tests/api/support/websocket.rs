//! Clients of WebSockets.

use std::{net::TcpStream, time::Duration};

use serde_json::Value;
use tungstenite::{Error, Message, WebSocket, client::IntoClientRequest as _, handshake::HandshakeError};

/// An open socket.
pub struct Socket(pub WebSocket<TcpStream>);

/// Why there is none: the status of an answer, or nothing when the connection was cut.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub Option<u16>);

impl Socket {
    /// Opens a socket of a server at a path with a cookie and headers.
    pub fn open(base: &str, path: &str, cookie: &str, headers: &[(&str, &str)]) -> Result<Self, Refused> {
        let host = base.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
        for (name, value) in headers.iter().copied().chain([("cookie", cookie)]) {
            let name: tungstenite::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Failure(Error::Http(answer))) => Err(Refused(Some(answer.status().as_u16()))),
            Err(_) => Err(Refused(None)),
        }
    }

    /// The next event.
    pub fn event(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads to the end; the code of the farewell, if there was one.
    pub fn end(&mut self) -> Option<u16> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Nothing comes for a moment.
    pub fn is_quiet(&mut self) -> bool {
        self.0.get_ref().set_read_timeout(Some(Duration::from_millis(700))).unwrap();
        let quiet = loop {
            match self.0.read() {
                Ok(Message::Ping(_)) => {}
                Err(Error::Io(_)) => break true,
                _ => break false,
            }
        };
        self.0.get_ref().set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        quiet
    }
}
