//! A listener that can be closed while its connections go on.
//!
//! salvo keeps its listener until the last request is answered: the kernel would go on taking connections that nobody
//! serves. Here the listener goes first, so that who comes then is refused at once, or is another process's.

use std::{
    future::pending,
    io::Result as IoResult,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use salvo::{
    conn::{Accepted, Acceptor, Holding, tcp::TcpCoupler},
    fuse::ArcFusePolicy,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{mpsc, oneshot, watch},
};

/// Who has connected before the listener closes is served: the kernel would reset them. Nobody came for so long.
const QUIET: Duration = Duration::from_millis(10);
/// Where somebody always comes, the listener closes nevertheless.
const AT_MOST: Duration = Duration::from_millis(500);
/// So long a connection may be silent before it is one that was opened for later.
const SILENT: Duration = Duration::from_secs(2);

/// An acceptor until it is told to close.
pub struct Closing<A> {
    acceptor: Option<A>,
    holdings: Vec<Holding>,
    asked: oneshot::Receiver<()>,
    closed: Option<oneshot::Sender<()>>,
    /// Cloned into every connection that has not sent anything yet.
    unread: Option<mpsc::Sender<()>>,
    /// Goes with every connection: whether it is too late to begin to speak.
    over: watch::Receiver<bool>,
    /// Who waits in the kernel's queue is another process's as well.
    is_given: bool,
    closing_since: Option<Instant>,
}

/// Closes a [`Closing`].
pub struct Closer {
    ask: oneshot::Sender<()>,
    closed: oneshot::Receiver<()>,
    unread: mpsc::Receiver<()>,
    over: watch::Sender<bool>,
}

/// An acceptor that can be closed, and what closes it. `is_given`: others hold the same sockets.
pub fn closing<A: Acceptor>(acceptor: A, is_given: bool) -> (Closing<A>, Closer) {
    let ((ask, asked), (close, closed)) = (oneshot::channel(), oneshot::channel());
    let (unread, all_read) = mpsc::channel(1);
    let (end, over) = watch::channel(false);
    let closing = Closing {
        holdings: acceptor.holdings().to_vec(),
        acceptor: Some(acceptor),
        asked,
        closed: Some(close),
        unread: Some(unread),
        over,
        is_given,
        closing_since: None,
    };
    (closing, Closer { ask, closed, unread: all_read, over: end })
}

impl Closer {
    /// Returns when nobody is let in any more, and who was let in last has begun to speak: hyper closes a connection
    /// that it has read nothing of without looking whether there is a request.
    pub async fn close(mut self) {
        // the other end is gone when the server is
        if self.ask.send(()).is_ok() {
            let _ = self.closed.await;
            // nothing is ever sent: it ends with the last sender
            let _ = tokio::time::timeout(SILENT, self.unread.recv()).await;
            // who looks for HTTP/2 waits for first bytes whatever else happens
            let _ = self.over.send(true);
        }
    }
}

impl<A> Acceptor for Closing<A>
where
    A: Acceptor,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Coupler = TcpCoupler<Self::Stream>;
    type Stream = FirstBytes<A::Stream>;

    fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    async fn accept(
        &mut self,
        fuse_policy: Option<ArcFusePolicy>,
    ) -> IoResult<Accepted<Self::Coupler, Self::Stream>> {
        if let Some(acceptor) = &mut self.acceptor {
            let (unread, over) = (self.unread.clone(), self.over.clone());
            let counted = |accepted: Accepted<A::Coupler, A::Stream>| {
                accepted.map_into(|_| TcpCoupler::new(), |stream| FirstBytes::new(stream, unread, over))
            };
            if self.closing_since.is_none() {
                tokio::select! {
                    accepted = acceptor.accept(fuse_policy.clone()) => return accepted.map(counted),
                    _ = &mut self.asked => self.closing_since = Some(Instant::now()),
                }
            }
            if !self.is_given && self.closing_since.is_some_and(|since| since.elapsed() < AT_MOST) {
                // a failure to accept is no reason to stay
                if let Ok(Ok(accepted)) = tokio::time::timeout(QUIET, acceptor.accept(fuse_policy)).await {
                    return Ok(counted(accepted));
                }
            }
        }
        self.acceptor = None;
        self.unread = None;
        if let Some(closed) = self.closed.take() {
            let _ = closed.send(());
        }
        pending().await
    }
}

/// A connection that tells when its first bytes were read and taken, or that it has ended without any.
///
/// Who looks for HTTP/2 takes the first bytes away before hyper reads: only what comes after them, another read or the
/// answer, says that hyper has them. Under TLS these are the first bytes behind the handshake.
pub struct FirstBytes<S> {
    stream: S,
    unread: Option<mpsc::Sender<()>>,
    /// Ends when it is too late for first bytes; nothing once there were some.
    over: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    has_read: bool,
}

impl<S> FirstBytes<S> {
    fn new(stream: S, unread: Option<mpsc::Sender<()>>, mut over: watch::Receiver<bool>) -> Self {
        let over = Box::pin(async move {
            if over.wait_for(|over| *over).await.is_err() {
                pending().await
            }
        });
        Self { stream, unread, over: Some(over), has_read: false }
    }

    fn goes_on(&mut self) {
        if self.has_read {
            self.unread = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        self.goes_on();
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.has_read = true;
            self.over = None;
            if buffer.filled().len() == before {
                self.unread = None;
            }
        } else if let Some(over) = &mut self.over
            && over.as_mut().poll(context).is_ready()
        {
            self.unread = None;
            self.over = None;
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<IoResult<usize>> {
        self.goes_on();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<IoResult<usize>> {
        self.goes_on();
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn first_bytes_are_hypers_when_it_goes_on() {
        let (mut client, server) = tokio::io::duplex(64);
        let (unread, mut all_read) = mpsc::channel::<()>(1);
        let (_end, over) = watch::channel(false);
        let mut stream = FirstBytes::new(server, Some(unread), over);
        client.write_all(b"PRI * HTTP/2.0").await.unwrap();
        stream.read_exact(&mut [0; 14]).await.unwrap();
        assert!(all_read.try_recv() == Err(mpsc::error::TryRecvError::Empty), "the look counts as a request");
        stream.write_all(b"answer").await.unwrap();
        assert!(all_read.try_recv() == Err(mpsc::error::TryRecvError::Disconnected));
    }

    #[tokio::test]
    async fn who_is_silent_to_the_end_reads_as_ended() {
        let (_client, server) = tokio::io::duplex(64);
        let (end, over) = watch::channel(false);
        let mut stream = FirstBytes::new(server, None, over);
        let reading = tokio::spawn(async move { stream.read(&mut [0; 14]).await.unwrap() });
        tokio::task::yield_now().await;
        end.send(true).unwrap();
        assert_eq!(reading.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn who_ends_without_a_word_is_waited_for_no_longer() {
        let (client, server) = tokio::io::duplex(64);
        let (unread, mut all_read) = mpsc::channel::<()>(1);
        let (_end, over) = watch::channel(false);
        let mut stream = FirstBytes::new(server, Some(unread), over);
        drop(client);
        assert_eq!(stream.read(&mut [0; 14]).await.unwrap(), 0);
        assert!(all_read.try_recv() == Err(mpsc::error::TryRecvError::Disconnected));
    }
}
