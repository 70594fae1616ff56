//! Configuration: defaults < file < environment < flags.
//!
//! Keys are Superset's own (`superset.config`). A value is kept as JSON: sets are arrays, a `timedelta` is its
//! number of seconds, a callable that we do not have is null.

mod honoured;
mod load;
pub mod python;
mod secrets;

use indexmap::IndexMap;
use serde_json::Value;

pub use honoured::HONOURED;
pub use load::{ConfigError, Loaded, Sources, load};

/// The configuration that is in force.
#[derive(Debug, Clone, Default)]
pub struct Config {
    values: IndexMap<String, Value>,
    flags: IndexMap<String, bool>,
}

/// Superset's own defaults (`superset.config`), without any secret and without what only Python can hold.
const DEFAULTS: &str = include_str!("defaults.json");

impl Config {
    /// Superset's defaults.
    pub fn defaults() -> IndexMap<String, Value> {
        // the file is part of the binary and read by a test: it cannot be malformed
        serde_json::from_str(DEFAULTS).unwrap_or_default()
    }
    /// The defaults with `overrides` over them.
    pub fn with(overrides: IndexMap<String, Value>) -> Self {
        Self::over(Self::defaults(), overrides)
    }
    fn over(mut values: IndexMap<String, Value>, overrides: IndexMap<String, Value>) -> Self {
        values.extend(overrides);
        let mut flags = IndexMap::new();
        for key in ["DEFAULT_FEATURE_FLAGS", "FEATURE_FLAGS"] {
            let set = values.get(key).and_then(Value::as_object).into_iter().flatten();
            flags.extend(set.map(|(k, v)| (k.clone(), v.as_bool().unwrap_or_default())));
        }
        Self { values, flags }
    }
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

#[cfg(test)]
mod tests;
