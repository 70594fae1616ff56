//! The keys that change what liteset does.
//!
//! Only for these is a value that cannot be read without Python fatal. A test of the root package compares the
//! list with the keys that the source asks for.

/// Keys that liteset honours, sorted.
pub const HONOURED: &[&str] = &[
    "APPLICATION_ROOT",
    "APP_NAME",
    "AUTH_RATE_LIMIT",
    "AUTH_RATE_LIMITED",
    "AUTH_ROLE_ADMIN",
    "AUTH_ROLE_PUBLIC",
    "AUTH_USERNAME_CI",
    "CORS_OPTIONS",
    "DATA_DIR",
    "DEBUG",
    "DEFAULT_FEATURE_FLAGS",
    "DEFAULT_HTTP_HEADERS",
    "ENABLE_CORS",
    "ENABLE_PROXY_FIX",
    "FAB_PASSWORD_COMPLEXITY_ENABLED",
    "FAB_SAFE_REDIRECT_HOSTS",
    "FEATURE_FLAGS",
    "GUEST_ROLE_NAME",
    "GUEST_TOKEN_HEADER_NAME",
    "GUEST_TOKEN_JWT_AUDIENCE",
    "GUEST_TOKEN_JWT_EXP_SECONDS",
    "GUEST_TOKEN_JWT_SECRET",
    "HTTP_HEADERS",
    "JWT_ACCESS_TOKEN_EXPIRES",
    "JWT_REFRESH_TOKEN_EXPIRES",
    "JWT_SECRET_KEY",
    "LOGOUT_REDIRECT_URL",
    "OVERRIDE_HTTP_HEADERS",
    "PERMANENT_SESSION_LIFETIME",
    "PROXY_FIX_CONFIG",
    "RATELIMIT_APPLICATION",
    "RATELIMIT_ENABLED",
    "ROW_LIMIT",
    "SECRET_KEY",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "SESSION_PROTECTION",
    "SQLALCHEMY_DATABASE_URI",
    "SQL_MAX_ROW",
    "TALISMAN_CONFIG",
    "TALISMAN_DEV_CONFIG",
    "TALISMAN_ENABLED",
    "WEBDRIVER_BASEURL",
    "WTF_CSRF_ENABLED",
    "WTF_CSRF_SECRET_KEY",
    "WTF_CSRF_SSL_STRICT",
    "WTF_CSRF_TIME_LIMIT",
];

/// True when the key changes what liteset does.
pub fn is(key: &str) -> bool {
    HONOURED.binary_search(&key).is_ok()
}
