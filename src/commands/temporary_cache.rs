//! Values that pages put away for a while: filter states and form data in the metadata database
//! (`superset.extensions.metastore_cache`, `superset.temporary_cache`).

use chrono::TimeDelta;
use daos::key_value::{self, NewEntry};
use infra::{Result, clock, crypto::random, json};
use md5::{Digest, Md5};
use serde_json::Value;
use uuid::Uuid;

use crate::{Services, access::Principal};

const RESOURCE: &str = "superset_metastore_cache";

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
    fn uuid(self, key: &str) -> Uuid {
        Uuid::new_v3(&namespace(self.config_key()), key.as_bytes())
    }
    fn refreshes(self, app: &Services) -> bool {
        let config = app.config.get(self.config_key());
        config.get("REFRESH_TIMEOUT_ON_RETRIEVAL").and_then(Value::as_bool).unwrap_or_default()
    }

    /// A value that is still alive.
    pub async fn get(self, app: &Services, key: &str) -> Result<Option<Value>> {
        let entry = key_value::find(app.db.exec(), RESOURCE, self.uuid(key)).await?;
        let entry = entry.filter(|e| e.alive(clock::now()));
        Ok(entry.and_then(|e| serde_json::from_slice(&e.value).ok()))
    }
    /// The same; reading prolongs its life.
    pub async fn get_and_refresh(self, app: &Services, user: &Principal, key: &str) -> Result<Option<Value>> {
        let value = self.get(app, key).await?;
        if let Some(value) = &value
            && self.refreshes(app)
        {
            self.set(app, user, key, value).await?;
        }
        Ok(value)
    }
    /// Stores a value for the configured time.
    pub async fn set(self, app: &Services, user: &Principal, key: &str, value: &Value) -> Result<()> {
        let seconds = app.config.get(self.config_key()).get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64);
        let now = clock::now();
        let tx = app.db.begin().await?;
        let entry = NewEntry {
            resource: RESOURCE,
            uuid: self.uuid(key),
            value: json::dumps(value).into_bytes(),
            user_id: user.user_id(),
            now,
            expires_on: seconds.filter(|s| *s > 0).map(|s| now + TimeDelta::seconds(s)),
        };
        key_value::upsert(tx.exec(), entry).await?;
        Ok(tx.commit().await?)
    }
    /// Forgets a value; false when there was none.
    pub async fn delete(self, app: &Services, key: &str) -> Result<bool> {
        Ok(key_value::delete(app.db.exec(), RESOURCE, self.uuid(key)).await?)
    }
    /// The key under which a browser tab keeps its value, so that it is overwritten and not multiplied; a new one
    /// without a tab or for a new tab. It is remembered under `contextual`.
    pub async fn key_of_tab(
        self,
        app: &Services,
        user: &Principal,
        contextual: &str,
        tab: Option<&str>,
    ) -> Result<String> {
        let known = match tab.filter(|t| !t.is_empty()) {
            Some(_) => self.get(app, contextual).await?.and_then(|v| v.as_str().map(str::to_owned)),
            None => None,
        };
        if let Some(key) = known {
            return Ok(key);
        }
        let key = random::url_safe::<8>();
        self.set(app, user, contextual, &Value::String(key.clone())).await?;
        Ok(key)
    }
}

/// `UUID(md5(seed))`: the namespace of keys.
pub fn namespace(seed: &str) -> Uuid {
    Uuid::from_bytes(Md5::digest(seed.as_bytes()).into())
}

/// Parts joined by semicolons, as Python prints them.
pub fn contextual_key(parts: &[Option<String>]) -> String {
    parts.iter().map(|p| p.as_deref().unwrap_or("None")).collect::<Vec<_>>().join(";")
}
