//! Datasets of a bundle (`superset.commands.dataset.importers.v1.utils`).

use std::collections::HashSet;

use daos::{
    Record, database, dataset, imported,
    person::Owned,
    rows as keys,
    table::Table,
    tables::{SQL_METRICS, TABLE_COLUMNS, TABLES},
    write,
};
use infra::{
    Error, Result,
    db::Value as Stored,
    yaml::{Map, Yaml, json_dumps},
};

use super::{
    AssetKind, DatasetRef, Importer, data,
    failure::import_failed,
    rows::{self, string_field, values},
    schema::uuid,
};
use crate::{
    dataset::permissions::{self, Place},
    implicit_tags,
    tag::ObjectType,
};

const FIELDS: &[&str] = &[
    "uuid",
    "table_name",
    "main_dttm_col",
    "description",
    "default_endpoint",
    "offset",
    "cache_timeout",
    "catalog",
    "schema",
    "sql",
    "params",
    "template_params",
    "filter_select_enabled",
    "fetch_values_predicate",
    "extra",
    "normalize_columns",
    "always_filter_main_dttm",
    "folders",
    "is_managed_externally",
    "external_url",
];

impl Importer<'_> {
    /// Makes a dataset in a database, or changes it where `overwrite` says so: then columns and metrics that the file
    /// does not have go.
    pub(super) async fn dataset(
        &mut self,
        mut map: Map,
        database_id: i64,
        overwrite: bool,
    ) -> Result<DatasetRef> {
        let can_write = self.can_write("Dataset");
        let existing = match uuid(string_field(&map, "uuid")) {
            Some(uuid) => imported::id_of(self.db, &TABLES, uuid).await?,
            None => None,
        };
        match existing {
            Some(id) => {
                if overwrite && can_write && !self.owns(Owned::Dataset, id).await? {
                    let text = "A dataset already exists and user doesn't have permissions to overwrite it";
                    return Err(import_failed(text));
                }
                if !overwrite || !can_write {
                    return self.dataset_ref(id).await;
                }
            }
            None if !can_write => {
                let text = "Dataset doesn't exist and user doesn't have permission to create datasets";
                return Err(import_failed(text));
            }
            None => {}
        }
        encode(&mut map, &["params", "template_params", "extra"]);
        for key in ["columns", "metrics"] {
            let children = map.get_mut(key).and_then(Yaml::as_list_mut).into_iter().flatten();
            children.filter_map(Yaml::as_map_mut).for_each(|child| encode(child, &["extra"]));
        }
        // an import without a schema beside one with it: the original stays as it was
        let Ok(found) = self.find_dataset(&map, database_id).await else {
            let id = existing.ok_or_else(|| Error::internal("no dataset of several"))?;
            return self.dataset_ref(id).await;
        };
        let dataset = self.write_dataset(map, database_id, found, (overwrite, overwrite)).await?;
        let owners = self.join_owners(Owned::Dataset, dataset.id).await?;
        let written = rows::Written { id: dataset.id, is_new: found.is_none() };
        self.implicit_tags(ObjectType::Dataset, written, &owners).await?;
        Ok(dataset)
    }

    /// The dataset of a document in a database, by its UUID or by its table.
    pub(super) async fn find_dataset(&self, map: &Map, database_id: i64) -> Result<Option<i64>> {
        let parent = [("database_id", Stored::from(database_id))];
        let unique: &[&[&str]] = &[&["database_id", "catalog", "schema", "table_name"], &["uuid"]];
        rows::find(self.db, &TABLES, &parent, unique, &values(&TABLES, map, FIELDS)?).await
    }

    /// Writes a dataset with its columns and metrics. `sync`: which of both go when the document does not have them.
    pub(super) async fn write_dataset(
        &mut self,
        mut map: Map,
        database_id: i64,
        found: Option<i64>,
        sync: (bool, bool),
    ) -> Result<DatasetRef> {
        let database = database::find(self.db, database_id).await?.ok_or_else(Error::not_found)?;
        let of = |name: &str| map.get(name).and_then(Yaml::as_str).map(str::to_owned);
        let mut place = Place {
            database: database.database_name.clone(),
            database_id,
            catalog: of("catalog"),
            schema: of("schema"),
            table: string_field(&map, "table_name").to_owned(),
        };
        if let Some(id) = found
            && let Some(old) = dataset::find(self.db, id).await?
        {
            // what the file does not say stays
            place.catalog = if map.contains_key("catalog") { place.catalog } else { old.catalog.clone() };
            place.schema = if map.contains_key("schema") { place.schema } else { old.schema.clone() };
            permissions::moved(self.db, &old, &place).await?;
        }
        let mut row = values(&TABLES, &map, FIELDS)?;
        row.push(("database_id", database_id.into()));
        let written = rows::write(self.db, &self.caller.user, &TABLES, found, row).await?;
        if written.is_new {
            permissions::created(self.db, written.id, &place).await?;
        }
        self.children(written.id, &mut map, "metrics", sync.1 && !written.is_new).await?;
        self.children(written.id, &mut map, "columns", sync.0 && !written.is_new).await?;
        if let Some(url) = map.get("data").and_then(Yaml::as_str).filter(|u| !u.is_empty()) {
            data::raise_for_url(&self.caller.app.config, url)?;
            self.downloads.push((written.id, url.to_owned()));
        }
        self.dataset_ref(written.id).await
    }

    async fn dataset_ref(&self, id: i64) -> Result<DatasetRef> {
        let found = dataset::find(self.db, id).await?.ok_or_else(Error::not_found)?;
        Ok(DatasetRef { id, name: found.table_name.clone(), row: found })
    }

    /// Columns or metrics of a dataset.
    async fn children(&self, dataset: i64, map: &mut Map, key: &str, sync: bool) -> Result<()> {
        let (table, name, fields): (&'static Table, &'static str, &[&str]) = match key {
            "columns" => (&TABLE_COLUMNS, "column_name", super::super::document::COLUMN),
            _ => (&SQL_METRICS, "metric_name", super::super::document::METRIC),
        };
        let user = self.caller.user.user_id();
        let mut known = imported::children(self.db, table, dataset, name).await?;
        let mut named = HashSet::new();
        let mut new = Vec::new();
        let children = map.get_mut(key).and_then(Yaml::as_list_mut).map(std::mem::take).unwrap_or_default();
        for child in children {
            let Yaml::Map(child) = child else { continue };
            let mut row = values(table, &child, fields)?;
            row.push(("table_id", dataset.into()));
            let name_of = string_field(&child, name).to_owned();
            let is_again = !named.insert(name_of.clone());
            if is_again && !new.is_empty() {
                // the last one of a name counts
                write::insert_all(self.db, table, std::mem::take(&mut new), user).await?;
            }
            if is_again {
                known = imported::children(self.db, table, dataset, name).await?;
            }
            match known.get(&name_of) {
                Some(stored) => {
                    write::retain_changed(table, stored, &mut row);
                    write::update(self.db, table, key_of(table, stored).into(), row, user).await?;
                }
                None => new.push(rows::defaulted(table, row)),
            }
        }
        write::insert_all(self.db, table, new, user).await?;
        if sync {
            let gone = known.iter().filter(|(name, _)| !named.contains(*name));
            let gone: Vec<i64> = gone.map(|(_, stored)| key_of(table, stored)).collect();
            keys::delete_where(self.db, table.name, "id", &gone).await?;
        }
        Ok(())
    }

    /// Datasets of a bundle whose databases were imported; with `wanted`, only those.
    pub(super) async fn datasets(&mut self, overwrite: bool) -> Result<()> {
        for name in self.configs.files_of(AssetKind::Dataset) {
            let map = self.configs.read(&name, AssetKind::Dataset)?;
            let Some(database) = self.databases.get(string_field(&map, "database_uuid")).copied() else {
                continue;
            };
            let dataset = self.dataset(map, database, overwrite).await?;
            self.remember(dataset);
        }
        Ok(())
    }

    pub(super) fn remember(&mut self, dataset: DatasetRef) {
        if let Some(uuid) = dataset.row.uuid {
            self.datasets.insert(uuid.to_string(), dataset);
        }
        self.progress.done();
    }

    pub(super) async fn implicit_tags(
        &self,
        kind: ObjectType,
        written: rows::Written,
        owners: &[i64],
    ) -> Result<()> {
        let (config, db) = (&self.caller.app.config, self.db);
        if written.is_new {
            implicit_tags::created(config, db, &self.caller.user, kind, written.id, owners).await
        } else {
            implicit_tags::updated(config, db, &self.caller.user, kind, written.id, owners).await
        }
    }
}

fn key_of(table: &Table, stored: &Record) -> i64 {
    stored.get(table.pk).unwrap_or_default()
}

/// JSON columns are texts; null stays null.
fn encode(map: &mut Map, names: &[&str]) {
    for name in names {
        if let Some(value) = map.get_mut(*name).filter(|v| !v.is_null()) {
            // what JSON cannot say is told as it is, and refused by its column
            if let Ok(text) = json_dumps(value) {
                *value = text.into();
            }
        }
    }
}
