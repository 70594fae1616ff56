//! Configuration: defaults < file < environment < flags.
//!
//! Keys are Superset's own (`superset.config`). A value is kept as JSON: sets are arrays, a `timedelta` is its
//! number of seconds, a callable that we do not have is null.

use indexmap::IndexMap;
use serde_json::Value;

/// The configuration that is in force.
#[derive(Debug, Clone, Default)]
pub struct Config {
    values: IndexMap<String, Value>,
    flags: IndexMap<String, bool>,
}

impl Config {
    /// A value by its Superset key; null when it is neither set nor has a default.
    pub fn get(&self, key: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.values.get(key).unwrap_or(&NULL)
    }
    /// A text; empty when it is not one.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_default()
    }
    /// An integer; `None` when it is not one.
    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key).as_i64()
    }
    /// A boolean; false when it is not one.
    pub fn bool(&self, key: &str) -> bool {
        self.get(key).as_bool().unwrap_or_default()
    }
    /// A feature flag (`DEFAULT_FEATURE_FLAGS` with `FEATURE_FLAGS` over it).
    pub fn flag(&self, name: &str) -> bool {
        self.flags.get(name).copied().unwrap_or_default()
    }
    /// All feature flags.
    pub fn flags(&self) -> &IndexMap<String, bool> {
        &self.flags
    }
}
