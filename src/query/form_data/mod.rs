//! Form data: the settings of a chart as the frontend holds them, and how filters from dashboards are merged into them.
//!
//! Counterparts: the form-data functions of `superset.utils.core` and `superset.legacy`. Legacy visualisations and
//! Jinja macros read form data; the query objects of the newer charts are made in the browser.

mod filters;
#[cfg(test)]
mod tests;

use infra::crypto::md5_hex;
use serde_json::{Map, Value};

pub use filters::{
    convert_legacy_filters_into_adhoc, merge_extra_filters, simple_filter_to_adhoc, split_adhoc_filters,
};

/// A chart's form data, or the part of it that a request carries.
pub type FormData = Map<String, Value>;

/// Keys that requests may not set (`REJECTED_FORM_DATA_KEYS` while ENABLE_JAVASCRIPT_CONTROLS is off).
pub const REJECTED_KEYS: [&str; 3] = ["js_tooltip", "js_onclick_href", "js_data_mutator"];

/// Python's truth of a member that may be missing.
pub fn truthy(value: Option<&Value>) -> bool {
    value.is_some_and(infra::json::truthy)
}

/// The member if it is a text that is not empty.
pub fn string_field<'a>(form_data: &'a FormData, key: &str) -> Option<&'a str> {
    form_data.get(key).and_then(Value::as_str).filter(|s| !s.is_empty())
}

/// `int(form_data.get(key) or default)`; `None` where Python raises.
pub fn int_or(form_data: &FormData, key: &str, default: i64) -> Option<i64> {
    match form_data.get(key) {
        value if !truthy(value) => Some(default),
        Some(Value::String(s)) => s.trim().parse().ok(),
        #[expect(clippy::cast_possible_truncation, reason = "int() truncates; out of range saturates")]
        Some(Value::Number(n)) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
        Some(Value::Bool(b)) => Some(i64::from(*b)),
        _ => None,
    }
}

/// `since` and `until` of old become `time_range`; a time column that is filtered by "No filter" says so
/// (`update_time_range`).
pub fn update_time_range(form_data: &mut FormData) {
    if form_data.contains_key("since") || form_data.contains_key("until") {
        let mut take = |key| match form_data.shift_remove(key) {
            Some(Value::String(s)) => s,
            _ => String::new(),
        };
        let (since, until) = (take("since"), take("until"));
        form_data.insert("time_range".into(), format!("{since} : {until}").into());
    }
    let Some(column) = form_data.get("granularity_sqla").filter(|c| truthy(Some(c))).cloned() else { return };
    let unfiltered = form_data.get("adhoc_filters").and_then(Value::as_array).is_some_and(|filters| {
        filters.iter().any(|f| {
            f.get("subject") == Some(&column)
                && f.get("comparator").and_then(Value::as_str) == Some("No filter")
        })
    });
    if unfiltered && !form_data.contains_key("time_range") {
        form_data.insert("time_range".into(), "No filter".into());
    }
}

/// Request parameters become `url_params`, except those that carry the form data itself (`merge_request_params`).
pub fn merge_request_params(form_data: &mut FormData, params: &[(String, String)]) {
    let mut url_params = match form_data.shift_remove("url_params") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for (key, value) in params {
        if !matches!(key.as_str(), "form_data" | "r") {
            url_params.insert(key.clone(), value.clone().into());
        }
    }
    form_data.insert("url_params".into(), Value::Object(url_params));
}

/// MD5 of the document with sorted keys (`md5_sha_from_dict`).
pub fn md5_of(value: &Value) -> String {
    let text = crate::encode::json::value_text(&sorted(value));
    md5_hex(text)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
