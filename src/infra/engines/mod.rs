//! Analytical databases: what charts and SQL Lab query.
//!
//! What is known of an engine without connecting is data ([`EngineSpec`], a file each in `specs/`); [`Engines`]
//! opens databases by [`Source`], and an [`Engine`] executes statements within [`QueryOptions`].

mod batch;
mod builder;
pub mod catalog;
pub mod column;
mod cursor_type;
mod engine;
mod error;
mod mysql;
mod options;
mod pool;
mod postgres;
mod registry;
mod session;
mod source;
pub mod spec;
mod sqlite;
pub mod url;

pub use cursor_type::cursor_type;
use postgres::Size;

pub use engine::{DRIVERS, Engine, Statements};
pub use error::EngineError;
pub use options::QueryOptions;
pub use pool::Engines;
pub use registry::{spec, spec_for_uri, specs};
pub use session::{Batches, Session};
pub use source::Source;
pub use spec::{EngineSpec, GenericType};
