//! Charts.

pub mod describe;
pub mod form_data;
pub mod write;
