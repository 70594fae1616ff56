//! The keys that change what liteset does.
//!
//! Only for these is a value that cannot be read without Python fatal. The test below compares the list with the
//! keys that the source names.

/// Keys that liteset honours, sorted.
pub const HONOURED: &[&str] = &[
    "ADVANCED_DATA_TYPES",
    "ALERT_MINIMUM_INTERVAL",
    "ALERT_REPORTS_DEFAULT_CRON_VALUE",
    "ALERT_REPORTS_DEFAULT_RETENTION",
    "ALERT_REPORTS_DEFAULT_WORKING_TIMEOUT",
    "ALERT_REPORTS_MAX_CUSTOM_SCREENSHOT_WIDTH",
    "ALERT_REPORTS_MIN_CUSTOM_SCREENSHOT_WIDTH",
    "ALLOWED_EXTENSIONS",
    "APPLICATION_ROOT",
    "APP_ICON",
    "APP_NAME",
    "AUTH_RATE_LIMIT",
    "AUTH_RATE_LIMITED",
    "AUTH_ROLE_ADMIN",
    "AUTH_ROLE_PUBLIC",
    "AUTH_TYPE",
    "AUTH_USERNAME_CI",
    "AUTH_USER_REGISTRATION",
    "AUTH_USER_REGISTRATION_ROLE",
    "BABEL_DEFAULT_LOCALE",
    "BUG_REPORT_ICON",
    "BUG_REPORT_TEXT",
    "BUG_REPORT_URL",
    "BUILD_NUMBER",
    "CACHE_CONFIG",
    "CACHE_DEFAULT_TIMEOUT",
    "COLUMNAR_EXTENSIONS",
    "CORS_OPTIONS",
    "CSV_EXPORT",
    "CSV_EXTENSIONS",
    "CURRENCIES",
    "CUSTOM_FONT_URLS",
    "D3_FORMAT",
    "D3_TIME_FORMAT",
    "DASHBOARD_AUTO_REFRESH_INTERVALS",
    "DASHBOARD_AUTO_REFRESH_MODE",
    "DATABASE_OAUTH2_CLIENTS",
    "DATABASE_OAUTH2_JWT_ALGORITHM",
    "DATABASE_OAUTH2_REDIRECT_URI",
    "DATABASE_OAUTH2_TIMEOUT",
    "DATA_CACHE_CONFIG",
    "DATA_DIR",
    "DEBUG",
    "DECKGL_BASE_MAP",
    "DEFAULT_FEATURE_FLAGS",
    "DEFAULT_HTTP_HEADERS",
    "DEFAULT_RELATIVE_END_TIME",
    "DEFAULT_RELATIVE_START_TIME",
    "DEFAULT_SQLLAB_LIMIT",
    "DEFAULT_TIME_FILTER",
    "DEFAULT_VIZ_TYPE",
    "DISALLOWED_SQL_FUNCTIONS",
    "DISPLAY_MAX_ROW",
    "DOCUMENTATION_ICON",
    "DOCUMENTATION_TEXT",
    "DOCUMENTATION_URL",
    "DUCKDB_FILE_DIRECTORIES",
    "ENABLE_CORS",
    "ENABLE_PROXY_FIX",
    "ENABLE_UI_THEME_ADMINISTRATION",
    "ENVIRONMENT_TAG_CONFIG",
    "EXCEL_EXTENSIONS",
    "EXCLUDE_USERS_FROM_LISTS",
    "EXPLORE_FORM_DATA_CACHE_CONFIG",
    "EXTRA_CATEGORICAL_COLOR_SCHEMES",
    "EXTRA_SEQUENTIAL_COLOR_SCHEMES",
    "FAB_ADD_SECURITY_VIEWS",
    "FAB_API_MAX_PAGE_SIZE",
    "FAB_PASSWORD_COMPLEXITY_ENABLED",
    "FAB_SAFE_REDIRECT_HOSTS",
    "FAVICONS",
    "FEATURE_FLAGS",
    "FILTER_SELECT_ROW_LIMIT",
    "FILTER_STATE_CACHE_CONFIG",
    "GLOBAL_ASYNC_QUERIES_POLLING_DELAY",
    "GLOBAL_ASYNC_QUERIES_TRANSPORT",
    "GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL",
    "GUEST_ROLE_NAME",
    "GUEST_TOKEN_HEADER_NAME",
    "GUEST_TOKEN_JWT_AUDIENCE",
    "GUEST_TOKEN_JWT_EXP_SECONDS",
    "GUEST_TOKEN_JWT_SECRET",
    "HTML_SANITIZATION",
    "HTML_SANITIZATION_SCHEMA_EXTENSIONS",
    "HTTP_HEADERS",
    "JWT_ACCESS_CSRF_COOKIE_NAME",
    "JWT_ACCESS_TOKEN_EXPIRES",
    "JWT_REFRESH_TOKEN_EXPIRES",
    "JWT_SECRET_KEY",
    "LANGUAGES",
    "LOGOUT_REDIRECT_URL",
    "LOGO_RIGHT_TEXT",
    "LOGO_TARGET_PATH",
    "LOGO_TOOLTIP",
    "MAPBOX_API_KEY",
    "MAX_RESULT_MB",
    "MAX_UPLOAD_MB",
    "NATIVE_FILTER_DEFAULT_ROW_LIMIT",
    "OAUTH_PROVIDERS",
    "OUTBOUND_PRIVATE_HOSTS",
    "OVERRIDE_HTTP_HEADERS",
    "PERMANENT_SESSION_LIFETIME",
    "PERMISSION_INSTRUCTIONS_LINK",
    "PREFERRED_DATABASES",
    "PREVENT_UNSAFE_DB_CONNECTIONS",
    "PREVENT_UNSAFE_DEFAULT_URLS_ON_DATASET",
    "PROXY_FIX_CONFIG",
    "PUBLIC_ROLE_LIKE",
    "RATELIMIT_APPLICATION",
    "RATELIMIT_ENABLED",
    "RECAPTCHA_PUBLIC_KEY",
    "REFRESH_TIMEOUT_ON_RETRIEVAL",
    "REPORT_MINIMUM_INTERVAL",
    "RESULTS_BACKEND",
    "ROW_LIMIT",
    "SAMPLES_ROW_LIMIT",
    "SCHEDULED_QUERIES",
    "SECRET_KEY",
    "SEND_FILE_MAX_AGE_DEFAULT",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "SESSION_PROTECTION",
    "SESSION_REVOKE_ON_LOGOUT",
    "SLACK_API_TOKEN",
    "SQLALCHEMY_DATABASE_URI",
    "SQLLAB_ASYNC_TIME_LIMIT_SEC",
    "SQLLAB_CTAS_NO_LIMIT",
    "SQLLAB_DEFAULT_DBID",
    "SQLLAB_LIMIT_OF_DROPDOWN_ONLY",
    "SQLLAB_PAYLOAD_MAX_MB",
    "SQLLAB_QUERY_COST_ESTIMATE_TIMEOUT",
    "SQLLAB_QUERY_RESULT_TIMEOUT",
    "SQLLAB_SAVE_WARNING_MESSAGE",
    "SQLLAB_TIMEOUT",
    "SQL_MAX_ROW",
    "SQL_VALIDATORS_BY_ENGINE",
    "SSH_TUNNEL_TIMEOUT_SEC",
    "STATIC_ASSETS_PREFIX",
    "STORE_CACHE_KEYS_IN_METADATA_DB",
    "SUPERSET_CLIENT_RETRY_ATTEMPTS",
    "SUPERSET_CLIENT_RETRY_BACKOFF_MULTIPLIER",
    "SUPERSET_CLIENT_RETRY_DELAY",
    "SUPERSET_CLIENT_RETRY_JITTER_MAX",
    "SUPERSET_CLIENT_RETRY_MAX_DELAY",
    "SUPERSET_CLIENT_RETRY_STATUS_CODES",
    "SUPERSET_DASHBOARD_PERIODICAL_REFRESH_LIMIT",
    "SUPERSET_DASHBOARD_PERIODICAL_REFRESH_WARNING_MESSAGE",
    "SUPERSET_DASHBOARD_POSITION_DATA_LIMIT",
    "SUPERSET_LOG_VIEW",
    "SUPERSET_SECURITY_VIEW_MENU",
    "SUPERSET_WEBSERVER_DOMAINS",
    "SUPERSET_WEBSERVER_TIMEOUT",
    "SYNC_DB_PERMISSIONS_IN_ASYNC_MODE",
    "TABLE_VIZ_MAX_ROW_SERVER",
    "TALISMAN_CONFIG",
    "TALISMAN_DEV_CONFIG",
    "TALISMAN_ENABLED",
    "TEST_DATABASE_CONNECTION_TIMEOUT",
    "THEME_DARK",
    "THEME_DEFAULT",
    "VERSION_SHA",
    "VERSION_STRING",
    "VIZ_TYPE_DENYLIST",
    "WEBDRIVER_BASEURL",
    "WELCOME_PAGE_LAST_TAB",
    "WTF_CSRF_ENABLED",
    "WTF_CSRF_SECRET_KEY",
    "WTF_CSRF_SSL_STRICT",
    "WTF_CSRF_TIME_LIMIT",
    "ZIPPED_FILE_MAX_SIZE",
    "ZIP_FILE_MAX_COMPRESS_RATIO",
];

/// True when the key changes what liteset does.
pub fn is(key: &str) -> bool {
    HONOURED.binary_search(&key).is_ok()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::{super::Config, HONOURED};

    /// Names of defaults that stand in the source with another meaning.
    const OTHERS: &[&str] = &["AUTH_DB", "INTERVAL"];

    fn quoted_names(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
            if entry.is_dir() && name != "tests" {
                quoted_names(&entry, found);
            } else if name.ends_with(".rs") && name != "honoured.rs" && name != "tests.rs" {
                let text = fs::read_to_string(&entry).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                let capital = |t: &&str| t.starts_with(|c: char| c.is_ascii_uppercase());
                let word =
                    |t: &&str| t.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
                found.extend(code.split('"').filter(capital).filter(word).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_key_that_the_source_names_and_no_other() {
        assert!(HONOURED.is_sorted(), "the list is searched by halving");
        let mut found = BTreeSet::new();
        quoted_names(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), &mut found);
        let idle: Vec<_> = HONOURED.iter().filter(|k| !found.contains(**k)).collect();
        assert!(idle.is_empty(), "listed in config/honoured.rs but not in the source: {idle:?}");
        let defaults = Config::defaults();
        let unlisted: Vec<_> = found
            .iter()
            .filter(|k| {
                defaults.contains_key(*k) && !HONOURED.contains(&k.as_str()) && !OTHERS.contains(&k.as_str())
            })
            .collect();
        assert!(unlisted.is_empty(), "add to config/honoured.rs: {unlisted:?}");
    }
}
