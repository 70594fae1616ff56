//! Old and temporary filters become part of the form data (`superset.utils.core`).

use infra::{crypto::md5_hex, json};
use serde_json::{Map, Value, json};

use crate::connect::describe::truthy;

/// Keys of `extra_form_data` that override a control, and the control.
const OVERRIDES: &[(&str, &str)] = &[
    ("granularity_sqla", "granularity"),
    ("time_column", "time_column"),
    ("time_grain", "time_grain"),
    ("time_range", "time_range"),
    ("time_grain_sqla", "time_grain_sqla"),
];

/// Time settings that `extra_filters` may carry as if they were columns.
const TIME_OPTIONS: &[(&str, &str)] = &[
    ("__time_range", "time_range"),
    ("__time_col", "granularity_sqla"),
    ("__time_grain", "time_grain_sqla"),
];

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// `simple_filter_to_adhoc`: `{col, op, val}` as an adhoc filter; the name is a digest of the rest.
pub fn simple_filter_to_adhoc(filter: &Value, clause: &str) -> Value {
    let of = |key: &str| filter.get(key).cloned().unwrap_or_default();
    let mut adhoc = Map::new();
    adhoc.insert("clause".into(), json!(clause.to_uppercase()));
    adhoc.insert("expressionType".into(), json!("SIMPLE"));
    adhoc.insert("comparator".into(), of("val"));
    adhoc.insert("operator".into(), of("op"));
    adhoc.insert("subject".into(), of("col"));
    if truthy(&of("isExtra")) {
        adhoc.insert("isExtra".into(), json!(true));
    }
    named(adhoc)
}

fn named(mut adhoc: Map<String, Value>) -> Value {
    let digest = md5_hex(json::dumps_sorted(&Value::Object(adhoc.clone())));
    adhoc.insert("filterOptionName".into(), json!(digest));
    Value::Object(adhoc)
}

/// `convert_legacy_filters_into_adhoc`: `filters`, `having` and `where` of old charts, unless there are adhoc filters.
pub fn convert_legacy_filters(form: &mut Map<String, Value>) {
    if !form.get("adhoc_filters").is_some_and(truthy) {
        let mut adhoc = Vec::new();
        for clause in ["having", "where"] {
            if let Some(sql) = form.get(clause).filter(|s| s.as_str() != Some("")) {
                adhoc.push(named(Map::from_iter([
                    ("clause".to_owned(), json!(clause.to_uppercase())),
                    ("expressionType".to_owned(), json!("SQL")),
                    ("sqlExpression".to_owned(), sql.clone()),
                ])));
            }
        }
        let filters = list(form.get("filters"));
        adhoc.extend(filters.iter().filter(|f| !f.is_null()).map(|f| simple_filter_to_adhoc(f, "where")));
        form.insert("adhoc_filters".into(), Value::Array(adhoc));
    }
    for key in ["filters", "having", "where"] {
        form.remove(key);
    }
}

/// `merge_extra_form_data`: what dashboard filters add to a chart.
fn merge_extra_form_data(form: &mut Map<String, Value>) {
    let extra = form.remove("extra_form_data").unwrap_or_default();
    for (source, target) in OVERRIDES {
        if let Some(value) = extra.get(source).filter(|v| !v.is_null()) {
            form.insert((*target).to_owned(), value.clone());
        }
    }
    let mut extras = form.get("extras").and_then(Value::as_object).cloned().unwrap_or_default();
    for key in ["relative_start", "relative_end"] {
        if let Some(value) = extra.get(key).filter(|v| !v.is_null()) {
            extras.insert(key.to_owned(), value.clone());
        }
    }
    if !extras.is_empty() {
        form.insert("extras".into(), Value::Object(extras));
    }
    let is_extra = |mut filter: Value| {
        if let Some(map) = filter.as_object_mut() {
            map.entry("isExtra").or_insert(json!(true));
        }
        filter
    };
    let mut adhoc = list(form.get("adhoc_filters"));
    adhoc.extend(list(extra.get("adhoc_filters")).into_iter().map(is_extra));
    form.insert("adhoc_filters".into(), Value::Array(adhoc));
    let appended: Vec<Value> = list(extra.get("filters")).into_iter().filter(truthy).map(is_extra).collect();
    for (key, value) in form.iter_mut() {
        if key.starts_with("adhoc_filter")
            && let Some(items) = value.as_array_mut()
        {
            items.extend(appended.iter().map(|f| simple_filter_to_adhoc(f, "where")));
        }
    }
    let time_range = form.get("time_range").filter(|t| truthy(t)).cloned();
    if let Some(time_range) = time_range
        && !form.get("granularity_sqla").is_some_and(truthy)
        && let Some(filters) = form.get_mut("adhoc_filters").and_then(Value::as_array_mut)
    {
        for filter in filters.iter_mut().filter_map(Value::as_object_mut) {
            if filter.get("operator").and_then(Value::as_str) == Some("TEMPORAL_RANGE") {
                filter.insert("comparator".into(), time_range.clone());
            }
        }
    }
}

/// `merge_extra_filters`: filters from outside the chart, once.
pub fn merge_extra_filters(form: &mut Map<String, Value>) {
    form.entry("applied_time_extras").or_insert_with(|| json!({}));
    form.entry("adhoc_filters").or_insert_with(|| json!([]));
    merge_extra_form_data(form);
    if !form.contains_key("extra_filters") {
        return;
    }
    let mut adhoc = list(form.get("adhoc_filters"));
    let text = |v: &Value, key: &str| v.get(key).map(plain).unwrap_or_default();
    let existing: Vec<(String, Value)> = adhoc
        .iter()
        .filter(|f| f.get("expressionType").and_then(Value::as_str) == Some("SIMPLE"))
        .filter(|f| !f.get("comparator").unwrap_or(&Value::Null).is_null())
        .filter(|f| !f.get("subject").unwrap_or(&Value::Null).is_null())
        .map(|f| {
            let key = format!("{}__{}", text(f, "subject"), text(f, "operator"));
            (key, f.get("comparator").cloned().unwrap_or_default())
        })
        .collect();
    for mut filter in list(form.get("extra_filters")) {
        let Some(map) = filter.as_object_mut() else { continue };
        map.insert("isExtra".into(), json!(true));
        let column = text(&filter, "col");
        let value = filter.get("val").cloned().unwrap_or_default();
        if let Some((_, control)) = TIME_OPTIONS.iter().find(|(name, _)| *name == column) {
            if truthy(&value) && value.as_str() != Some("No filter") {
                form.insert((*control).to_owned(), value.clone());
                if let Some(applied) = form.get_mut("applied_time_extras").and_then(Value::as_object_mut) {
                    applied.insert(column, value);
                }
            }
        } else if truthy(&value) {
            let key = format!("{column}__{}", text(&filter, "op"));
            let same =
                existing.iter().find(|(k, _)| *k == key).is_some_and(|(_, old)| same_values(old, &value));
            if !same {
                adhoc.push(simple_filter_to_adhoc(&filter, "where"));
            }
        }
    }
    form.insert("adhoc_filters".into(), Value::Array(adhoc));
    form.remove("extra_filters");
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Equal, or lists of the same values in any order.
fn same_values(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            old.iter().all(|v| new.contains(v)) && new.iter().all(|v| old.contains(v))
        }
        (old, new) => old == new,
    }
}

/// `merge_request_params`: arguments of the address become `url_params`.
pub fn merge_request_params(form: &mut Map<String, Value>, args: &[(String, String)]) {
    let mut params = form.get("url_params").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut seen = Vec::new();
    for (key, value) in args {
        if matches!(key.as_str(), "form_data" | "r") || seen.contains(&key) {
            continue;
        }
        seen.push(key);
        params.insert(key.clone(), json!(value));
    }
    form.insert("url_params".into(), Value::Object(params));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn old_filters_get_the_names_of_the_original() {
        let mut f = form(
            json!({"where": "a > 1", "having": "", "filters": [{"col": "b", "op": "in", "val": ["x"]}, null]}),
        );
        convert_legacy_filters(&mut f);
        // digests recorded from Superset 6.0.0
        assert_eq!(
            Value::Object(f),
            json!({"adhoc_filters": [
                {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": "a > 1",
                 "filterOptionName": "373eb9546f2abac1340762027ad4704c"},
                {"clause": "WHERE", "expressionType": "SIMPLE", "comparator": ["x"], "operator": "in", "subject": "b",
                 "filterOptionName": "7e2290d6d920ddf750f49015d9f319b4"}]})
        );
    }

    #[test]
    fn extra_filters_are_merged_once() {
        let mut f = form(json!({
            "adhoc_filters": [{"expressionType": "SIMPLE", "subject": "a", "operator": "in", "comparator": [1, 2]}],
            "extra_filters": [
                {"col": "a", "op": "in", "val": [2, 1]},
                {"col": "__time_range", "val": "Last week"},
                {"col": "b", "op": "==", "val": ""}],
        }));
        merge_extra_filters(&mut f);
        assert_eq!(f["adhoc_filters"].as_array().unwrap().len(), 1);
        assert_eq!(f["time_range"], json!("Last week"));
        assert_eq!(f["applied_time_extras"], json!({"__time_range": "Last week"}));
        assert!(!f.contains_key("extra_filters"));
    }

    #[test]
    fn dashboard_filters_override_and_append() {
        let mut f = form(json!({
            "adhoc_filters": [{"expressionType": "SIMPLE", "subject": "ds", "operator": "TEMPORAL_RANGE",
                "comparator": "x"}],
            "extra_form_data": {"time_range": "Last day", "filters": [{"col": "g", "op": "IN", "val": ["boy"]}]},
        }));
        merge_extra_filters(&mut f);
        assert_eq!(f["adhoc_filters"][0]["comparator"], json!("Last day"));
        assert_eq!(f["adhoc_filters"][1]["subject"], json!("g"));
        assert_eq!(f["adhoc_filters"][1]["isExtra"], json!(true));
    }
}
