//! The pure engine behind charts: the description of a dataset and a query object in, SQL text and frames out.
//!
//! No HTTP, no metadata tables, no clock of its own: whoever calls passes `now`.

pub mod build_sql;
pub mod clause;
pub mod client_processing;
pub mod dataset;
pub mod encode;
pub mod engine;
pub mod error;
pub mod form_data;
pub mod frame;
#[cfg(test)]
mod fuzz_tests;
pub mod legacy_viz;
pub mod post_processing;
pub mod python;
pub mod query_object;
pub mod template;
pub mod text_table;
pub mod time_offset;
pub mod time_range;

pub use error::QueryError;
