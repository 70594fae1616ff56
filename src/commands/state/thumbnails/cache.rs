//! Where pictures are kept: `THUMBNAIL_CACHE_CONFIG`, in the form in which Superset reads and writes them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use infra::{
    Result,
    cache::{
        Backend, Cache, CacheSettings,
        pickle::{self, Texts},
    },
    config::Config,
    db::Db,
    json,
};
use parking_lot::Mutex;
use serde_json::Value;

use super::{Payload, Status};
use crate::state::metastore_cache::MetastoreCache;

/// flask_caching's own, where the configuration has none.
const DEFAULT_SECONDS: i64 = 300;
/// Bytes of one entry; no cache takes much more.
const LARGEST: usize = 48 << 20;
/// How long a failure is remembered that could not be written down, and how many of them.
const UNWRITTEN: Duration = Duration::from_secs(60);
const MOST_UNWRITTEN: usize = 1_000;

/// How a dictionary is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `cachelib.redis`: a pickle behind `!`.
    Marked,
    /// A pickle.
    Pickle,
    /// `JsonKeyValueCodec`.
    Json,
}

/// The cache of pictures.
pub struct ThumbnailCache {
    kept: Cache<Bytes>,
    form: Form,
    seconds: i64,
    /// Failures of a disk that is full.
    unwritten: Mutex<HashMap<String, (Instant, Payload)>>,
}

impl ThumbnailCache {
    /// The cache of a configuration.
    pub fn from_config(config: &Config, db: &Db) -> Self {
        let settings = CacheSettings::read(config, "THUMBNAIL_CACHE_CONFIG");
        let form = match settings.backend {
            Backend::Redis(_) => Form::Marked,
            Backend::Metastore if settings.json_codec => Form::Json,
            _ => Form::Pickle,
        };
        let kept = match settings.backend {
            // pickles of this form are no programs to us: the rows are Superset's own
            Backend::Metastore => {
                let shared = CacheSettings { json_codec: true, ..settings.clone() };
                Cache::in_store(Arc::new(MetastoreCache::new(db, &shared)))
            }
            _ => Cache::shared(&settings),
        };
        let seconds = settings.default_timeout.unwrap_or(DEFAULT_SECONDS);
        Self { kept, form, seconds, unwritten: Mutex::default() }
    }

    /// Whether it keeps anything.
    pub fn is_enabled(&self) -> bool {
        self.kept.is_enabled()
    }

    /// What is known of a picture.
    pub async fn get(&self, key: &str) -> Option<Payload> {
        let failure = self.unwritten.lock().get(key).filter(|(at, _)| at.elapsed() < UNWRITTEN).cloned();
        if let Some((_, payload)) = failure {
            return Some(payload);
        }
        let bytes = self.kept.get(key).await?;
        let form = self.form;
        let read = move || Payload::from_texts(&read(form, &bytes)?);
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// Keeps it. What cannot be kept is known as failed for a while.
    pub async fn put(&self, key: &str, payload: Payload) -> Result<()> {
        let form = self.form;
        let written = tokio::task::spawn_blocking(move || write(form, &payload.to_texts())).await;
        let bytes = written.map_err(infra::Error::internal)?;
        let size = bytes.len();
        let kept = if size > LARGEST {
            Err(infra::Error::internal("it is too large"))
        } else {
            self.kept.try_insert(key.to_owned(), Arc::new(bytes.into()), size, self.seconds, None).await
        };
        let mut unwritten = self.unwritten.lock();
        match &kept {
            Ok(()) => drop(unwritten.remove(key)),
            Err(_) => {
                if unwritten.len() >= MOST_UNWRITTEN {
                    unwritten.clear();
                }
                unwritten.insert(key.to_owned(), (Instant::now(), Payload::new(Status::Error)));
            }
        }
        kept
    }
}

fn write(form: Form, texts: &Texts) -> Vec<u8> {
    match form {
        Form::Marked => [b"!".as_slice(), &pickle::dumps(texts)].concat(),
        Form::Pickle => pickle::dumps(texts),
        Form::Json => {
            let map = texts
                .iter()
                .map(|(key, value)| (key.clone(), value.clone().map_or(Value::Null, Value::String)));
            json::dumps(&Value::Object(map.collect())).into_bytes()
        }
    }
}

fn read(form: Form, bytes: &[u8]) -> Option<Texts> {
    match form {
        Form::Marked => pickle::loads(bytes.strip_prefix(b"!")?),
        Form::Pickle => pickle::loads(bytes),
        Form::Json => {
            let Value::Object(map) = serde_json::from_slice(bytes).ok()? else { return None };
            Some(map.into_iter().map(|(key, value)| (key, value.as_str().map(str::to_owned))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_as_it_was_written() {
        let payload = Payload::with_image(vec![0x89, b'P', b'N', b'G']);
        for form in [Form::Marked, Form::Pickle, Form::Json] {
            let bytes = write(form, &payload.to_texts());
            assert_eq!(Payload::from_texts(&read(form, &bytes).unwrap()), Some(payload.clone()), "{form:?}");
            assert!(read(form, b"nonsense").is_none());
        }
    }
}
