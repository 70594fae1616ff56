//! The resources that bundles are made of.

use daos::{
    table::Table,
    tables::{DASHBOARDS, DBS, SAVED_QUERIES, SLICES, TABLES, THEMES},
};
use infra::db::{Dialect, Sql};

use crate::{Caller, access::lists};

/// A resource of which bundles are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssetKind {
    /// Charts.
    Chart,
    /// Dashboards.
    Dashboard,
    /// Datasets.
    Dataset,
    /// Databases.
    Database,
    /// Saved queries.
    SavedQuery,
    /// Themes.
    Theme,
}

impl AssetKind {
    /// `type` of `metadata.yaml`: the name of the model's class.
    pub fn model(self) -> &'static str {
        match self {
            Self::Chart => "Slice",
            Self::Dashboard => "Dashboard",
            Self::Dataset => "SqlaTable",
            Self::Database => "Database",
            Self::SavedQuery => "SavedQuery",
            Self::Theme => "Theme",
        }
    }
    /// The folder of its files in a bundle.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Chart => "charts",
            Self::Dashboard => "dashboards",
            Self::Dataset => "datasets",
            Self::Database => "databases",
            Self::SavedQuery => "queries",
            Self::Theme => "themes",
        }
    }
    /// Its name in addresses and in the names of bundles.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Chart => "chart",
            Self::Dashboard => "dashboard",
            Self::Dataset => "dataset",
            Self::Database => "database",
            Self::SavedQuery => "saved_query",
            Self::Theme => "theme",
        }
    }
    /// Its table.
    pub fn table(self) -> &'static Table {
        match self {
            Self::Chart => &SLICES,
            Self::Dashboard => &DASHBOARDS,
            Self::Dataset => &TABLES,
            Self::Database => &DBS,
            Self::SavedQuery => &SAVED_QUERIES,
            Self::Theme => &THEMES,
        }
    }
    /// What the caller sees of it (`base_filter` of the DAO), over the alias `x`.
    pub(super) fn visible(self, caller: &Caller, dialect: Dialect) -> Option<Sql> {
        let user = &caller.user;
        match self {
            Self::Chart => lists::charts(user, "x"),
            Self::Dashboard => lists::dashboards(&caller.app.config, user, dialect, "x"),
            Self::Dataset => lists::datasets(user, "x"),
            Self::Database => lists::databases(user, "x"),
            Self::SavedQuery => lists::saved_queries(user, "x"),
            Self::Theme => None,
        }
    }
}
