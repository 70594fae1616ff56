//! Keys of the configuration without which parts of the route table are not there.

use commands::sign_in::Kind;
use infra::config::Config;

use crate::routes::Rule;

/// The API of users, roles, groups and permissions (`flask_appbuilder.security.sqla.manager:register_views`).
const SECURITY_API: &[&str] =
    &["groups", "permissions", "permissions-resources", "resources", "roles", "users"];

/// Pages and log-in of Flask-AppBuilder's security views (`flask_appbuilder.security.manager:register_views`).
const SECURITY_VIEWS: &[&str] = &[
    "/api/v1/security/login",
    "/api/v1/security/refresh",
    "/logout/",
    "/resetmypassword/form",
    "/resetpassword/form",
    "/userinfoeditview/form",
];

/// Actions of Flask-AppBuilder's list views.
const ACTIONS: &[&str] =
    &["action", "action_post", "add", "delete", "download", "edit", "list", "show", "userinfo"];

/// Whether the configuration leaves a rule in the table.
pub fn is_served(config: &Config, rule: &Rule) -> bool {
    is_path_served(config, &rule.rule)
        && has_sign_in(config, rule)
        && (rule.rule != "/login/" || rule.methods != ["POST"] || is_on(config, "FAB_ADD_SECURITY_VIEWS"))
        && (!is_log(&rule.rule)
            || is_on(config, "FAB_ADD_SECURITY_VIEWS") && is_on(config, "SUPERSET_LOG_VIEW"))
}

/// Whether it belongs to the way in which people sign in, or to none.
fn has_sign_in(config: &Config, rule: &Rule) -> bool {
    let kind = Kind::from_config(config);
    match rule.rule.as_str() {
        "/login/" if rule.methods == ["POST"] => matches!(kind, Kind::Database | Kind::Directory),
        "/login/<provider>" | "/oauth-authorized/<provider>" => kind == Kind::OAuth,
        "/resetmypassword/form" | "/resetpassword/form" => kind == Kind::Database,
        "/register/form" => kind == Kind::Database && config.bool("AUTH_USER_REGISTRATION"),
        _ => true,
    }
}

/// Whether the configuration leaves a path, written as in the table, to be found.
pub fn is_path_served(config: &Config, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        // a resource of Superset's own beside those of Flask-AppBuilder
        ["api", "v1", "security", "roles", "search"] => true,
        ["api", "v1", "security", resource, ..] if SECURITY_API.contains(&resource) => {
            is_on(config, "FAB_ADD_SECURITY_API")
        }
        ["api", _, "_openapi"] | ["swagger", _] => {
            is_on(config, "FAB_API_SWAGGER_UI") && is_on(config, "FAB_ADD_OPENAPI_VIEWS")
        }
        ["api", "v1", "menu"] => is_on(config, "FAB_ADD_MENU_API"),
        ["users" | "roles" | "groups", action, ..] if ACTIONS.contains(&action) => {
            is_on(config, "FAB_ADD_SECURITY_VIEWS")
        }
        _ if SECURITY_VIEWS.contains(&path) => is_on(config, "FAB_ADD_SECURITY_VIEWS"),
        _ => true,
    }
}

/// `superset.views.log.api:ensure_enabled`: the list and single events, not what somebody did lately.
fn is_log(path: &str) -> bool {
    path == "/api/v1/log/" || path.starts_with("/api/v1/log/<")
}

fn is_on(config: &Config, key: &str) -> bool {
    config.get(key).as_bool().unwrap_or(true)
}
