//! Analytical databases: what charts and SQL Lab query.
//!
//! What is known of an engine without connecting is data ([`EngineSpec`], a file each in `specs/`); [`Engines`]
//! opens databases by connection string, and an [`Engine`] executes statements within [`QueryOptions`].

mod builder;
pub mod catalog;
pub mod column;
mod cursor_type;
mod error;
mod pool;
mod postgres;
mod registry;
mod session;
pub mod spec;
mod sqlite;

pub use cursor_type::cursor_type;
pub use error::EngineError;
pub use pool::{Engine, Engines, QueryOptions};
pub use registry::{spec, spec_for_uri, specs};
pub use session::{Batches, Session};
pub use spec::{EngineSpec, GenericType};
