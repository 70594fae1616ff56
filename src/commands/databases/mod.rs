//! Databases: connecting to them, and what they tell about themselves.

mod connect;
pub mod introspect;

pub use connect::{engine, engine_name};
