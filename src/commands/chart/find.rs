//! A chart as a single object: who may see it, and what is shown with it.

use daos::{
    chart,
    dataset::{self, Dataset},
    person::{self, Owned, Person},
    tag::{self, Tag},
};
use infra::{Error, Result};

use crate::{Caller, Services, access::lists};

pub use daos::chart::{Chart, ChartKey};

/// A chart with what `GET /api/v1/chart/1` shows of it.
#[derive(Debug, Clone)]
pub struct ChartDetail {
    /// The chart.
    pub chart: Chart,
    /// Its dataset, whoever may use it.
    pub dataset: Option<Dataset>,
    /// Its owners.
    pub owners: Vec<Person>,
    /// Id, title and metadata of the dashboards that show it.
    pub dashboards: Vec<(i64, Option<String>, Option<String>)>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// The chart, if lists show it to the caller.
pub async fn listed(caller: &Caller, key: &ChartKey) -> Result<Option<Chart>> {
    Ok(chart::find_where(caller.app.db.exec(), key, lists::charts(&caller.user, "s")).await?)
}

/// There is a chart of this id, whoever may see it.
pub async fn exists(app: &Services, id: i64) -> Result<bool> {
    Ok(chart::find(app.db.exec(), id).await?.is_some())
}

/// The dashboards that show a chart.
pub async fn dashboard_ids(app: &Services, id: i64) -> Result<Vec<i64>> {
    Ok(chart::dashboards(app.db.exec(), id).await?.into_iter().map(|(id, ..)| id).collect())
}

/// The chart with what is shown with it, if lists show it to the caller.
pub async fn detail(caller: &Caller, key: &ChartKey) -> Result<ChartDetail> {
    let db = caller.app.db.exec();
    let chart = listed(caller, key).await?.ok_or_else(Error::not_found)?;
    let dataset = match chart.datasource_id {
        Some(id) => dataset::find(db, id).await?,
        None => None,
    };
    let owners = person::owners(db, Owned::Chart, &[chart.id]).await?.remove(&chart.id).unwrap_or_default();
    let dashboards = chart::dashboards(db, chart.id).await?;
    let tags = tag::of_object(db, "chart", chart.id).await?;
    Ok(ChartDetail { chart, dataset, owners, dashboards, tags })
}
