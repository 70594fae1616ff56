//! Imports (`superset.commands.importers.v1`): every file is checked first, then everything is written in one
//! transaction. A bundle is read twice rather than held.

mod chart;
mod configs;
pub mod contents;
mod dashboard;
mod data;
mod database;
mod dataset;
mod examples;
pub mod failure;
mod filter_box;
mod owners;
mod plain;
mod rows;
mod run;
mod schema;
mod schemas;
mod tags;
mod unversioned;

use std::collections::HashMap;

use daos::dataset::Dataset;
use infra::db::Executor;

pub use configs::Secrets;
pub use examples::import_examples;
pub use run::{Options, import, import_assets};
pub use unversioned::import_unversioned;

use super::AssetKind;
use crate::Caller;
use configs::Configs;

/// Who is told how far an import has come.
pub trait Progress: Send + Sync {
    /// So many of all files are checked.
    fn checked(&mut self, _files: usize, _all: usize) {}
    /// One more object is done.
    fn done(&mut self);
}

/// Progress that is not shown.
pub struct NoProgress;

impl Progress for NoProgress {
    fn done(&mut self) {}
}

/// A dataset that charts and filters refer to.
#[derive(Debug, Clone)]
struct DatasetRef {
    id: i64,
    name: String,
    row: Dataset,
}

/// An import under way, inside its transaction.
struct Importer<'a> {
    caller: &'a Caller,
    db: &'a dyn Executor,
    configs: &'a Configs<'a>,
    progress: &'a mut dyn Progress,
    /// Who imports may write everything (examples).
    trusted: bool,
    /// Tags of the files are taken over.
    takes_tags: bool,
    /// What `tags.yaml` says of tags.
    tag_descriptions: HashMap<String, Option<String>>,
    owners: owners::Owners,
    /// Databases by UUID.
    databases: HashMap<String, i64>,
    /// Datasets by UUID.
    datasets: HashMap<String, DatasetRef>,
    /// Charts by UUID.
    charts: HashMap<String, i64>,
    /// Charts that native filters replace.
    filter_boxes: Vec<i64>,
    /// Databases that were made or changed: their schemas are asked for afterwards.
    connections: Vec<i64>,
    /// Datasets whose data come from elsewhere, where their table is not there.
    downloads: Vec<(i64, String)>,
}

impl Importer<'_> {
    fn can_write(&self, view: &str) -> bool {
        self.trusted || self.caller.user.can_access("can_write", view)
    }
}
