//! The only way out of Chromium: a proxy in this process that lets through what pages may ask.
//!
//! Everything goes this way, whatever part of a page asks: workers, frames, sockets, windows that it opens.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use super::Allowed;
use crate::{
    net,
    outbound::{Reach, is_public},
};

/// Bytes of the head of a request.
const MOST: usize = 64 << 10;
/// How long a head may take, and a connection.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A proxy on the loopback; it ends with its owner.
pub(super) struct Fence {
    /// Where it is.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fence {
    /// Opens it. `prefix` is taken off the paths of the pages' own server.
    pub async fn open(allowed: Allowed, prefix: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let (allowed, prefix) = (allowed.clone(), prefix.clone());
                tokio::spawn(async move { serve(stream, &allowed, &prefix).await });
            }
        });
        Ok(Self { address, task })
    }
}

/// What a request wants.
struct Asked {
    host: String,
    port: u16,
    reach: Option<Reach>,
    /// What is sent on; nothing for a tunnel.
    head: Option<Vec<u8>>,
    /// What came behind the head.
    rest: Vec<u8>,
}

async fn serve(mut stream: TcpStream, allowed: &Allowed, prefix: &str) -> Option<()> {
    let asked = timeout(TIMEOUT, read(&mut stream, allowed, prefix)).await.ok()??;
    let Some(reach) = asked.reach else {
        // it calls its makers at times, whatever it is told
        if ["google.com", "googleapis.com", "gstatic.com"].iter().any(|makers| asked.host.ends_with(makers)) {
            tracing::debug!(host = asked.host, port = asked.port, "Chromium asked where it may not");
        } else {
            tracing::info!(host = asked.host, port = asked.port, "a page asked where it may not");
        }
        return answer(&mut stream, "403 Forbidden").await;
    };
    let connected = timeout(TIMEOUT, connect(&asked.host, asked.port, reach)).await.ok().flatten();
    let Some(mut server) = connected else {
        return answer(&mut stream, "502 Bad Gateway").await;
    };
    match &asked.head {
        Some(head) => server.write_all(head).await.ok()?,
        None => stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?,
    }
    server.write_all(&asked.rest).await.ok()?;
    copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
}

async fn answer(stream: &mut TcpStream, status: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

async fn read(stream: &mut TcpStream, allowed: &Allowed, prefix: &str) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > MOST || stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let rest = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?;
    let (line, fields) = head.split_once("\r\n")?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    if method == "CONNECT" {
        let (host, port) = target.rsplit_once(':')?;
        let port = port.parse().ok()?;
        return Some(Asked {
            reach: allowed.reach(None, host, port),
            host: host.to_owned(),
            port,
            head: None,
            rest,
        });
    }
    let url = Url::parse(target).ok().filter(|url| url.scheme() == "http")?;
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    let own = allowed.without_prefix(target, prefix);
    let url = own.and_then(|own| Url::parse(&own).ok()).unwrap_or(url);
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut sent = format!("{method} {}{query} HTTP/1.1\r\n", url.path());
    for field in fields.split("\r\n").filter(|field| !field.is_empty()) {
        let name = field.split(':').next().unwrap_or_default();
        if !["connection", "proxy-connection", "keep-alive"].contains(&name.to_ascii_lowercase().as_str()) {
            sent.push_str(&format!("{field}\r\n"));
        }
    }
    // one request a connection: what comes behind cannot go elsewhere
    sent.push_str("Connection: close\r\n\r\n");
    Some(Asked {
        reach: allowed.reach(Some("http"), &host, port),
        host,
        port,
        head: Some(sent.into_bytes()),
        rest,
    })
}

async fn connect(host: &str, port: u16, reach: Reach) -> Option<TcpStream> {
    let host = host.trim_matches(['[', ']']);
    let ip = match host.parse::<IpAddr>() {
        Ok(ip) => ip,
        Err(_) => net::address(host).await?,
    };
    // a name may lead to this network all the same
    if reach == Reach::Public && !is_public(ip) {
        tracing::info!(host, "a page asked for a name that leads to this network");
        return None;
    }
    TcpStream::connect((ip, port)).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(fence: &Fence, request: &str) -> String {
        let mut stream = TcpStream::connect(fence.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn what_is_allowed_goes_through_and_nothing_else() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = server.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = server.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let n = stream.read(&mut head).await.unwrap();
                let text = String::from_utf8_lossy(&head[..n]).replace("\r\n", "|");
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{text}").as_bytes()).await;
            }
        });
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let allowed = Allowed::new(&format!("http://{own}/"), Some(["'self'"].into_iter()));
        let fence = Fence::open(allowed, "/bi".into()).await.unwrap();
        let request = format!(
            "GET http://{own}/bi/a?b HTTP/1.1\r\nHost: {own}\r\nProxy-Connection: keep-alive\r\n\r\n"
        );
        let answer = ask(&fence, &request).await;
        assert!(answer.ends_with(&format!("GET /a?b HTTP/1.1|Host: {own}|Connection: close||")), "{answer}");
        let tunnel = ask(&fence, &format!("CONNECT {own} HTTP/1.1\r\n\r\nhello")).await;
        assert!(
            tunnel.starts_with("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK") && tunnel.ends_with("hello"),
            "{tunnel}"
        );
        for refused in [
            format!("GET http://{other}/ HTTP/1.1\r\n\r\n"),
            format!("CONNECT {other} HTTP/1.1\r\n\r\n"),
            "CONNECT localhost:22 HTTP/1.1\r\n\r\n".to_owned(),
            "GET http://169.254.169.254/ HTTP/1.1\r\n\r\n".to_owned(),
        ] {
            assert!(ask(&fence, &refused).await.starts_with("HTTP/1.1 403"), "{refused}");
        }
        for nonsense in ["GET /a HTTP/1.1\r\n\r\n", "\r\n\r\n", "CONNECT x HTTP/1.1\r\n\r\n"] {
            assert_eq!(ask(&fence, nonsense).await, "");
        }
    }
}
