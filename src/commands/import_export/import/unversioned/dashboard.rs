//! Dashboards without version: `{"dashboards": [{"__Dashboard__": …}], "datasources": [{"__SqlaTable__": …}]}`.

use std::collections::HashMap;

use daos::{
    chart, dashboard, database, dataset, imported,
    person::Owned,
    tables::{DASHBOARDS, SLICES},
};
use infra::{
    Error, Result, clock,
    yaml::{Key, Map, Yaml, json_dumps, json_loads},
};

use super::{
    super::{
        super::document::{DATASET, put},
        Importer,
        failure::{exception, import_failed},
        rows::{self, string_field, values},
    },
    mapping, parsed,
};
use crate::tag::ObjectType;

const CHART: &[&str] = &[
    "slice_name",
    "description",
    "certified_by",
    "certification_details",
    "datasource_type",
    "datasource_name",
    "viz_type",
    "params",
    "query_context",
    "cache_timeout",
];
const DASHBOARD: &[&str] = &[
    "dashboard_title",
    "position_json",
    "json_metadata",
    "description",
    "css",
    "slug",
    "certified_by",
    "certification_details",
    "published",
];

/// The fields of an object that JSON names by its class.
fn object(value: Yaml, class: &str) -> Result<Map> {
    let mut map = mapping(value, class)?;
    mapping(map.shift_remove(class).unwrap_or_default(), class)
}

/// All fields that exports have; those that the file lacks are null (`override`).
fn whole(map: &Map, names: &[&str]) -> Map {
    names.iter().map(|n| (Key::from(*n), map.get(*n).cloned().unwrap_or_default())).collect()
}

fn dumped(map: &Map) -> Result<Yaml> {
    Ok(json_dumps(&Yaml::Map(map.clone())).map_err(Error::internal)?.into())
}

/// A key that JSON has as a number or as a text.
fn id_of(value: Option<&Yaml>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

impl Importer<'_> {
    pub(super) async fn old_dashboards(&mut self, document: Yaml) -> Result<()> {
        if !document.truthy() {
            return Err(exception("No data in file"));
        }
        let mut map = mapping(document, "the file")?;
        let list = |value: Option<Yaml>, key: &str| match value {
            Some(Yaml::List(items)) => Ok(items),
            _ => Err(exception(format!("'{key}'"))),
        };
        let datasources = list(map.shift_remove("datasources"), "datasources")?;
        let dashboards = list(map.shift_remove("dashboards"), "dashboards")?;
        let now = clock::utc_now().and_utc().timestamp();
        let mut datasets = HashMap::new();
        for table in datasources {
            let (old, new) = self.old_table(object(table, "__SqlaTable__")?, now).await?;
            datasets.insert(old, new);
        }
        for dashboard in dashboards {
            self.old_dashboard(object(dashboard, "__Dashboard__")?, &datasets, now).await?;
        }
        Ok(())
    }

    /// A dataset of the file; its old and its new key.
    async fn old_table(&mut self, mut map: Map, now: i64) -> Result<(i64, i64)> {
        let mut params = parsed(&map, "params")?;
        let found = database::find_by_name(self.db, string_field(&params, "database_name")).await?;
        let found = found.ok_or_else(|| crate::connect::errors::command_error(404, "Database not found."))?;
        let remote = id_of(params.get("remote_id")).ok_or_else(|| exception("'remote_id'"))?;
        put(&mut params, "import_time", now);
        let mut row = whole(&map, DATASET);
        put(&mut row, "params", dumped(&params)?);
        for (key, class) in [("columns", "__TableColumn__"), ("metrics", "__SqlMetric__")] {
            let children = match map.shift_remove(key) {
                Some(Yaml::List(children)) => children,
                _ => Vec::new(),
            };
            let children: Result<Vec<Yaml>> =
                children.into_iter().map(|child| object(child, class).map(Yaml::Map)).collect();
            put(&mut row, key, children?);
        }
        let same = dataset::find_by_name(
            self.db,
            found.id,
            string_field(&row, "table_name"),
            row.get("schema").and_then(Yaml::as_str),
            None,
        );
        let schema = row.get("schema").and_then(Yaml::as_str);
        let same = same.await?.into_iter().find(|d| d.schema.as_deref() == schema).map(|d| d.id);
        if let Some(id) = same
            && !self.owns(Owned::Dataset, id).await?
        {
            let text = "A dataset already exists and user doesn't have permissions to overwrite it";
            return Err(import_failed(text));
        }
        if !self.can_write("Dataset") {
            let text = "Dataset doesn't exist and user doesn't have permission to create datasets";
            return Err(import_failed(text));
        }
        let written = self.write_dataset(row, found.id, same, (false, false)).await?;
        Ok((remote, written.id))
    }

    /// Charts that came from elsewhere, by the keys that they had there.
    async fn ids_by_remote_id(&self, table: &'static daos::Table) -> Result<HashMap<i64, i64>> {
        let rows = imported::with_remote_id(self.db, table).await?;
        let remote = |(id, text): (i64, String)| Some((id_of(json_loads(&text)?.get("remote_id"))?, id));
        Ok(rows.into_iter().filter_map(remote).collect())
    }

    async fn old_chart(&mut self, map: &Map, known: Option<i64>, now: i64) -> Result<i64> {
        let old = id_of(map.get("id")).unwrap_or_default();
        let mut params = parsed(map, "params")?;
        put(&mut params, "remote_id", old);
        put(&mut params, "import_time", now);
        let of = |key: &str| params.get(key).and_then(Yaml::as_str).map(str::to_owned);
        let missing = |key: &str| exception(format!("'{key}'"));
        let name = of("datasource_name").ok_or_else(|| missing("datasource_name"))?;
        let database = of("database_name").ok_or_else(|| missing("database_name"))?;
        let schema = of("schema").filter(|s| !s.is_empty());
        let found = database::find_by_name(self.db, &database).await?;
        let found = found.ok_or_else(|| exception("'NoneType' object has no attribute 'id'"))?;
        let catalog = of("catalog");
        let datasets = dataset::find_by_name(self.db, found.id, &name, schema.as_deref(), catalog.as_deref());
        let dataset = datasets.await?.into_iter().next();
        let dataset = dataset.ok_or_else(|| exception("'NoneType' object has no attribute 'id'"))?;
        let mut row = whole(map, CHART);
        put(&mut row, "params", dumped(&params)?);
        let mut row = values(&SLICES, &row, CHART)?;
        if known.is_none() {
            row.push(("datasource_id", dataset.id.into()));
            row.extend([
                ("perm", dataset.perm.clone().into()),
                ("schema_perm", dataset.schema_perm.clone().into()),
                ("catalog_perm", dataset.catalog_perm.clone().into()),
            ]);
        }
        if let Some(id) = known
            && !self.owns(Owned::Chart, id).await?
        {
            let text = "A chart already exists and user doesn't have permissions to overwrite it";
            return Err(import_failed(text));
        }
        let written = rows::write(self.db, &self.caller.user, &SLICES, known, row).await?;
        let owners = self.join_owners(Owned::Chart, written.id).await?;
        self.implicit_tags(ObjectType::Chart, written, &owners).await?;
        Ok(written.id)
    }

    async fn old_dashboard(&mut self, mut map: Map, datasets: &HashMap<i64, i64>, now: i64) -> Result<()> {
        for (view, sentence) in [
            ("Chart", "Chart doesn't exist and user doesn't have permission to create charts"),
            ("Dashboard", "Dashboard doesn't exist and user doesn't have permission to create dashboards"),
        ] {
            if !self.can_write(view) {
                return Err(import_failed(sentence));
            }
        }
        let slices = match map.shift_remove("slices") {
            Some(Yaml::List(slices)) => slices,
            _ => Vec::new(),
        };
        let known = self.ids_by_remote_id(&SLICES).await?;
        let mut charts: HashMap<i64, i64> = HashMap::new();
        for slice in slices {
            let slice = object(slice, "__Slice__")?;
            let old = id_of(slice.get("id")).unwrap_or_default();
            let id = self.old_chart(&slice, known.get(&old).copied(), now).await?;
            charts.insert(old, id);
        }
        let mut metadata = parsed(&map, "json_metadata")?;
        let remote = id_of(metadata.get("remote_id"));
        put(&mut metadata, "import_time", now);
        metadata.shift_remove("filter_immune_slices");
        metadata.shift_remove("filter_immune_slice_fields");
        renumber(&mut metadata, &charts, datasets);
        let mut row = whole(&map, DASHBOARD);
        // two dashboards cannot have one name in addresses
        put(&mut row, "slug", Yaml::Null);
        put(&mut row, "json_metadata", dumped(&metadata)?);
        let layout = string_field(&map, "position_json");
        if !layout.is_empty() {
            let mut layout = parsed(&map, "position_json")?;
            for meta in layout.values_mut().filter_map(|v| v.get_mut("meta")?.as_map_mut()) {
                if let Some(id) = id_of(meta.get("chartId")).and_then(|old| charts.get(&old)) {
                    put(meta, "chartId", *id);
                }
            }
            put(&mut row, "position_json", dumped(&layout)?);
        }
        let existing = match remote {
            Some(remote) => self.ids_by_remote_id(&DASHBOARDS).await?.get(&remote).copied(),
            None => None,
        };
        if let Some(id) = existing
            && !self.owns(Owned::Dashboard, id).await?
        {
            let text = "A dashboard already exists and user doesn't have permissions to overwrite it";
            return Err(import_failed(text));
        }
        let row = values(&DASHBOARDS, &row, DASHBOARD)?;
        let written = rows::write(self.db, &self.caller.user, &DASHBOARDS, existing, row).await?;
        let owners = self.join_owners(Owned::Dashboard, written.id).await?;
        self.implicit_tags(ObjectType::Dashboard, written, &owners).await?;
        let mut ids: Vec<i64> = charts.into_values().collect();
        ids.sort_unstable();
        ids.dedup();
        let there: Vec<i64> = chart::find_many(self.db, &ids).await?.iter().map(|c| c.id).collect();
        dashboard::set_charts(self.db, written.id, &there).await?;
        self.replace_filter_boxes(written.id).await
    }
}

/// Charts and datasets in the metadata have their new keys; what names no chart of the file goes.
fn renumber(metadata: &mut Map, charts: &HashMap<i64, i64>, datasets: &HashMap<i64, i64>) {
    let new = |value: &Yaml| id_of(Some(value)).and_then(|old| charts.get(&old)).copied();
    if let Some(immune) = metadata.get_mut("timed_refresh_immune_slices").and_then(Yaml::as_list_mut) {
        let kept: Vec<Yaml> = immune.iter().filter_map(|v| Some(new(v)?.to_string().into())).collect();
        if !kept.is_empty() {
            *immune = kept;
        }
    }
    for key in ["expanded_slices", "filter_scopes"] {
        let Some(Yaml::Map(entries)) = metadata.get(key) else { continue };
        let mut kept = Map::new();
        for (old, value) in entries {
            let Some(id) = old.as_str().and_then(|old| new(&old.into())) else { continue };
            let mut value = value.clone();
            if key == "filter_scopes" {
                for immune in value
                    .as_map_mut()
                    .into_iter()
                    .flat_map(Map::values_mut)
                    .filter_map(|scope| scope.get_mut("immune")?.as_list_mut())
                {
                    *immune = immune.iter().filter_map(|v| Some(new(v)?.into())).collect();
                }
            }
            kept.insert(Key::Text(id.to_string()), value);
        }
        if !kept.is_empty() {
            put(metadata, key, kept);
        }
    }
    let mut whole = Yaml::Map(std::mem::take(metadata));
    super::super::super::layout::each_filter_target(&mut whole, |target| {
        if let Some(id) = id_of(target.get("datasetId")).and_then(|old| datasets.get(&old)) {
            put(target, "datasetId", *id);
        }
    });
    if let Yaml::Map(map) = whole {
        *metadata = map;
    }
}
