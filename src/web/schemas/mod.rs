//! Request loading with the original's field errors.

pub mod field_checks;
pub mod validate;

pub use commands::schema::{Field, FieldKind};
