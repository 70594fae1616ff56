//! The keys that change what liteset does.
//!
//! Only for these is a value that cannot be read without Python fatal. A test of the root package compares the
//! list with the keys that the source asks for.

/// Keys that liteset honours, sorted.
pub const HONOURED: &[&str] = &[
    "APP_NAME",
    "DATA_DIR",
    "DEFAULT_FEATURE_FLAGS",
    "FEATURE_FLAGS",
    "GUEST_TOKEN_JWT_SECRET",
    "ROW_LIMIT",
    "SECRET_KEY",
    "SQLALCHEMY_DATABASE_URI",
    "SQL_MAX_ROW",
];

/// True when the key changes what liteset does.
pub fn is(key: &str) -> bool {
    HONOURED.binary_search(&key).is_ok()
}
