//! Export and import of every resource: `/api/v1/<resource>/export/`, `/api/v1/<resource>/import/`, and
//! `/api/v1/assets/` for all at once (`superset.importexport.api`).

mod export;
mod import;

use commands::import_export::AssetKind;

use crate::routes::{Access, Rule};

/// Resources with the class of their API and the name of their permission.
const RESOURCES: &[(AssetKind, &str, &str, &str)] = &[
    (AssetKind::Chart, "Chart", "ChartRestApi.export", "ChartRestApi.import_"),
    (AssetKind::Dashboard, "Dashboard", "DashboardRestApi.export", "DashboardRestApi.import_"),
    (AssetKind::Dataset, "Dataset", "DatasetRestApi.export", "DatasetRestApi.import_"),
    (AssetKind::Database, "Database", "DatabaseRestApi.export", "DatabaseRestApi.import_"),
    (AssetKind::SavedQuery, "SavedQuery", "SavedQueryRestApi.export", "SavedQueryRestApi.import_"),
    (AssetKind::Theme, "Theme", "ThemeRestApi.export", "ThemeRestApi.import_"),
];

fn may(permission: &'static str, view: &'static str) -> Access {
    Access::Protect(permission, view)
}

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [export::rules(), import::rules()].concat()
}
