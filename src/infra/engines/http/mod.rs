//! What the drivers over HTTP share: a client that goes to one server and nowhere else.
//!
//! It follows no redirect, reads no proxy from the environment, resolves names by `crate::net` and encrypts by our own
//! rules. Nothing here waits for ever: whoever sends something says how long it may take.

#[cfg(test)]
mod answering;
mod backoff;
mod failure;
mod running;
mod statement;
mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

#[cfg(test)]
pub(super) use answering::{Asked, answering};
pub(super) use backoff::{Backoff, retry_after};
pub(super) use failure::Failure;
pub(super) use running::{Cancel, Running};
pub(super) use statement::{Fetch, pieces, whole};
pub(super) use tls::Verify;

use super::{Source, error::EngineError};
use crate::net;

/// How long a connection may take unless the options say otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// Servers close connections that were idle; ClickHouse's older versions after ten seconds.
const IDLE: Duration = Duration::from_secs(8);

/// Characters of a server's words that are told.
const MAX_WORDS: usize = 64 << 10;

/// How long a statement waits for its turn.
const WAIT: Duration = Duration::from_secs(30);

/// The turn of a statement, among as many as may run at a time.
pub async fn turn(turns: &Semaphore) -> Result<SemaphorePermit<'_>, EngineError> {
    let busy = |_| EngineError::Connect("no connection: all are busy".to_owned());
    let turn = timeout(WAIT, turns.acquire()).await.map_err(busy)?;
    turn.map_err(|_| EngineError::Connect("closed".to_owned()))
}

/// The words of a server, as many as are told.
pub(super) fn told(words: &str) -> String {
    words.chars().take(MAX_WORDS).collect()
}

/// What is checked of a server that is no database: chain and host name, against the public authorities.
pub(crate) fn public_tls() -> Result<rustls::ClientConfig, String> {
    tls::config(&Verify::Public)
}

/// Where a server is and how to get in.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub host: String,
    pub port: u16,
    /// Encrypted, and what is checked then.
    pub tls: Option<Verify>,
    pub auth: Auth,
    pub connect: Duration,
}

/// What proves who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Auth {
    Nobody,
    Basic(String, String),
    Bearer(String),
    /// A token of the person on whose behalf the server is asked.
    Personal(String),
}

/// A server, with its connections.
pub(super) struct Endpoint {
    client: Client,
    access: Access,
    base: Url,
}

/// `connect_timeout` of the options, within reason.
pub(super) fn connect_timeout(source: &Source, keys: &[&str]) -> Duration {
    let given = keys.iter().find_map(|key| source.option(key)?.parse().ok());
    Duration::from_secs_f64(given.unwrap_or(CONNECT.as_secs_f64()).clamp(1.0, 60.0))
}

impl Endpoint {
    /// Prepares a client; connections are made when they are needed.
    pub fn new(access: Access) -> Result<Self, EngineError> {
        Self::reaching(access, false)
    }

    /// The same for a server that must have a public address, since somebody other than the administrator names it.
    pub fn public(access: Access) -> Result<Self, EngineError> {
        let literal = access.host.parse::<IpAddr>();
        if literal.is_ok_and(|ip| !net::is_public(ip)) {
            return Err(EngineError::Uri(format!("{} is no public address", access.host)));
        }
        Self::reaching(access, true)
    }

    fn reaching(access: Access, only_public: bool) -> Result<Self, EngineError> {
        let wrong = |e: &dyn std::fmt::Display| EngineError::Uri(e.to_string());
        let scheme = if access.tls.is_some() { "https" } else { "http" };
        let host = if access.host.contains(':') { format!("[{}]", access.host) } else { access.host.clone() };
        let base = Url::parse(&format!("{scheme}://{host}:{}/", access.port)).map_err(|e| wrong(&e))?;
        let config = tls::config(access.tls.as_ref().unwrap_or(&Verify::Public)).map_err(|e| wrong(&e))?;
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .dns_resolver(Resolver { only_public })
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(access.connect)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(Duration::from_secs(30))
            .user_agent(concat!("liteset/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| wrong(&e))?;
        Ok(Self { client, access, base })
    }

    /// The address of the server, with a slash at the end.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// `http://host:port`, as Python's drivers print it.
    pub fn origin(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// The header `Host` of requests: with a port that is not the usual one.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Where the server is.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// A request to the server with our proof. Of an address that the server itself named only path and query are
    /// taken, so that no proof goes anywhere else.
    pub fn request(&self, method: Method, address: &Url) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(address.path());
        url.set_query(address.query());
        let request = self.client.request(method, url);
        match &self.access.auth {
            Auth::Nobody => request,
            Auth::Basic(user, password) => request.basic_auth(user, Some(password)),
            Auth::Bearer(token) | Auth::Personal(token) => request.bearer_auth(token),
        }
    }
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(request: RequestBuilder, patience: Duration) -> Result<Response, Failure> {
    match timeout(patience, request.send()).await {
        Ok(answer) => answer.map_err(|e| Failure::from_error(&e)),
        Err(_) => Err(Failure::TimedOut(patience)),
    }
}

/// The whole body of an answer, if it is not above a number of bytes.
pub(super) async fn body(mut answer: Response, limit: usize, patience: Duration) -> Result<Vec<u8>, Failure> {
    if answer.content_length().is_some_and(|length| usize::try_from(length).is_ok_and(|n| n > limit)) {
        return Err(Failure::TooLarge);
    }
    let read = async {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| Failure::from_error(&e))? {
            if body.len() + chunk.len() > limit {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    timeout(patience, read).await.unwrap_or(Err(Failure::TimedOut(patience)))
}

/// The start of a body, for the words of an error.
pub(super) async fn start_of_body(mut answer: Response, limit: usize, patience: Duration) -> String {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                break;
            }
        }
    };
    // what has come by then is told
    let _ = timeout(patience, read).await;
    body.truncate(limit);
    String::from_utf8_lossy(&body).into_owned()
}

/// Names without `getaddrinfo`. What was checked is what is connected to: a name is resolved once.
struct Resolver {
    only_public: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let only_public = self.only_public;
        Box::pin(async move {
            match net::address(name.as_str()).await.filter(|ip| !only_public || net::is_public(*ip)) {
                Some(ip) => Ok(Box::new(std::iter::once(SocketAddr::new(ip, 0))) as Addrs),
                None => Err(Box::new(failure::UnknownName) as Box<dyn std::error::Error + Send + Sync>),
            }
        })
    }
}
