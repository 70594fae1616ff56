//! The part of the configuration that the frontend sees.

use infra::{config::Config, sign_in::oauth::providers};
use serde_json::{Map, Value, json};

/// `superset.views.base:FRONTEND_CONF_KEYS`: nothing else leaves the server.
const FRONTEND_CONF_KEYS: [&str; 47] = [
    "SUPERSET_WEBSERVER_TIMEOUT",
    "SUPERSET_DASHBOARD_POSITION_DATA_LIMIT",
    "SUPERSET_DASHBOARD_PERIODICAL_REFRESH_LIMIT",
    "SUPERSET_DASHBOARD_PERIODICAL_REFRESH_WARNING_MESSAGE",
    "ENABLE_JAVASCRIPT_CONTROLS",
    "DEFAULT_SQLLAB_LIMIT",
    "DEFAULT_VIZ_TYPE",
    "SQL_MAX_ROW",
    "SUPERSET_WEBSERVER_DOMAINS",
    "SQLLAB_SAVE_WARNING_MESSAGE",
    "SQLLAB_DEFAULT_DBID",
    "DISPLAY_MAX_ROW",
    "GLOBAL_ASYNC_QUERIES_TRANSPORT",
    "GLOBAL_ASYNC_QUERIES_POLLING_DELAY",
    "SQL_VALIDATORS_BY_ENGINE",
    "SQLALCHEMY_DOCS_URL",
    "SQLALCHEMY_DISPLAY_TEXT",
    "GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL",
    "DASHBOARD_AUTO_REFRESH_MODE",
    "DASHBOARD_AUTO_REFRESH_INTERVALS",
    "DASHBOARD_VIRTUALIZATION",
    "SCHEDULED_QUERIES",
    "EXCEL_EXTENSIONS",
    "CSV_EXTENSIONS",
    "COLUMNAR_EXTENSIONS",
    "ALLOWED_EXTENSIONS",
    "SAMPLES_ROW_LIMIT",
    "DEFAULT_TIME_FILTER",
    "HTML_SANITIZATION",
    "HTML_SANITIZATION_SCHEMA_EXTENSIONS",
    "WELCOME_PAGE_LAST_TAB",
    "VIZ_TYPE_DENYLIST",
    "ALERT_REPORTS_DEFAULT_CRON_VALUE",
    "ALERT_REPORTS_DEFAULT_RETENTION",
    "ALERT_REPORTS_DEFAULT_WORKING_TIMEOUT",
    "NATIVE_FILTER_DEFAULT_ROW_LIMIT",
    "SUPERSET_CLIENT_RETRY_ATTEMPTS",
    "SUPERSET_CLIENT_RETRY_DELAY",
    "SUPERSET_CLIENT_RETRY_BACKOFF_MULTIPLIER",
    "SUPERSET_CLIENT_RETRY_MAX_DELAY",
    "SUPERSET_CLIENT_RETRY_JITTER_MAX",
    "SUPERSET_CLIENT_RETRY_STATUS_CODES",
    "PREVENT_UNSAFE_DEFAULT_URLS_ON_DATASET",
    "JWT_ACCESS_CSRF_COOKIE_NAME",
    "SQLLAB_QUERY_RESULT_TIMEOUT",
    "SYNC_DB_PERMISSIONS_IN_ASYNC_MODE",
    "TABLE_VIZ_MAX_ROW_SERVER",
];

/// `AUTH_TYPE` of logins through OAuth (`flask_appbuilder.const`).
const AUTH_OAUTH: i64 = 4;

/// The key `conf` of the common bootstrap data.
pub(super) fn frontend_conf(config: &Config) -> Value {
    let mut conf: Map<String, Value> =
        FRONTEND_CONF_KEYS.iter().map(|key| ((*key).to_owned(), config.get(key).clone())).collect();
    let mut put = |key: &str, value: Value| conf.insert(key.to_owned(), value);
    let slack = is_set(config.get("SLACK_API_TOKEN"));
    let methods = if slack { json!(["Email", "Slack", "SlackV2"]) } else { json!(["Email"]) };
    put("ALERT_REPORTS_NOTIFICATION_METHODS", methods);
    // Superset looks for the driver package; ours, when it is there, is part of the binary
    put("HAS_GSHEETS_INSTALLED", true.into());
    let auth_type = config.int("AUTH_TYPE").unwrap_or(1);
    let registration = config.bool("AUTH_USER_REGISTRATION");
    put("AUTH_USER_REGISTRATION", registration.into());
    if registration {
        put("AUTH_USER_REGISTRATION_ROLE", config.get("AUTH_USER_REGISTRATION_ROLE").clone());
        if auth_type != AUTH_OAUTH {
            put("RECAPTCHA_PUBLIC_KEY", config.get("RECAPTCHA_PUBLIC_KEY").clone());
        }
    }
    put("AUTH_TYPE", auth_type.into());
    if auth_type == AUTH_OAUTH {
        let providers = providers(config).unwrap_or_default().into_iter();
        // name and icon only: the rest of a provider's entry holds its client secret
        let shown = providers.map(|p| json!({"name": p.name, "icon": p.icon})).collect();
        put("AUTH_PROVIDERS", Value::Array(shown));
    }
    Value::Object(conf)
}

/// Python's truth.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    #[test]
    fn no_secret_leaves_the_server() {
        let set = [
            ("SECRET_KEY", json!("canary-1")),
            ("SLACK_API_TOKEN", json!("canary-2")),
            ("AUTH_TYPE", json!(4)),
            (
                "OAUTH_PROVIDERS",
                json!([{"name": "x", "icon": "fa-x", "remote_app": {
                    "client_id": "canary-4", "client_secret": "canary-3", "server_metadata_url": "https://canary-5",
                }}]),
            ),
        ];
        let overrides: IndexMap<_, _> = set.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let conf = frontend_conf(&Config::with(overrides));
        assert!(!conf.to_string().contains("canary"));
        assert_eq!(conf["AUTH_PROVIDERS"], json!([{"name": "x", "icon": "fa-x"}]));
        assert_eq!(conf["ALERT_REPORTS_NOTIFICATION_METHODS"], json!(["Email", "Slack", "SlackV2"]));
        assert!(conf.get("RECAPTCHA_PUBLIC_KEY").is_none());
    }
}
