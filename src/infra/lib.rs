//! Infrastructure: everything that would exist without charts and dashboards.
//!
//! The innermost layer: it knows no Superset resource. `query`, `daos`, `commands` and `web` depend on it,
//! it depends on none of them.

pub mod cache;
pub mod clock;
pub mod config;
pub mod cron;
pub mod cron_text;
pub mod crypto;
pub mod db;
pub mod engines;
pub mod error;
pub mod humanize;
mod issue_codes;
pub mod json;
pub mod json_error;
pub mod net;
pub mod outbound;
pub mod pg;
pub mod python;
pub mod rison;
pub mod spool;
pub mod sql;
pub mod timezone;

pub use error::{Error, Result};
