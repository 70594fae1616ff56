//! Analytical databases: what charts and SQL Lab query.
//!
//! What is known of an engine without connecting is data (`crate::engine_specs`, a file each); [`Engines`] opens
//! databases by [`Source`], and an [`Engine`] executes statements within [`QueryOptions`].

mod athena;
mod aws;
#[cfg(test)]
mod bad_input_tests;
mod batch;
mod bigquery;
mod builder;
pub mod catalog;
mod clickhouse;
pub mod column;
mod connections;
mod cursor_type;
mod databricks;
mod driver;
#[cfg(feature = "duckdb")]
mod duckdb;
mod engine;
mod error;
pub(crate) mod http;
mod mssql;
mod mysql;
mod oauth2_redirect;
mod options;
mod pool;
mod postgres;
mod session;
mod snowflake;
mod source;
mod sqlite;
mod statement_log;
mod statements;
mod tokens;
mod trino;
mod tunnel;

use postgres::Size;

pub use engine::{Engine, python_drivers};
pub use error::EngineError;
pub use oauth2_redirect::OAuth2Redirect;
pub use options::{Progress, QueryOptions};
pub use pool::Engines;
pub use session::{Batches, Session};
pub use source::Source;
pub use statements::Statements;
pub use tunnel::{Gateway, Login};

/// The drivers by the name of their protocol, which specs bear.
const DRIVERS: &[(&str, driver::Open)] = &[
    ("athena", athena::open),
    ("bigquery", bigquery::open),
    ("clickhouse", clickhouse::open),
    ("databricks", databricks::open),
    #[cfg(feature = "duckdb")]
    ("duckdb", duckdb::open),
    ("mssql", mssql::open),
    ("mysql", mysql::open),
    ("postgres", postgres::open),
    ("presto", trino::open_presto),
    ("snowflake", snowflake::open),
    ("sqlite", sqlite::open),
    ("trino", trino::open_trino),
];

/// Connections to one file at a time.
const FILE_POOL_SIZE: usize = 8;

/// Connections to a server at a time: it works for each of them at once, and the statement of one may take long.
const SERVER_POOL_SIZE: usize = 50;
