//! What stands between a socket and the messages of PostgreSQL: encryption as far as it is wanted and had, then a look
//! at the lengths. tokio-postgres lets only TLS stand there; so it is told to demand TLS at once, and asking the server
//! for it is done here.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_postgres::{
    Config, Socket,
    config::{SslMode, SslNegotiation},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::bound::{Bound, Bounded};

/// `SSLRequest` of the protocol.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
type Encrypt = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// Prepares the sockets of a connection.
#[derive(Clone)]
pub struct Negotiate {
    tls: MakeRustlsConnect,
    mode: SslMode,
    bound: Arc<Bound>,
}

impl Negotiate {
    /// What prepares the sockets of a configuration, and the configuration that leaves it to that.
    pub fn prepare(config: &Config, tls: MakeRustlsConnect, bound: Arc<Bound>) -> (Self, Config) {
        let mode = config.get_ssl_mode();
        let mut config = config.clone();
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        (Self { tls, mode, bound }, config)
    }
}

impl MakeTlsConnect<Socket> for Negotiate {
    type Stream = Bounded<Line>;
    type TlsConnect = Once;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Once> {
        let encrypt = match self.mode {
            SslMode::Disable => None,
            _ => {
                let made = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.tls, domain);
                Some(made.map_err(io::Error::other)?)
            }
        };
        Ok(Once { encrypt, required: self.mode == SslMode::Require, bound: self.bound.clone() })
    }
}

/// For one socket.
pub struct Once {
    encrypt: Option<Encrypt>,
    required: bool,
    bound: Arc<Bound>,
}

impl TlsConnect<Socket> for Once {
    type Stream = Bounded<Line>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Bounded<Line>>> + Send>>;

    fn connect(self, mut socket: Socket) -> Self::Future {
        Box::pin(async move {
            let line = match self.encrypt {
                None => Line::Plain(socket),
                Some(encrypt) => {
                    socket.write_all(&REQUEST).await?;
                    let mut answer = [0];
                    socket.read_exact(&mut answer).await?;
                    match answer {
                        [b'S'] => Line::Encrypted(Box::new(encrypt.connect(socket).await?)),
                        _ if self.required => {
                            return Err(io::Error::other("server does not support TLS"));
                        }
                        _ => Line::Plain(socket),
                    }
                }
            };
            Ok(Bounded::new(line, self.bound))
        })
    }
}

/// A socket, encrypted or not.
pub enum Line {
    /// As it is.
    Plain(Socket),
    /// Encrypted.
    Encrypted(Box<Encrypted>),
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Bounded<Line> {
    fn channel_binding(&self) -> ChannelBinding {
        match self.get() {
            Line::Plain(_) => ChannelBinding::none(),
            Line::Encrypted(stream) => stream.channel_binding(),
        }
    }
}
