//! Datasets that are reached through a dashboard: by roles (`DASHBOARD_RBAC`) or as an embedded guest.

use daos::{
    chart::{self, Chart},
    dashboard::{self, Dashboard},
    dataset::{self, Dataset},
};
use infra::{Result, json};
use serde_json::Value;

use super::{guest, objects};
use crate::{Caller, Services};

/// The form data comes from a native filter, a chart or a drill-by of a dashboard that the caller may open, and that
/// dashboard really uses the dataset in this way.
pub async fn reaches(caller: &Caller, dataset: &Dataset, form_data: &Value) -> Result<bool> {
    let db = caller.app.db.exec();
    let Some(dashboard_id) = form_data.get("dashboardId").and_then(json::id) else { return Ok(false) };
    let by_guest = caller.guest().is_some();
    let by_role = caller.app.config.flag("DASHBOARD_RBAC");
    if !by_guest && !by_role {
        return Ok(false);
    }
    let Some(dashboard) = dashboard::find(db, dashboard_id).await? else { return Ok(false) };
    if !by_guest && dashboard::roles(db, dashboard.id).await?.is_empty() {
        return Ok(false);
    }
    let used = if form_data.get("type").and_then(Value::as_str) == Some("NATIVE_FILTER") {
        let filter_id = form_data.get("native_filter_id").and_then(Value::as_str).unwrap_or_default();
        filter_targets(&dashboard, filter_id, dataset.id)
    } else {
        let charts = chart::of_dashboard(db, dashboard.id).await?;
        is_chart(&charts, form_data, dataset) || is_drill_by(&caller.app, &charts, form_data, dataset).await?
    };
    Ok(used && objects::can_access_dashboard(caller, &dashboard).await?)
}

fn filter_targets(dashboard: &Dashboard, filter_id: &str, dataset_id: i64) -> bool {
    let filter = guest::native_filter(dashboard, filter_id);
    filter.is_some_and(|filter| guest::targets(&filter, dataset_id).next().is_some())
}

fn has_chart(charts: &[Chart], id: i64, dataset: &Dataset) -> bool {
    charts.iter().any(|c| c.id == id && c.datasource_id == Some(dataset.id))
}

fn is_chart(charts: &[Chart], form_data: &Value, dataset: &Dataset) -> bool {
    form_data.get("slice_id").and_then(json::id).is_some_and(|id| id != 0 && has_chart(charts, id, dataset))
}

/// `has_drill_by_access`: from a chart of the dashboard, by columns that are meant for grouping.
async fn is_drill_by(app: &Services, charts: &[Chart], form_data: &Value, dataset: &Dataset) -> Result<bool> {
    let chart = form_data.get("chart_id").and_then(json::id);
    if form_data.get("slice_id").and_then(json::id) != Some(0)
        || !chart.is_some_and(|id| has_chart(charts, id, dataset))
    {
        return Ok(false);
    }
    let dimensions = form_data.get("groupby").and_then(Value::as_array).cloned().unwrap_or_default();
    if dimensions.is_empty() {
        return Ok(false);
    }
    let columns =
        dataset::columns(app.db.exec(), &[dataset.id]).await?.remove(&dataset.id).unwrap_or_default();
    let drillable = |name: &str| columns.iter().any(|c| c.groupby == Some(true) && c.column_name == name);
    Ok(dimensions.iter().all(|d| d.as_str().is_some_and(drillable)))
}
