//! A file per resource.

pub mod health;
