//! Kinds of charts that Superset has replaced, and what becomes of their controls
//! (`superset.migrations.shared.migrate_viz`).
//!
//! A migration changes the form data: who migrates a chart decides what else of it changes, and has [`context`] for the
//! query that belongs to them. It forgets everything from one chart to the next; where the original's lists of controls
//! grow meanwhile, [`Lists`] are what has grown.

mod base;
mod processors;
mod python;
mod query_context;

use serde_json::{Map, Value};

use base::Migration;
pub use base::{Lists, Migrated};
pub use python::len;
pub use query_context::{Query, context, queries};

/// The controls of a chart.
pub type FormData = Map<String, Value>;

/// Why form data cannot be migrated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotMigrated(pub String);

/// The migration of a kind of chart; none for kinds that are as they were.
pub fn find(viz_type: &str) -> Option<&'static Migration> {
    processors::ALL.iter().find(|migration| migration.source == viz_type)
}

/// The kind that a kind usually becomes.
pub fn target(viz_type: &str) -> Option<&'static str> {
    find(viz_type).map(|migration| migration.target)
}
