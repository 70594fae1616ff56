//! Files from before bundles had versions (`superset.commands.dashboard.importers.v0`,
//! `superset.commands.dataset.importers.v0`).
//!
//! Stricter than the original, which lets whoever may write datasets overwrite those of others, and make connections.

mod dashboard;
mod dataset;

use infra::{
    Error, Result,
    json_error::json_error,
    yaml::{ErrorKind, Map, Yaml, json_loads, load},
};

use super::{
    super::AssetKind,
    Importer, NoProgress, Secrets,
    configs::Configs,
    contents::Contents,
    failure::{exception, no_importer},
};
use crate::Caller;

/// Imports old files of dashboards (JSON) or datasets (YAML). `sync`: whether columns and metrics go that a dataset
/// does not have any more.
pub async fn import_unversioned(
    caller: &Caller,
    kind: AssetKind,
    contents: &Contents,
    sync: (bool, bool),
) -> Result<()> {
    let mut documents = Vec::new();
    for name in contents.names() {
        let text = contents.text(name)?;
        documents.push(match kind {
            AssetKind::Dashboard => parse_json(&text)?,
            _ => parse_yaml(&text)?,
        });
    }
    let (files, secrets) = (Contents::of_files([]), Secrets::default());
    let configs = Configs::none(&caller.app, &files, &secrets);
    let mut silent = NoProgress;
    let tx = caller.app.db.begin().await?;
    let mut importer = Importer::new(caller, tx.exec(), &configs, &mut silent);
    for document in documents {
        let done = match kind {
            AssetKind::Dashboard => Box::pin(importer.old_dashboards(document)).await,
            _ => Box::pin(importer.old_datasets(document, sync)).await,
        };
        // unlike those with versions, these importers tell what has happened
        done.map_err(|error| match error {
            Error::Internal(cause) => exception(cause),
            Error::Message { message, .. } => exception(message.as_str().unwrap_or_default()),
            other => other,
        })?;
    }
    let after = importer.follow_up();
    tx.commit().await?;
    after.run(caller).await
}

fn parse_json(text: &str) -> Result<Yaml> {
    if let Some(message) = json_error(text) {
        return Err(exception(message));
    }
    json_loads(text).ok_or_else(|| exception("Expecting value: line 1 column 1 (char 0)"))
}

fn parse_yaml(text: &str) -> Result<Yaml> {
    let document = load(text).map_err(|e| match e.kind {
        ErrorKind::Parser => no_importer(),
        _ => exception(e.text),
    })?;
    match &document {
        Yaml::Map(map) if map.contains_key("databases") => Ok(document),
        Yaml::List(_) => Ok(document),
        _ => Err(no_importer()),
    }
}

/// A value that must be a mapping.
fn mapping(value: Yaml, what: &str) -> Result<Map> {
    match value {
        Yaml::Map(map) => Ok(map),
        _ => Err(Error::internal(format!("{what} is no mapping"))),
    }
}

/// A JSON text as a mapping; empty where there is none.
fn parsed(map: &Map, key: &str) -> Result<Map> {
    match map.get(key).and_then(Yaml::as_str).filter(|t| !t.is_empty()) {
        None => Ok(Map::new()),
        Some(text) => {
            if let Some(message) = json_error(text) {
                return Err(exception(message));
            }
            mapping(json_loads(text).unwrap_or_default(), key)
        }
    }
}
