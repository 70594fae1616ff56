//! Dashboards.

pub mod find;
pub mod tabs;
