//! Packets of the MySQL client/server protocol, from its public description.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream};

use super::Failure;

/// A stream to a server, encrypted or not.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// The longest payload of one packet; longer ones go on in the next.
const FULL: usize = 0xff_ffff;

/// Packets over a stream, with their sequence numbers.
pub(crate) struct Wire {
    stream: BufStream<Box<dyn Io>>,
    pub sequence: u8,
    /// Bytes of a packet above which reading ends with an error.
    pub limit: usize,
}

impl Wire {
    pub fn new(stream: Box<dyn Io>) -> Self {
        Self { stream: BufStream::new(stream), sequence: 0, limit: 64 << 20 }
    }

    /// The bare stream, to be encrypted.
    pub fn into_stream(self) -> Box<dyn Io> {
        self.stream.into_inner()
    }

    pub async fn read(&mut self) -> Result<Vec<u8>, Failure> {
        let mut payload = Vec::new();
        loop {
            let mut header = [0; 4];
            self.stream.read_exact(&mut header).await?;
            let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
            self.sequence = header[3].wrapping_add(1);
            if payload.len() + length > self.limit {
                return Err(Failure::TooLarge(self.limit));
            }
            let start = payload.len();
            // of a packet in many parts no more room is taken than it has
            payload.reserve_exact(length);
            payload.resize(start + length, 0);
            self.stream.read_exact(&mut payload[start..]).await?;
            if length < FULL {
                return Ok(payload);
            }
        }
    }

    pub async fn write(&mut self, payload: &[u8]) -> Result<(), Failure> {
        let mut rest = payload;
        loop {
            let (now, later) = rest.split_at(rest.len().min(FULL));
            let length = u32::try_from(now.len()).unwrap_or_default().to_le_bytes();
            self.stream.write_all(&[length[0], length[1], length[2], self.sequence]).await?;
            self.stream.write_all(now).await?;
            self.sequence = self.sequence.wrapping_add(1);
            rest = later;
            if now.len() < FULL {
                break;
            }
        }
        Ok(self.stream.flush().await?)
    }

    /// A command: packets are counted from the start again.
    pub async fn command(&mut self, code: u8, argument: &[u8]) -> Result<(), Failure> {
        self.sequence = 0;
        let mut payload = Vec::with_capacity(argument.len() + 1);
        payload.push(code);
        payload.extend_from_slice(argument);
        self.write(&payload).await
    }
}

/// Reads the fields of a payload; what is not there is `None`.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    /// Little endian, of up to eight bytes.
    pub fn int(&mut self, width: usize) -> Option<u64> {
        Some(self.bytes(width)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// A length-encoded integer; `None` for null, too.
    pub fn length(&mut self) -> Option<u64> {
        match self.u8()? {
            n @ 0..=250 => Some(u64::from(n)),
            252 => self.int(2),
            253 => self.int(3),
            254 => self.int(8),
            _ => None,
        }
    }

    pub fn text(&mut self) -> Option<&'a [u8]> {
        let n = usize::try_from(self.length()?).ok()?;
        self.bytes(n)
    }

    /// A value of a row: `Some(None)` is null.
    pub fn value(&mut self) -> Option<Option<&'a [u8]>> {
        if self.0.first() == Some(&0xfb) {
            self.u8()?;
            return Some(None);
        }
        self.text().map(Some)
    }

    pub fn until_zero(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        let head = self.0.get(..end).unwrap_or_default();
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(Reader(&[250]).length(), Some(250));
        assert_eq!(Reader(&[252, 1, 1]).length(), Some(257));
        assert_eq!(Reader(&[253, 0, 0, 1]).length(), Some(65_536));
        assert_eq!(Reader(&[254, 1]).length(), None);
        assert_eq!(Reader(&[0xfb, 1, b'a']).value(), Some(None));
        assert_eq!(Reader(&[200, 1]).text(), None);
        assert_eq!(Reader(b"ab\0c").until_zero(), b"ab");
    }

    #[tokio::test]
    async fn packets_are_bounded() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut wire = Wire::new(Box::new(ours));
        wire.limit = 10;
        theirs.write_all(&[20, 0, 0, 0]).await.unwrap();
        assert!(matches!(wire.read().await, Err(Failure::TooLarge(_))));
    }
}
