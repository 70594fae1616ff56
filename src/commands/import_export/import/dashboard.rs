//! Dashboards of a bundle (`superset.commands.dashboard.importers.v1`): ids of charts and datasets become those of this
//! installation wherever layout and metadata name them.

use std::collections::HashMap;

use daos::{dashboard, imported, person::Owned, tables::DASHBOARDS};
use infra::{
    Error, Result,
    yaml::{Key, Map, Yaml, json_dumps, json_loads},
};

use super::{
    super::layout,
    AssetKind, Importer,
    failure::import_failed,
    rows::{self, string_field, values},
    schema::uuid,
};
use crate::{access::objects, tag::ObjectType};

const FIELDS: &[&str] = &[
    "uuid",
    "dashboard_title",
    "position_json",
    "json_metadata",
    "description",
    "css",
    "slug",
    "certified_by",
    "certification_details",
    "published",
    "is_managed_externally",
    "external_url",
    "theme_id",
];

/// What dashboards of a bundle refer to.
#[derive(Debug, Default)]
pub(super) struct References {
    pub charts: Vec<String>,
    pub datasets: Vec<String>,
    pub themes: Vec<String>,
}

/// The layout of a dashboard: a mapping whose entries have a kind, and charts something that says which one they are.
fn position(map: &Map) -> Result<&Map> {
    let position = map.get("position").and_then(Yaml::as_map);
    let position = position.ok_or_else(|| Error::internal("a dashboard without layout"))?;
    for child in position.values().filter_map(Yaml::as_map) {
        let kind = child.get("type").ok_or_else(|| Error::internal("an entry of a layout without type"))?;
        if kind.as_str() == Some("CHART") {
            let meta = child.get("meta").and_then(Yaml::as_map);
            let meta = meta.ok_or_else(|| Error::internal("a chart of a layout without meta"))?;
            if meta.contains_key("uuid") && !meta.contains_key("chartId") {
                return Err(Error::internal("a chart of a layout without chartId"));
            }
        }
    }
    Ok(position)
}

impl Importer<'_> {
    /// What all dashboards of the bundle refer to.
    pub(super) fn referred(&self) -> Result<References> {
        let mut found = References::default();
        for name in self.configs.files_of(AssetKind::Dashboard) {
            let map = self.configs.read(&name, AssetKind::Dashboard)?;
            found.charts.extend(layout::chart_uuids(position(&map)?));
            if let Some(metadata) = map.get("metadata") {
                let uuids = layout::filter_targets(metadata).filter_map(|t| t.get("datasetUuid")?.as_str());
                found.datasets.extend(uuids.map(str::to_owned));
            }
            let theme = string_field(&map, "theme_uuid");
            found.themes.extend((!theme.is_empty()).then(|| theme.to_owned()));
        }
        Ok(found)
    }

    /// Dashboards of a bundle. `replace`: they have the charts of their layouts and no others.
    pub(super) async fn dashboards(
        &mut self,
        overwrite: bool,
        themes: &[(String, i64)],
        replace: bool,
    ) -> Result<()> {
        let mut imported = Vec::new();
        for name in self.configs.files_of(AssetKind::Dashboard) {
            let mut map = self.configs.read(&name, AssetKind::Dashboard)?;
            let charts = layout::chart_uuids(position(&map)?);
            self.remap(&mut map)?;
            if let Some(theme) = map.shift_remove("theme_uuid").filter(|_| !replace) {
                let known = theme.as_str().and_then(uuid).map(|u| u.to_string());
                let found = themes.iter().find(|(uuid, _)| known.as_ref() == Some(uuid)).map(|(_, id)| *id);
                map.insert("theme_id".into(), found.into());
            }
            let tags = map.get("tags").cloned();
            let id = self.dashboard(map, overwrite).await?;
            let linked: Vec<i64> = charts.iter().filter_map(|uuid| self.charts.get(uuid)).copied().collect();
            if replace {
                dashboard::set_charts(self.db, id, &linked).await?;
            } else {
                imported::link_charts(self.db, id, &linked).await?;
            }
            if let Some(tags) = tags.filter(|_| self.takes_tags) {
                self.tag(ObjectType::Dashboard, id, &tags).await?;
            }
            imported.push(id);
            self.progress.done();
        }
        for id in imported {
            self.replace_filter_boxes(id).await?;
        }
        Ok(())
    }

    /// Makes a dashboard, or changes it where `overwrite` says so; its key.
    pub(super) async fn dashboard(&mut self, mut map: Map, overwrite: bool) -> Result<i64> {
        let can_write = self.can_write("Dashboard");
        let existing = match uuid(string_field(&map, "uuid")) {
            Some(uuid) => imported::id_of(self.db, &DASHBOARDS, uuid).await?,
            None => None,
        };
        match existing {
            Some(id) => {
                if overwrite && can_write && !self.may_overwrite_dashboard(id).await? {
                    let text = "A dashboard already exists and user doesn't have permissions to overwrite it";
                    return Err(import_failed(text));
                }
                if !overwrite || !can_write {
                    return Ok(id);
                }
            }
            None if !can_write => {
                let text = "Dashboard doesn't exist and user doesn't have permission to create dashboards";
                return Err(import_failed(text));
            }
            None => {}
        }
        if let Some(metadata) = map.get_mut("metadata").and_then(Yaml::as_map_mut) {
            metadata.shift_remove("show_native_filters");
        }
        for (key, column) in [("position", "position_json"), ("metadata", "json_metadata")] {
            if let Some(value) = map.shift_remove(key).filter(|v| !v.is_null())
                && let Ok(text) = json_dumps(&value)
            {
                map.insert(column.into(), text.into());
            }
        }
        let values = values(&DASHBOARDS, &map, FIELDS)?;
        let found = rows::find(self.db, &DASHBOARDS, &[], &[&["slug"], &["uuid"]], &values).await?;
        let written = rows::write(self.db, &self.caller.user, &DASHBOARDS, found, values).await?;
        let owners = self.join_owners(Owned::Dashboard, written.id).await?;
        self.implicit_tags(ObjectType::Dashboard, written, &owners).await?;
        Ok(written.id)
    }

    async fn may_overwrite_dashboard(&mut self, id: i64) -> Result<bool> {
        if self.caller.user.user_id().is_none() {
            return Ok(true);
        }
        let Some(dashboard) = dashboard::find(self.db, id).await? else { return Ok(true) };
        Ok(objects::can_access_dashboard(self.caller, &dashboard).await?
            && self.owns(Owned::Dashboard, id).await?)
    }

    /// Ids of charts and datasets in layout and metadata (`update_id_refs`).
    pub(super) fn remap(&self, map: &mut Map) -> Result<()> {
        let ids: HashMap<i64, i64> = layout::charts(position(map)?)
            .filter_map(|(uuid, old)| Some((old?.as_i64()?, *self.charts.get(uuid)?)))
            .collect();
        for child in map.get_mut("position").and_then(Yaml::as_map_mut).into_iter().flat_map(Map::values_mut)
        {
            let is_chart = child.get("type").and_then(Yaml::as_str) == Some("CHART");
            let meta = child.get_mut("meta").and_then(Yaml::as_map_mut).filter(|_| is_chart);
            let known = meta.as_ref().and_then(|m| self.charts.get(m.get("uuid")?.as_str()?)).copied();
            if let (Some(meta), Some(id)) = (meta, known) {
                meta.insert("chartId".into(), id.into());
            }
        }
        if let Some(metadata) = map.get_mut("metadata") {
            remap_charts(metadata, &ids)?;
            self.remap_filters(metadata, &ids)?;
            remap_cross_filters(metadata, &ids);
        }
        Ok(())
    }

    fn remap_filters(&self, metadata: &mut Yaml, ids: &HashMap<i64, i64>) -> Result<()> {
        let mut unknown = false;
        layout::each_filter_target(metadata, |target| {
            let Some(uuid) = target.shift_remove("datasetUuid").filter(Yaml::truthy) else { return };
            match uuid.as_str().and_then(|uuid| self.datasets.get(uuid)) {
                Some(dataset) => {
                    target.insert("datasetId".into(), dataset.id.into());
                }
                None => unknown = true,
            }
        });
        if unknown {
            return Err(Error::internal("the dataset of a filter is not in the bundle"));
        }
        let filters = metadata.get_mut("native_filter_configuration").and_then(Yaml::as_list_mut);
        for filter in filters.into_iter().flatten() {
            if let Some(scope) = filter.get_mut("scope") {
                remap_excluded(scope, ids);
            }
        }
        Ok(())
    }
}

/// Charts that are not in the bundle are left out of what a scope excludes.
fn remap_excluded(scope: &mut Yaml, ids: &HashMap<i64, i64>) {
    if let Some(excluded) = scope.get_mut("excluded").and_then(Yaml::as_list_mut) {
        *excluded = excluded.iter().filter_map(|id| Some((*ids.get(&id.as_i64()?)?).into())).collect();
    }
}

fn known(ids: &HashMap<i64, i64>, id: Option<i64>) -> Result<i64> {
    let found = id.and_then(|id| ids.get(&id)).copied();
    found.ok_or_else(|| Error::internal("metadata name a chart that is not in the layout"))
}

fn key_id(key: &Key) -> Option<i64> {
    match key {
        Key::Text(text) | Key::Int(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn mapping(value: Yaml) -> Result<Map> {
    match value {
        Yaml::Map(map) => Ok(map),
        _ => Err(Error::internal("metadata have no mapping where one must be")),
    }
}

/// The parts of metadata that are made of ids of charts: some must all be known, of others the unknown are left out.
fn remap_charts(metadata: &mut Yaml, ids: &HashMap<i64, i64>) -> Result<()> {
    let Some(metadata) = metadata.as_map_mut() else { return Ok(()) };
    if let Some(immune) = metadata.get_mut("timed_refresh_immune_slices") {
        let list = immune.as_list().ok_or_else(|| Error::internal("immune slices are no list"))?;
        let new: Vec<Yaml> =
            list.iter().map(|id| known(ids, id.as_i64()).map(Yaml::Int)).collect::<Result<_>>()?;
        *immune = new.into();
    }
    if let Some(scopes) = metadata.get_mut("filter_scopes") {
        let mut new = Map::new();
        for (key, mut columns) in mapping(std::mem::take(scopes))? {
            let old = key_id(&key).ok_or_else(|| Error::internal("a filter scope of no chart"))?;
            let Some(id) = ids.get(&old) else { continue };
            for attributes in columns.as_map_mut().into_iter().flat_map(Map::values_mut) {
                let immune = attributes.get_mut("immune").and_then(Yaml::as_list_mut);
                let immune = immune.ok_or_else(|| Error::internal("a filter scope without immune charts"))?;
                *immune = immune.iter().filter_map(|id| Some((*ids.get(&id.as_i64()?)?).into())).collect();
            }
            new.insert(Key::Text(id.to_string()), columns);
        }
        *scopes = new.into();
    }
    if let Some(expanded) = metadata.get_mut("expanded_slices") {
        let mut new = Map::new();
        for (key, value) in mapping(std::mem::take(expanded))? {
            new.insert(Key::Text(known(ids, key_id(&key))?.to_string()), value);
        }
        *expanded = new.into();
    }
    if let Some(defaults) = metadata.get_mut("default_filters") {
        let text = defaults.as_str().and_then(json_loads);
        let old = mapping(text.ok_or_else(|| Error::internal("default filters are no JSON"))?)?;
        let mut new = Map::new();
        for (key, value) in old {
            let old = key_id(&key).ok_or_else(|| Error::internal("a default filter of no chart"))?;
            if let Some(id) = ids.get(&old) {
                new.insert(Key::Text(id.to_string()), value);
            }
        }
        *defaults = json_dumps(&new.into()).map_err(Error::internal)?.into();
    }
    Ok(())
}

/// `update_cross_filter_scoping`.
fn remap_cross_filters(metadata: &mut Yaml, ids: &HashMap<i64, i64>) {
    if let Some(scope) = metadata.get_mut("global_chart_configuration").and_then(|g| g.get_mut("scope")) {
        remap_excluded(scope, ids);
    }
    let Some(Yaml::Map(configuration)) = metadata.get_mut("chart_configuration") else { return };
    let mut new = Map::new();
    for (key, mut chart) in std::mem::take(configuration) {
        let Some(id) = key_id(&key).and_then(|old| ids.get(&old)).copied() else { continue };
        if let Some(map) = chart.as_map_mut() {
            map.insert("id".into(), id.into());
        }
        if let Some(scope) = chart.get_mut("crossFilters").and_then(|c| c.get_mut("scope")) {
            remap_excluded(scope, ids);
        }
        new.insert(Key::Text(id.to_string()), chart);
    }
    *configuration = new;
}
