//! Everything that a server needs, looked at one after the other, each with what to do where something is missing.

mod encryption;
mod metadata;
mod outside;

use std::{path::Path, sync::Arc};

use infra::config::Config;
use serde::Serialize;

use crate::Services;

pub use metadata::{reached, schema};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Not in use with this configuration.
    Off,
    /// Works, but somebody should look at it.
    Warning,
    /// Does not work.
    Failed,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is: `database`, `connection examples`.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, found: found.into(), advice: None }
    }
    /// Not in use.
    pub fn off(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { state: State::Off, ..Self::ok(name, found) }
    }
    /// Somebody should look at it.
    pub fn warning(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::ok(name, found) }
    }
    /// Does not work.
    pub fn failed(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Failed, ..Self::warning(name, found, advice) }
    }
}

/// Looks at everything that needs a metadata database; `each` hears of every check at once.
pub async fn look(app: &Arc<Services>, home: &Path, each: &mut (dyn FnMut(Check) + Send)) {
    each(metadata::secrets(app).await);
    each(metadata::people(app).await);
    metadata::connections(app, each).await;
    outside::caches(app, each).await;
    each(outside::mail(&app.config).await);
    each(outside::browser(app));
    each(metadata::clock(app).await);
    outside::disks(app, home, each);
    each(outside::proxy(&app.config));
    each(encryption::certificate(&app.config, home));
    each(metadata::embedding(app).await);
}

/// A feature flag that is on, of several.
fn any_flag(config: &Config, flags: &[&'static str]) -> Option<&'static str> {
    flags.iter().copied().find(|flag| config.flag(flag))
}
