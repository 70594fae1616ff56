//! Answers of the Statement Execution API (`StatementResponse`, `ResultData` in the public documents).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::super::http;

/// What is told of a statement.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub statement_id: Option<String>,
    pub status: Status,
    pub manifest: Option<Manifest>,
    pub result: Option<Chunk>,
}

/// How far it is.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub state: State,
    pub error: Option<ServiceError>,
}

/// The states of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    Pending,
    Running,
    Succeeded,
    Failed,
    Canceled,
    Closed,
    #[serde(other)]
    Unknown,
}

/// Why it failed.
#[derive(Debug, Deserialize)]
pub(super) struct ServiceError {
    pub message: Option<String>,
}

/// The shape of a result.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    pub schema: Schema,
}

/// Its columns.
#[derive(Debug, Deserialize)]
pub(super) struct Schema {
    #[serde(default)]
    pub columns: Vec<Column>,
}

/// A column: `type_text` is `DECIMAL(10,2)`, `ARRAY<INT>`, …
#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub name: String,
    pub type_text: String,
}

/// A piece of the rows. Every value is a text, or null.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub data_array: Vec<Vec<Option<String>>>,
    pub next_chunk_internal_link: Option<String>,
}

impl Answer {
    /// Reads a body; none where it is of another protocol.
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

impl Chunk {
    /// Reads a body; none where it is of another protocol.
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

/// The words of a refused request, which bear a code of Databricks; none where they are somebody else's.
pub(super) fn refusal(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        error_code: String,
        message: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    (!refusal.error_code.is_empty()).then(|| http::told(&refusal.message))
}

/// A number that the server has given, as a part of an address.
pub(super) fn in_path(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}
