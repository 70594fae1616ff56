//! Infrastructure: everything that would exist without charts and dashboards.
//!
//! The innermost layer: it knows no Superset resource. `query`, `daos`, `commands` and `web` depend on it,
//! it depends on none of them.

pub mod browser;
pub mod cache;
pub mod clock;
pub mod compute;
pub mod config;
pub mod cron;
pub mod cron_text;
pub mod crypto;
pub mod db;
pub mod disk;
pub mod encoding;
pub mod engine_specs;
pub mod engines;
pub mod error;
mod error_type;
pub mod events;
pub mod file_name;
pub mod humanize;
mod issue_codes;
pub mod jmespath;
pub mod json;
pub mod json_error;
pub mod mail;
pub mod mysql;
pub mod net;
pub mod network;
pub mod outbound;
pub mod pg;
pub mod picture;
pub mod python;
pub mod rison;
pub mod scheduler;
pub mod sign_in;
pub mod slack;
pub mod spool;
pub mod sql;
mod statement_log;
pub mod telemetry;
pub mod timezone;
pub mod tls;
pub mod yaml;
pub mod zip_file;

pub use error::{Error, Result};
