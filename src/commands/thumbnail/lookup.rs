//! Looking a thumbnail up, and having it taken.

use std::sync::Arc;

use infra::{Result, clock};

use super::work;
use crate::{
    Services,
    state::{
        jobs::JobKind,
        thumbnails::{Payload, Status, Task, ThumbnailRequest},
    },
};

/// What is known of a thumbnail.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Key in the cache.
    pub key: String,
    /// What was known before.
    pub payload: Payload,
    /// The picture is being taken (anew).
    pub triggered: bool,
}

/// Looks a picture up, and has it taken if there is none; `job` is how that is counted.
pub async fn look_up(
    app: &Arc<Services>,
    request: ThumbnailRequest,
    force: bool,
    job: JobKind,
) -> Result<Lookup> {
    let key = request.key();
    let cache = &app.thumbnails.cache;
    let payload = cache.get(&key).await.unwrap_or_else(|| Payload::new(Status::Pending));
    let ttl = app.config.int("THUMBNAIL_ERROR_CACHE_TTL").unwrap_or(86_400);
    let triggered = payload.is_wanted(force, ttl, clock::now());
    // without a cache it would be taken for nobody
    if triggered && cache.is_enabled() && app.thumbnails.queue.takes(&key, force) {
        // a cache that takes nothing now says so when the picture is there
        let _ = cache.put(&key, Payload::new(Status::Pending)).await;
        work::add(app, Task { key: key.clone(), request, job });
    }
    Ok(Lookup { key, payload, triggered })
}

/// The picture of a key, if there is one.
pub async fn image(app: &Services, key: &str) -> Option<Vec<u8>> {
    app.thumbnails.cache.get(key).await?.image
}
