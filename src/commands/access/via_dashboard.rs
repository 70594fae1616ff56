//! Datasets that are reached through a dashboard: by roles (`DASHBOARD_RBAC`) or as an embedded guest.

use daos::{
    chart::{self, Chart},
    dashboard,
    dataset::{self, Dataset},
};
use infra::Result;
use serde_json::Value;

use super::{Principal, objects};
use crate::Services;

/// The form data comes from a native filter, a chart or a drill-by of a dashboard that the caller may open, and that
/// dashboard really uses the dataset in this way.
pub async fn reaches(app: &Services, user: &Principal, dataset: &Dataset, form_data: &Value) -> Result<bool> {
    let db = app.db.exec();
    let Some(dashboard_id) = form_data.get("dashboardId").and_then(number) else { return Ok(false) };
    let by_guest = user.guest_if_enabled(&app.config).is_some();
    let by_role = app.config.flag("DASHBOARD_RBAC");
    if !by_guest && !by_role {
        return Ok(false);
    }
    let Some(board) = dashboard::find(db, dashboard_id).await? else { return Ok(false) };
    if !by_guest && dashboard::roles(db, board.id).await?.is_empty() {
        return Ok(false);
    }
    let used = if form_data.get("type").and_then(Value::as_str) == Some("NATIVE_FILTER") {
        let filter_id = form_data.get("native_filter_id").and_then(Value::as_str).unwrap_or_default();
        filter_targets(board.json_metadata.as_deref(), filter_id, dataset.id)
    } else {
        let charts = chart::of_dashboard(db, board.id).await?;
        is_chart(&charts, form_data, dataset) || is_drill_by(app, &charts, form_data, dataset).await?
    };
    Ok(used && objects::can_access_dashboard(app, user, &board).await?)
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn filter_targets(json_metadata: Option<&str>, filter_id: &str, dataset_id: i64) -> bool {
    if filter_id.is_empty() {
        return false;
    }
    let metadata: Value = serde_json::from_str(json_metadata.unwrap_or_default()).unwrap_or_default();
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    list(metadata.get("native_filter_configuration"))
        .iter()
        .filter(|filter| filter.get("id").and_then(Value::as_str) == Some(filter_id))
        .flat_map(|filter| list(filter.get("targets")))
        .any(|target| target.get("datasetId").and_then(Value::as_i64) == Some(dataset_id))
}

fn has_chart(charts: &[Chart], id: i64, dataset: &Dataset) -> bool {
    charts.iter().any(|c| c.id == id && c.datasource_id == Some(dataset.id))
}

fn is_chart(charts: &[Chart], form_data: &Value, dataset: &Dataset) -> bool {
    form_data.get("slice_id").and_then(number).is_some_and(|id| id != 0 && has_chart(charts, id, dataset))
}

/// `has_drill_by_access`: from a chart of the dashboard, by columns that are meant for grouping.
async fn is_drill_by(app: &Services, charts: &[Chart], form_data: &Value, dataset: &Dataset) -> Result<bool> {
    let chart = form_data.get("chart_id").and_then(number);
    if form_data.get("slice_id").and_then(Value::as_i64) != Some(0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_filters_name_their_dataset() {
        let metadata = r#"{"native_filter_configuration":
            [{"id": "F1", "targets": [{"datasetId": 3}]}, {"id": "F2", "targets": [{}]}]}"#;
        assert!(filter_targets(Some(metadata), "F1", 3));
        assert!(!filter_targets(Some(metadata), "F1", 4));
        assert!(!filter_targets(Some(metadata), "F2", 3));
        assert!(!filter_targets(Some("nonsense"), "F1", 3));
        assert!(!filter_targets(None, "", 3));
    }
}
