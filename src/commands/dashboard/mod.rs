//! Dashboards.

pub mod detail;
mod fields;
pub mod find;
pub mod metadata;
pub mod tabs;
pub mod write;

pub use fields::{ColorFields, CopyFields, DashboardFields, EmbeddedFields, FilterChanges};
