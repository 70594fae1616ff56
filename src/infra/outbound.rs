//! Requests to addresses that somebody other than the administrator may have named.
//!
//! Whoever may edit a connection could point liteset at services that only this machine reaches. So a host that leads
//! to an address of this machine or its network is asked only when `OUTBOUND_PRIVATE_HOSTS` names it, or when the
//! configuration file names the address itself. No redirect is followed, and what was checked is what is connected
//! to: a name is resolved once.

use std::{
    io::Read as _,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};

use reqwest::{
    Client, ClientBuilder, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use tokio::time::timeout;

pub use crate::net::is_public;
use crate::{engines::http, net, spool::Spool};

/// Bytes that an answer may have.
const MOST: usize = 1 << 20;

/// Where a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only to addresses of the public network.
    Public,
    /// Anywhere: an administrator has named the host.
    Anywhere,
}

/// Why there is no answer; for the log, since it tells about the network around us.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// What is no address of the web.
    #[error("{0} is no address to send a request to")]
    Address(String),
    /// The host is on this machine or in its network.
    #[error(
        "the host has no public address; OUTBOUND_PRIVATE_HOSTS names hosts that may be asked nevertheless"
    )]
    Private,
    /// There was no answer, or one that is too large.
    #[error("{0}")]
    Failed(String),
}

/// The host itself refuses to be looked up.
#[derive(Debug, thiserror::Error)]
#[error("not a public address")]
struct NotPublic;

/// Posts a body and waits for the whole answer, whatever its status.
pub async fn post(
    address: &str,
    reach: Reach,
    content_type: &str,
    body: String,
    patience: Duration,
) -> Result<Vec<u8>, OutboundError> {
    let (client, url) = aimed(address, reach)?;
    let ask = async {
        let request = client.post(url).header("content-type", content_type);
        let request = request.header("accept", "application/json").body(body);
        let mut answer = request
            .send()
            .await
            .map_err(|e| if is_private(&e) { OutboundError::Private } else { failed(&e) })?;
        let mut read = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| failed(&e))? {
            if read.len() + chunk.len() > MOST {
                return Err(OutboundError::Failed("the answer is too large".to_owned()));
            }
            read.extend_from_slice(&chunk);
        }
        Ok(read)
    };
    match timeout(patience, ask).await {
        Ok(answer) => answer,
        Err(_) => Err(OutboundError::Failed("no answer in time".to_owned())),
    }
}

/// A client that follows no redirect and checks servers against the public authorities.
pub(crate) fn client(reach: Reach) -> Result<ClientBuilder, String> {
    let builder = Client::builder()
        .tls_backend_preconfigured(http::public_tls()?)
        .dns_resolver(Resolver(reach))
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("liteset/", env!("CARGO_PKG_VERSION")));
    Ok(builder)
}

/// A client for one request, and where it goes.
fn aimed(address: &str, reach: Reach) -> Result<(Client, Url), OutboundError> {
    let wrong = || OutboundError::Address(address.to_owned());
    let url = Url::parse(address).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong());
    }
    // a host that is a number is never looked up
    let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    if reach == Reach::Public && literal.is_some_and(|ip| !is_public(ip)) {
        return Err(OutboundError::Private);
    }
    let builder = client(reach).map_err(|e| failed(&e))?;
    let client = builder.build().map_err(|e| failed(&e))?;
    Ok((client, url))
}

/// Fetches a file of at most so many bytes into a folder for temporary ones; what is named `.gz` is unpacked, with the
/// same bound for what comes out of it.
pub async fn download(
    address: &str,
    reach: Reach,
    (most, folder): (u64, &Path),
    patience: Duration,
) -> Result<Spool, OutboundError> {
    let (client, url) = aimed(address, reach)?;
    let packed = url.path().ends_with(".gz");
    let ask = async {
        let mut answer = client
            .get(url)
            .send()
            .await
            .map_err(|e| if is_private(&e) { OutboundError::Private } else { failed(&e) })?;
        if !answer.status().is_success() {
            return Err(OutboundError::Failed(format!("the answer is {}", answer.status())));
        }
        let mut spool = Spool::new(folder).map_err(|e| failed(&e))?;
        while let Some(chunk) = answer.chunk().await.map_err(|e| failed(&e))? {
            if spool.length() + chunk.len() as u64 > most {
                return Err(OutboundError::Failed("the answer is too large".to_owned()));
            }
            spool.append(&chunk).map_err(|e| failed(&e))?;
        }
        if !packed {
            return Ok(spool);
        }
        let folder = folder.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || unpack(&spool, most, &folder)).await;
        unpacked.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
    };
    match timeout(patience, ask).await {
        Ok(answer) => answer,
        Err(_) => Err(OutboundError::Failed("no answer in time".to_owned())),
    }
}

fn unpack(packed: &Spool, most: u64, folder: &Path) -> std::io::Result<Spool> {
    let mut reader = flate2::read::MultiGzDecoder::new(std::io::BufReader::new(packed.reader()));
    let mut spool = Spool::new(folder)?;
    let mut piece = vec![0; 1 << 16];
    loop {
        let n = reader.read(&mut piece)?;
        if n == 0 {
            return Ok(spool);
        }
        if spool.length() + n as u64 > most {
            return Err(std::io::Error::other("the file is too large"));
        }
        spool.append(piece.get(..n).unwrap_or_default())?;
    }
}

fn failed(error: &dyn std::fmt::Display) -> OutboundError {
    OutboundError::Failed(error.to_string())
}

/// The host of an address, as [`post`] understands it.
pub fn host(address: &str) -> Option<String> {
    Url::parse(address).ok()?.host_str().map(str::to_owned)
}

fn is_private(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if cause.is::<NotPublic>() {
            return true;
        }
        next = cause.source();
    }
    false
}

struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = net::address(name.as_str()).await.ok_or("name not known")?;
            if reach == Reach::Public && !is_public(found) {
                return Err(Box::new(NotPublic) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(std::iter::once(SocketAddr::new(found, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public() {
        for (text, public) in [
            ("93.184.216.34", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("198.18.0.1", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("64:ff9b::a00:1", false),
            ("2002:7f00:1::", false),
            ("2001::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    async fn outcome(address: &str, reach: Reach) -> Result<Vec<u8>, OutboundError> {
        post(address, reach, "application/json", "{}".to_owned(), Duration::from_secs(20)).await
    }

    #[tokio::test]
    async fn machines_of_our_own_are_not_asked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
            let found = outcome(&format!("http://{host}:{port}/token"), Reach::Public).await;
            assert!(matches!(found, Err(OutboundError::Private)), "{host}: {found:?}");
        }
        for wrong in ["file:///etc/passwd", "nope", "ftp://h/x", ""] {
            assert!(
                matches!(outcome(wrong, Reach::Anywhere).await, Err(OutboundError::Address(_))),
                "{wrong}"
            );
        }
        // nobody has connected: the only one who does is who may
        let served = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let n = stream.read(&mut head).await.unwrap();
            let answer =
                b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere.invalid/\r\ncontent-length: 2\r\n\r\nhi";
            stream.write_all(answer).await.unwrap();
            String::from_utf8_lossy(&head[..n]).into_owned()
        });
        let found = outcome(&format!("http://localhost:{port}/token"), Reach::Anywhere).await.unwrap();
        assert_eq!(found, b"hi");
        assert!(served.await.unwrap().starts_with("POST /token HTTP/1.1\r\n"));
    }
}
