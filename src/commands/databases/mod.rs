//! Databases: connecting to them, and what they tell about themselves.

mod connect;
pub(crate) mod functions;
pub mod introspect;

pub use connect::{arguments, effective_name, engine, engine_as, engine_name, impersonate, source};
