//! What the frontend gets with its page (`superset.views.base`: `common_bootstrap_payload`, `bootstrap_user_data`).

mod conf;
mod menu;
mod theme;
mod user;
mod written;

use daos::system_themes::SystemThemes;
use infra::Result;
use serde_json::{Map, Value, json};

pub use menu::menu;
pub use user::{user, user_text};
pub use written::common_text;

use crate::{Caller, Principal, state::functions};

/// The language of a page: a locale such as `pt_BR` and the catalogue of its sentences.
pub struct Language<'a> {
    /// Locale of the session.
    pub locale: &'a str,
    /// Translates a sentence; returns it unchanged when the catalogue does not have it.
    pub translate: &'a (dyn Fn(&str) -> String + Sync),
}

impl Language<'_> {
    /// The language without its country: what the frontend asks a language pack for.
    pub fn code(&self) -> &str {
        self.locale.split('_').next().unwrap_or(self.locale)
    }
}

/// The key `common` of the bootstrap data; `flashes` are shown once and then forgotten by the caller.
fn common(caller: &Caller, language: &Language<'_>, themes: &SystemThemes, flashes: Value) -> Result<Value> {
    let config = &caller.app.config;
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
    let script_root = &caller.user.script_root;
    let told =
        [("application_root", "APPLICATION_ROOT", "/"), ("static_assets_prefix", "STATIC_ASSETS_PREFIX", "")];
    for (name, key, default) in told {
        // who is behind a proxy that names its path is told that path, unless the configuration names another
        let is_named = script_root.is_empty() || config.get(key) != default;
        put(name, if is_named { config.get(key).clone() } else { script_root.as_str().into() });
    }
    put("conf", conf::frontend_conf(config));
    put("locale", language.code().into());
    put("d3_format", config.get("D3_FORMAT").clone());
    put("d3_time_format", config.get("D3_TIME_FORMAT").clone());
    put("currencies", config.get("CURRENCIES").clone());
    put("deckgl_tiles", config.get("DECKGL_BASE_MAP").clone());
    put("feature_flags", json!(config.flags()));
    put("extra_sequential_color_schemes", config.get("EXTRA_SEQUENTIAL_COLOR_SCHEMES").clone());
    put("extra_categorical_color_schemes", config.get("EXTRA_CATEGORICAL_COLOR_SCHEMES").clone());
    put("menu_data", menu::menu_data(config, &caller.user, language));
    put("theme", theme::theme(&caller.app, themes));
    put("flash_messages", flashes);
    let overrides = functions::bootstrap_overrides(caller, &data)?;
    data.extend(overrides);
    Ok(Value::Object(data))
}

/// What the frontend puts before paths: `APPLICATION_ROOT`, else what the caller's proxy says.
fn application_root<'a>(config: &'a infra::config::Config, user: &'a Principal) -> &'a str {
    let root = config.application_root();
    if root.is_empty() { &user.script_root } else { root }
}

/// What addresses of static files begin with: `STATIC_ASSETS_PREFIX`, else what the caller's proxy says.
pub fn static_prefix<'a>(config: &'a infra::config::Config, script_root: &'a str) -> &'a str {
    let prefix = config.str("STATIC_ASSETS_PREFIX");
    if prefix.is_empty() { script_root } else { prefix }
}
