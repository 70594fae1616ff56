//! Data access: a file per table family; rows, columns, filters, statements over an `Executor`.

pub mod chart;
pub mod dashboard;
pub mod database;
pub mod dataset;
pub mod embedded;
pub mod favorite;
pub mod key_value;
pub mod person;
pub mod security;
pub mod system_themes;
pub mod tag;
pub mod user_attribute;
