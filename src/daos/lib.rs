//! Data access: a file per table family; rows, columns, filters, statements over an `Executor`.
//!
//! [`tables`] describes the metadata tables as data; [`base`] reads any of them with relations, [`filter`] makes
//! conditions from the operators of the REST API, [`write`] inserts, updates and deletes.

pub mod access_rows;
pub mod annotation;
pub mod base;
pub mod cache_key;
pub mod chart;
pub mod dashboard;
pub mod database;
pub mod dataset;
pub mod embedded;
pub mod event_log;
pub mod favorite;
pub mod filter;
pub mod key_value;
pub mod oauth2_token;
pub mod person;
pub mod query;
pub mod record;
pub mod role;
pub mod security;
pub mod system_themes;
pub mod tab_state;
pub mod table;
pub mod tables;
pub mod tag;
pub mod user_attribute;
pub mod view_menu;
pub mod write;

pub use record::{Record, Selection};
pub use table::Table;
