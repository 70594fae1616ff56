//! How large a message of the server may be. tokio-postgres hands rows out when they have come in full: a cell of a
//! gigabyte would be in memory before anybody could count it. So the length of every message is looked at as it
//! arrives, and one that is too long ends the connection.

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

/// What a message has beside its values: names of columns, words of an error.
const SLACK: usize = 1 << 20;

/// The bound of a connection, which its user moves.
#[derive(Debug)]
pub struct Bound {
    most: AtomicUsize,
    exceeded: AtomicBool,
}

impl Default for Bound {
    fn default() -> Self {
        Self { most: AtomicUsize::new(usize::MAX), exceeded: AtomicBool::new(false) }
    }
}

impl Bound {
    /// Sets the bytes of the values of a row.
    pub fn set(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// The bytes that were set, when there was a message above them; the connection is of no more use then.
    pub fn exceeded(&self) -> Option<usize> {
        self.exceeded.load(Ordering::Relaxed).then(|| self.most.load(Ordering::Relaxed))
    }

    fn check(&self, length: usize) -> io::Result<()> {
        if length <= self.most.load(Ordering::Relaxed).saturating_add(SLACK) {
            return Ok(());
        }
        self.exceeded.store(true, Ordering::Relaxed);
        Err(io::Error::new(io::ErrorKind::InvalidData, "the server sends a message that is too large"))
    }
}

/// A stream of messages of the server: a letter, a length, a body.
pub struct Bounded<S> {
    stream: S,
    bound: Arc<Bound>,
    header: [u8; 5],
    /// Bytes of the header that are there.
    have: usize,
    /// Bytes of the body that are still to come.
    left: usize,
}

impl<S> Bounded<S> {
    /// Watches a stream from its first message on.
    pub fn new(stream: S, bound: Arc<Bound>) -> Self {
        Self { stream, bound, header: [0; 5], have: 0, left: 0 }
    }

    /// The stream.
    pub fn get(&self) -> &S {
        &self.stream
    }

    fn look(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            let wanted = (self.header.len() - self.have).min(bytes.len());
            let (now, later) = bytes.split_at(wanted);
            self.header[self.have..self.have + wanted].copy_from_slice(now);
            self.have += wanted;
            bytes = later;
            if self.have == self.header.len() {
                let [_, a, b, c, d] = self.header;
                // the length counts itself; one that is too small is told by who reads the message
                let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                self.left = length.saturating_sub(4);
                self.have = 0;
                self.bound.check(self.left)?;
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        Poll::Ready(self.look(buffer.filled().get(before..).unwrap_or_default()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, length: u32) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&(length + 4).to_be_bytes());
        bytes
    }

    #[test]
    fn lengths_are_seen_wherever_the_pieces_end() {
        let mut stream = message(b'R', 3);
        stream.extend_from_slice(b"abc");
        stream.extend(message(b'Z', 0));
        stream.extend(message(b'D', 3 << 20));
        for piece in 1..stream.len() {
            let bound = Arc::new(Bound::default());
            bound.set(2 << 20);
            let mut watched = Bounded::new((), bound.clone());
            stream.chunks(piece).for_each(|bytes| watched.look(bytes).unwrap());
            assert_eq!((watched.left, bound.exceeded()), (3 << 20, None));
            bound.set(1 << 20);
            let mut watched = Bounded::new((), bound.clone());
            assert!(stream.chunks(piece).any(|bytes| watched.look(bytes).is_err()), "{piece}");
            assert_eq!(bound.exceeded(), Some(1 << 20));
        }
    }
}
