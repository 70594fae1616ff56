//! Servers of our own and clients that are somebody.

mod client;
mod server;

pub use client::Client;
pub use server::{Server, command, postgres_uri, run_to_end, scratch};
