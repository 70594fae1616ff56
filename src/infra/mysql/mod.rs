//! The client/server protocol of MySQL and MariaDB, for the metadata database and for charts alike: a client of our
//! own, small enough to be read.
//!
//! Of our own because the crate for it (mysql_async 0.37) tells every server that it takes `LOCAL INFILE` requests and
//! several statements in one text, and has no way to say otherwise; a server that was told neither refuses both.

mod column;
mod command;
mod failure;
mod handshake;
mod prepared;
mod target;
mod wire;

pub(crate) use column::{Cell, Column};
pub(crate) use command::{INIT_DB, PING, QUERY, ask, columns, in_time, read_row};
pub(crate) use failure::{Failure, tuple};
pub(crate) use handshake::{Entered, TIMEOUT, enter};
pub(crate) use prepared::{Answer, Param, Prepared, close, execute, prepare};
pub use target::{Target, Tls};
pub(crate) use wire::{Reader, Wire};
