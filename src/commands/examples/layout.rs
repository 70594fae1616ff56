//! Layout and native filters of the example dashboards.

use infra::Result;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Written;

/// A dashboard of the content file.
#[derive(Deserialize)]
pub(super) struct Dashboard {
    pub title: String,
    pub slug: String,
    /// Rows of (chart, width in twelfths, height in units of 8 pixels).
    pub rows: Vec<Vec<(String, u32, u32)>>,
    pub filters: Vec<Filter>,
    #[serde(default)]
    pub time_dataset: Option<String>,
}

/// A native filter.
#[derive(Deserialize)]
pub(super) struct Filter {
    pub name: String,
    pub dataset: String,
    pub column: String,
}

/// `dashboards.position_json`.
pub(super) fn positions(dashboard: &Dashboard, written: &Written) -> Result<Value> {
    let row_ids: Vec<String> = (0..dashboard.rows.len()).map(|i| format!("ROW-{i}")).collect();
    let mut out = Map::new();
    out.insert("DASHBOARD_VERSION_KEY".into(), "v2".into());
    out.insert("ROOT_ID".into(), json!({"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]}));
    out.insert(
        "GRID_ID".into(),
        json!({"type": "GRID", "id": "GRID_ID", "children": row_ids, "parents": ["ROOT_ID"]}),
    );
    let header = json!({"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}});
    out.insert("HEADER_ID".into(), header);
    for (row_id, row) in row_ids.iter().zip(&dashboard.rows) {
        let mut children = Vec::new();
        for (name, width, height) in row {
            let (chart, uuid) = written.chart(name)?;
            let id = format!("CHART-{chart}");
            let meta = json!({
                "chartId": chart, "width": width, "height": height, "sliceName": name, "uuid": uuid,
            });
            out.insert(
                id.clone(),
                json!({
                    "type": "CHART", "id": id, "children": [], "meta": meta,
                    "parents": ["ROOT_ID", "GRID_ID", row_id],
                }),
            );
            children.push(id);
        }
        out.insert(
            row_id.clone(),
            json!({
                "type": "ROW", "id": row_id, "children": children, "parents": ["ROOT_ID", "GRID_ID"],
                "meta": {"background": "BACKGROUND_TRANSPARENT"},
            }),
        );
    }
    Ok(Value::Object(out))
}

/// `dashboards.json_metadata`.
pub(super) fn metadata(dashboard: &Dashboard, written: &Written) -> Result<Value> {
    let mut filters = Vec::new();
    let charts = dashboard.rows.iter().flatten().map(|(name, ..)| Ok(written.chart(name)?.0));
    let charts = charts.collect::<Result<Vec<i64>>>()?;
    for (i, filter) in dashboard.filters.iter().enumerate() {
        let dataset = written.dataset(&filter.dataset)?;
        filters.push(json!({
            "id": format!("NATIVE_FILTER-{i}"), "name": filter.name, "filterType": "filter_select",
            "type": "NATIVE_FILTER", "description": "", "cascadeParentIds": [],
            "targets": [{"datasetId": dataset, "column": {"name": filter.column}}],
            "controlValues": {
                "enableEmptyFilter": false, "defaultToFirstItem": false, "multiSelect": true,
                "searchAllOptions": false, "inverseSelection": false,
            },
            "defaultDataMask": {"extraFormData": {}, "filterState": {}},
            "scope": {"rootPath": ["ROOT_ID"], "excluded": []}, "chartsInScope": charts, "tabsInScope": [],
        }));
    }
    if dashboard.time_dataset.is_some() {
        filters.push(json!({
            "id": "NATIVE_FILTER-TIME", "name": "Time range", "filterType": "filter_time",
            "type": "NATIVE_FILTER", "description": "", "cascadeParentIds": [], "targets": [{}],
            "controlValues": {"enableEmptyFilter": false},
            "defaultDataMask": {"extraFormData": {}, "filterState": {}},
            "scope": {"rootPath": ["ROOT_ID"], "excluded": []}, "chartsInScope": charts, "tabsInScope": [],
        }));
    }
    Ok(json!({
        "native_filter_configuration": filters, "color_scheme": "supersetColors", "refresh_frequency": 0,
        "timed_refresh_immune_slices": [], "expanded_slices": {}, "label_colors": {}, "cross_filters_enabled": true,
        "default_filters": "{}", "chart_configuration": {}, "shared_label_colors": [],
    }))
}
