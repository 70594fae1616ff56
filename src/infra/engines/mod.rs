//! Analytical databases: what charts and SQL Lab query.
//!
//! What is known of an engine without connecting is data ([`EngineSpec`], a file each in `specs/`); [`Engines`]
//! opens databases by [`Source`], and an [`Engine`] executes statements within [`QueryOptions`].

#[cfg(test)]
mod bad_input_tests;
mod batch;
mod builder;
pub mod catalog;
mod clickhouse;
pub mod column;
mod cursor_type;
mod dance;
#[cfg(feature = "duckdb")]
mod duckdb;
mod engine;
mod error;
pub(crate) mod http;
mod mssql;
mod mysql;
mod options;
mod pool;
mod postgres;
mod registry;
mod session;
mod source;
pub mod spec;
mod sqlite;
mod statements;
mod trino;
mod tunnel;
pub mod url;

pub use cursor_type::cursor_type;
pub use dance::Dance;
use postgres::Size;

pub use engine::{DRIVERS, Engine};
pub use error::EngineError;
pub use options::{Progress, QueryOptions};
pub use pool::Engines;
pub use registry::{spec, spec_for_uri, specs};
pub use session::{Batches, Session};
pub use source::Source;
pub use spec::{EngineSpec, GenericType};
pub use statements::Statements;
pub use tunnel::{Gateway, Login};
