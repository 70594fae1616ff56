//! Connections to analytical databases: describing, testing, writing them.

mod fields;
pub mod find;
pub mod own;
pub mod parameters;
pub(crate) mod permissions;
pub mod set_uri;
pub mod test;
pub mod test_uri;
pub mod validate_sql;
pub mod write;

pub use fields::{DatabaseFields, SqlFields};
