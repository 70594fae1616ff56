//! Dashboards in a bundle (`superset.commands.dashboard.export`).

use std::collections::{HashMap, HashSet, VecDeque};

use daos::{
    Record,
    chart::{self, Placed},
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
    AssetKind, CHUNK, Export,
    chart::{ChartRows, custom},
    distinct, id_of,
};

/// What dashboards refer to.
struct Referred {
    charts: HashMap<i64, Vec<Placed>>,
    themes: HashMap<i64, Record>,
    /// UUIDs of the datasets of native filters that the caller sees.
    datasets: HashMap<i64, String>,
}

impl Export<'_> {
    /// Dashboards, each with its charts, its theme and the datasets of its filters: read for all of them at once.
    pub(super) async fn dashboards(&mut self, ids: &[i64], related: bool) -> Result<()> {
        let columns = [DASHBOARD, &["position_json", "json_metadata", "theme_id"]].concat();
        let dashboards = self.rows(&DASHBOARDS, &columns, ids).await?;
        let tags = match self.tags {
            true => tag::of_objects(self.db, "dashboard", ids).await?,
            false => HashMap::new(),
        };
        let referred = self.referred(&dashboards).await?;
        let mut charts = Charts::default();
        let mut of_filters = HashMap::new();
        if related {
            charts = self.charts_of(&dashboards, &referred).await?;
            let ids = distinct(referred.datasets.keys().copied());
            of_filters = self.dataset_rows(&ids, true).await?;
        }
        for dashboard in &dashboards {
            let id = id_of(dashboard);
            let theme = dashboard.get::<i64>("theme_id").and_then(|id| referred.themes.get(&id));
            let metadata = decoded(dashboard, "json_metadata");
            let datasets = filter_datasets(metadata.as_ref());
            let mut map = self.dashboard(dashboard, metadata, &referred);
            put(&mut map, "theme_uuid", theme.map_or(Yaml::Null, |t| value(t, &THEMES, "uuid")));
            put(&mut map, "version", VERSION);
            if self.tags {
                put(&mut map, "tags", custom(tags.get(&id).map_or(&[], Vec::as_slice)));
            }
            let name = file_name::with_id(&dashboard.text("dashboard_title"), id);
            self.file(&format!("dashboards/{name}.yaml"), map)?;
            if !related {
                continue;
            }
            let shown = charts.of.remove(&id).unwrap_or_default();
            for chart in &shown {
                charts.read(self, *chart).await?;
                self.chart(*chart, &charts.rows, true)?;
            }
            self.tags_of(Some(id), &shown).await?;
            if let Some(theme) = theme {
                self.themes(&[id_of(theme)]).await?;
            }
            for dataset in datasets.iter().filter_map(|id| of_filters.get(id)) {
                self.dataset(dataset, true)?;
            }
        }
        Ok(())
    }

    async fn referred(&self, dashboards: &[Record]) -> Result<Referred> {
        let ids: Vec<i64> = dashboards.iter().map(id_of).collect();
        let charts = chart::of_dashboards(self.db, &ids).await?;
        let themes = distinct(dashboards.iter().filter_map(|d| d.get::<i64>("theme_id")));
        let themes = if themes.is_empty() { Vec::new() } else { self.rows(&THEMES, &[], &themes).await? };
        let targets = dashboards.iter().flat_map(|d| filter_datasets(decoded(d, "json_metadata").as_ref()));
        let visible = self.visible(AssetKind::Dataset, &distinct(targets)).await?;
        let datasets = dataset::find_many(self.db, &visible).await?;
        Ok(Referred {
            charts,
            themes: themes.into_iter().map(|theme| (id_of(&theme), theme)).collect(),
            datasets: datasets.into_iter().filter_map(|(id, d)| Some((id, d.uuid?.to_string()))).collect(),
        })
    }

    /// Which charts follow which dashboard; the caller must see all of them.
    async fn charts_of(&self, dashboards: &[Record], referred: &Referred) -> Result<Charts> {
        let ids = distinct(referred.charts.values().flatten().map(|chart| chart.id));
        // in the order in which the database finds them
        let visible = self.all_visible(AssetKind::Chart, &ids).await?;
        let place: HashMap<i64, usize> = visible.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut charts = Charts::default();
        let mut queued = HashSet::new();
        for dashboard in dashboards.iter().map(id_of) {
            let shown = referred.charts.get(&dashboard).into_iter().flatten();
            let mut shown: Vec<i64> = shown.map(|chart| chart.id).collect();
            shown.sort_by_key(|id| place.get(id).copied());
            let new = |id: &i64| !self.exported.contains(&(AssetKind::Chart, *id)) && queued.insert(*id);
            charts.queue.extend(shown.iter().copied().filter(new));
            charts.of.insert(dashboard, shown);
        }
        Ok(charts)
    }

    fn dashboard(&self, dashboard: &Record, metadata: Option<Yaml>, referred: &Referred) -> Map {
        let charts = referred.charts.get(&id_of(dashboard)).map_or(&[][..], Vec::as_slice);
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
                if let Some(uuid) = id.and_then(|id| referred.datasets.get(&id)) {
                    put(target, "datasetUuid", uuid.as_str());
                }
            });
            put(&mut map, "metadata", metadata);
        }
        if !has_layout {
            put(&mut map, "position", default_position(title));
        }
        if let Some(position) = map.get_mut("position").and_then(Yaml::as_map_mut) {
            let known: HashSet<String> = layout::chart_uuids(position).into_iter().collect();
            let uuid = |chart: &Placed| chart.uuid.map(|u| u.to_string()).unwrap_or_default();
            let orphans: Vec<&Placed> = charts.iter().filter(|c| !known.contains(&uuid(c))).collect();
            if !orphans.is_empty() {
                append_charts(position, &dashboard.text("uuid"), &orphans);
            }
        }
        map
    }
}

/// Charts that follow dashboards, in their order; as many are read ahead as are held at a time.
#[derive(Default)]
struct Charts {
    of: HashMap<i64, Vec<i64>>,
    queue: VecDeque<i64>,
    rows: ChartRows,
}

impl Charts {
    /// Reads the rows of a chart that is the next in the queue.
    async fn read(&mut self, export: &Export<'_>, id: i64) -> Result<()> {
        if self.queue.front() == Some(&id) && !self.rows.has(id) {
            let next: Vec<i64> = self.queue.iter().copied().take(CHUNK).collect();
            self.rows = export.chart_rows(&next, true).await?;
        }
        if self.queue.front() == Some(&id) {
            self.queue.pop_front();
        }
        Ok(())
    }
}

/// Datasets of the native filters.
fn filter_datasets(metadata: Option<&Yaml>) -> Vec<i64> {
    let targets = metadata.into_iter().flat_map(layout::filter_targets);
    distinct(targets.filter_map(|t| t.get("datasetId")?.as_i64()))
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
fn append_charts(position: &mut Map, dashboard: &str, charts: &[&Placed]) {
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
