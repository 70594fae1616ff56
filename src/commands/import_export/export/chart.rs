//! Charts in a bundle (`superset.commands.chart.export`), and the tags of charts and dashboards
//! (`superset.commands.tag.export`).

use std::collections::{HashMap, HashSet};

use daos::{
    Record,
    tables::SLICES,
    tag::{self, DescribedTag},
};
use infra::{
    Result, file_name,
    yaml::{Map, Yaml},
};

use super::{
    super::document::{CHART, VERSION, decode, put, with_uuid},
    AssetKind, Export,
    dataset::DatasetRows,
    distinct, id_of,
};

/// Charts with what their files say of other tables.
#[derive(Default)]
pub(super) struct ChartRows {
    charts: HashMap<i64, Record>,
    datasets: HashMap<i64, DatasetRows>,
    tags: HashMap<i64, Vec<tag::Tag>>,
}

impl ChartRows {
    pub(super) fn has(&self, id: i64) -> bool {
        self.charts.contains_key(&id)
    }
}

impl Export<'_> {
    /// Charts, each with its dataset and, where `own_tags` says so, its tags.
    pub(super) async fn charts(&mut self, ids: &[i64], related: bool, own_tags: bool) -> Result<()> {
        let rows = self.chart_rows(ids, related).await?;
        for id in ids {
            self.chart(*id, &rows, related)?;
            if related && own_tags {
                self.tags_of(None, &[*id]).await?;
            }
        }
        Ok(())
    }

    /// The rows of charts; with those of their datasets where these are exported, too.
    pub(super) async fn chart_rows(&self, ids: &[i64], related: bool) -> Result<ChartRows> {
        let columns = [CHART, &["datasource_id", "datasource_type"]].concat();
        let charts = self.rows(&SLICES, &columns, ids).await?;
        let datasets = distinct(charts.iter().filter_map(dataset_of));
        if related {
            // one that is gone is none; one that is hidden is not passed over
            let existing = daos::rows::existing(self.db, "tables", &datasets).await?;
            self.all_visible(AssetKind::Dataset, &existing).await?;
        }
        let datasets = self.dataset_rows(&datasets, related).await?;
        let tags = match self.tags {
            true => tag::of_objects(self.db, "chart", ids).await?,
            false => HashMap::new(),
        };
        Ok(ChartRows {
            charts: charts.into_iter().map(|chart| (id_of(&chart), chart)).collect(),
            datasets,
            tags,
        })
    }

    /// A chart and its dataset, unless they were exported before.
    pub(super) fn chart(&mut self, id: i64, rows: &ChartRows, related: bool) -> Result<()> {
        let Some(chart) = rows.charts.get(&id) else { return Ok(()) };
        if !self.exported.insert((AssetKind::Chart, id)) {
            return Ok(());
        }
        let dataset = dataset_of(chart).and_then(|id| rows.datasets.get(&id));
        let mut map = with_uuid(chart, &SLICES, CHART);
        decode(&mut map, &["params"]);
        put(&mut map, "version", VERSION);
        if let Some(dataset) = dataset {
            put(&mut map, "dataset_uuid", dataset.uuid());
        }
        if self.tags {
            put(&mut map, "tags", custom(rows.tags.get(&id).map_or(&[], Vec::as_slice)));
        }
        let name = file_name::with_id(&chart.text("slice_name"), id);
        self.file(&format!("charts/{name}.yaml"), map)?;
        if let Some(dataset) = dataset.filter(|_| related) {
            self.dataset(dataset, true)?;
        }
        Ok(())
    }

    /// `tags.yaml`: the tags of a dashboard that people made, and those of charts that are about no type and no owner.
    pub(super) async fn tags_of(&mut self, dashboard: Option<i64>, charts: &[i64]) -> Result<()> {
        if !self.tags || self.is_seen("tags.yaml") {
            return Ok(());
        }
        let mut found: Vec<DescribedTag> = Vec::new();
        if let Some(id) = dashboard {
            let tags = tag::described(self.db, "dashboard", &[id]).await?;
            found.extend(tags.into_iter().filter(|t| t.kind.as_deref() == Some("custom")));
        }
        let tags = tag::described(self.db, "chart", charts).await?;
        found.extend(tags.into_iter().filter(|t| !t.name.contains("type:") && !t.name.contains("owner:")));
        let mut listed: Vec<Yaml> = Vec::new();
        let mut names = HashSet::new();
        for tag in found {
            if !names.insert(tag.name.clone()) {
                continue;
            }
            let mut map = Map::new();
            put(&mut map, "tag_name", tag.name);
            put(&mut map, "description", tag.description);
            listed.push(map.into());
        }
        let mut map = Map::new();
        put(&mut map, "tags", listed);
        self.file("tags.yaml", map)
    }
}

/// Names of the tags that people made.
pub(super) fn custom(tags: &[tag::Tag]) -> Vec<Yaml> {
    tags.iter().filter(|t| t.kind.as_deref() == Some("custom")).map(|t| t.name.as_str().into()).collect()
}

fn dataset_of(chart: &Record) -> Option<i64> {
    let id = chart.get::<i64>("datasource_id")?;
    (chart.text("datasource_type") == "table").then_some(id)
}
