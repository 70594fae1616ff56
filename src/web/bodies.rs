//! Bodies of requests: how large they may be, how long they may take, and the one budget that all of them share.
//!
//! A small body is read at once. For a larger one it must be known who sends it, and it waits for its share of the
//! memory. What nobody answers for, or what its sender may not send, is not read at all.

use std::{pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use infra::{compute::Shares, config::Config};
use salvo::{Request, http::ReqBody};

use crate::{
    context::Req,
    incoming::parse_query,
    json_encoding,
    multipart::{self, FIELDS},
};

/// The largest request body; uploads of files have their own, larger bound.
const MAX_BODY: usize = 64 << 20;
/// The largest body of those whom nobody knows, and of a form whose token stands in it.
pub const MAX_ANONYMOUS: usize = 1 << 20;
/// The largest upload, where the configuration names none.
const MAX_UPLOAD_MB: u64 = 512;
/// Bodies up to here are read at once.
const SMALL: usize = 16 << 10;
/// Kilobytes for all larger bodies, and what one sender has of them.
const BUDGET: (usize, usize) = (256 << 10, 128 << 10);
/// The same for those whom nobody knows: they take nothing from the others.
const ANONYMOUS_BUDGET: (usize, usize) = (32 << 10, 8 << 10);
/// Seconds that a body may take to arrive, where the configuration names none; a second more for so many bytes.
const TIMEOUT: u64 = 30;
const SLOWEST: usize = 128 << 10;
/// Bytes that a JSON value or a field takes in memory.
const VALUE: usize = 72;
/// Values of one body.
const MAX_VALUES: usize = 2_000_000;
const MAX_ANONYMOUS_VALUES: usize = 10_000;

/// The memory for bodies under way.
pub struct Bodies {
    known: Shares,
    anonymous: Shares,
}

/// What a request says of the length of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    Nothing,
    Bytes(u64),
    /// It comes in pieces.
    Open,
}

impl BodyLength {
    pub fn from_request(req: &Req) -> Self {
        match req.header("content-length").and_then(|n| n.parse().ok()) {
            _ if req.header("transfer-encoding").is_some() => Self::Open,
            Some(0) | None => Self::Nothing,
            Some(n) => Self::Bytes(n),
        }
    }
    fn is_over(self, most: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bytes(n) => n > most as u64,
            Self::Open => true,
        }
    }
    /// Somebody has to answer for it.
    pub fn is_large(self) -> bool {
        self.is_over(SMALL)
    }
    /// It is only read for those who may send it.
    pub fn is_over_anonymous(self) -> bool {
        self.is_over(MAX_ANONYMOUS)
    }
}

/// Who sends a body, and what it may be.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The name under which a share is taken; none while it is not known who sends a small body.
    pub name: Option<&'a str>,
    /// Nobody knows them.
    pub is_anonymous: bool,
    /// The rule takes files.
    pub upload: bool,
}

impl Sender<'_> {
    fn most(&self, config: &Config, is_form: bool) -> u64 {
        let most = match self {
            _ if self.name.is_none() => SMALL as u64,
            _ if self.is_anonymous => MAX_ANONYMOUS as u64,
            _ if self.upload && is_form => max_upload(config),
            _ => MAX_BODY as u64,
        };
        // Flask's own bound of whatever is sent
        let own = config.int("MAX_CONTENT_LENGTH").and_then(|bytes| u64::try_from(bytes).ok());
        own.map_or(most, |own| own.min(most))
    }
}

/// The largest upload of a file (`MAX_UPLOAD_MB`).
fn max_upload(config: &Config) -> u64 {
    let most = config.int("MAX_UPLOAD_MB").and_then(|mb| u64::try_from(mb).ok()).filter(|mb| *mb > 0);
    most.unwrap_or(MAX_UPLOAD_MB).saturating_mul(1 << 20)
}

impl Default for Bodies {
    fn default() -> Self {
        let shares = |(all, each)| Shares::new(all, each);
        Self { known: shares(BUDGET), anonymous: shares(ANONYMOUS_BUDGET) }
    }
}

impl Bodies {
    /// Reads the form, the files or the raw body; a status when that fails.
    pub async fn read(
        &self,
        request: &mut Request,
        req: &mut Req,
        config: &Config,
        sender: Sender<'_>,
    ) -> Result<(), u16> {
        let announced = BodyLength::from_request(req);
        let is_multipart = req.content_type() == "multipart/form-data";
        let most = sender.most(config, is_multipart);
        let length = match announced {
            // a form of parts that has none is no form
            BodyLength::Nothing if is_multipart => 0,
            BodyLength::Nothing => return Ok(()),
            BodyLength::Bytes(n) if n > most => return Err(413),
            BodyLength::Bytes(n) => n,
            BodyLength::Open => most,
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let files = is_multipart && sender.upload;
        let patience =
            config.int("BODY_TIMEOUT_SECONDS").and_then(|s| u64::try_from(s).ok()).unwrap_or(TIMEOUT);
        let allowed = Duration::from_secs(patience.saturating_add((length / SLOWEST) as u64));
        let work = async {
            self.hold(req, sender, if files { length.min(FIELDS) } else { length }).await?;
            if is_multipart {
                let fields = if files { FIELDS } else { length };
                return multipart::read(request.take_body(), req, &multipart::folder(config), most, fields)
                    .await;
            }
            let body = whole(request.take_body(), length, announced).await?;
            self.take_in(req, sender, body).await
        };
        tokio::time::timeout(allowed, work).await.unwrap_or(Err(408))
    }

    /// Takes the share of so many bytes.
    async fn hold(&self, req: &mut Req, sender: Sender<'_>, bytes: usize) -> Result<(), u16> {
        let Some(name) = sender.name.filter(|_| bytes > SMALL) else { return Ok(()) };
        let shares = if sender.is_anonymous { &self.anonymous } else { &self.known };
        // what it had goes first: two that wait for more must not wait for each other
        req.held = None;
        req.held = shares.take(name, bytes.div_ceil(1 << 10)).await;
        if req.held.is_some() { Ok(()) } else { Err(503) }
    }

    async fn take_in(&self, req: &mut Req, sender: Sender<'_>, body: Bytes) -> Result<(), u16> {
        let values = values(&body);
        if values > if sender.is_anonymous { MAX_ANONYMOUS_VALUES } else { MAX_VALUES } {
            return Err(413);
        }
        if values * VALUE > body.len() {
            self.hold(req, sender, body.len() + values * VALUE).await?;
        }
        if req.content_type() == "application/x-www-form-urlencoded" {
            req.form = parse_query(&String::from_utf8_lossy(&body));
        } else {
            req.body = json_encoding::utf8(body);
        }
        Ok(())
    }
}

/// Reads and forgets a small body that nobody asked for. Left unread it would end the connection, and with it the next
/// request, which may be on its way.
pub async fn forget_small(request: &mut Request, req: &Req) {
    if let BodyLength::Bytes(n) = BodyLength::from_request(req)
        && n <= SMALL as u64
    {
        let body = whole(request.take_body(), SMALL, BodyLength::Bytes(n));
        let _ = tokio::time::timeout(Duration::from_secs(1), body).await;
    }
}

/// About how many values a text of JSON or a form holds.
fn values(body: &[u8]) -> usize {
    body.iter().filter(|b| matches!(b, b',' | b'[' | b'{' | b'&')).count()
}

/// All pieces of a body.
async fn whole(body: ReqBody, most: usize, announced: BodyLength) -> Result<Bytes, u16> {
    let mut pieces = pin!(body.try_filter_map(|frame| async { Ok(frame.into_data().ok()) }));
    // memory that is not written to is not taken
    let mut all = BytesMut::with_capacity(if announced == BodyLength::Open { 0 } else { most });
    while let Some(piece) = pieces.try_next().await.map_err(|_| 400_u16)? {
        if all.len() + piece.len() > most {
            return Err(413);
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use salvo::http::ReqBody;

    use super::*;

    async fn read(
        bodies: &Bodies,
        body: impl Into<ReqBody>,
        headers: &[(&str, &str)],
        sender: Sender<'_>,
    ) -> Result<Req, u16> {
        let mut request = Request::default();
        request.replace_body(body.into());
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut req = Req { headers, ..Req::default() };
        bodies.read(&mut request, &mut req, &Config::with(IndexMap::new()), sender).await?;
        Ok(req)
    }

    const NOBODY: Sender<'_> = Sender { name: None, is_anonymous: true, upload: false };
    const STRANGER: Sender<'_> = Sender { name: Some("a"), is_anonymous: true, upload: false };
    const USER: Sender<'_> = Sender { name: Some("u"), is_anonymous: false, upload: false };

    #[tokio::test]
    async fn sizes_by_sender() {
        let bodies = Bodies::default();
        for (sender, most) in [(NOBODY, SMALL), (STRANGER, MAX_ANONYMOUS), (USER, MAX_BODY)] {
            for (length, status) in [(most, Ok(())), (most + 1, Err(413))] {
                let announced = length.to_string();
                let outcome =
                    read(&bodies, vec![b'x'; length], &[("content-length", &announced)], sender).await;
                assert_eq!(outcome.map(|_| ()), status, "{sender:?} {length}");
                let open = [("transfer-encoding", "chunked")];
                let outcome = read(&bodies, vec![b'x'; length], &open, sender).await;
                assert_eq!(outcome.map(|_| ()), status, "{sender:?} {length} in pieces");
            }
        }
        assert_eq!(
            (bodies.known.taken(), bodies.anonymous.taken()),
            (0, 0),
            "shares end with their requests"
        );
    }

    #[tokio::test]
    async fn values_count_more_than_their_text() {
        let bodies = Bodies::default();
        let length = [("transfer-encoding", "chunked")];
        let many = format!("[{}0]", "0,".repeat(100_000));
        assert_eq!(read(&bodies, many.clone(), &length, STRANGER).await.unwrap_err(), 413);
        let req = read(&bodies, many, &length, USER).await.unwrap();
        assert!(bodies.known.taken() > 100_000 * VALUE / 1024, "{}", bodies.known.taken());
        drop(req);
        let too_many = "0,".repeat(MAX_VALUES + 1);
        assert_eq!(read(&bodies, too_many, &length, USER).await.unwrap_err(), 413);
        assert_eq!(bodies.known.taken(), 0);
    }

    #[tokio::test]
    async fn a_body_waits_for_its_share() {
        let bodies = Bodies::default();
        let announced = (60 << 20).to_string();
        let length = [("content-length", announced.as_str())];
        let large = || vec![b'x'; 60 << 20];
        let first = read(&bodies, large(), &length, USER).await.unwrap();
        let second = read(&bodies, large(), &length, USER).await.unwrap();
        let mut third = std::pin::pin!(read(&bodies, large(), &length, USER));
        assert!(tokio::time::timeout(Duration::from_millis(50), third.as_mut()).await.is_err());
        drop((first, second));
        assert!(third.await.is_ok());
        assert_eq!(BodyLength::from_request(&Req::default()), BodyLength::Nothing);
    }
}
