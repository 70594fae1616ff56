//! Analytical databases: what charts and SQL Lab query.

pub mod column;
mod registry;
pub mod spec;

pub use registry::{spec, spec_for_uri, specs};
pub use spec::{EngineSpec, GenericType};
