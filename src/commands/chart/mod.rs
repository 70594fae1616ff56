//! Charts.

pub mod describe;
mod fields;
pub mod find;
pub mod form_data;
pub mod write;

pub use fields::ChartFields;
