//! What is known of providers: their discovery documents and keys, fetched when somebody signs in, not at the start,
//! and kept for a while.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::Provider;
use crate::sign_in::http::{Http, HttpError};

/// How long something is believed without asking anew.
const HOUR: Duration = Duration::from_secs(3600);

/// What is known, for all of a process.
#[derive(Debug, Default)]
pub struct Knowledge {
    kept: Mutex<HashMap<String, (Instant, Arc<Value>)>>,
    clients: Mutex<HashMap<String, Http>>,
}

impl Knowledge {
    /// Who asks a provider.
    pub fn http(&self, provider: &Provider) -> Result<Http, HttpError> {
        if let Some(http) = self.clients.lock().get(&provider.name) {
            return Ok(http.clone());
        }
        let http = Http::new(provider.authorities.clone()).map_err(HttpError::Failed)?;
        self.clients.lock().insert(provider.name.clone(), http.clone());
        Ok(http)
    }

    /// What the provider says of itself, with what the configuration says where it is silent.
    pub async fn metadata(&self, provider: &Provider) -> Result<Map<String, Value>, HttpError> {
        let mut all = provider.metadata.clone();
        if let Some(address) = &provider.metadata_url {
            let document = self.document(provider, address, false).await?;
            all.extend(document.as_object().cloned().unwrap_or_default());
            let says = all.get("issuer").and_then(Value::as_str).map(|i| i.trim_end_matches('/'));
            if provider.issuer.as_deref().is_some_and(|wanted| says != Some(wanted.trim_end_matches('/'))) {
                return Err(HttpError::Failed(format!("{address} is the document of another issuer")));
            }
        }
        Ok(all)
    }

    /// Its keys; asked for anew where `anew`. None when nobody says where they are.
    pub async fn keys(
        &self,
        provider: &Provider,
        metadata: &Map<String, Value>,
        anew: bool,
    ) -> Result<Option<Arc<Value>>, HttpError> {
        if let Some(keys) = metadata.get("jwks").filter(|keys| keys.is_object()) {
            return Ok(Some(Arc::new(keys.clone())));
        }
        match metadata.get("jwks_uri").and_then(Value::as_str) {
            Some(address) => self.document(provider, address, anew).await.map(Some),
            None => Ok(None),
        }
    }

    async fn document(
        &self,
        provider: &Provider,
        address: &str,
        anew: bool,
    ) -> Result<Arc<Value>, HttpError> {
        let key = format!("{} {address}", provider.name);
        if !anew
            && let Some((at, document)) = self.kept.lock().get(&key)
            && at.elapsed() < HOUR
        {
            return Ok(Arc::clone(document));
        }
        let answer = self.http(provider)?.get(address, None).await?;
        let status = answer.status;
        let document = answer.good_json();
        let document = document.ok_or_else(|| {
            HttpError::Failed(format!("{address} answers with status {status} and no document"))
        })?;
        let document = Arc::new(document);
        self.kept.lock().insert(key, (Instant::now(), Arc::clone(&document)));
        Ok(document)
    }
}
