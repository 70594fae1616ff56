//! TLS over another acceptor's connections. The handshake is done by the task that serves the connection, when it reads
//! first: nobody waits for somebody else's.
//!
//! Who begins a handshake and does not end it is cut off: after some seconds, or when more have begun than are waited
//! for, the oldest first. What goes wrong before a request is nobody's request: it is told at `debug` alone.

use std::{
    collections::BTreeMap,
    future::Future,
    io::{Error as IoError, ErrorKind, IoSlice, Result as IoResult},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use infra::tls::PROOF;
use parking_lot::Mutex;
use rustls::ServerConfig;
use salvo::{
    conn::{Accepted, Acceptor, Holding, tcp::TcpCoupler},
    fuse::ArcFusePolicy,
    http::{Version, uri::Scheme},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a handshake may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// So many may be under way.
const MOST: usize = 1_024;

/// Encrypts what an acceptor lets in.
pub(super) struct Encrypting<A> {
    inner: A,
    acceptor: TlsAcceptor,
    holdings: Vec<Holding>,
    under_way: Arc<UnderWay>,
}

impl<A: Acceptor> Encrypting<A> {
    /// Over an acceptor; all of a server have one bound together.
    pub fn new(inner: A, config: Arc<ServerConfig>, under_way: Arc<UnderWay>) -> Self {
        let encrypted = |holding: &Holding| Holding {
            local_addr: holding.local_addr.clone(),
            http_versions: vec![Version::HTTP_11, Version::HTTP_2],
            http_scheme: Scheme::HTTPS,
        };
        let holdings = inner.holdings().iter().map(encrypted).collect();
        Self { inner, acceptor: TlsAcceptor::from(config), holdings, under_way }
    }
}

impl<A> Acceptor for Encrypting<A>
where
    A: Acceptor + Send + 'static,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Coupler = TcpCoupler<Self::Stream>;
    type Stream = Encrypted<A::Stream>;

    fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    async fn accept(
        &mut self,
        fuse_policy: Option<ArcFusePolicy>,
    ) -> IoResult<Accepted<Self::Coupler, Self::Stream>> {
        let accepted = self.inner.accept(fuse_policy).await?;
        let (acceptor, under_way) = (self.acceptor.clone(), self.under_way.clone());
        let encrypt = |stream| Encrypted::Beginning(Box::pin(handshake(acceptor, stream, under_way.begin())));
        let accepted = accepted.map_into(|_| TcpCoupler::new(), encrypt);
        Ok(Accepted { http_scheme: Scheme::HTTPS, ..accepted })
    }
}

async fn handshake<S>(acceptor: TlsAcceptor, stream: S, mut place: Place) -> IoResult<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let done = tokio::select! {
        done = acceptor.accept(stream) => done,
        _ = &mut place.cut_off => Err(IoError::new(ErrorKind::ConnectionAborted, "too many handshakes are under way")),
        () = tokio::time::sleep(TIMEOUT) => Err(IoError::new(ErrorKind::TimedOut, "the handshake took too long")),
    };
    let stream = done.inspect_err(|error| tracing::debug!(%error, "a handshake failed"))?;
    if stream.get_ref().1.alpn_protocol() == Some(PROOF) {
        // the authority has seen what it wanted
        return Err(IoError::new(ErrorKind::ConnectionAborted, "an authority looked at a proof"));
    }
    Ok(stream)
}

/// The handshakes that are under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// What ends them, the oldest first.
    all: BTreeMap<u64, oneshot::Sender<()>>,
}

/// A handshake among the others, until it is dropped.
struct Place {
    number: u64,
    cut_off: oneshot::Receiver<()>,
    under_way: Arc<UnderWay>,
}

impl UnderWay {
    fn begin(self: &Arc<Self>) -> Place {
        let (end, cut_off) = oneshot::channel();
        let mut waiting = self.0.lock();
        if waiting.all.len() >= MOST
            && let Some((_, oldest)) = waiting.all.pop_first()
        {
            let _ = oldest.send(());
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.all.insert(number, end);
        Place { number, cut_off, under_way: self.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.under_way.0.lock().all.remove(&self.number);
    }
}

/// A connection whose handshake is done when it is first read or written.
pub(super) enum Encrypted<S> {
    /// It is not done yet.
    Beginning(Pin<Box<dyn Future<Output = IoResult<TlsStream<S>>> + Send>>),
    /// It is.
    Open(Box<TlsStream<S>>),
    /// It failed.
    Broken,
}

impl<S> Encrypted<S> {
    fn open(&mut self, context: &mut Context<'_>) -> Poll<IoResult<Pin<&mut TlsStream<S>>>>
    where
        S: Unpin,
    {
        if let Self::Beginning(handshake) = self {
            *self = match ready!(handshake.as_mut().poll(context)) {
                Ok(stream) => Self::Open(Box::new(stream)),
                Err(error) => {
                    *self = Self::Broken;
                    return Poll::Ready(Err(error));
                }
            };
        }
        Poll::Ready(match self {
            Self::Open(stream) => Ok(Pin::new(&mut **stream)),
            Self::Beginning(_) | Self::Broken => Err(ErrorKind::NotConnected.into()),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        ready!(self.open(context))?.poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<IoResult<usize>> {
        ready!(self.open(context))?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<IoResult<usize>> {
        ready!(self.open(context))?.poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Open(stream) if stream.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<IoResult<()>> {
        ready!(self.open(context))?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<IoResult<()>> {
        match &mut *self {
            Self::Open(stream) => Pin::new(stream).poll_shutdown(context),
            // nothing was said that could be ended
            Self::Beginning(_) | Self::Broken => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_handshakes_the_oldest_ends() {
        let under_way = Arc::new(UnderWay::default());
        let mut places: Vec<Place> = (0..=MOST).map(|_| under_way.begin()).collect();
        assert!(places[0].cut_off.try_recv().is_ok(), "the oldest goes on");
        assert!(places[1].cut_off.try_recv().is_err(), "another one was cut off");
        assert_eq!(under_way.0.lock().all.len(), MOST);
        drop(places);
        assert!(under_way.0.lock().all.is_empty());
    }
}
