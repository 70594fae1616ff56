//! Dashboards.

pub mod find;
pub mod metadata;
pub mod tabs;
pub mod write;
