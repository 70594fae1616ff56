//! How much of a result may arrive before a row of it is there. tiberius hands rows out when they have come in full,
//! and
//! `TEXTSIZE` bounds a value, not a row of many; a server that means ill keeps to neither.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a row has beside its values.
const SLACK: usize = 1 << 20;

/// The bytes that may still come.
#[derive(Debug)]
pub(super) struct Meter {
    left: AtomicUsize,
    total: AtomicUsize,
    exceeded: AtomicBool,
}

impl Default for Meter {
    fn default() -> Self {
        let (left, total) = (AtomicUsize::new(SLACK), AtomicUsize::new(0));
        Self { left, total, exceeded: AtomicBool::new(false) }
    }
}

impl Meter {
    /// Lets a row of so many bytes come; texts travel in twice as many.
    pub fn allow(&self, row: usize) {
        self.left.store(row.saturating_mul(2).saturating_add(SLACK), Ordering::Relaxed);
    }

    /// All bytes that came.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// More came; the connection is of no more use.
    pub fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        self.total.fetch_add(bytes, Ordering::Relaxed);
        let left = self.left.load(Ordering::Relaxed).checked_sub(bytes);
        self.left.store(left.unwrap_or_default(), Ordering::Relaxed);
        if left.is_some() {
            return Ok(());
        }
        self.exceeded.store(true, Ordering::Relaxed);
        Err(io::Error::new(io::ErrorKind::InvalidData, "the server sends a row that is too large"))
    }
}

/// A stream whose bytes are counted as they come.
pub(super) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        Poll::Ready(self.meter.count(buffer.filled().len() - before))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
