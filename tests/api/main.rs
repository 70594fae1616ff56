//! The running binary through real HTTP, on SQLite and, when LITESET_TEST_POSTGRES names a server, PostgreSQL.

mod first_start;
mod pages;
mod permissions;
mod sessions;
mod support;
mod resources;
