//! Data access: a file per table family; rows, columns, filters, statements over an `Executor`.
//!
//! [`tables`] describes the metadata tables as data; [`base`] reads any of them with relations, [`filter`] makes
//! conditions from the operators of the REST API, [`condition`] those of single resources, [`write`] and [`rows`]
//! insert, update, link and delete. SQL of the metadata database stands nowhere else. Where its backends differ, a
//! `match` over [`infra::db::Dialect`] says so: in `infra::db`, and for orders in `natural_order`.

pub mod access_rows;
pub mod annotation;
pub mod base;
pub mod cache_key;
pub mod chart;
pub mod condition;
pub mod dashboard;
pub mod database;
pub mod dataset;
pub mod dataset_parts;
mod departure;
pub mod embedded;
pub mod encrypted;
pub mod event_log;
pub mod example_data;
pub mod favorite;
pub mod filter;
pub mod imported;
pub mod key_value;
pub mod log_in;
mod natural_order;
pub mod oauth2_token;
pub mod person;
pub mod query;
pub mod record;
pub mod report;
pub mod report_run;
pub mod retention;
pub mod role;
pub mod row_level_security;
pub mod rows;
pub mod schema_version;
pub mod security;
pub mod system_themes;
pub mod tab_state;
pub mod table;
pub mod tables;
pub mod tag;
pub mod tag_sync;
pub mod tagged_object;
pub mod theme;
pub mod thumbnail;
mod typed_row;
pub mod upgrade;
pub mod user;
pub mod user_attribute;
pub mod view_menu;
pub mod warm_up;
pub mod whole_tables;
pub mod write;

pub use record::{Record, Selection};
pub use table::Table;
