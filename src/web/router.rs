//! The whole route table, grouped as in the API docs.

use crate::{controllers, routes::Table};

/// Every rule that liteset serves.
pub fn table() -> Table {
    let rules = [
        controllers::health::rules(),
        controllers::static_files::rules(),
        controllers::pages::rules(),
        crate::event_log::rules(),
        controllers::auth::rules(),
        controllers::menu::rules(),
        controllers::openapi::rules(),
        controllers::time_range::rules(),
        controllers::avatar::rules(),
        controllers::charts::rules(),
        controllers::dashboards::rules(),
        controllers::datasets::rules(),
        controllers::databases::rules(),
        controllers::database_metadata::rules(),
        controllers::tags::rules(),
        controllers::themes::rules(),
        controllers::css_templates::rules(),
        controllers::annotation_layers::rules(),
        controllers::reports::rules(),
        controllers::queries::rules(),
        controllers::saved_queries::rules(),
        controllers::sql_lab::rules(),
        controllers::logs::rules(),
        controllers::row_level_security::rules(),
        controllers::security::rules(),
        controllers::user_registrations::rules(),
        controllers::objects::rules(),
        controllers::chart_data::rules(),
        controllers::explore_json::rules(),
        controllers::datasource::rules(),
    ];
    Table::new(rules.into_iter().flatten().collect())
}
