//! The filters of a dashboard: what a native filter asks for itself, and by what its readers may filter the charts.

use daos::{chart::Chart, dashboard::Dashboard};
use infra::json;
use query::query_object::ResultType;
use serde_json::{Value, json};

use super::{Exposed, exposed::list, meaning::ColumnMeaning};

/// The native filters of a dashboard.
pub(super) fn native(dashboard: &Dashboard) -> Vec<Value> {
    configured(dashboard.json_metadata.as_deref())
}

fn configured(json_metadata: Option<&str>) -> Vec<Value> {
    let metadata: Value = serde_json::from_str(json_metadata.unwrap_or_default()).unwrap_or_default();
    list(metadata.get("native_filter_configuration")).cloned().collect()
}

/// The native filter of an id.
pub(crate) fn native_filter(dashboard: &Dashboard, id: &str) -> Option<Value> {
    native(dashboard).into_iter().find(|filter| is_called(filter, id))
}

fn is_called(filter: &Value, id: &str) -> bool {
    !id.is_empty() && filter.get("id").and_then(Value::as_str) == Some(id)
}

/// The targets of a filter on a dataset.
pub(crate) fn targets(filter: &Value, dataset_id: i64) -> impl Iterator<Item = &Value> {
    list(filter.get("targets"))
        .filter(move |target| target.get("datasetId").and_then(json::id) == Some(dataset_id))
}

fn kind(filter: &Value) -> &str {
    filter.get("filterType").and_then(Value::as_str).unwrap_or_default()
}

impl Exposed {
    /// Adds what a native filter asks of the dataset: its column's values or bounds, by its metric, under its own
    /// filters.
    pub(super) fn add_native_filter(&mut self, filter: &Value) {
        for target in targets(filter, self.dataset.id) {
            let Some(name) = target.pointer("/column/name").and_then(Value::as_str) else { continue };
            self.columns.insert(ColumnMeaning::Name(name.to_owned()));
            let bound = |aggregate: &str| {
                json!({"expressionType": "SIMPLE", "aggregate": aggregate,
                "column": {"column_name": name}})
            };
            self.add_metrics(&json!([bound("MIN"), bound("MAX")]));
        }
        filter.pointer("/controlValues/sortMetric").into_iter().for_each(|metric| self.add_metrics(metric));
        filter.get("sortMetric").into_iter().for_each(|metric| self.add_metrics(metric));
        filter.get("adhoc_filters").into_iter().for_each(|filters| self.add_filters(filters));
        if let Some(name) = filter.get("granularity_sqla").and_then(Value::as_str) {
            self.filters.insert(ColumnMeaning::Name(name.to_owned()));
        }
        match kind(filter) {
            "filter_timecolumn" => self.result_types.push(ResultType::Columns),
            "filter_timegrain" => self.result_types.push(ResultType::Timegrains),
            _ => {}
        }
    }

    /// Adds what the readers of a dashboard may filter by: the targets of its filters, and what its charts show or
    /// filter by themselves (cross filters).
    pub(super) fn add_dashboard_filters(&mut self, dashboard: &Dashboard, charts: &[Chart]) {
        for filter in native(dashboard) {
            for target in list(filter.get("targets")) {
                let name = target.pointer("/column/name").and_then(Value::as_str);
                self.filters.extend(name.map(|name| ColumnMeaning::Name(name.to_owned())));
            }
            filter.get("adhoc_filters").into_iter().for_each(|filters| self.add_filters(filters));
            self.any_time_column |= kind(&filter) == "filter_timecolumn";
        }
        let mut others = Self::new(self.dataset.clone());
        charts.iter().for_each(|chart| others.add_chart(chart));
        self.filters.extend(others.columns);
        self.filters.extend(others.filters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_filters_name_their_dataset() {
        let metadata = r#"{"native_filter_configuration":
            [{"id": "F1", "targets": [{"datasetId": 3}]}, {"id": "F2", "targets": [{}]}, {"targets": []}]}"#;
        let has = |metadata, id, dataset| {
            let filters: Vec<Value> = configured(metadata);
            filters.iter().any(|f| is_called(f, id) && targets(f, dataset).next().is_some())
        };
        assert!(has(Some(metadata), "F1", 3));
        assert!(!has(Some(metadata), "F1", 4));
        assert!(!has(Some(metadata), "F2", 3));
        assert!(!has(Some("nonsense"), "F1", 3));
        assert!(!has(None, "", 3));
    }
}
