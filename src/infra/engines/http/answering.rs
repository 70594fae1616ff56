//! A server for the tests of drivers.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is heard of requests.
pub type Asked = Arc<Mutex<Vec<String>>>;

/// Answers one request after the other with what is given, and tells its port and what it was asked. A text is sent as
/// it is; `{port}` in an answer is the server's own. The text of status 0 is the whole answer, with its head.
pub async fn answering(answers: Vec<(u16, Value)>) -> (u16, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    let heard = asked.clone();
    tokio::spawn(async move {
        for (status, answer) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = request(&mut stream).await;
            heard.lock().unwrap().push(request);
            let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
            let body = text.replace("{port}", &port.to_string());
            if status == 0 {
                stream.write_all(body.as_bytes()).await.unwrap();
                continue;
            }
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await.unwrap();
        }
    });
    (port, asked)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(piece.get(..n).unwrap());
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0_usize) {
            return text;
        }
    }
}
