//! Use cases: the rules of charts, dashboards, datasets and the rest; no HTTP types.
//!
//! A command takes a [`Caller`], which is the application ([`Services`]) and who asks it ([`Principal`]), and plain
//! data; it decides who may do it, reads and writes through `daos`, asks `query` for SQL and frames, and returns plain
//! data or an `infra::Error`.

pub mod access;
pub mod annotation;
pub mod async_query;
pub mod backup;
pub mod bootstrap;
pub mod chart;
pub mod chart_data;
pub mod connect;
pub mod dashboard;
pub mod dashboard_new;
pub mod database;
pub mod dataset;
pub mod db_copy;
pub mod doctor;
pub mod event_log;
pub mod examples;
pub mod explore;
pub mod explore_json;
pub mod fab;
pub mod favorite;
pub mod implicit_tags;
pub mod import_export;
pub mod init;
pub mod introspect;
pub mod jobs;
pub mod lock;
pub mod login;
pub mod model_view;
pub mod permalink;
pub mod query_run;
mod refused;
pub mod registration;
pub mod relations;
pub mod report;
pub mod resource;
pub mod roles;
pub mod row_level_security;
pub mod schema;
pub mod screenshot;
pub mod secret_key;
pub mod secret_rotation;
pub mod security_admin;
pub mod sign_in;
pub mod slack;
pub mod sql_lab;
pub mod state;
pub mod tag;
pub mod tag_sync;
pub mod tagged;
pub mod temporary_cache;
pub mod text;
pub mod theme;
pub mod thumbnail;
pub mod upgrade;
pub mod upload;
pub mod user;
pub mod user_admin;
pub mod viz_migration;
pub mod viz_upgrade;

pub use state::{Caller, Principal, Services};
