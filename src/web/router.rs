//! The whole route table, grouped as in the API docs.

use crate::{controllers, routes::Table};

/// Every rule that liteset serves.
pub fn table() -> Table {
    let rules = [
        controllers::health::rules(),
        controllers::static_files::rules(),
        controllers::pages::rules(),
        controllers::menu::rules(),
        controllers::avatar::rules(),
        controllers::openapi::rules(),
        controllers::charts::rules(),
    ];
    Table::new(rules.into_iter().flatten().collect())
}
