//! Charts of a bundle (`superset.commands.chart.importers.v1.utils`).

use daos::{chart, imported, person::Owned, tables::SLICES};
use infra::{
    Error, Result,
    yaml::{Key, Map, Yaml, json_dumps, json_loads},
};

use super::{
    AssetKind, DatasetRef, Importer,
    failure::import_failed,
    rows::{self, string_field, values},
    schema::uuid,
};
use crate::{access::objects, tag::ObjectType, viz_migration};

const FIELDS: &[&str] = &[
    "uuid",
    "slice_name",
    "description",
    "certified_by",
    "certification_details",
    "datasource_id",
    "datasource_type",
    "datasource_name",
    "viz_type",
    "params",
    "query_context",
    "cache_timeout",
    "is_managed_externally",
    "external_url",
];

/// The kind of chart that native filters have replaced.
pub const FILTER_BOX: &str = "filter_box";

impl Importer<'_> {
    /// Makes a chart, or changes it where `overwrite` says so; its key.
    pub(super) async fn chart(&mut self, mut map: Map, dataset: &DatasetRef, overwrite: bool) -> Result<i64> {
        of_dataset(&mut map, dataset)?;
        let can_write = self.can_write("Chart");
        let existing = match uuid(string_field(&map, "uuid")) {
            Some(uuid) => imported::id_of(self.db, &SLICES, uuid).await?,
            None => None,
        };
        match existing {
            Some(id) => {
                if overwrite && can_write && !self.may_overwrite_chart(id).await? {
                    let text = "A chart already exists and user doesn't have permissions to overwrite it";
                    return Err(import_failed(text));
                }
                if !overwrite || !can_write {
                    return Ok(id);
                }
            }
            None if !can_write => {
                let text = "Chart doesn't exist and user doesn't have permission to create charts";
                return Err(import_failed(text));
            }
            None => {}
        }
        let params = map.get_mut("params").ok_or_else(|| Error::internal("a chart without params"))?;
        keep_formulas(params);
        let params = json_dumps(params).map_err(Error::internal)?;
        map.insert("params".into(), params.into());
        migrate(&mut map)?;
        let mut values = values(&SLICES, &map, FIELDS)?;
        values.extend([
            ("perm", dataset.row.perm.clone().into()),
            ("schema_perm", dataset.row.schema_perm.clone().into()),
            ("catalog_perm", dataset.row.catalog_perm.clone().into()),
        ]);
        // nothing but its UUID is unique
        let written = rows::write(self.db, &self.caller.user, &SLICES, existing, values).await?;
        let owners = self.join_owners(Owned::Chart, written.id).await?;
        self.implicit_tags(ObjectType::Chart, written, &owners).await?;
        Ok(written.id)
    }

    async fn may_overwrite_chart(&mut self, id: i64) -> Result<bool> {
        if self.caller.user.user_id().is_none() {
            return Ok(true);
        }
        let Some(chart) = chart::find(self.db, id).await? else { return Ok(true) };
        Ok(objects::can_access_chart(self.caller, &chart).await? && self.owns(Owned::Chart, id).await?)
    }

    /// Charts of a bundle whose datasets were imported. `skip_filter_boxes`: those are not made at all.
    pub(super) async fn charts(&mut self, overwrite: bool, skip_filter_boxes: bool) -> Result<()> {
        for name in self.configs.files_of(AssetKind::Chart) {
            let map = self.configs.read(&name, AssetKind::Chart)?;
            let Some(dataset) = self.datasets.get(string_field(&map, "dataset_uuid")).cloned() else {
                continue;
            };
            let is_filter_box = string_field(&map, "viz_type") == FILTER_BOX;
            if skip_filter_boxes && is_filter_box {
                continue;
            }
            self.one_chart(map, &dataset, overwrite).await?;
        }
        Ok(())
    }

    async fn one_chart(&mut self, map: Map, dataset: &DatasetRef, overwrite: bool) -> Result<()> {
        let tags = map.get("tags").cloned();
        let id = self.chart(map, dataset, overwrite).await?;
        if let Some(tags) = tags.filter(|_| self.takes_tags) {
            self.tag(ObjectType::Chart, id, &tags).await?;
        }
        let stored = chart::find(self.db, id).await?.ok_or_else(Error::not_found)?;
        if stored.viz_type.as_deref() == Some(FILTER_BOX) {
            self.filter_boxes.push(id);
        }
        if let Some(uuid) = stored.uuid {
            self.charts.insert(uuid.to_string(), id);
        }
        self.progress.done();
        Ok(())
    }
}

/// The chart and its stored query show the dataset as it is here (`update_chart_config_dataset`).
fn of_dataset(map: &mut Map, dataset: &DatasetRef) -> Result<()> {
    map.insert("datasource_id".into(), dataset.id.into());
    map.insert("datasource_type".into(), "table".into());
    map.insert("datasource_name".into(), dataset.name.as_str().into());
    let uid = format!("{}__table", dataset.id);
    let params = map.get_mut("params").and_then(Yaml::as_map_mut);
    let params = params.ok_or_else(|| Error::internal("a chart without params"))?;
    params.insert("datasource".into(), uid.as_str().into());
    let Some(context) = map.get_mut("query_context").filter(|c| !c.is_null()) else { return Ok(()) };
    let Some(mut document) = context.as_str().and_then(json_loads) else {
        *context = Yaml::Null;
        return Ok(());
    };
    let datasource: Map =
        [(Key::from("id"), Yaml::from(dataset.id)), ("type".into(), "table".into())].into_iter().collect();
    let top = document.as_map_mut().ok_or_else(|| Error::internal("a query context that is no mapping"))?;
    top.insert("datasource".into(), Yaml::Map(datasource.clone()));
    if let Some(form_data) = top.get_mut("form_data") {
        let form_data =
            form_data.as_map_mut().ok_or_else(|| Error::internal("form data that are no mapping"))?;
        form_data.insert("datasource".into(), uid.into());
    }
    for query in top.get_mut("queries").and_then(Yaml::as_list_mut).into_iter().flatten() {
        if let Some(query) = query.as_map_mut().filter(|q| q.contains_key("datasource")) {
            query.insert("datasource".into(), Yaml::Map(datasource.clone()));
        }
    }
    *context = json_dumps(&document).map_err(Error::internal)?.into();
    Ok(())
}

/// Annotations that refer to other objects do not travel (`filter_chart_annotations`).
fn keep_formulas(params: &mut Yaml) {
    let Some(params) = params.as_map_mut() else { return };
    let layers = params.get("annotation_layers").and_then(Yaml::as_list).unwrap_or_default();
    let is_formula = |layer: &&Yaml| layer.get("annotationType").and_then(Yaml::as_str) == Some("FORMULA");
    let kept: Vec<Yaml> = layers.iter().filter(is_formula).cloned().collect();
    params.insert("annotation_layers".into(), kept.into());
}

/// Kinds of charts that are no more become their successors (`migrate_chart`).
fn migrate(map: &mut Map) -> Result<()> {
    let Some(migration) = viz_migration::find(string_field(map, "viz_type")) else { return Ok(()) };
    let data = serde_json::from_str(string_field(map, "params")).map_err(Error::internal)?;
    let migrated = migration.migrate(data).map_err(Error::internal)?;
    let params = infra::json::dumps(&serde_json::Value::Object(migrated.form_data));
    map.insert("viz_type".into(), migrated.viz_type.into());
    let context = map.get("query_context").and_then(Yaml::as_str).filter(|c| !c.is_empty());
    let context = context.and_then(json_loads).and_then(|mut document| {
        let form_data = document.as_map_mut()?.get_mut("form_data")?;
        *form_data = params.as_str().into();
        json_dumps(&document).ok()
    });
    if let Some(context) = context {
        map.insert("query_context".into(), context.into());
    }
    map.insert("params".into(), params.into());
    Ok(())
}
