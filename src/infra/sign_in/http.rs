//! Requests to those who vouch for people: bounded in time and in size, and answered by nobody else than was asked.

use std::{path::PathBuf, time::Duration};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, Url, redirect::Policy};
use serde_json::Value;
use tokio::time::timeout;

use super::trust::{self, Trust};
use crate::outbound::{self, Reach};

/// For an answer; the original waits for ever.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes that an answer may have.
const MOST: usize = 1 << 20;
/// Redirects that are followed, on the same host.
const MOST_REDIRECTS: usize = 3;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nobody was reached, or not in time.
    #[error("{0}")]
    Failed(String),
    /// The answer is longer than any honest one.
    #[error("the answer is too long")]
    TooLong,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The object that it is.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }
    /// The object of an answer that says that all is well.
    pub fn good_json(&self) -> Option<Value> {
        (200..300).contains(&self.status).then(|| self.json()).flatten()
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Http(Client);

impl Http {
    /// One that believes the usual authorities, those of a file, or (`Some(None)`) anybody.
    pub fn new(authorities: Option<Option<PathBuf>>) -> Result<Self, String> {
        let trust = match authorities {
            None => Trust::default(),
            Some(None) => Trust { anybody: true, ..Trust::default() },
            Some(file) => Trust { file, ..Trust::default() },
        };
        let same_host = Policy::custom(|attempt| {
            let first = attempt.previous().first();
            let is_same = first.is_some_and(|first| {
                let of = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
                first.scheme() == attempt.url().scheme() && of(first) == of(attempt.url())
            });
            if is_same && attempt.previous().len() <= MOST_REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let builder = outbound::client(Reach::Anywhere)?
            .tls_backend_preconfigured(trust::client(&trust)?)
            .redirect(same_host)
            .connect_timeout(PATIENCE);
        builder.build().map(Self).map_err(|e| e.to_string())
    }

    /// Gets something, with a token if one is given.
    pub async fn get(&self, address: &str, token: Option<&str>) -> Result<Answer, HttpError> {
        let request = self.0.get(url(address)?).header("accept", "application/json");
        ask(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    }

    /// Posts a form, with a name and a password if they are given.
    pub async fn post_form(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<Answer, HttpError> {
        let request = self.0.post(url(address)?).header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(fields));
        ask(match basic {
            Some((name, secret)) => request.basic_auth(name, Some(secret)),
            None => request,
        })
        .await
    }
}

fn url(address: &str) -> Result<Url, HttpError> {
    let url =
        Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| HttpError::Failed(format!("{address} is no address to send a request to")))
}

/// Names and values as a form or a query has them.
pub fn form(fields: &[(&str, &str)]) -> String {
    let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(k, v)| format!("{}={}", quoted(k), quoted(v))).collect::<Vec<_>>().join("&")
}

async fn ask(request: RequestBuilder) -> Result<Answer, HttpError> {
    // without its address, which may hold what is secret
    let failed = |e: reqwest::Error| HttpError::Failed(chain(&e.without_url()));
    let asking = async {
        let mut answer = request.send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MOST {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: answer.status().as_u16(), body })
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(HttpError::Failed("no answer in time".to_owned())))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// A server that answers one request after the other with these bytes; its port.
    async fn serving(answers: Vec<Vec<u8>>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                assert!(stream.read(&mut head).await.unwrap() > 0);
                let _ = stream.write_all(&answer).await;
            }
        });
        port
    }

    fn moved(to: &str) -> Vec<u8> {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .into()
    }

    #[tokio::test]
    async fn answers_of_others_and_long_ones_are_not_taken() {
        let http = Http::new(None).unwrap();
        let good = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{\"a\": 1}".to_vec();
        let port = serving(vec![moved("/there"), good]).await;
        let answer = http.get(&format!("http://127.0.0.1:{port}/here"), None).await.unwrap();
        assert_eq!(answer.good_json(), Some(serde_json::json!({"a": 1})));
        let port = serving(vec![moved("http://localhost:1/")]).await;
        let answer = http.get(&format!("http://127.0.0.1:{port}/here"), Some("t")).await.unwrap();
        assert_eq!((answer.status, answer.good_json()), (302, None));
        let mut huge = b"HTTP/1.1 200 OK\r\ncontent-length: 10485760\r\n\r\n".to_vec();
        huge.extend(vec![b'x'; 10 << 20]);
        let port = serving(vec![huge]).await;
        let answer = http.post_form(&format!("http://127.0.0.1:{port}/"), &[("a", "b c&d")], None).await;
        assert_eq!(answer, Err(HttpError::TooLong));
        for wrong in ["file:///etc/passwd", "nope", "ldap://x"] {
            assert!(http.get(wrong, None).await.is_err());
        }
        assert_eq!(form(&[("a", "b c&d"), ("e", "é")]), "a=b%20c%26d&e=%C3%A9");
    }
}
