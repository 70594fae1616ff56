//! What the frontend is told about a database (`superset.models.core:Database.data` and its properties).

use daos::database::Database;
use infra::engine_specs::{EngineSpec, facts::CostEstimate, spec_for_uri};
pub use infra::json::truthy;
use serde_json::{Map, Value, json};

/// The engine that a database speaks to.
pub fn engine(database: &Database) -> &'static EngineSpec {
    spec_for_uri(&database.sqlalchemy_uri)
}

/// Name of the driver that SQLAlchemy would load: the named one, or the dialect's own.
pub fn driver(database: &Database) -> String {
    let scheme = database.sqlalchemy_uri.split(':').next().unwrap_or_default();
    if let Some((_, driver)) = scheme.split_once('+') {
        return driver.to_owned();
    }
    engine(database).dialect_driver().to_owned()
}

/// `engine_information`: what the connection dialog may offer.
pub fn engine_information(database: &Database) -> Value {
    let caps = &engine(database).caps;
    json!({
        "supports_file_upload": caps.supports_file_upload,
        "disable_ssh_tunneling": caps.disable_ssh_tunneling,
        "supports_dynamic_catalog": caps.supports_dynamic_catalog,
        "supports_oauth2": caps.supports_oauth2,
    })
}

/// `allows_cost_estimate`: false where the engine cannot, else what `extra` says, null included.
pub fn allows_cost_estimate(database: &Database) -> Value {
    let extra = database.extra_json();
    let able = engine(database).cost_estimate(&extra) != CostEstimate::Unable;
    if able { extra.get("cost_estimate_enabled").cloned().unwrap_or_default() } else { json!(false) }
}

/// `Database.data`, without the connection's parameters: they are for whoever may edit the connection.
pub fn data(database: &Database) -> Map<String, Value> {
    let extra = database.extra_json();
    let flag = |key: &str| extra.get(key) == Some(&Value::Bool(true));
    let or = |key: &str, default: Value| extra.get(key).cloned().unwrap_or(default);
    let spec = engine(database);
    let Value::Object(map) = json!({
        "id": database.id,
        "name": database.database_name,
        "backend": database.backend(),
        "configuration_method": database.configuration_method,
        "allows_subquery": spec.caps.allows_subqueries,
        "allows_cost_estimate": allows_cost_estimate(database),
        "allows_virtual_table_explore": truthy(&or("allows_virtual_table_explore", json!(true))),
        "explore_database_id": or("explore_database_id", json!(database.id)),
        "schema_options": or("schema_options", json!({})),
        "parameters": {},
        "disable_data_preview": flag("disable_data_preview"),
        "disable_drill_to_detail": flag("disable_drill_to_detail"),
        "allow_multi_catalog": or("allow_multi_catalog", json!(false)),
        "parameters_schema": spec.parameters_schema.clone().unwrap_or_else(|| json!({})),
        "engine_information": engine_information(database),
    }) else {
        return Map::new();
    };
    map
}
