//! Whether the caller may work on a dataset, and a chart of it, in the chart builder (`superset.explore.utils`).

use daos::{chart, database, dataset, person::Owned, query};
use infra::{Error, Result};

use crate::{
    Caller,
    access::{objects, ownership},
    query_run,
};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The dataset is not the caller's to see.
    #[error("You don't have access to this dataset.")]
    Dataset,
    /// There is no such dataset.
    #[error("Dataset does not exist")]
    NoDataset,
    /// No dataset was named at all.
    #[error("Datasource does not exist")]
    Unnamed,
    /// Only datasets and queries of SQL Lab are explored.
    #[error("Datasource type is invalid")]
    Kind,
    /// The chart is not the caller's to see.
    #[error("You don't have access to this chart.")]
    Chart,
    /// There is no such chart.
    #[error("Chart not found.")]
    NoChart,
    /// Something else failed.
    #[error("{0}")]
    Other(Error),
}

impl<E: Into<Error>> From<E> for Denied {
    fn from(e: E) -> Self {
        Self::Other(e.into())
    }
}

impl Denied {
    /// As the permalink API answers it.
    pub fn into_error(self) -> Error {
        match self {
            Self::Dataset | Self::Chart => Error::message(403, self.to_string()),
            Self::NoDataset | Self::NoChart => Error::message(404, self.to_string()),
            // where the original fails
            Self::Unnamed | Self::Kind => Error::message(404, Self::NoDataset.to_string()),
            Self::Other(e) => e,
        }
    }
    /// As the APIs of temporary values answer it.
    pub fn into_cache_error(self) -> Error {
        match self {
            Self::Dataset | Self::Chart => {
                Error::message(403, "You don't have permission to modify the value.")
            }
            Self::NoDataset | Self::NoChart => Error::message(404, "Resource was not found."),
            Self::Unnamed | Self::Kind => Error::bad_request(serde_json::json!([self.to_string()])),
            Self::Other(e) => e,
        }
    }
}

/// `check_access`.
pub async fn check(
    caller: &Caller,
    kind: &str,
    datasource_id: i64,
    chart_id: Option<i64>,
) -> Result<(), Denied> {
    let db = caller.app.db.exec();
    match kind {
        _ if datasource_id == 0 => return Err(Denied::Unnamed),
        "query" => check_query(caller, datasource_id).await?,
        "table" => {
            let dataset = dataset::find(db, datasource_id).await?.ok_or(Denied::NoDataset)?;
            if !objects::can_access_dataset(caller, &dataset).await? {
                return Err(Denied::Dataset);
            }
        }
        _ => return Err(Denied::Kind),
    }
    let Some(chart_id) = chart_id.filter(|id| *id != 0) else { return Ok(()) };
    if chart::find(db, chart_id).await?.is_none() {
        return Err(Denied::NoChart);
    }
    let may = caller.user.can_access("can_read", "Chart")
        || ownership::owns(caller, Owned::Chart, chart_id).await?;
    if may { Ok(()) } else { Err(Denied::Chart) }
}

/// Results of SQL Lab: one's own, or all when that is granted, of tables that are granted.
async fn check_query(caller: &Caller, id: i64) -> Result<(), Denied> {
    let db = caller.app.db.exec();
    let query = query::find(db, id).await?.ok_or(Denied::NoDataset)?;
    let database = database::find(db, query.database_id).await?.ok_or(Denied::NoDataset)?;
    match query_run::raise_for_past(caller, &query, &database).await {
        Ok(()) => Ok(()),
        Err(Error::Internal(source)) => Err(Denied::Other(Error::Internal(source))),
        Err(_) => Err(Denied::Dataset),
    }
}
