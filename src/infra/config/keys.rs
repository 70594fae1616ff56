//! What becomes of the keys that liteset does not honour.
//!
//! One table: a key is honoured (`honoured.rs`); or leaving it out would let somebody see or do what the operator
//! forbade, or leave no trace where they wanted one, and then the start stops; or it has no effect, and one line says
//! so.

use super::honoured;

/// What a key does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes what liteset does.
    Honoured,
    /// Leaving it out changes who may see what: what would be missing.
    Stops(&'static str),
    /// None.
    Idle,
}

/// What a key does here.
pub fn effect(key: &str) -> Effect {
    if honoured::is(key) {
        return Effect::Honoured;
    }
    let found = STOPS.binary_search_by_key(&key, |(name, _)| name);
    found.ok().and_then(|at| STOPS.get(at)).map_or(Effect::Idle, |(_, what)| Effect::Stops(what))
}

/// Names of keys that are not among the defaults.
pub fn names() -> impl Iterator<Item = &'static str> {
    STOPS.iter().map(|(name, _)| *name).chain(LIBRARIES.iter().copied())
}

/// Superset or one of its libraries has a key of this name, although not among the defaults.
pub fn is_of_a_library(key: &str) -> bool {
    LIBRARIES.binary_search(&key).is_ok() || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// What to do instead of what some keys do.
pub fn instead(key: &str) -> Option<&'static str> {
    Some(match key {
        "ADDITIONAL_MIDDLEWARE" => {
            "let the proxy in front do it, or ENABLE_PROXY_FIX, TALISMAN_CONFIG, CORS_OPTIONS"
        }
        "BLUEPRINTS" => "serve its pages beside liteset and let the proxy choose by path",
        "FAB_SECURITY_MANAGER_CLASS" => {
            "rules of access are roles and row-level security; signing in is AUTH_TYPE with its keys, or \
             CUSTOM_SECURITY_MANAGER"
        }
        "EVENT_LOGGER" => {
            "events are in the table `logs`, and in the log with LITESET_LOG=liteset::access=info"
        }
        "EXTRA_DYNAMIC_QUERY_FILTERS" | "EXTRA_RELATED_QUERY_FILTERS" => {
            "lists show what roles give access to; EXCLUDE_USERS_FROM_LISTS takes people out of them"
        }
        "FAB_ROLES" => "make the roles in the page or with `liteset import`",
        "FLASK_APP_MUTATOR" => "headers and redirects: TALISMAN_CONFIG, CORS_OPTIONS or the proxy in front",
        "QUERY_LOGGER" => "LITESET_LOG=info,liteset::sql=debug logs every statement",
        "SESSION_SERVER_SIDE" => "SESSION_REVOKE_ON_LOGOUT makes copied cookies worthless after the log-out",
        _ => return None,
    })
}

/// Keys that stop the start unless `LITESET_ACCEPT_IGNORED` names them, and what would be missing; sorted.
const STOPS: &[(&str, &str)] = &[
    ("ADDITIONAL_MIDDLEWARE", "requests would not pass through it"),
    ("BLUEPRINTS", "their pages and their checks before a request would not be there"),
    ("ENGINE_CONTEXT_MANAGER", "queries would run without what it sets up around them"),
    ("EVENT_LOGGER", "events would be written to the table `logs`, not to it"),
    ("EXTRA_DYNAMIC_QUERY_FILTERS", "lists would not be narrowed by it"),
    ("EXTRA_RELATED_QUERY_FILTERS", "lists of owners and roles would not be narrowed by it"),
    ("FAB_ROLES", "the roles that it defines would not be made"),
    ("FAB_ROLES_MAPPING", "roles would keep their names"),
    ("FAB_SECURITY_MANAGER_CLASS", "its rules of who may see what would not hold"),
    ("FLASK_APP_MUTATOR", "what it adds to the application, checks included, would not be there"),
    ("JWT_ALGORITHM", "tokens are signed with HS256"),
    ("JWT_DECODE_ALGORITHMS", "tokens are read with HS256 alone"),
    ("JWT_DECODE_AUDIENCE", "tokens for other audiences would be accepted"),
    ("JWT_DECODE_ISSUER", "tokens of other issuers would be accepted"),
    ("JWT_ENCODE_AUDIENCE", "tokens would not name it"),
    ("JWT_ENCODE_ISSUER", "tokens would not name it"),
    ("JWT_IDENTITY_CLAIM", "the user is read from the claim `sub`"),
    ("JWT_PRIVATE_KEY", "tokens are signed with JWT_SECRET_KEY or SECRET_KEY"),
    ("JWT_PUBLIC_KEY", "tokens are checked with JWT_SECRET_KEY or SECRET_KEY"),
    ("JWT_TOKEN_LOCATION", "tokens are read from the header alone"),
    ("QUERY_LOGGER", "queries would not be reported to it"),
    ("SESSION_SERVER_SIDE", "sessions would be signed cookies, which are not shared with Superset's store"),
    ("SQLALCHEMY_CUSTOM_PASSWORD_STORE", "passwords of databases would be read from the metadata database"),
    ("SQLALCHEMY_ENCRYPTED_FIELD_TYPE_ADAPTER", "stored passwords are read and written as AES in CBC mode"),
];

/// Beginnings of names of keys of libraries.
const PREFIXES: &[&str] = &[
    "AUTH_LDAP_",
    "AUTH_REMOTE_USER_",
    "BABEL_",
    "CACHE_",
    "CELERY_",
    "COMPRESS_",
    "FAB_",
    "JWT_",
    "MAIL_",
    "RATELIMIT_",
    "RECAPTCHA_",
    "REMEMBER_COOKIE_",
    "SAML_",
    "SESSION_",
    "SQLALCHEMY_",
    "WTF_",
];

/// Names of keys of Superset and its libraries that have no default that can be written down; sorted.
const LIBRARIES: &[&str] = &[
    "ADDON_MANAGERS",
    "ALERT_REPORTS_NOTIFICATION_METHODS",
    "APP_INITIALIZER",
    "APP_THEME",
    "AUTH_HEADER_NAME",
    "AUTH_PROVIDERS",
    "BASE_DIR",
    "EVENT_LOGGER",
    "FORCE_HOST_FOR_REDIRECTS",
    "HIVE_POLL_INTERVAL",
    "IMAGE_STORE_BASE_URL",
    "IMAGE_STORE_PATH",
    "IMAGE_STORE_TYPE",
    "IMG_SIZE",
    "IMG_UPLOAD_FOLDER",
    "IMG_UPLOAD_URL",
    "LITESET_ACCEPT_IGNORED",
    "LOGGING_CONFIGURATOR",
    "LOGIN_DISABLED",
    "PACKAGE_JSON_FILE",
    "PERMANENT_SESSION_LIFETIME",
    "PROPAGATE_EXCEPTIONS",
    "SERVER_NAME",
    "TEMPLATES_AUTO_RELOAD",
    "TESTING",
    "TRAP_BAD_REQUEST_ERRORS",
    "TRAP_HTTP_EXCEPTIONS",
    "UPLOAD_FOLDER",
    "USE_SESSION_FOR_NEXT",
    "USE_X_SENDFILE",
    "VERSION_INFO_FILE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_disjoint() {
        assert!(STOPS.is_sorted() && LIBRARIES.is_sorted(), "they are searched by halving");
        let both: Vec<_> = STOPS.iter().filter(|(key, _)| honoured::is(key)).collect();
        assert!(both.is_empty(), "honoured and not honoured: {both:?}");
        assert!(matches!(effect("ADDITIONAL_MIDDLEWARE"), Effect::Stops(_)));
        assert_eq!(effect("ROW_LIMIT"), Effect::Honoured);
        assert_eq!(effect("LOGGING_CONFIGURATOR"), Effect::Idle);
    }
}
