//! The pipes of Chromium as the WebSocket that chromiumoxide wants.
//!
//! Messages on the pipes end with a NUL. The socket is on the loopback, has a secret path, and takes one connection:
//! ours, which is there before the address is told to anybody.

use async_tungstenite::{
    WebSocketStream,
    tokio::{TokioAdapter, accept_hdr_async_with_config},
    tungstenite::{
        Error as WsError, Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::WebSocketConfig,
    },
};
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::launch::Pipes;
use crate::crypto::random;

type Socket = WebSocketStream<TokioAdapter<TcpStream>>;

/// The address at which the pipes can be spoken with, once.
pub(super) async fn bridge(pipes: Pipes) -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let path = format!("/{}", random::url_safe::<32>());
    let url = format!("ws://{}{path}", listener.local_addr()?);
    tokio::spawn(async move {
        // who does not know the path is sent away
        let socket = loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            if let Ok(socket) = accept(stream, &path).await {
                break socket;
            }
        };
        drop(listener);
        let (to_us, from_us) = socket.split();
        let (to_chromium, from_chromium) = pipes;
        // the first that ends takes the other along, and Chromium with them
        tokio::select! {
            () = commands(from_us, to_chromium) => {}
            () = answers(from_chromium, to_us) => {}
        }
    });
    Ok(url)
}

async fn accept(stream: TcpStream, path: &str) -> Result<Socket, WsError> {
    #[expect(clippy::result_large_err, reason = "the shape of the callback is the library's")]
    let is_ours = |request: &Request, response: Response| {
        if request.uri().path() == path { Ok(response) } else { Err(ErrorResponse::new(None)) }
    };
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    accept_hdr_async_with_config(stream, is_ours, Some(config)).await
}

async fn commands(
    mut from_us: async_tungstenite::WebSocketReceiver<TokioAdapter<TcpStream>>,
    mut to_chromium: tokio::process::ChildStdin,
) {
    while let Some(Ok(message)) = from_us.next().await {
        let Message::Text(text) = message else { continue };
        let sent = async {
            to_chromium.write_all(text.as_bytes()).await?;
            to_chromium.write_all(b"\0").await?;
            to_chromium.flush().await
        };
        if sent.await.is_err() {
            return;
        }
    }
}

async fn answers(
    from_chromium: tokio::process::ChildStdout,
    mut to_us: async_tungstenite::WebSocketSender<TokioAdapter<TcpStream>>,
) {
    let mut from_chromium = BufReader::with_capacity(64 << 10, from_chromium);
    loop {
        let mut message = Vec::new();
        match from_chromium.read_until(0, &mut message).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if message.last() == Some(&0) {
            message.pop();
        }
        let text = String::from_utf8_lossy(&message).into_owned();
        if to_us.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}
