//! Servers of our own and clients that are somebody.

mod client;
mod datasets;
mod server;

pub use client::{Answer, Client};
pub use datasets::{Source, ask};
pub use server::{PASSWORD, Server, command, postgres_uri, run_to_end, scratch};
