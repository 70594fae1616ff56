//! Servers of our own and clients that are somebody.

mod client;
mod datasets;
mod engines;
mod installation;
mod metadata;
pub mod postgres;
mod server;
pub mod sshd;
mod token_server;

pub use client::{Answer, Client, multipart};
pub use datasets::{Source, ask, sum_by_name};
pub use engines::EngineServer;
pub use installation::{Installation, make};
pub use metadata::{Metadata, PostgresDatabase};
pub use server::{PASSWORD, Server, command, postgres_uri, run_to_end, scratch};
pub use token_server::TokenServer;
