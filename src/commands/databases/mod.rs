//! Databases: connecting to them, and what they tell about themselves.

mod connect;
pub(crate) mod functions;
pub mod introspect;
pub mod partitions;

pub use connect::{
    arguments_of, effective_name, engine_as, engine_name, impersonate, limits, oauth2_client, source,
    source_as,
};
