//! Answers of BigQuery's REST interface, version 2 (`Job`, `GetQueryResultsResponse`, `Table`, … in the public
//! documents). Numbers of 64 bits are texts there.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Reasons for which Google's clients ask again (`google.cloud.bigquery.retry`).
const PASSING: &[&str] = &[
    "rateLimitExceeded",
    "backendError",
    "internalError",
    "badGateway",
    "jobRateLimitExceeded",
    "jobBackendError",
    "jobInternalError",
];

/// A job: a statement that runs, or has run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    pub job_reference: Option<JobReference>,
    pub status: Option<JobStatus>,
    pub statistics: Option<Statistics>,
}

/// Where a job is.
#[derive(Debug, Deserialize)]
pub(super) struct JobReference {
    pub location: Option<String>,
}

/// How far it is. What failed has an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobStatus {
    pub error_result: Option<Fault>,
}

/// What a job has read, or would read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statistics {
    pub total_bytes_processed: Option<String>,
    pub query: Option<QueryStatistics>,
}

/// The same, of the statement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryStatistics {
    pub total_bytes_processed: Option<String>,
}

/// Why something failed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fault {
    pub reason: String,
    pub location: Option<String>,
    pub message: String,
}

/// A page of a result.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub job_complete: bool,
    pub schema: Option<Schema>,
    #[serde(default)]
    pub rows: Vec<Row>,
    pub page_token: Option<String>,
    pub job_reference: Option<JobReference>,
}

/// The columns of a result or a table.
#[derive(Debug, Deserialize)]
pub(super) struct Schema {
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// A column, or a part of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub type_: String,
    pub mode: Option<String>,
    pub fields: Vec<Self>,
    pub description: Option<String>,
    pub max_length: Option<String>,
    pub precision: Option<String>,
    pub scale: Option<String>,
}

impl Field {
    /// A column of lists.
    pub fn is_repeated(&self) -> bool {
        self.mode.as_deref() == Some("REPEATED")
    }

    /// A column of records.
    pub fn is_record(&self) -> bool {
        matches!(self.type_.as_str(), "RECORD" | "STRUCT")
    }
}

/// A row, or a record: its values by the order of the fields.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    #[serde(default)]
    pub f: Vec<Cell>,
}

/// A value: a text, null, a list of values or a record.
#[derive(Debug, Deserialize)]
pub(super) struct Cell {
    #[serde(default)]
    pub v: Value,
}

/// Datasets of a project.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Datasets {
    #[serde(default)]
    pub datasets: Vec<Dataset>,
    pub next_page_token: Option<String>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dataset {
    pub dataset_reference: DatasetReference,
}

/// Its name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetReference {
    pub dataset_id: String,
}

/// Tables of a dataset.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tables {
    #[serde(default)]
    pub tables: Vec<Listed>,
    pub next_page_token: Option<String>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub table_reference: TableReference,
    #[serde(rename = "type", default)]
    pub type_: String,
}

/// Its name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableReference {
    pub table_id: String,
}

/// Projects that an account sees.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Projects {
    #[serde(default)]
    pub projects: Vec<Project>,
    pub next_page_token: Option<String>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub id: String,
}

/// A table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub schema: Option<Schema>,
    pub description: Option<String>,
    pub time_partitioning: Option<TimePartitioning>,
}

/// How it is cut by time. Without a column it is cut by the time at which rows arrived.
#[derive(Debug, Deserialize)]
pub(super) struct TimePartitioning {
    pub field: Option<String>,
}

/// A request that was refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub status: u16,
    pub reason: String,
    pub message: String,
}

impl Refusal {
    /// Reads the body of a refused request; none where it is somebody else's.
    pub fn read(status: u16, body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wrapped {
            error: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            message: String,
            #[serde(default)]
            errors: Vec<Fault>,
        }
        let inner = read::<Wrapped>(body)?.error;
        let reason = inner.errors.into_iter().next().map(|first| first.reason).unwrap_or_default();
        Some(Self { status, reason, message: inner.message })
    }

    /// It may go well later.
    pub fn is_passing(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504) || is_passing(&self.reason)
    }
}

/// What fails for such a reason may go well later.
pub(super) fn is_passing(reason: &str) -> bool {
    PASSING.contains(&reason)
}

/// Reads a body; none where it is of another protocol.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

/// The status that Google's client has for the reason of a failed job (`google.cloud.bigquery.job.base`).
pub(super) fn status_of(reason: &str) -> u16 {
    match reason {
        "billingTierLimitExceeded"
        | "invalid"
        | "invalidQuery"
        | "resourceInUse"
        | "resourcesExceeded"
        | "tableUnavailable" => 400,
        "accessDenied" | "billingNotEnabled" | "blocked" | "policyViolation" | "quotaExceeded"
        | "responseTooLarge" => 403,
        "notFound" => 404,
        "duplicate" => 409,
        "rateLimitExceeded" => 429,
        "notImplemented" => 501,
        "stopped" => 200,
        _ => 500,
    }
}

/// A name as a part of an address.
pub(super) fn in_path(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
