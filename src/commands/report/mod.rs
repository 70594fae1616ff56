//! Alerts and reports (`superset.commands.report`).

pub mod execute;
mod fields;
mod write;

pub use fields::{AddressFields, ConditionFields, RecipientFields, ReportFields};
pub use write::{create, delete, update};
