//! What a statement may take.

use std::time::Duration;

/// Limits and surroundings of a statement.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// Schema of unqualified names.
    pub schema: Option<String>,
    /// Rows after which no more are read.
    pub max_rows: Option<usize>,
    /// Bytes of values above which the statement fails.
    pub max_bytes: usize,
    /// Time above which the statement is cancelled.
    pub timeout: Duration,
    /// The statement may change data; otherwise the database itself refuses.
    pub allow_write: bool,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            schema: None,
            max_rows: None,
            max_bytes: 512 << 20,
            timeout: Duration::from_secs(60),
            allow_write: false,
        }
    }
}
