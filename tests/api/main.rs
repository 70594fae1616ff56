//! The running binary through real HTTP, on SQLite and, when LITESET_TEST_POSTGRES names a server, PostgreSQL.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

mod at_once;
mod clickhouse;
mod databases;
#[cfg(feature = "duckdb")]
mod duckdb;
mod endpoints;
mod faults;
mod first_start;
mod flights;
mod limits;
mod model_views;
mod mssql;
mod oauth2;
mod openapi;
mod pages;
mod permissions;
mod resources;
mod security_connections;
mod security_objects;
mod security_routes;
mod security_secrets;
mod sessions;
mod sql_lab;
mod ssh_tunnels;
mod support;
mod trino;
mod types;
mod uploads;
