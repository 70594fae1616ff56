//! Slack's HTTP API, as far as reports and pictures of users need it, with the words of Python's `slack_sdk`.
//!
//! What Slack says with 429 is waited for and asked again, as often as `SLACK_API_RATE_LIMIT_RETRY_COUNT` says; a
//! connection that was not made is tried once more. Nothing else is repeated: a message might come twice.

use std::time::Duration;

use reqwest::{
    Proxy, RequestBuilder, Response,
    header::RETRY_AFTER,
    multipart::{Form, Part},
};
use serde_json::{Map, Value, json};

use crate::{
    config::Config,
    json::dumps,
    outbound::{self, Reach},
    python::json_repr,
};

/// Slack's own address.
const SLACK: &str = "https://slack.com/api/";
/// For an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longer waits for another try are not waited for.
const LONGEST_WAIT: u64 = 120;
/// Bytes that an answer may have.
const MOST: usize = 32 << 20;
/// Pages of channels that are read.
const MOST_PAGES: usize = 1_000;

/// Why Slack did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Slack says no (`SlackApiError`).
    #[error("{words}")]
    Api {
        /// The words.
        words: String,
        /// Status of the answer.
        status: u16,
    },
    /// The request makes no sense (`SlackRequestError`, `SlackClientConfigurationError`).
    #[error("{0}")]
    Request(String),
    /// Slack was not reached, or did not answer.
    #[error("{0}")]
    Network(String),
}

/// A client with a token.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
    retries: i64,
}

impl Client {
    /// That of the configuration: `SLACK_API_TOKEN`, `SLACK_PROXY`, `SLACK_API_URL` for another address than Slack's.
    pub fn from_config(config: &Config) -> Result<Self, SlackError> {
        let failed = |e: &dyn std::fmt::Display| SlackError::Request(e.to_string());
        let mut builder = outbound::client(Reach::Anywhere).map_err(|e| failed(&e))?;
        if let Some(proxy) = config.get("SLACK_PROXY").as_str().filter(|proxy| !proxy.is_empty()) {
            let text = format!("Invalid proxy detected: {proxy} must be a str value");
            builder = builder.proxy(Proxy::all(proxy).map_err(|_| SlackError::Request(text))?);
        }
        let base = Some(config.str("SLACK_API_URL")).filter(|url| !url.is_empty()).unwrap_or(SLACK);
        Ok(Self {
            http: builder.build().map_err(|e| failed(&e))?,
            base: format!("{}/", base.trim_end_matches('/')),
            token: config.str("SLACK_API_TOKEN").to_owned(),
            retries: config.int("SLACK_API_RATE_LIMIT_RETRY_COUNT").unwrap_or(2),
        })
    }

    /// A token is configured.
    pub fn has_token(&self) -> bool {
        !self.token.is_empty()
    }

    /// Posts a text; several channels stand separated by commas.
    pub async fn post_message(&self, channel: &str, text: &str) -> Result<(), SlackError> {
        let body = dumps(&json!({"channel": channel, "text": text}));
        let ask = |request: RequestBuilder| {
            Ok(request.header("content-type", "application/json;charset=utf-8").body(body.clone()))
        };
        self.call("chat.postMessage", ask).await.map(drop)
    }

    /// Uploads a file the older way (`files.upload`).
    pub async fn upload_v1(
        &self,
        channels: &str,
        file: &[u8],
        comment: &str,
        title: &str,
        kind: &str,
    ) -> Result<(), SlackError> {
        let ask = |request: RequestBuilder| {
            let part = Part::bytes(file.to_vec()).file_name("Uploaded file");
            let part =
                part.mime_str("application/octet-stream").map_err(|e| SlackError::Request(e.to_string()))?;
            let form = Form::new()
                .text("channels", channels.to_owned())
                .text("filetype", kind.to_owned())
                .text("initial_comment", comment.to_owned())
                .text("title", title.to_owned())
                .part("file", part);
            Ok(request.multipart(form))
        };
        self.call("files.upload", ask).await.map(drop)
    }

    /// Uploads a file the newer way: an address is asked for, the bytes are sent there, and the channel is told.
    pub async fn upload_v2(
        &self,
        channel: &str,
        file: &[u8],
        comment: &str,
        title: &str,
        name: &str,
    ) -> Result<(), SlackError> {
        let place = self
            .form("files.getUploadURLExternal", &[("filename", name), ("length", &file.len().to_string())])
            .await?;
        let text = |key: &str| place.get(key).and_then(Value::as_str).unwrap_or_default();
        let (id, url) = (text("file_id"), text("upload_url"));
        let sent = self.http.post(url).timeout(TIMEOUT * 10).body(file.to_vec()).send().await;
        let status = sent.map_err(|e| network(&e))?.status();
        if !status.is_success() {
            let reason = status.canonical_reason().unwrap_or_default();
            return Err(SlackError::Network(format!("HTTP Error {}: {reason}", status.as_u16())));
        }
        let files = dumps(&json!([{"id": id, "title": title}]));
        let fields = [("files", files.as_str()), ("channel_id", channel), ("initial_comment", comment)];
        self.form("files.completeUploadExternal", &fields).await.map(drop)
    }

    /// The token grants lists of channels.
    pub async fn may_list_channels(&self) -> Result<(), SlackError> {
        self.form("conversations.list", &[]).await.map(drop)
    }

    /// All channels that the token sees, public and private, without archived ones.
    pub async fn channels(&self) -> Result<Vec<Map<String, Value>>, SlackError> {
        let mut channels = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let mut fields = vec![
                ("limit", "999"),
                ("exclude_archived", "1"),
                ("types", "public_channel,private_channel"),
            ];
            if !cursor.is_empty() {
                fields.insert(1, ("cursor", &cursor));
            }
            let page = self.form("conversations.list", &fields).await?;
            let found = page.get("channels").and_then(Value::as_array).into_iter().flatten();
            channels.extend(found.filter_map(Value::as_object).cloned());
            let next = page.get("response_metadata").and_then(|m| m.get("next_cursor"));
            cursor = next.and_then(Value::as_str).unwrap_or_default().to_owned();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(channels)
    }

    /// The picture (192 pixels) of whoever has an address; none when there is nobody, or no picture.
    pub async fn avatar(&self, email: &str) -> Result<Option<String>, SlackError> {
        let found = self.form("users.lookupByEmail", &[("email", email)]).await?;
        let picture = found.get("user").and_then(|u| u.get("profile")).and_then(|p| p.get("image_192"));
        Ok(picture.and_then(Value::as_str).map(str::to_owned))
    }

    async fn form(&self, method: &str, fields: &[(&str, &str)]) -> Result<Map<String, Value>, SlackError> {
        let ask = |request: RequestBuilder| {
            if fields.is_empty() {
                return Ok(request.header("content-length", "0"));
            }
            let mut body = reqwest::Url::parse("x:").map_err(|e| SlackError::Request(e.to_string()))?;
            body.query_pairs_mut().extend_pairs(fields);
            let body = body.query().unwrap_or_default().to_owned();
            Ok(request.header("content-type", "application/x-www-form-urlencoded").body(body))
        };
        self.call(method, ask).await
    }

    /// Calls a method of the API until it gets an answer that counts.
    async fn call(
        &self,
        method: &str,
        ask: impl Fn(RequestBuilder) -> Result<RequestBuilder, SlackError>,
    ) -> Result<Map<String, Value>, SlackError> {
        let url = format!("{}{method}", self.base);
        let (mut limited, mut connected) = (0, 0);
        loop {
            let mut request = self.http.post(&url).timeout(TIMEOUT);
            if self.has_token() {
                request = request.bearer_auth(&self.token);
            }
            let answer = match ask(request)?.send().await {
                Ok(answer) => answer,
                Err(e) if e.is_connect() && connected == 0 => {
                    connected += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
                Err(e) => return Err(network(&e)),
            };
            let status = answer.status().as_u16();
            if status == 429 && limited < self.retries {
                limited += 1;
                let wait = wait_of(&answer);
                if wait <= LONGEST_WAIT {
                    tracing::info!(method, wait, "Slack asks to wait");
                    tokio::time::sleep(Duration::from_secs(wait)).await;
                    continue;
                }
            }
            return outcome(&url, status, &body_of(answer).await?);
        }
    }
}

/// Seconds after which Slack wants to be asked again.
fn wait_of(answer: &Response) -> u64 {
    let stated = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
    stated.unwrap_or(1)
}

async fn body_of(mut answer: Response) -> Result<String, SlackError> {
    let mut read = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| network(&e))? {
        if read.len() + chunk.len() > MOST {
            return Err(SlackError::Network("the answer is too large".to_owned()));
        }
        read.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}

/// What an answer means (`SlackResponse.validate`).
fn outcome(url: &str, status: u16, body: &str) -> Result<Map<String, Value>, SlackError> {
    let data = match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(data)) => data,
        Ok(other) => Map::from_iter([("ok".to_owned(), json!(false)), ("error".to_owned(), other)]),
        Err(_) => {
            let lines: String = body.replace('\r', "\n").split('\n').map(str::trim).collect();
            let cut: String = lines.chars().take(100).collect();
            let dots = if cut.len() < lines.len() { "..." } else { "" };
            let text = format!("Received a response in a non-JSON format: {cut}{dots}");
            Map::from_iter([("ok".to_owned(), json!(false)), ("error".to_owned(), json!(text))])
        }
    };
    if status == 200 && data.get("ok").is_some_and(crate::json::truthy) {
        return Ok(data);
    }
    let repr = json_repr(&Value::Object(data));
    let words =
        format!("The request to the Slack API failed. (url: {url})\nThe server responded with: {repr}");
    Err(SlackError::Api { words, status })
}

/// `URLError` and its kin.
fn network(error: &reqwest::Error) -> SlackError {
    if error.is_timeout() {
        return SlackError::Network("The read operation timed out".to_owned());
    }
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && let Some(number) = io.raw_os_error()
        {
            let text = io.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            return SlackError::Network(format!("<urlopen error [Errno {number}] {text}>"));
        }
        next = cause.source();
    }
    // neither addresses nor tokens
    SlackError::Network(match error.is_connect() {
        true => "<urlopen error [Errno -2] Name or service not known>".to_owned(),
        false => "Remote end closed connection without response".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_none() {
        let words = |status, body| outcome("https://slack.com/api/x", status, body).unwrap_err().to_string();
        assert_eq!(
            words(200, r#"{"ok": false, "error": "channel_not_found"}"#),
            "The request to the Slack API failed. (url: https://slack.com/api/x)\nThe server responded with: \
             {'ok': False, 'error': 'channel_not_found'}"
        );
        assert!(words(500, r#"{"ok": true}"#).ends_with("with: {'ok': True}"));
        assert!(words(502, "<html>\n  bad\n</html>").ends_with(
            "{'ok': False, 'error': 'Received a response in a non-JSON format: <html>bad</html>'}"
        ));
        assert!(outcome("", 200, r#"{"ok": true, "x": 1}"#).is_ok());
    }
}
