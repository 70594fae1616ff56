//! Requests and answers of the service (`StartQueryExecution`, `GetQueryResults`, `TableMetadata`, … in the public
//! documents).

use std::collections::BTreeMap;

use serde::Deserialize;

/// Kinds of refusals after which the same question may be answered later (`RetryConfig` of PyAthena, and botocore's
/// own).
const PASSING: &[&str] = &[
    "BandwidthLimitExceeded",
    "InternalServerException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
];
/// Kinds of refusals of keys that are no longer, or not yet, good.
const STALE: &[&str] =
    &["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"];

/// A statement that was begun.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Begun {
    pub query_execution_id: String,
}

/// How far a statement is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Execution {
    pub query_execution: QueryExecution,
}

/// The same.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueryExecution {
    pub status: Status,
    pub statement_type: Option<String>,
}

/// The same, with the reason of its end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Status {
    pub state: State,
    pub state_change_reason: Option<String>,
    pub athena_error: Option<AthenaError>,
}

/// The states of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    #[serde(other)]
    Unknown,
}

/// Why a statement failed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AthenaError {
    pub error_message: Option<String>,
}

/// A page of a result.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub result_set: ResultSet,
    pub next_token: Option<String>,
}

/// Its rows, and the columns of all pages.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResultSet {
    pub rows: Vec<Row>,
    pub result_set_metadata: Option<Metadata>,
}

/// The columns.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub column_info: Vec<Column>,
}

/// A column: its type has no arguments.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Column {
    pub name: String,
    #[serde(rename = "Type")]
    pub type_: String,
}

/// A row.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row {
    #[serde(default)]
    pub data: Vec<Datum>,
}

/// A value: a text, or nothing for null.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Datum {
    #[serde(rename = "VarCharValue")]
    pub text: Option<String>,
}

/// Schemas of a catalog.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Databases {
    #[serde(default)]
    pub database_list: Vec<Named>,
    pub next_token: Option<String>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub name: String,
}

/// Tables of a schema.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tables {
    #[serde(default)]
    pub table_metadata_list: Vec<Table>,
    pub next_token: Option<String>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneTable {
    pub table_metadata: Table,
}

/// A table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Table {
    pub name: String,
    #[serde(default)]
    pub table_type: Option<String>,
    #[serde(default)]
    pub columns: Vec<TableColumn>,
    #[serde(default)]
    pub partition_keys: Vec<TableColumn>,
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// A column of a table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TableColumn {
    pub name: String,
    #[serde(rename = "Type", default)]
    pub type_: String,
    pub comment: Option<String>,
}

/// A request that was refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub kind: String,
    pub message: String,
    status: u16,
}

impl Refusal {
    /// Reads the body of a refused request; none where it is somebody else's.
    pub fn read(status: u16, body: &[u8]) -> Option<Self> {
        // some answers have the words twice, by names that differ in a letter
        let given: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
        let text = |key: &str| given.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let kind = text("__type")?;
        let kind = kind.rsplit('#').next().and_then(|kind| kind.split(':').next()).unwrap_or_default();
        let message = text("message").or(text("Message")).unwrap_or_default();
        Some(Self { kind: kind.to_owned(), message, status })
    }

    /// It may go well later.
    pub fn is_passing(&self) -> bool {
        matches!(self.status, 429 | 500 | 502..=504) || PASSING.contains(&self.kind.as_str())
    }

    /// The keys are no longer good.
    pub fn is_stale(&self) -> bool {
        STALE.contains(&self.kind.as_str())
    }
}
