//! Data of a dataset that come from elsewhere (`superset.commands.dataset.importers.v1.utils:load_data`).

use std::time::Duration;

use daos::{
    database::{self, Database},
    dataset, imported,
    tables::{DBS, TABLES},
};
use infra::{Error, Result, config::Config, outbound, yaml::Yaml};
use regex::Regex;
use serde_json::Value;

use super::{AssetKind, configs::Configs, failure::import_failed, rows::string_field, schema::uuid};
use crate::{
    Caller,
    connect::{engine_as, oauth2::reach},
    upload::{self, Destination, IfExists, Options},
};

/// Seconds that a download may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Bytes of a file, and of what is unpacked from it.
const MOST: u64 = 1 << 30;

/// Fails unless the configuration lets data come from an address (`DATASET_IMPORT_ALLOWED_DATA_URLS`).
pub(super) fn raise_for_url(config: &Config, url: &str) -> Result<()> {
    let patterns = config.get("DATASET_IMPORT_ALLOWED_DATA_URLS").as_array().cloned().unwrap_or_default();
    for pattern in patterns.iter().filter_map(Value::as_str) {
        let at_start = Regex::new(&format!("^(?:{pattern})")).map_err(Error::internal)?;
        if at_start.is_match(url) {
            return Ok(());
        }
    }
    Err(import_failed("Data URI is not allowed."))
}

/// Data of the files of a bundle whose databases are there already, before anything is written: an import without its
/// data fails, and no transaction waits for them.
pub(super) async fn load_first(caller: &Caller, configs: &Configs<'_>, overwrite: bool) -> Result<()> {
    let db = caller.app.db.exec();
    for file in configs.known(AssetKind::Dataset).filter(|file| file.has_data) {
        let map = configs.read(&file.name, AssetKind::Dataset)?;
        let url = string_field(&map, "data");
        if url.is_empty() || !caller.user.can_access("can_write", "Dataset") {
            continue;
        }
        let known = match uuid(string_field(&map, "uuid")) {
            Some(uuid) => imported::id_of(db, &TABLES, uuid).await?.is_some(),
            None => false,
        };
        let database = match uuid(string_field(&map, "database_uuid")) {
            Some(uuid) => imported::id_of(db, &DBS, uuid).await?,
            None => None,
        };
        let Some(id) = database.filter(|_| overwrite || !known) else { continue };
        raise_for_url(&caller.app.config, url)?;
        let Some(database) = database::find(db, id).await? else { continue };
        let children = map.get("columns").and_then(Yaml::as_list).unwrap_or_default();
        let columns = children.iter().filter_map(Yaml::as_map);
        let columns = columns
            .map(|c| (string_field(c, "column_name").to_owned(), string_field(c, "type").to_owned()))
            .collect();
        let of = |key: &str| map.get(key).and_then(Yaml::as_str);
        let place = (of("catalog"), of("schema"), string_field(&map, "table_name"));
        fill(caller, &database, place, columns, url).await?;
    }
    Ok(())
}

/// Fills the table of a dataset whose database came with it.
pub(super) async fn load(caller: &Caller, id: i64, url: &str) -> Result<()> {
    let db = caller.app.db.exec();
    let Some(dataset) = dataset::find(db, id).await? else { return Ok(()) };
    let Some(database) = database::find(db, dataset.database_id).await? else { return Ok(()) };
    let columns = dataset::columns(db, &[id]).await?.remove(&id).unwrap_or_default();
    let columns = columns.into_iter().map(|c| (c.column_name, c.type_.unwrap_or_default())).collect();
    let place = (dataset.catalog.as_deref(), dataset.schema.as_deref(), dataset.table_name.as_str());
    fill(caller, &database, place, columns, url).await
}

/// Fills a table, where it is not there; times are read as such.
async fn fill(
    caller: &Caller,
    database: &Database,
    (catalog, schema, table): (Option<&str>, Option<&str>, &str),
    columns: Vec<(String, String)>,
    url: &str,
) -> Result<()> {
    let failed = |error: Error| {
        tracing::warn!(table, %error, "data of a dataset were not loaded");
        Error::internal("data of a dataset were not loaded")
    };
    // a database that does not answer has the table, as far as anybody knows
    let Ok(target) = engine_as(caller, database, catalog).await else { return Ok(()) };
    let destination = Destination { database_id: database.id, schema, table };
    if upload::has_table(&target, &destination).await.unwrap_or(true) {
        return Ok(());
    }
    let config = &caller.app.config;
    let folder = std::path::Path::new(config.str("DATA_DIR")).join("tmp");
    let file = outbound::download(url, reach(&caller.app, url), (MOST, &folder), TIMEOUT).await;
    let file = file.map_err(|e| failed(Error::internal(e)))?;
    let is_time = |kind: &str| {
        let kind = kind.to_ascii_uppercase();
        kind == "DATE" || kind.starts_with("DATETIME") || kind.starts_with("TIMESTAMP")
    };
    let dated = columns.into_iter().filter(|(_, kind)| is_time(kind)).map(|(name, _)| name);
    let options =
        Options { column_dates: dated.collect(), already_exists: IfExists::Fail, ..Options::default() };
    upload::load_csv(&target, &destination, file, options).await.map_err(failed)
}
