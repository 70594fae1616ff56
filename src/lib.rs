//! liteset: the backend of Apache Superset 6.0.0 as one binary.
//!
//! ```text
//! web  →  commands  →  daos, query  →  infra
//! ```
//!
//! Each layer is a crate of its own (a folder of `src/`); dependencies point inward only. [`app`] is the
//! composition root: the only place that knows every layer. [`cli`] holds a file per verb.

// a run of a report holds the types of the SQL parser
#![recursion_limit = "256"]

pub mod app;
mod background;
pub mod cli;
mod encryption;
pub mod first_start;
mod listen;
mod metrics;
mod notify;
mod reload;
