//! Use cases: the rules of charts, dashboards, datasets and the rest; no HTTP types.
//!
//! A command takes [`Services`], the [`Principal`] who asks, and plain data; it decides who may do it, reads and
//! writes through `daos`, asks `query` for SQL and frames, and returns plain data or an `infra::Error`.

pub mod access;
pub mod annotation;
pub mod bootstrap;
pub mod cache_keys;
pub mod chart;
pub mod chart_data;
pub mod dashboard;
pub mod dashboard_new;
pub mod database;
pub mod databases;
pub mod dataset;
pub mod examples;
pub mod explore;
pub mod explore_json;
pub mod implicit_tags;
pub mod init;
pub mod lock;
pub mod login;
pub mod metastore_cache;
pub mod model_view;
pub mod permalink;
mod refused;
pub mod registration;
pub mod relations;
pub mod report;
pub mod roles;
pub mod row_level_security;
pub mod security_admin;
mod services;
pub mod sql_lab;
pub mod tag;
pub mod temporary_cache;
pub mod text;
pub mod theme;
pub mod user_admin;

pub use access::Principal;
pub use services::Services;
