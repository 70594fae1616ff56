//! A dataset as a single object: who may see it, and what hangs on it.

use std::collections::HashMap;

use daos::{chart, dashboard, dataset, person};
use infra::{Error, Result};

use super::describe::{self, Described};
use crate::{
    Caller, Services,
    access::{lists, objects},
};

pub use super::write::listed;
pub use daos::{chart::ChartName, dashboard::DashboardName, dataset::Dataset, person::Person};

/// The dataset with its relations, whoever may see it.
pub async fn described(app: &Services, id: i64) -> Result<Option<Described>> {
    describe::load_one(app.db.exec(), id).await
}

/// Several datasets with their relations, by id, whoever may see them.
pub async fn described_many(app: &Services, ids: &[i64]) -> Result<HashMap<i64, Described>> {
    describe::load(app.db.exec(), ids).await
}

/// Who made a dataset and who changed it last.
pub async fn created_and_changed_by(app: &Services, dataset: &Dataset) -> Result<[Option<Person>; 2]> {
    Ok(person::find_each(app.db.exec(), [dataset.created_by_fk, dataset.changed_by_fk]).await?)
}

/// Charts on some datasets and the dashboards that show them.
pub async fn related(app: &Services, ids: &[i64]) -> Result<(Vec<ChartName>, Vec<DashboardName>)> {
    let db = app.db.exec();
    let charts = chart::names_of_datasets(db, ids).await?;
    Ok((charts, dashboard::names_of_datasets(db, ids).await?))
}

/// Ids of the datasets of a database that bear a name.
pub async fn ids_by_name(app: &Services, database_id: i64, name: &str) -> Result<Vec<i64>> {
    Ok(dataset::id_by_name(app.db.exec(), database_id, name).await?)
}

/// Datasets of a database that stand for a table of a name, whoever may see them.
pub async fn by_place(
    app: &Services,
    database_id: i64,
    (catalog, schema, table): (Option<&str>, Option<&str>, &str),
) -> Result<Vec<Dataset>> {
    Ok(dataset::find_by_name(app.db.exec(), database_id, table, schema, catalog).await?)
}

/// Fails unless the caller may drill into a dataset: lists show it, or the dashboard leads to it.
pub async fn raise_for_drill(caller: &Caller, id: i64, dashboard_id: i64) -> Result<()> {
    let db = caller.app.db.exec();
    if dataset::find_where(db, id, lists::datasets(&caller.user, "t")).await?.is_some() {
        return Ok(());
    }
    let through = match dashboard_id {
        0 if caller.guest().is_some() => return Err(Error::forbidden()),
        0 => return Err(Error::not_found()),
        id => id,
    };
    let dashboard = dashboard::find(db, through).await?.ok_or_else(Error::not_found)?;
    let dataset = dataset::find(db, id).await?.ok_or_else(Error::not_found)?;
    match objects::can_drill_via_dashboard(caller, &dataset, &dashboard).await? {
        true => Ok(()),
        false => Err(Error::forbidden()),
    }
}
