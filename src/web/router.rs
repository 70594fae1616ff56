//! The whole route table, grouped as in the API docs.

use infra::config::Config;

use crate::{
    controllers,
    guards::csrf,
    routes::{Rule, Table},
    switches,
};

/// Every rule that liteset can serve.
pub fn table() -> Table {
    Table::new(rules())
}

/// The rules that a configuration leaves, checked as it says.
pub fn table_of(config: &Config) -> Table {
    let mut rules = rules();
    rules.retain(|rule| switches::is_served(config, rule));
    for rule in &mut rules {
        rule.csrf_exempt = csrf::is_exempt(config, rule);
    }
    Table::new(rules)
}

fn rules() -> Vec<Rule> {
    let rules = [
        controllers::health::rules(),
        controllers::static_files::rules(),
        controllers::pages::rules(),
        crate::event_log::rules(),
        controllers::auth::rules(),
        controllers::menu::rules(),
        controllers::time_range::rules(),
        controllers::avatar::rules(),
        controllers::assets::rules(),
        controllers::chart::rules(),
        controllers::dashboard::rules(),
        controllers::dataset::rules(),
        controllers::database::rules(),
        controllers::datasource::rules(),
        controllers::explore::rules(),
        controllers::async_event::rules(),
        controllers::permalink::rules(),
        controllers::favorite::rules(),
        controllers::tag::rules(),
        controllers::theme::rules(),
        controllers::css_template::rules(),
        controllers::annotation_layer::rules(),
        controllers::report::rules(),
        controllers::jobs::rules(),
        controllers::query::rules(),
        controllers::saved_query::rules(),
        controllers::sql_lab::rules(),
        controllers::log::rules(),
        controllers::row_level_security::rules(),
        controllers::security::rules(),
        controllers::user_registration::rules(),
        controllers::advanced_data_type::rules(),
    ];
    let mut rules: Vec<Rule> = rules.into_iter().flatten().collect();
    rules.extend(controllers::openapi::rules(&rules));
    rules
}
