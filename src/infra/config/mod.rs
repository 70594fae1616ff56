//! Configuration: defaults < file < environment < flags.
//!
//! Keys are Superset's own (`superset.config`). A value is kept as JSON: sets are arrays, a `timedelta` is its
//! number of seconds, a callable that we do not have is null.

pub mod app_root;
mod checks;
mod cors;
pub mod engine_options;
mod exports;
mod honoured;
mod idle;
mod keys;
mod load;
pub mod python;
mod secrets;
pub mod sign_in;
mod talisman;
pub mod tls;
mod types;

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use serde_json::Value;

pub use cors::{Allowed, Cors};
pub use honoured::HONOURED;
pub use load::{ConfigError, Loaded, Sources, load};
pub use talisman::Talisman;

/// The configuration that is in force.
#[derive(Debug, Clone, Default)]
pub struct Config {
    values: IndexMap<String, Value>,
    flags: IndexMap<String, bool>,
    functions: HashMap<String, python::Function>,
    origins: HashMap<String, String>,
    addons: Option<Arc<Addons>>,
}

/// `JINJA_CONTEXT_ADDONS`.
#[derive(Debug, Default)]
pub struct Addons {
    /// Its functions by their names.
    pub functions: Vec<(&'static str, python::Function)>,
    /// What is no function.
    pub values: serde_json::Map<String, Value>,
}

/// Superset's own defaults (`superset.config`), without any secret and without what only Python can hold. One differs:
/// pages may not load the counter of visits that the frontend has in it from its makers (`img-src`).
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
        Self { values, flags, ..Self::default() }
    }
    /// A value by its Superset key; null when it is neither set nor has a default.
    pub fn get(&self, key: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.values.get(key).unwrap_or(&NULL)
    }
    /// Keys whose values are others in another configuration, in order.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let keys = self.values.keys().chain(other.values.keys());
        let mut differing: Vec<String> =
            keys.filter(|key| self.get(key) != other.get(key)).cloned().collect();
        differing.sort_unstable();
        differing.dedup();
        differing
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
        let own = self.flags.get(name).copied();
        if let Some(function) = self.function("IS_FEATURE_ENABLED_FUNC") {
            // of a flag that there is, as in the original
            return own.is_some_and(|own| self.asked(function, name, own));
        }
        if self.function("GET_FEATURE_FLAGS_FUNC").is_some() {
            return self.flags().get(name).copied().unwrap_or_default();
        }
        own.unwrap_or_default()
    }

    /// What a function says of one flag; what the file says when it fails.
    fn asked(&self, function: &python::Function, name: &str, own: bool) -> bool {
        let given = vec![python::Input::Data(name.into()), python::Input::Data(own.into())];
        match function.call(given, Vec::new(), &python::Caller::default()) {
            Ok(answer) => crate::json::truthy(&answer),
            // the log has the reason; the flag is that of FEATURE_FLAGS
            Err(_) => own,
        }
    }
    /// The function that a key is; see [`python::Function`].
    pub fn function(&self, key: &str) -> Option<&python::Function> {
        self.functions.get(key).filter(|_| !self.accepts(key))
    }
    /// What methods of a `CUSTOM_SECURITY_MANAGER` see of the object that they belong to.
    pub fn security_manager(&self) -> python::manager::Manager {
        const SETTINGS: &[&str] = &[
            "AUTH_ROLES_MAPPING",
            "AUTH_ROLES_SYNC_AT_LOGIN",
            "AUTH_ROLE_ADMIN",
            "AUTH_ROLE_PUBLIC",
            "AUTH_TYPE",
            "AUTH_USERNAME_CI",
            "AUTH_USER_REGISTRATION",
            "AUTH_USER_REGISTRATION_ROLE",
        ];
        let providers = sign_in::provider::providers(self).unwrap_or_default();
        python::manager::Manager {
            providers: providers.into_iter().map(|provider| provider.name).collect(),
            settings: SETTINGS.iter().map(|key| (key.to_lowercase(), self.get(key).clone())).collect(),
        }
    }
    /// `JINJA_CONTEXT_ADDONS`, unless it is empty.
    pub fn addons(&self) -> Option<&Addons> {
        self.addons.as_deref()
    }
    fn read_addons(&self) -> Option<Arc<Addons>> {
        const KEY: &str = "JINJA_CONTEXT_ADDONS";
        let mut values = self.get(KEY).as_object().filter(|map| !map.is_empty())?.clone();
        let mut functions = Vec::new();
        if let Some(function) = self.function(KEY) {
            for name in function.names() {
                values.shift_remove(&name);
                // as long as the process
                functions.extend(function.item(&name).map(|f| (&*name.leak(), f)));
            }
        }
        Some(Arc::new(Addons { functions, values }))
    }
    /// Where a value comes from: a place in a file, a variable of the environment, the defaults.
    pub fn origin(&self, key: &str) -> &str {
        self.origins.get(key).map_or("the defaults of Superset 6.0.0", String::as_str)
    }
    /// What becomes of a key, in a sentence.
    pub fn meaning(key: &str) -> String {
        match keys::effect(key) {
            keys::Effect::Honoured => "honoured".to_owned(),
            keys::Effect::Stops(what) => format!("stops the start when it is set: {what}"),
            keys::Effect::Idle => match idle::why(key) {
                Some(why) => format!("without effect: {why}"),
                None if Self::defaults().contains_key(key) || keys::is_of_a_library(key) => {
                    "without effect in liteset".to_owned()
                }
                None => "not a key of Superset 6.0.0 or liteset".to_owned(),
            },
        }
    }
    /// The operator accepts that a key has no effect (`LITESET_ACCEPT_IGNORED`).
    pub fn accepts(&self, key: &str) -> bool {
        checks::accepted(&self.values).contains(key)
    }
    /// Which other sites may read answers; none when switched off, or when the options make no sense, which stops
    /// the start.
    pub fn cors(&self) -> Option<Cors> {
        self.bool("ENABLE_CORS").then(|| Cors::read(&self.values).unwrap_or_default())
    }
    /// Security headers and HTTPS; `flask_talisman`'s own when the options make no sense, which stops the start.
    pub fn talisman(&self) -> Option<Talisman> {
        Talisman::read(&self.values).unwrap_or_else(|_| Some(Talisman::default()))
    }
    /// How connections are encrypted; none where a proxy does it. What makes no sense stops the start.
    pub fn tls(&self) -> Option<tls::Tls> {
        tls::Tls::read(&self.values).unwrap_or_default()
    }
    /// All feature flags.
    pub fn flags(&self) -> IndexMap<String, bool> {
        if let Some(function) = self.function("GET_FEATURE_FLAGS_FUNC") {
            let given = vec![python::Input::Data(serde_json::json!(self.flags))];
            match function.call(given, Vec::new(), &python::Caller::default()) {
                Ok(Value::Object(flags)) => {
                    return flags.into_iter().map(|(k, v)| (k, crate::json::truthy(&v))).collect();
                }
                Ok(_) => {
                    tracing::error!("GET_FEATURE_FLAGS_FUNC did not return a dictionary: FEATURE_FLAGS count")
                }
                Err(error) => {
                    tracing::error!(%error, "a function of the configuration failed: FEATURE_FLAGS count");
                }
            }
        } else if let Some(function) = self.function("IS_FEATURE_ENABLED_FUNC") {
            return self.flags.iter().map(|(k, own)| (k.clone(), self.asked(function, k, *own))).collect();
        }
        self.flags.clone()
    }
}

#[cfg(test)]
mod tests;
