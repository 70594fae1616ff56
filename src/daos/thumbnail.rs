//! What the digests of thumbnails are made of (`superset.thumbnails.digest`), for several objects at once.

use infra::db::{DbError, Executor, Row, Sql};

use crate::natural_order;

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartParts {
    /// `slices.id`.
    pub id: i64,
    /// `slices.params`.
    pub params: Option<String>,
    /// Its dataset.
    pub dataset_id: Option<i64>,
    /// Who made it.
    pub created_by: Option<i64>,
    /// Who changed it last.
    pub changed_by: Option<i64>,
}

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardParts {
    /// `dashboards.id`.
    pub id: i64,
    /// `dashboards.position_json`.
    pub position_json: Option<String>,
    /// `dashboards.css`.
    pub css: Option<String>,
    /// `dashboards.json_metadata`.
    pub json_metadata: Option<String>,
    /// Who made it.
    pub created_by: Option<i64>,
    /// Who changed it last.
    pub changed_by: Option<i64>,
}

/// A chart on a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedChart {
    /// The dashboard.
    pub dashboard_id: i64,
    /// `slices.slice_name`.
    pub name: Option<String>,
    /// Its dataset.
    pub dataset_id: Option<i64>,
}

const DATASET: &str = "CASE WHEN s.datasource_type = 'table' THEN s.datasource_id END";

/// Several charts.
pub async fn charts(db: &dyn Executor, ids: &[i64]) -> Result<Vec<ChartParts>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(format!(
        "SELECT s.id, s.params, {DATASET}, s.created_by_fk, s.changed_by_fk FROM slices s WHERE s.id IN "
    ));
    sql.push_list(ids.iter().copied());
    let parts = |row: &Row| {
        let (id, params, dataset_id) = (row.at(0)?, row.at(1)?, row.at(2)?);
        Ok(ChartParts { id, params, dataset_id, created_by: row.at(3)?, changed_by: row.at(4)? })
    };
    db.query(sql).await?.iter().map(parts).collect()
}

/// Several dashboards.
pub async fn dashboards(db: &dyn Executor, ids: &[i64]) -> Result<Vec<DashboardParts>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "SELECT b.id, b.position_json, b.css, b.json_metadata, b.created_by_fk, b.changed_by_fk \
         FROM dashboards b WHERE b.id IN ",
    );
    sql.push_list(ids.iter().copied());
    let parts = |row: &Row| {
        Ok(DashboardParts {
            id: row.at(0)?,
            position_json: row.at(1)?,
            css: row.at(2)?,
            json_metadata: row.at(3)?,
            created_by: row.at(4)?,
            changed_by: row.at(5)?,
        })
    };
    db.query(sql).await?.iter().map(parts).collect()
}

/// The charts of several dashboards, in the order in which the original finds them.
pub async fn charts_of(db: &dyn Executor, dashboards: &[i64]) -> Result<Vec<PlacedChart>, DbError> {
    if dashboards.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(format!(
        "SELECT ds.dashboard_id, s.slice_name, {DATASET} FROM slices s \
         JOIN dashboard_slices ds ON ds.slice_id = s.id WHERE ds.dashboard_id IN "
    ));
    sql.push_list(dashboards.iter().copied()).push(&natural_order::of_dashboard_charts(db.dialect(), "s"));
    let placed =
        |row: &Row| Ok(PlacedChart { dashboard_id: row.at(0)?, name: row.at(1)?, dataset_id: row.at(2)? });
    db.query(sql).await?.iter().map(placed).collect()
}

/// Keys and names of all charts or dashboards, as the database finds them; with `ids` only those.
async fn all(
    db: &dyn Executor,
    (table, name): (&str, &str),
    ids: &[i64],
) -> Result<Vec<(i64, Option<String>)>, DbError> {
    let mut sql = Sql::new(format!("SELECT id, {name} FROM {table}"));
    if !ids.is_empty() {
        sql.push(" WHERE id IN ").push_list(ids.iter().copied());
    }
    sql.push(&natural_order::of_join(db.dialect(), table));
    db.query(sql).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// All charts, or those of some keys.
pub async fn all_charts(db: &dyn Executor, ids: &[i64]) -> Result<Vec<(i64, Option<String>)>, DbError> {
    all(db, ("slices", "slice_name"), ids).await
}

/// All dashboards, or those of some keys.
pub async fn all_dashboards(db: &dyn Executor, ids: &[i64]) -> Result<Vec<(i64, Option<String>)>, DbError> {
    all(db, ("dashboards", "dashboard_title"), ids).await
}
