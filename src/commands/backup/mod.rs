//! The whole metadata database in a file, and back.
//!
//! The file is a ZIP of texts that any program can read: `manifest.json` says what is in it, and each table is
//! `tables/NAME.jsonl`, a row a line, its values in the order of the manifest's columns. Values that JSON does not have
//! are objects with one key (`value.rs`). Number 1 of the format stays readable.

mod read;
mod restore;
mod value;
mod write;

use serde::{Deserialize, Serialize};

pub use read::{Found, check};
pub use restore::{Options, Restored, restore};
pub use write::{Written, write};

/// What the first field of a manifest says.
const FORMAT: &str = "liteset-backup";
/// The format that is written.
const VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";

/// How far work has come: what is done, the table, its rows that are done, and all its rows.
pub type Progress<'a> = &'a mut (dyn FnMut(&str, &str, u64, u64) + Send);

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Number of the format.
    pub version: u32,
    /// Who wrote it.
    pub liteset: String,
    /// Alembic's revision of the schema.
    pub revision: String,
    /// The database that it was read from.
    pub dialect: String,
    /// When, in UTC.
    pub created: String,
    /// Tables, in the order in which they can be filled.
    pub tables: Vec<Table>,
    /// Tables of the same database that are not in it, because they are not Superset's.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// `SECRET_KEY`, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
}

/// A table in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of its text.
    pub sha256: String,
}

impl Table {
    fn member(&self) -> String {
        member(&self.name)
    }
}

fn member(table: &str) -> String {
    format!("tables/{table}.jsonl")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
