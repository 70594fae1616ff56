//! A response before it is written.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use infra::json::ascii_json_sorted;
pub use infra::json::{ascii_json, sorted};
use maud::{DOCTYPE, html};
use parking_lot::Mutex;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::html::MarkupSafe;

/// Status, headers and body of a response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers in order; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Headers whose names come from the configuration; names in lower case.
    pub extra: Vec<(String, String)>,
    /// The whole body; empty when it is streamed.
    pub body: Bytes,
    /// A body that is written while it arises.
    pub stream: Option<Streamed>,
    /// Whether the same body is likely to be answered again.
    pub repeats: bool,
}

type Pieces = BoxStream<'static, Result<Bytes, std::io::Error>>;

/// Pieces of a body; whoever takes them first gets them. An error cuts the connection.
#[derive(Clone)]
pub struct Streamed(Arc<Mutex<Option<Pieces>>>);

impl std::fmt::Debug for Streamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streamed")
    }
}

impl Streamed {
    /// The pieces; none when they were taken.
    pub fn take(&self) -> Option<Pieces> {
        self.0.lock().take()
    }
}

impl Answer {
    /// A response with a body of a content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            extra: Vec::new(),
            body: body.into(),
            stream: None,
            repeats: false,
        }
    }
    /// 200 with a body that is written while it arises.
    pub fn streamed<E: std::fmt::Display>(
        content_type: &str,
        pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Self {
        // written when the handler is long done: what is logged belongs to its request
        let span = tracing::Span::current();
        let pieces = pieces.map(move |piece| {
            piece.map_err(|error| {
                span.in_scope(|| tracing::error!(%error, "an answer was cut off"));
                std::io::Error::other("the answer was cut off")
            })
        });
        let stream = Streamed(Arc::new(Mutex::new(Some(pieces.boxed()))));
        Self { stream: Some(stream), ..Self::new(200, content_type, Bytes::new()) }
    }
    /// Flask's `jsonify`: sorted keys, compact, ASCII, newline at the end.
    pub fn jsonify(status: u16, value: &Value) -> Self {
        let mut text = ascii_json_sorted(value);
        text.push(b'\n');
        Self::new(status, "application/json", text)
    }
    /// FAB's `self.response`: `jsonify` with a charset in the content type.
    pub fn fab(status: u16, value: &Value) -> Self {
        let mut answer = Self::jsonify(status, value);
        answer.headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        answer
    }
    /// `superset.utils.json.dumps`: insertion order, `", "` and `": "`, ASCII.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", ascii_json(value, true))
    }
    /// An HTML page.
    pub fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }
    /// A redirect, with Werkzeug's page for whoever does not follow it.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        let location = location.into();
        let shown = MarkupSafe(&location);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                title { "Redirecting..." }
                h1 { "Redirecting..." }
                p {
                    "You should be redirected automatically to the target URL: " a href=(shown) { (shown) }
                    ". If not, click the link."
                }
            }
        };
        // `werkzeug.urls:iri_to_uri`: letters beyond ASCII are no address
        let address = utf8_percent_encode(&location, CONTROLS).to_string();
        Self::html(status, page.into_string()).header("location", address)
    }
    /// The same response with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn jsonify_is_sorted_and_ascii() {
        let answer = Answer::jsonify(200, &json!({"b": "é😀", "a": [1, 2]}));
        assert_eq!(&answer.body[..], b"{\"a\":[1,2],\"b\":\"\\u00e9\\ud83d\\ude00\"}\n");
    }
}
