//! Values that pages put away for a while: filter states and form data (`superset.temporary_cache`).

use std::sync::Arc;

use infra::{Error, Result, crypto::random};
use serde_json::Value;

use crate::{Caller, Services};

pub use crate::state::metastore_cache::namespace;

/// Seconds that values live where the configuration says nothing (`CACHE_DEFAULT_TIMEOUT`).
const DEFAULT_TIMEOUT: i64 = 86_400;

/// Bytes of a value that is put away.
const MAX_VALUE: usize = 1 << 20;

/// Which cache: the text is the key of its configuration and the prefix of its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// States of dashboard filters.
    FilterState,
    /// Form data of the chart builder.
    FormData,
}

impl Cache {
    fn config_key(self) -> &'static str {
        match self {
            Self::FilterState => "FILTER_STATE_CACHE_CONFIG",
            Self::FormData => "EXPLORE_FORM_DATA_CACHE_CONFIG",
        }
    }
    fn values(self, app: &Services) -> &infra::cache::Cache<Value> {
        match self {
            Self::FilterState => &app.filter_states,
            Self::FormData => &app.explore_form_data,
        }
    }
    fn refreshes(self, app: &Services) -> bool {
        let config = app.config.get(self.config_key());
        config.get("REFRESH_TIMEOUT_ON_RETRIEVAL").and_then(Value::as_bool).unwrap_or_default()
    }
    fn seconds(self, app: &Services) -> i64 {
        let own = app.config.get(self.config_key()).get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64);
        own.or_else(|| app.config.int("CACHE_DEFAULT_TIMEOUT")).unwrap_or(DEFAULT_TIMEOUT)
    }

    /// A value that is still alive.
    pub async fn get(self, app: &Services, key: &str) -> Result<Option<Value>> {
        Ok(self.values(app).try_get(key).await?.map(Arc::unwrap_or_clone))
    }
    /// The same; reading prolongs its life.
    pub async fn get_and_refresh(self, caller: &Caller, key: &str) -> Result<Option<Value>> {
        let value = self.get(&caller.app, key).await?;
        if let Some(value) = &value
            && self.refreshes(&caller.app)
        {
            self.set(caller, key, value).await?;
        }
        Ok(value)
    }
    /// Stores a value for the configured time.
    pub async fn set(self, caller: &Caller, key: &str, value: &Value) -> Result<()> {
        let bytes = size_of(value)?;
        let value = Arc::new(value.clone());
        self.values(&caller.app)
            .try_insert(key.to_owned(), value, bytes, self.seconds(&caller.app).max(0), caller.user.user_id())
            .await
    }
    /// Forgets a value; false when there was none.
    pub async fn delete(self, app: &Services, key: &str) -> Result<bool> {
        self.values(app).remove(key).await
    }
    /// The key under which a browser tab keeps its value, so that it is overwritten and not multiplied; a new one
    /// without a tab or for a new tab. It is remembered under `contextual`.
    pub async fn key_of_tab(self, caller: &Caller, contextual: &str, tab: Option<&str>) -> Result<String> {
        let known = match tab.filter(|t| !t.is_empty()) {
            Some(_) => self.get(&caller.app, contextual).await?.and_then(|v| v.as_str().map(str::to_owned)),
            None => None,
        };
        if let Some(key) = known {
            return Ok(key);
        }
        let key = random::url_safe::<8>();
        self.set(caller, contextual, &Value::String(key.clone())).await?;
        Ok(key)
    }
}

/// Bytes of a value, which must not be too many: Superset takes any number.
pub(crate) fn size_of(value: &Value) -> Result<usize> {
    let bytes = value.to_string().len();
    if bytes > MAX_VALUE {
        return Err(Error::message(413, format!("The value is larger than {} MB", MAX_VALUE >> 20)));
    }
    Ok(bytes)
}

/// Parts joined by semicolons, as Python prints them.
pub fn contextual_key(parts: &[Option<String>]) -> String {
    parts.iter().map(|p| p.as_deref().unwrap_or("None")).collect::<Vec<_>>().join(";")
}
