//! Alerts and reports (`superset.commands.report`).

mod write;

pub use write::{create, delete, update};
