//! A file per resource.

pub mod annotation_layers;
pub mod auth;
pub mod avatar;
pub mod charts;
pub mod crud;
pub mod css_templates;
pub mod dashboards;
pub mod databases;
pub mod datasets;
pub mod health;
pub mod logs;
pub mod menu;
pub mod objects;
pub mod openapi;
pub mod pages;
pub mod queries;
pub mod reports;
pub mod row_level_security;
pub mod saved_queries;
pub mod security;
pub mod static_files;
pub mod tags;
pub mod themes;
pub mod user_registrations;
