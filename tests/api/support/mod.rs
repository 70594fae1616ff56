//! Servers of our own and clients that are somebody.

mod client;
mod datasets;
mod engines;
mod guests;
mod installation;
pub mod jwt;
mod mail_sink;
mod metadata;
mod mysql;
pub mod postgres;
mod redis;
mod rest;
mod server;
pub mod sshd;
pub mod template;
pub mod tls;
mod token_server;
pub mod websocket;

pub use client::{Answer, Client, multipart, multipart_as};
pub use datasets::{Source, ask, sum_by_name};
pub use engines::EngineServer;
pub use installation::{Installation, make};
pub use mail_sink::{Behaviour, MailSink};
pub use metadata::{Metadata, PostgresDatabase};
pub use mysql::{MysqlDatabase, mysql_uri};
pub use redis::{redis_add, redis_prefix};
pub use rest::{HIDDEN, NO_RIGHT, REFUSED, fields, message, refused, statuses};
pub use server::{PASSWORD, Server, command, postgres_uri, run_to_end, scratch, skip};
pub use template::copy_to;
pub use token_server::TokenServer;
