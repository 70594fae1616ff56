//! A listener that can be closed while its connections go on.
//!
//! salvo keeps its listener until the last request is answered: the kernel would go on taking connections that nobody
//! serves. Here the listener goes first, so that who comes then is refused at once, or is another process's.

use std::{
    future::pending,
    io::Result as IoResult,
    time::{Duration, Instant},
};

use salvo::{
    conn::{Accepted, Acceptor, Holding},
    fuse::ArcFusePolicy,
};
use tokio::sync::oneshot;

/// Who has connected before the listener closes is served: the kernel would reset them. Nobody came for so long.
const QUIET: Duration = Duration::from_millis(10);
/// Where somebody always comes, the listener closes nevertheless.
const AT_MOST: Duration = Duration::from_millis(500);

/// An acceptor until it is told to close.
pub struct Closing<A> {
    acceptor: Option<A>,
    holdings: Vec<Holding>,
    asked: oneshot::Receiver<()>,
    closed: Option<oneshot::Sender<()>>,
    /// Who waits in the kernel's queue is another process's as well.
    is_given: bool,
    closing_since: Option<Instant>,
}

/// Closes a [`Closing`].
pub struct Closer {
    ask: oneshot::Sender<()>,
    closed: oneshot::Receiver<()>,
}

/// An acceptor that can be closed, and what closes it. `is_given`: others hold the same sockets.
pub fn closing<A: Acceptor>(acceptor: A, is_given: bool) -> (Closing<A>, Closer) {
    let ((ask, asked), (close, closed)) = (oneshot::channel(), oneshot::channel());
    let holdings = acceptor.holdings().to_vec();
    let (acceptor, close) = (Some(acceptor), Some(close));
    let closing = Closing { acceptor, holdings, asked, closed: close, is_given, closing_since: None };
    (closing, Closer { ask, closed })
}

impl Closer {
    /// Returns when nobody is let in any more.
    pub async fn close(self) {
        // the other end is gone when the server is
        if self.ask.send(()).is_ok() {
            let _ = self.closed.await;
        }
    }
}

impl<A: Acceptor> Acceptor for Closing<A> {
    type Coupler = A::Coupler;
    type Stream = A::Stream;

    fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    async fn accept(
        &mut self,
        fuse_policy: Option<ArcFusePolicy>,
    ) -> IoResult<Accepted<Self::Coupler, Self::Stream>> {
        if let Some(acceptor) = &mut self.acceptor {
            if self.closing_since.is_none() {
                tokio::select! {
                    accepted = acceptor.accept(fuse_policy.clone()) => return accepted,
                    _ = &mut self.asked => self.closing_since = Some(Instant::now()),
                }
            }
            if !self.is_given && self.closing_since.is_some_and(|since| since.elapsed() < AT_MOST) {
                // a failure to accept is no reason to stay
                if let Ok(Ok(accepted)) = tokio::time::timeout(QUIET, acceptor.accept(fuse_policy)).await {
                    return Ok(accepted);
                }
            }
        }
        self.acceptor = None;
        if let Some(closed) = self.closed.take() {
            let _ = closed.send(());
        }
        pending().await
    }
}
