//! Dashboards in a bundle (`superset.commands.dashboard.export`).

use std::collections::HashMap;

use daos::{
    Record,
    chart::{self, Chart},
    dataset,
    tables::{DASHBOARDS, THEMES},
    tag,
};
use infra::{
    Result, file_name,
    yaml::{Map, Yaml, json_loads},
};
use uuid::Uuid;

use super::{
    super::{
        document::{DASHBOARD, VERSION, put, value, with_uuid},
        layout,
    },
    AssetKind, Export,
    chart::custom,
    distinct, id_of,
};

impl Export<'_> {
    /// Dashboards, each with its charts, its theme and the datasets of its filters.
    pub(super) async fn dashboards(&mut self, ids: &[i64], related: bool) -> Result<()> {
        let columns = [DASHBOARD, &["position_json", "json_metadata", "theme_id"]].concat();
        let dashboards = self.rows(&DASHBOARDS, &columns, ids).await?;
        let tags = match self.tags {
            true => tag::of_objects(self.db, "dashboard", ids).await?,
            false => HashMap::new(),
        };
        for dashboard in &dashboards {
            let id = id_of(dashboard);
            let charts = chart::of_dashboard(self.db, id).await?;
            let theme = self.theme_of(dashboard).await?;
            let metadata = decoded(dashboard, "json_metadata");
            let datasets = self.filter_datasets(metadata.as_ref()).await?;
            let mut map = self.dashboard(dashboard, metadata, &charts, &datasets);
            put(&mut map, "theme_uuid", theme.as_ref().map_or(Yaml::Null, |t| value(t, &THEMES, "uuid")));
            put(&mut map, "version", VERSION);
            if self.tags {
                put(&mut map, "tags", custom(tags.get(&id).map_or(&[], Vec::as_slice)));
            }
            let name = file_name::with_id(&dashboard.text("dashboard_title"), id);
            self.file(&format!("dashboards/{name}.yaml"), map)?;
            if !related {
                continue;
            }
            let ids: Vec<i64> = charts.iter().map(|c| c.id).collect();
            let ids = self.all_visible(AssetKind::Chart, &ids).await?;
            for chunk in ids.chunks(super::CHUNK) {
                self.charts(chunk, true, false).await?;
            }
            self.tags_of(Some(id), &ids).await?;
            if let Some(theme) = &theme {
                self.themes(&[id_of(theme)]).await?;
            }
            let datasets = distinct(datasets.into_keys());
            self.datasets(&datasets, true).await?;
        }
        Ok(())
    }

    async fn theme_of(&self, dashboard: &Record) -> Result<Option<Record>> {
        let Some(id) = dashboard.get::<i64>("theme_id") else { return Ok(None) };
        Ok(self.rows(&THEMES, &[], &[id]).await?.pop())
    }

    /// UUIDs of the datasets of native filters that the caller sees.
    async fn filter_datasets(&self, metadata: Option<&Yaml>) -> Result<HashMap<i64, String>> {
        let targets = metadata.into_iter().flat_map(layout::filter_targets);
        let ids = distinct(targets.filter_map(|t| t.get("datasetId")?.as_i64()));
        let visible = self.visible(AssetKind::Dataset, &ids).await?;
        let found = dataset::find_many(self.db, &visible).await?;
        Ok(found.into_iter().filter_map(|(id, d)| Some((id, d.uuid?.to_string()))).collect())
    }

    fn dashboard(
        &self,
        dashboard: &Record,
        metadata: Option<Yaml>,
        charts: &[Chart],
        datasets: &HashMap<i64, String>,
    ) -> Map {
        let mut map = with_uuid(dashboard, &DASHBOARDS, DASHBOARD);
        let title = value(dashboard, &DASHBOARDS, "dashboard_title");
        let position = decoded(dashboard, "position_json");
        let has_layout = position.as_ref().is_some_and(Yaml::truthy);
        if let Some(position) = position {
            put(&mut map, "position", position);
        }
        if let Some(mut metadata) = metadata {
            layout::each_filter_target(&mut metadata, |target| {
                let id = target.shift_remove("datasetId").and_then(|id| id.as_i64());
                if let Some(uuid) = id.and_then(|id| datasets.get(&id)) {
                    put(target, "datasetUuid", uuid.as_str());
                }
            });
            put(&mut map, "metadata", metadata);
        }
        if !has_layout {
            put(&mut map, "position", default_position(title));
        }
        if let Some(position) = map.get_mut("position").and_then(Yaml::as_map_mut) {
            let known = layout::chart_uuids(position);
            let uuid = |chart: &Chart| chart.uuid.map(|u| u.to_string()).unwrap_or_default();
            let orphans: Vec<&Chart> = charts.iter().filter(|c| !known.contains(&uuid(c))).collect();
            if !orphans.is_empty() {
                append_charts(position, &dashboard.text("uuid"), &orphans);
            }
        }
        map
    }
}

/// A JSON column; what is there but no JSON is an empty mapping.
fn decoded(dashboard: &Record, column: &str) -> Option<Yaml> {
    let text = dashboard.text(column);
    (!text.is_empty()).then(|| json_loads(&text).unwrap_or_else(Yaml::map))
}

fn mapping(entries: impl IntoIterator<Item = (&'static str, Yaml)>) -> Yaml {
    Yaml::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn texts(items: &[&str]) -> Yaml {
    Yaml::List(items.iter().map(|i| (*i).into()).collect())
}

/// The layout of a dashboard that has none.
fn default_position(title: Yaml) -> Yaml {
    let root = [("children", texts(&["GRID_ID"])), ("id", "ROOT_ID".into()), ("type", "ROOT".into())];
    let grid = [
        ("children", texts(&[])),
        ("id", "GRID_ID".into()),
        ("parents", texts(&["ROOT_ID"])),
        ("type", "GRID".into()),
    ];
    let header =
        [("id", "HEADER_ID".into()), ("meta", mapping([("text", title)])), ("type", "HEADER".into())];
    mapping([
        ("DASHBOARD_VERSION_KEY", "v2".into()),
        ("ROOT_ID", mapping(root)),
        ("GRID_ID", mapping(grid)),
        ("HEADER_ID", mapping(header)),
    ])
}

/// Charts that stand nowhere get a row of their own. The original draws names for it; here they follow from what is
/// exported, so that an unchanged dashboard is exported unchanged.
fn append_charts(position: &mut Map, dashboard: &str, charts: &[&Chart]) {
    let hashes: Vec<String> =
        charts.iter().map(|c| format!("CHART-{}", suffix(&format!("{dashboard} {:?}", c.uuid)))).collect();
    let in_grid = position.get("ROOT_ID").and_then(|root| root.get("children")?.as_list());
    let in_grid = in_grid.is_some_and(|children| children.contains(&"GRID_ID".into()));
    let mut row = None;
    if in_grid {
        let name = format!("ROW-N-{}", suffix(&hashes.join(" ")));
        let children = position.get_mut("GRID_ID").and_then(|grid| grid.get_mut("children")?.as_list_mut());
        if let Some(children) = children {
            children.push(name.as_str().into());
        }
        let meta = mapping([("0", "ROOT_ID".into()), ("background", "BACKGROUND_TRANSPARENT".into())]);
        let entry = mapping([
            ("children", Yaml::List(hashes.iter().map(|h| h.as_str().into()).collect())),
            ("id", name.as_str().into()),
            ("meta", meta),
            ("type", "ROW".into()),
            ("parents", texts(&["ROOT_ID", "GRID_ID"])),
        ]);
        put(position, &name, entry);
        row = Some(name);
    }
    for (hash, chart) in hashes.iter().zip(charts) {
        let meta = mapping([
            ("chartId", chart.id.into()),
            ("height", 50.into()),
            ("sliceName", chart.slice_name.clone().into()),
            ("uuid", chart.uuid.map(|u| u.to_string()).into()),
            ("width", 4.into()),
        ]);
        let mut entry = Map::new();
        put(&mut entry, "children", Vec::new());
        put(&mut entry, "id", hash.as_str());
        put(&mut entry, "meta", meta);
        put(&mut entry, "type", "CHART");
        if let Some(row) = &row {
            put(&mut entry, "parents", texts(&["ROOT_ID", "GRID_ID", row]));
        }
        put(position, hash, entry);
    }
}

/// Eight letters and digits.
fn suffix(seed: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes());
    let letter = |b: &u8| LETTERS.get(usize::from(*b) % LETTERS.len()).copied().map_or('A', char::from);
    // the bytes in the middle hold the version
    digest.as_bytes().iter().rev().take(8).map(letter).collect()
}
