//! The chart builder (`superset.commands.explore`).

pub mod access;
pub mod form_data;
pub mod get;
pub mod merge;
