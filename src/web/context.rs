//! What a handler gets.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use commands::Caller;
use infra::{Error, compute::Share, spool::Spool};
use parking_lot::Mutex;
use serde_json::{Map, Value};

/// The Flask session: a JSON object in a signed cookie.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Keys and values.
    pub values: Map<String, Value>,
    /// Set when the cookie must be written again.
    pub modified: bool,
}

/// A request on its way through a handler: owned, so that handlers are plain `async fn(Cx) -> Handled`.
#[derive(Clone)]
pub struct Cx {
    /// The application and who asks it.
    pub caller: Caller,
    /// The session; the dispatcher writes it back after the handler.
    pub session: Arc<Mutex<Session>>,
    /// The request.
    pub req: Arc<Req>,
}

/// The parts of a request that handlers read.
#[derive(Debug, Default)]
pub struct Req {
    /// Method in upper case.
    pub method: String,
    /// What the path began with before it came here, without a slash at its end: `SUPERSET_APP_ROOT`, or what a
    /// trusted proxy has taken off (`request.script_root`). A plain path or empty.
    pub script_root: String,
    /// Decoded path behind it.
    pub path: String,
    /// Raw query string without `?`.
    pub query_string: String,
    /// Decoded query arguments in order.
    pub args: Vec<(String, String)>,
    /// Values of the rule's placeholders.
    pub params: HashMap<&'static str, String>,
    /// Header names in lower case; values that are not UTF-8 are dropped.
    pub headers: Vec<(String, String)>,
    /// Address of the client: the peer's, or what a trusted proxy says it is.
    pub remote_addr: String,
    /// Address of the peer, whatever it says.
    pub peer: String,
    /// `http` or `https`.
    pub scheme: String,
    /// It came over the network in clear, whatever a proxy says.
    pub in_clear: bool,
    /// Host header, or what a trusted proxy says it was.
    pub host: String,
    /// A trusted proxy has said it.
    pub host_of_proxy: bool,
    /// Address that the server listens on.
    pub local_addr: String,
    /// `scheme://host` of this server, where it can be believed (`guards::host`).
    pub origin: Option<String>,
    /// Fields of a urlencoded or multipart form, in order.
    pub form: Vec<(String, String)>,
    /// Files of a multipart form.
    pub files: Vec<Upload>,
    /// The raw body; empty when it was a form.
    pub body: Bytes,
    /// Its share of the memory for bodies; none for small ones.
    pub held: Option<Share>,
    /// What `<script nonce="…">` must carry under the content security policy; empty when there is none.
    pub nonce: String,
}

/// A file of a multipart form.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Field name.
    pub field: String,
    /// Name that the client gave; never to be used as a path.
    pub filename: String,
    /// Content.
    pub content: Spool,
}

impl Req {
    /// A path of this server as browsers must ask for it (`url_for`).
    pub fn url_for(&self, path: &str) -> String {
        format!("{}{path}", self.script_root)
    }
    /// First query argument of a name.
    pub fn arg(&self, name: &str) -> Option<&str> {
        self.args.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
    /// First header of a name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
    /// First form field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
    /// A placeholder of the rule; empty when the rule has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }
    /// An `<int:…>` placeholder.
    pub fn int_param(&self, name: &str) -> i64 {
        self.param(name).parse().unwrap_or(-1)
    }
    /// The `<pk>` placeholder of a resource that fails where a row is missing: a number beyond every key is not found,
    /// what is no number is no row's.
    pub fn pk(&self) -> Result<i64, Error> {
        let text = self.param("pk");
        let digits = text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
        match text.parse::<i32>() {
            Ok(id) => Ok(id.into()),
            Err(_) if digits && !text.is_empty() => Err(Error::not_found()),
            Err(_) => Ok(-1),
        }
    }
    /// Content type without parameters, lower case.
    pub fn content_type(&self) -> String {
        let full = self.header("content-type").unwrap_or_default();
        full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
    /// Flask's `request.is_json`.
    pub fn is_json(&self) -> bool {
        let ct = self.content_type();
        ct == "application/json" || (ct.starts_with("application/") && ct.ends_with("+json"))
    }
}
