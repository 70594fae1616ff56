//! Export and import of charts, dashboards, datasets, databases, saved queries, themes and whole assets
//! (`superset.commands.export`, `superset.commands.importers`).
//!
//! One room for all resources, because bundles of each contain the others: a dataset's has its database, a database's
//! its datasets.

mod document;
pub mod export;
pub mod folder;
pub mod import;
mod kind;
mod layout;

pub use kind::AssetKind;
