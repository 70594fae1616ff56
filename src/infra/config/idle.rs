//! Keys without effect, and why: each key of Superset's defaults is honoured, stops the start, or stands here.

const PYTHON: &str = "it concerns the inside of Superset's Python program";
const GROUPS: &str = "groups at a provider become roles here, not groups";
const LOGGING: &str = "lines are JSON; LOG_LEVEL and LITESET_LOG decide which are written";
const COMPRESSION: &str = "answers are compressed as the browser asks";
const BEARER: &str = "bearer tokens are read from the Authorization header, as they are by default";
const HIVE: &str = "no files are uploaded into Hive";
const BROWSER: &str = "pages are photographed by liteset's own browser control";
const JOBS: &str = "work in the background is liteset's own, without Celery";
const PAGES: &str = "the page is not there";
const SESSIONS: &str = "sessions and links have the form of the defaults";
const UNUSED: &str = "Superset 6.0.0 does nothing with it either";
const LINKS: &str = "addresses are those of requests, or begin with WEBDRIVER_BASEURL";
const RESULTS: &str = "results are kept in liteset's own form";
const TRACES: &str =
    "answers have no stack traces; the log has the error under the X-Request-ID of the answer";
const CERTIFICATES: &str = "certificates of databases are kept in memory, not in files";
const TUNNELS: &str = "tunnels need no port of this machine";
const STREAMS: &str = "uploads are read in pieces of liteset's own size";
const TEMPLATE: &str = "new people get no copy of a dashboard";
const METADB: &str = "liteset has no database of databases (superset://)";
const SPLIT: &str = "statements are executed one by one: SQL_QUERY_MUTATOR sees each of them once";

/// Keys and the reasons why they have no effect; sorted.
pub const IDLE: &[(&str, &str)] = &[
    ("ADDITIONAL_MODULE_DS_MAP", PYTHON),
    ("ALEMBIC_SKIP_LOG_CONFIG", PYTHON),
    ("ALLOWED_EXTRA_AUTHENTICATIONS", PYTHON),
    ("AUTH_AUTO_CREATE_GROUPS", GROUPS),
    ("AUTH_GROUPS_SYNC_AT_LOGIN", GROUPS),
    ("BABEL_DEFAULT_FOLDER", PYTHON),
    ("BABEL_TRANSLATION_DIRECTORIES", PYTHON),
    ("BASE_DIR", PYTHON),
    ("CATALOGS_SIMPLIFIED_MIGRATION", PYTHON),
    ("CELERY_BEAT_SCHEDULER_EXPIRES", JOBS),
    ("COMPRESS_ALGORITHM", COMPRESSION),
    ("COMPRESS_ALGORITHM_STREAMING", COMPRESSION),
    ("COMPRESS_BR_BLOCK", COMPRESSION),
    ("COMPRESS_BR_LEVEL", COMPRESSION),
    ("COMPRESS_BR_MODE", COMPRESSION),
    ("COMPRESS_BR_WINDOW", COMPRESSION),
    ("COMPRESS_CACHE_BACKEND", COMPRESSION),
    ("COMPRESS_CACHE_KEY", COMPRESSION),
    ("COMPRESS_DEFLATE_LEVEL", COMPRESSION),
    ("COMPRESS_EVALUATE_CONDITIONAL_REQUEST", COMPRESSION),
    ("COMPRESS_LEVEL", COMPRESSION),
    ("COMPRESS_MIMETYPES", COMPRESSION),
    ("COMPRESS_MIN_SIZE", COMPRESSION),
    ("COMPRESS_REGISTER", COMPRESSION),
    ("COMPRESS_STREAMING_ENDPOINT_CONDITIONAL", COMPRESSION),
    ("COMPRESS_STREAMS", COMPRESSION),
    ("COMPRESS_ZSTD_LEVEL", COMPRESSION),
    ("CONFIG_PATH_ENV_VAR", PYTHON),
    ("CONTENT_SECURITY_POLICY_WARNING", PYTHON),
    ("CSV_DEFAULT_NA_NAMES", UNUSED),
    ("CSV_TO_HIVE_UPLOAD_DIRECTORY", HIVE),
    ("CSV_TO_HIVE_UPLOAD_DIRECTORY_FUNC", HIVE),
    ("CSV_TO_HIVE_UPLOAD_S3_BUCKET", HIVE),
    ("CUSTOM_TEMPLATE_PROCESSORS", PYTHON),
    ("DASHBOARD_TEMPLATE_ID", TEMPLATE),
    ("DB_POLL_INTERVAL_SECONDS", JOBS),
    ("DEFAULT_DB_ID", UNUSED),
    ("DEFAULT_MODULE_DS_MAP", PYTHON),
    ("EMAIL_PAGE_RENDER_WAIT", BROWSER),
    ("ENABLE_CHUNK_ENCODING", PYTHON),
    ("FAB_ADD_SECURITY_PERMISSION_VIEW", PAGES),
    ("FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW", PAGES),
    ("FAB_ADD_SECURITY_VIEW_MENU_VIEW", PAGES),
    ("FAB_BASE_TEMPLATE", PYTHON),
    ("FAB_STATIC_FOLDER", PYTHON),
    ("FAB_STATIC_URL_PATH", PYTHON),
    ("FLASK_USE_RELOAD", PYTHON),
    ("GLOBAL_ASYNC_QUERY_MANAGER_CLASS", PYTHON),
    ("JWT_ACCESS_COOKIE_NAME", BEARER),
    ("JWT_ACCESS_COOKIE_PATH", BEARER),
    ("JWT_ACCESS_CSRF_COOKIE_PATH", BEARER),
    ("JWT_ACCESS_CSRF_FIELD_NAME", BEARER),
    ("JWT_ACCESS_CSRF_HEADER_NAME", BEARER),
    ("JWT_COOKIE_CSRF_PROTECT", BEARER),
    ("JWT_COOKIE_DOMAIN", BEARER),
    ("JWT_COOKIE_SAMESITE", BEARER),
    ("JWT_COOKIE_SECURE", BEARER),
    ("JWT_CSRF_CHECK_FORM", BEARER),
    ("JWT_CSRF_IN_COOKIES", BEARER),
    ("JWT_CSRF_METHODS", BEARER),
    ("JWT_DECODE_LEEWAY", BEARER),
    ("JWT_ENCODE_NBF", BEARER),
    ("JWT_ERROR_MESSAGE_KEY", BEARER),
    ("JWT_HEADER_NAME", BEARER),
    ("JWT_HEADER_TYPE", BEARER),
    ("JWT_JSON_KEY", BEARER),
    ("JWT_QUERY_STRING_NAME", BEARER),
    ("JWT_QUERY_STRING_VALUE_PREFIX", BEARER),
    ("JWT_REFRESH_COOKIE_NAME", BEARER),
    ("JWT_REFRESH_COOKIE_PATH", BEARER),
    ("JWT_REFRESH_CSRF_COOKIE_NAME", BEARER),
    ("JWT_REFRESH_CSRF_COOKIE_PATH", BEARER),
    ("JWT_REFRESH_CSRF_FIELD_NAME", BEARER),
    ("JWT_REFRESH_CSRF_HEADER_NAME", BEARER),
    ("JWT_REFRESH_JSON_KEY", BEARER),
    ("JWT_SESSION_COOKIE", BEARER),
    ("JWT_VERIFY_SUB", BEARER),
    ("LOGGING_CONFIGURATOR", LOGGING),
    ("LOG_FORMAT", LOGGING),
    ("MACHINE_AUTH_PROVIDER_CLASS", PYTHON),
    ("MAX_COOKIE_SIZE", SESSIONS),
    ("MUTATE_AFTER_SPLIT", SPLIT),
    ("NO_TIME_RANGE", PYTHON),
    ("PREFERRED_URL_SCHEME", LINKS),
    ("PRESTO_POLL_INTERVAL", JOBS),
    ("PROFILING", PYTHON),
    ("QUERY_SEARCH_LIMIT", UNUSED),
    ("RESULTS_BACKEND_USE_MSGPACK", RESULTS),
    ("ROBOT_PERMISSION_ROLES", UNUSED),
    ("SCREENSHOT_PLAYWRIGHT_WAIT_EVENT", BROWSER),
    ("SCREENSHOT_SELENIUM_RETRIES", BROWSER),
    ("SERVER_NAME", SESSIONS),
    ("SESSION_REFRESH_EACH_REQUEST", SESSIONS),
    ("SHOW_STACKTRACE", TRACES),
    ("SILENCE_FAB", PYTHON),
    ("SQLALCHEMY_BINDS", PYTHON),
    ("SQLALCHEMY_ECHO", LOGGING),
    ("SQLALCHEMY_RECORD_QUERIES", PYTHON),
    ("SQLALCHEMY_TRACK_MODIFICATIONS", PYTHON),
    ("SQLA_TABLE_MUTATOR", PYTHON),
    ("SQLGLOT_DIALECTS_EXTENSIONS", PYTHON),
    ("SQLLAB_SCHEDULE_WARNING_MESSAGE", UNUSED),
    ("SSH_TUNNEL_LOCAL_BIND_ADDRESS", TUNNELS),
    ("SSH_TUNNEL_MANAGER_CLASS", PYTHON),
    ("SSH_TUNNEL_PACKET_TIMEOUT_SEC", TUNNELS),
    ("SSL_CERT_PATH", CERTIFICATES),
    ("STR_NA_VALUES", UNUSED),
    ("SUPERSET_META_DB_LIMIT", METADB),
    ("THUMBNAIL_CHART_DIGEST_FUNC", PYTHON),
    ("THUMBNAIL_DASHBOARD_DIGEST_FUNC", PYTHON),
    ("TIME_GRAIN_JOIN_COLUMN_PRODUCERS", PYTHON),
    ("TROUBLESHOOTING_LINK", UNUSED),
    ("UPLOADED_CSV_HIVE_NAMESPACE", HIVE),
    ("UPLOAD_CHUNK_SIZE", STREAMS),
    ("UPLOAD_FOLDER", PYTHON),
    ("VERSION_SHA_LENGTH", PYTHON),
    ("WEBDRIVER_AUTH_FUNC", PYTHON),
    ("WTF_CSRF_META_NAME", PYTHON),
];

/// Why a key has no effect.
pub fn why(key: &str) -> Option<&'static str> {
    let at = IDLE.binary_search_by_key(&key, |(name, _)| name).ok()?;
    IDLE.get(at).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Config, honoured, keys},
        IDLE,
    };

    /// A constant of Flask-AppBuilder that the defaults name.
    const CONSTANTS: &[&str] = &["AUTH_DB"];

    #[test]
    fn the_table_of_keys_has_one_class_for_each() {
        let table = include_str!("../../../tests/golden/config_keys/groups.txt");
        let rows =
            table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        let mut seen = std::collections::BTreeSet::new();
        for (group, key) in rows {
            assert!(seen.insert(key), "{key} is there twice");
            let effect = keys::effect(key);
            let idle = super::why(key).is_some();
            assert_ne!(idle, effect != keys::Effect::Idle, "{key}: neither or twice");
            assert!(group != "A" || !idle, "{key} restricts: honoured, or the start stops");
            assert!(group != "N" || idle, "{key} means nothing here");
        }
        assert!(seen.len() > 130);
    }

    #[test]
    fn every_key_of_the_defaults_is_in_exactly_one_class() {
        assert!(IDLE.is_sorted_by_key(|(key, _)| key), "it is searched by halving");
        let wrong: Vec<String> = Config::defaults()
            .into_keys()
            .filter(|key| !CONSTANTS.contains(&key.as_str()))
            .filter_map(|key| {
                let idle = usize::from(super::why(&key).is_some());
                let other = usize::from(keys::effect(&key) != keys::Effect::Idle);
                (idle + other != 1).then_some(key)
            })
            .collect();
        assert!(wrong.is_empty(), "neither or twice: {wrong:?}");
        let twice: Vec<_> = IDLE.iter().filter(|(key, _)| honoured::is(key)).collect();
        assert!(twice.is_empty(), "honoured and without effect: {twice:?}");
    }
}
