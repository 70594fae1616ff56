//! Answers of the service, as the connectors read them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What every answer has around it.
#[derive(Debug, Deserialize)]
pub(super) struct Answer<T> {
    pub success: bool,
    pub code: Option<Code>,
    pub message: Option<String>,
    pub data: Option<T>,
}

/// A number that some answers give as a text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Code {
    Number(i64),
    Text(String),
}

impl Code {
    /// The number.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    /// The number as a text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// What a log-in gives.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Tokens {
    pub token: Option<String>,
    pub master_token: Option<String>,
    /// The number that other sessions know this one by.
    pub session_id: Option<Code>,
    /// What a renewal calls the token.
    pub session_token: Option<String>,
    pub next_action: Option<String>,
}

/// What is told of a statement.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Found {
    pub query_id: Option<String>,
    pub sql_state: Option<String>,
    /// Where a statement that runs is asked for again.
    pub get_result_url: Option<String>,
    pub query_result_format: Option<String>,
    pub rowtype: Vec<Column>,
    /// Rows: every value is a text, or null.
    pub rowset: Option<Vec<Vec<Option<String>>>>,
    /// Rows in Arrow's form for streams.
    pub rowset_base64: Option<String>,
    pub chunks: Vec<Chunk>,
    pub chunk_headers: BTreeMap<String, String>,
    /// The key of chunks that have no headers of their own.
    pub qrmk: Option<String>,
    pub parameters: Vec<Parameter>,
}

/// A column of a result.
#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub scale: Option<i64>,
}

/// Where more rows are.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    pub url: String,
}

/// A parameter of the session.
#[derive(Debug, Deserialize)]
pub(super) struct Parameter {
    pub name: String,
    pub value: Value,
}

impl Found {
    /// The time zone of the session.
    pub fn zone(&self) -> Option<&str> {
        self.parameters.iter().find(|p| p.name == "TIMEZONE").and_then(|p| p.value.as_str())
    }
}
