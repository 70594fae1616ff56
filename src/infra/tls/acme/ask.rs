//! How an authority is asked: by the client of all other requests to servers outside, in bounded time and memory.

use std::{pin::Pin, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use reqwest::Client;

use super::Acme;
use crate::{
    outbound::{self, Reach},
    pg,
};

/// Bytes of an answer.
const MOST: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Asks an authority.
pub(super) struct Asker(Client);

/// The answer of an authority, as its client wants it.
type Answered = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl Asker {
    /// The authority's own server is checked against the public authorities, or against those of a file.
    pub fn new(settings: &Acme) -> Result<Self, String> {
        let mut builder = outbound::client(Reach::Anywhere)?.timeout(TIMEOUT);
        if let Some(root) = &settings.root {
            let trust = pg::client_config(&pg::Verify::Full(Some(root.clone())));
            let trust = trust.map_err(|e| format!("ACME_ROOT_CERTIFICATE: {e}"))?;
            builder = builder.tls_backend_preconfigured(trust);
        }
        builder.build().map(Self).map_err(|e| told(&e))
    }
}

impl HttpClient for Asker {
    fn request(&self, request: http::Request<BodyWrapper<Bytes>>) -> Answered {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_or_else(|never| match never {}, |all| all.to_bytes());
            let asked = client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let mut answer = asked.send().await.map_err(|e| Error::Other(told(&e).into()))?;
            let mut head = http::Response::new(());
            *head.status_mut() = answer.status();
            *head.headers_mut() = answer.headers().clone();
            let mut content = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(|e| Error::Other(told(&e).into()))? {
                if content.len() + chunk.len() > MOST {
                    return Err(Error::Str("an answer that is not too long"));
                }
                content.extend_from_slice(&chunk);
            }
            Ok(BytesResponse { parts: head.into_parts().0, body: Box::new(content.freeze()) })
        })
    }
}

/// An error with what it comes from.
fn told(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
