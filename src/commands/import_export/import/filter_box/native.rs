//! Native filters of filter boxes (`convert_filter_scopes_to_native_filters`).

use std::collections::BTreeSet;

use daos::chart::Chart;
use infra::{
    json::truthy,
    yaml::{Map as YamlMap, Yaml, json_dumps},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A chart that filters others.
#[derive(Debug, Clone)]
pub struct FilterBox {
    /// Its key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its dataset.
    pub dataset: Option<i64>,
    /// Its controls.
    pub params: String,
}

impl FilterBox {
    /// A chart as a filter box.
    pub fn from_chart(chart: &Chart) -> Self {
        Self {
            id: chart.id,
            name: chart.slice_name.clone().unwrap_or_default(),
            dataset: chart.datasource_id,
            params: chart.params.clone().filter(|p| !p.is_empty()).unwrap_or_else(|| "{}".into()),
        }
    }
}

/// A filter of one field, and whom it spares.
struct Filter {
    of: i64,
    scope: Vec<Value>,
    immune: Vec<i64>,
    /// None where the controls say nothing of the field.
    native: Option<Map<String, Value>>,
}

/// A part of the metadata as JSON.
fn part(metadata: &YamlMap, key: &str) -> Value {
    let text = metadata.get(key).and_then(|v| json_dumps(v).ok());
    text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default()
}

fn integers(value: Option<&Value>) -> Vec<i64> {
    let id = |v: &Value| v.as_i64().or_else(|| v.as_str()?.parse().ok());
    value.and_then(Value::as_array).into_iter().flatten().filter_map(id).collect()
}

/// The native filters; none where something cannot be read.
pub fn native_filters(metadata: &YamlMap, position: &YamlMap, boxes: &[FilterBox]) -> Option<Vec<Yaml>> {
    if boxes.is_empty() {
        return Some(Vec::new());
    }
    let defaults = match metadata.get("default_filters").and_then(Yaml::as_str).filter(|t| !t.is_empty()) {
        Some(text) => serde_json::from_str(text).ok()?,
        None => json!({}),
    };
    let scopes = part(metadata, "filter_scopes");
    let ids: Vec<i64> = boxes.iter().map(|b| b.id).collect();
    let mut filters: Vec<Filter> = Vec::new();
    for filter_box in boxes {
        let params: Value = serde_json::from_str(&filter_box.params).ok()?;
        let key = filter_box.id.to_string();
        let mut fields = default_scopes(metadata, &params);
        for (field, scope) in scopes.get(&key).and_then(Value::as_object).into_iter().flatten() {
            fields.insert(field.clone(), scope.clone());
        }
        for (field, scope) in &fields {
            let default = defaults.get(&key).and_then(|d| d.get(field)).cloned().unwrap_or_default();
            let immune = integers(scope.get("immune"));
            let roots = scope.get("scope")?.as_array()?.clone();
            let excluded: Vec<i64> = immune.iter().filter(|id| !ids.contains(id)).copied().collect();
            let mut native = Map::new();
            native.insert("cascadeParentIds".into(), json!([]));
            native.insert("id".into(), format!("NATIVE_FILTER-{}", short_id()).into());
            native.insert("scope".into(), json!({"rootPath": roots, "excluded": excluded}));
            native.insert("type".into(), "NATIVE_FILTER".into());
            let known = describe(&mut native, field, default, &params, filter_box);
            filters.push(Filter { of: filter_box.id, scope: roots, immune, native: known.then_some(native) });
        }
    }
    wire(&mut filters, position, &ids);
    let mut native: Vec<Map<String, Value>> = filters.into_iter().filter_map(|f| f.native).collect();
    native.sort_by_key(|f| f.get("filterType").and_then(Value::as_str).unwrap_or_default().to_owned());
    Some(native.into_iter().map(|f| Yaml::from(&Value::Object(f))).collect())
}

/// `shortid()`, cut as the original cuts it.
fn short_id() -> String {
    Uuid::new_v4().simple().to_string().chars().skip(20).take(9).collect()
}

/// The fields of a filter box with the scopes that the oldest dashboards have (`convert_filter_scopes`).
fn default_scopes(metadata: &YamlMap, params: &Value) -> Map<String, Value> {
    let all = integers(Some(&part(metadata, "filter_immune_slices")));
    let by_chart = part(metadata, "filter_immune_slice_fields");
    let immune = |field: &str| {
        let mut ids: BTreeSet<i64> = all.iter().copied().collect();
        for (chart, columns) in by_chart.as_object().into_iter().flatten() {
            let names = columns.as_array().into_iter().flatten();
            if names.filter_map(Value::as_str).any(|c| c == field) {
                ids.extend(chart.parse::<i64>());
            }
        }
        json!({"scope": ["ROOT_ID"], "immune": ids})
    };
    let mut fields = Map::new();
    for (control, field) in [
        ("date_filter", "__time_range"),
        ("show_sqla_time_column", "__time_col"),
        ("show_sqla_time_granularity", "__time_grain"),
    ] {
        if params.get(control).is_some_and(truthy) {
            fields.insert(field.into(), immune(field));
        }
    }
    for config in params.get("filter_configs").and_then(Value::as_array).into_iter().flatten() {
        if let Some(column) = config.get("column").and_then(Value::as_str) {
            fields.insert(column.to_owned(), immune(column));
        }
    }
    fields
}

/// What a filter is and holds; false where the controls say nothing of its field.
fn describe(
    native: &mut Map<String, Value>,
    field: &str,
    default: Value,
    params: &Value,
    filter_box: &FilterBox,
) -> bool {
    let shows = |control: &str| params.get(control).is_some_and(truthy);
    let or = |default: Value, control: &str| {
        if truthy(&default) { default } else { params.get(control).cloned().unwrap_or_default() }
    };
    let mut set = |entries: Value| {
        if let Value::Object(entries) = entries {
            native.extend(entries);
        }
    };
    let dataset = json!([{"datasetId": filter_box.dataset}]);
    match field {
        "__time_col" if shows("show_sqla_time_column") => {
            set(json!({"filterType": "filter_timecolumn", "name": "Time Column", "targets": dataset}));
            let value = or(default, "granularity_sqla");
            if truthy(&value) {
                set(mask(json!({"granularity_sqla": value}), json!([value])));
            }
        }
        "__time_grain" if shows("show_sqla_time_granularity") => {
            set(json!({"filterType": "filter_timegrain", "name": "Time Grain", "targets": dataset}));
            let value = or(default, "time_grain_sqla");
            if truthy(&value) {
                set(mask(json!({"time_grain_sqla": value}), json!([value])));
            }
        }
        "__time_range" if shows("date_filter") => {
            set(json!({"filterType": "filter_time", "name": "Time Range", "targets": [{}]}));
            let value = or(default, "time_range");
            if truthy(&value) && value != "No filter" {
                set(mask(json!({"time_range": value}), value.clone()));
            }
        }
        _ => {
            let configs = params.get("filter_configs").and_then(Value::as_array);
            let of_field = |c: &&Value| c.get("column").and_then(Value::as_str) == Some(field);
            let Some(config) = configs.into_iter().flatten().find(of_field) else { return false };
            select(native, field, default, params, config, filter_box);
        }
    }
    true
}

fn mask(form_data: Value, state: Value) -> Value {
    json!({"defaultDataMask": {"extraFormData": form_data, "filterState": {"value": state}}})
}

fn select(
    native: &mut Map<String, Value>,
    field: &str,
    default: Value,
    params: &Value,
    config: &Value,
    filter_box: &FilterBox,
) {
    let of = |key: &str, or: bool| config.get(key).cloned().unwrap_or(Value::Bool(or));
    let mut controls = json!({
        "defaultToFirstItem": false,
        "enableEmptyFilter": !truthy(&of("clearable", true)),
        "inverseSelection": false,
        "multiSelect": of("multiple", false),
        "searchAllOptions": of("searchAllOptions", false),
    });
    let label = config.get("label").filter(|l| truthy(l)).cloned().unwrap_or_else(|| json!(field));
    if config.get("metric").is_some()
        && let Value::Object(controls) = &mut controls
    {
        controls.insert("sortAscending".into(), config.get("asc").cloned().unwrap_or_default());
    }
    native.insert("controlValues".into(), controls);
    native.insert("filterType".into(), "filter_select".into());
    native.insert("name".into(), label);
    native.insert("targets".into(), json!([{"column": {"name": field}, "datasetId": filter_box.dataset}]));
    if let Some(metric) = config.get("metric") {
        native.insert("sortMetric".into(), metric.clone());
    }
    if let Some(filters) = params.get("adhoc_filters").filter(|f| truthy(f)) {
        native.insert("adhoc_filters".into(), filters.clone());
    }
    if let Some(range) = params.get("time_range").filter(|r| truthy(r) && **r != "No filter") {
        native.insert("time_range".into(), range.clone());
        native.insert("granularity_sqla".into(), params.get("granularity_sqla").cloned().unwrap_or_default());
    }
    let mut value = default;
    if !truthy(&value) {
        value = config.get("defaultValue").cloned().unwrap_or_default();
        if let (Some(text), true) = (value.as_str().filter(|t| !t.is_empty()), truthy(&of("multiple", false)))
        {
            value = text.split(';').map(Value::from).collect();
        }
    }
    if truthy(&value) {
        let values = if value.is_array() { value } else { json!([value]) };
        let filters = json!({"filters": [{"col": field, "op": "IN", "val": values}]});
        if let Value::Object(entries) = mask(filters, values) {
            native.extend(entries);
        }
    }
}

/// A filter box that another one filters depends on it.
fn wire(filters: &mut [Filter], position: &YamlMap, boxes: &[i64]) {
    let ancestors = |id: i64| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for value in position.values() {
            let is_it = value.get("type").and_then(Yaml::as_str) == Some("CHART")
                && value.get("meta").and_then(|m| m.get("chartId")?.as_i64()) == Some(id);
            let parents = value.get("parents").and_then(Yaml::as_list).filter(|p| is_it && !p.is_empty());
            if let Some(parents) = parents {
                found = parents.iter().filter_map(Yaml::as_str).map(str::to_owned).collect();
            }
        }
        found
    };
    let kind = |native: &Map<String, Value>| {
        native.get("filterType").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    for this in boxes {
        let above = ancestors(*this);
        for other in boxes.iter().filter(|other| *other != this) {
            let reaches = filters.iter().filter(|f| f.of == *other).any(|f| {
                !f.immune.contains(this)
                    && f.scope.iter().filter_map(Value::as_str).all(|s| above.contains(s))
            });
            if !reaches {
                continue;
            }
            let parents: Vec<Value> = filters
                .iter()
                .filter(|f| f.of == *other)
                .filter_map(|f| f.native.as_ref())
                .filter(|n| matches!(kind(n).as_str(), "filter_select" | "filter_time"))
                .filter_map(|n| n.get("id").cloned())
                .collect();
            let children = filters.iter_mut().filter(|f| f.of == *this).filter_map(|f| f.native.as_mut());
            for child in children.filter(|n| kind(n) == "filter_select") {
                if let Some(Value::Array(known)) = child.get_mut("cascadeParentIds") {
                    known.extend(parents.iter().filter(|p| !known.contains(p)).cloned().collect::<Vec<_>>());
                }
            }
        }
    }
}
