//! A listener that can be closed while its connections go on.
//!
//! salvo keeps its listener until the last request is answered: the kernel would go on taking connections that nobody
//! serves. Here the listener goes first, so that who comes then is refused at once and asks another server.

use std::{future::pending, io::Result as IoResult};

use salvo::{
    conn::{Accepted, Acceptor, Holding},
    fuse::ArcFusePolicy,
};
use tokio::sync::oneshot;

/// An acceptor until it is told to close.
pub struct Closing<A> {
    acceptor: Option<A>,
    holdings: Vec<Holding>,
    asked: oneshot::Receiver<()>,
    closed: Option<oneshot::Sender<()>>,
}

/// Closes a [`Closing`].
pub struct Closer {
    ask: oneshot::Sender<()>,
    closed: oneshot::Receiver<()>,
}

/// An acceptor that can be closed, and what closes it.
pub fn closing<A: Acceptor>(acceptor: A) -> (Closing<A>, Closer) {
    let ((ask, asked), (close, closed)) = (oneshot::channel(), oneshot::channel());
    let holdings = acceptor.holdings().to_vec();
    (Closing { acceptor: Some(acceptor), holdings, asked, closed: Some(close) }, Closer { ask, closed })
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
            tokio::select! {
                accepted = acceptor.accept(fuse_policy) => return accepted,
                _ = &mut self.asked => {}
            }
        }
        self.acceptor = None;
        if let Some(closed) = self.closed.take() {
            let _ = closed.send(());
        }
        pending().await
    }
}
