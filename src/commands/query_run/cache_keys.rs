//! Which cached results belong to which dataset (`superset.models.cache:CacheKey`, `superset.cachekeys.api`).

use daos::{cache_key, database, dataset};
use infra::{Result, clock};

use crate::Services;

/// Remembers a result that was put into the cache, where `STORE_CACHE_KEYS_IN_METADATA_DB` says so. Its failure is no
/// reason to withhold the result.
pub async fn remember(app: &Services, key: &str, timeout: i64, uid: &str) {
    if !app.data_cache.is_enabled() || !app.config.bool("STORE_CACHE_KEYS_IN_METADATA_DB") {
        return;
    }
    if let Err(error) = cache_key::insert(app.db.exec(), key, timeout, uid, clock::now()).await {
        tracing::warn!(%error, "a cache key was not remembered");
    }
}

/// Forgets the results of datasets: out of the caches and out of the list.
pub async fn invalidate(app: &Services, uids: &[String]) -> Result<()> {
    let keys = cache_key::of_datasources(app.db.exec(), uids).await?;
    for key in &keys {
        app.data_cache.remove(key).await?;
        app.cache.remove(key).await?;
    }
    Ok(cache_key::delete(app.db.exec(), uids).await?)
}

/// `<id>__table` of a dataset by its names.
pub async fn uid_of_dataset(
    app: &Services,
    database: &str,
    table: &str,
    schema: Option<&str>,
) -> Result<Option<String>> {
    let db = app.db.exec();
    let Some(database) = database::find_by_name(db, database).await? else { return Ok(None) };
    let found = dataset::find_by_name(db, database.id, table, schema, None).await?;
    Ok(found.first().map(|dataset| format!("{}__table", dataset.id)))
}
