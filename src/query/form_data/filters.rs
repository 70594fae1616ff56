//! Filters in form data: simple, adhoc, and those that dashboards add.

use serde_json::{Map, Value, json};

use super::{FormData, md5_of, string_field, truthy};

/// `{col, op, val}` as an adhoc filter (`simple_filter_to_adhoc`); `None` without operator or column.
pub fn simple_filter_to_adhoc(filter: &Value, clause: &str) -> Option<Value> {
    let mut result = json!({
        "clause": clause.to_uppercase(),
        "expressionType": "SIMPLE",
        "comparator": filter.get("val").cloned().unwrap_or(Value::Null),
        "operator": filter.get("op")?,
        "subject": filter.get("col")?,
    });
    if truthy(filter.get("isExtra")) {
        result["isExtra"] = true.into();
    }
    result["filterOptionName"] = md5_of(&result).into();
    Some(result)
}

/// Free text as an adhoc filter (`form_data_to_adhoc`).
fn clause_to_adhoc(form_data: &FormData, clause: &str) -> Value {
    let mut result = json!({
        "clause": clause.to_uppercase(),
        "expressionType": "SQL",
        "sqlExpression": form_data.get(clause).cloned().unwrap_or(Value::Null),
    });
    result["filterOptionName"] = md5_of(&result).into();
    result
}

/// `where`, `having` and `filters` of old become `adhoc_filters`, unless there are some.
pub fn convert_legacy_filters_into_adhoc(form_data: &mut FormData) {
    if !truthy(form_data.get("adhoc_filters")) {
        let mut adhoc = Vec::new();
        for clause in ["having", "where"] {
            if form_data.get(clause).is_some_and(|text| text.as_str() != Some("")) {
                adhoc.push(clause_to_adhoc(form_data, clause));
            }
        }
        if let Some(Value::Array(filters)) = form_data.get("filters") {
            adhoc.extend(filters.iter().filter_map(|filter| simple_filter_to_adhoc(filter, "where")));
        }
        form_data.insert("adhoc_filters".into(), Value::Array(adhoc));
    }
    for key in ["filters", "having", "where"] {
        form_data.shift_remove(key);
    }
}

fn adhoc_filters(form_data: &mut FormData) -> Vec<Value> {
    match form_data.get_mut("adhoc_filters").map(Value::take) {
        Some(Value::Array(filters)) => filters,
        _ => Vec::new(),
    }
}

/// What dashboards put into `extra_form_data` and `extra_filters` moves into the form data proper.
pub fn merge_extra_filters(form_data: &mut FormData) {
    if !form_data.contains_key("applied_time_extras") {
        form_data.insert("applied_time_extras".into(), json!({}));
    }
    if !form_data.contains_key("adhoc_filters") {
        form_data.insert("adhoc_filters".into(), json!([]));
    }
    merge_extra_form_data(form_data);
    let Some(extra) = form_data.shift_remove("extra_filters") else { return };
    let mut adhoc = adhoc_filters(form_data);
    // What this loop adds is not compared with.
    let existing = adhoc.clone();
    for mut filter in extra.as_array().cloned().unwrap_or_default() {
        let Some(map) = filter.as_object_mut() else { continue };
        map.insert("isExtra".into(), true.into());
        let column = map.get("col").and_then(Value::as_str).unwrap_or("").to_owned();
        let value = map.get("val").cloned().unwrap_or(Value::Null);
        let time_extra = match column.as_str() {
            "__time_range" => Some("time_range"),
            "__time_col" => Some("granularity_sqla"),
            "__time_grain" => Some("time_grain_sqla"),
            _ => None,
        };
        if let Some(key) = time_extra {
            if truthy(Some(&value)) && value != "No filter" {
                form_data.insert(key.into(), value.clone());
                if let Some(Value::Object(applied)) = form_data.get_mut("applied_time_extras") {
                    applied.insert(column, value);
                }
            }
        } else if truthy(Some(&value)) && !already_there(&existing, &filter, &value) {
            adhoc.extend(simple_filter_to_adhoc(&filter, "where"));
        }
    }
    form_data.insert("adhoc_filters".into(), Value::Array(adhoc));
}

/// Is there a filter on the same column with the same operator and the same value (lists as sets)?
fn already_there(adhoc: &[Value], filter: &Value, value: &Value) -> bool {
    let existing = adhoc.iter().rev().find(|f| {
        f.get("expressionType").and_then(Value::as_str) == Some("SIMPLE")
            && f.get("comparator").is_some_and(|c| !c.is_null())
            && f.get("subject").is_some_and(|s| !s.is_null() && Some(s) == filter.get("col"))
            && f.get("operator") == filter.get("op")
    });
    let Some(existing) = existing.and_then(|f| f.get("comparator")) else { return false };
    match (existing, value) {
        (Value::Array(a), Value::Array(b)) => {
            a.iter().all(|v| b.contains(v)) && b.iter().all(|v| a.contains(v))
        }
        (a, b) => a == b,
    }
}

fn merge_extra_form_data(form_data: &mut FormData) {
    let extra = match form_data.shift_remove("extra_form_data") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for (source, target) in [
        ("granularity_sqla", "granularity"),
        ("time_column", "time_column"),
        ("time_grain", "time_grain"),
        ("time_range", "time_range"),
        ("time_grain_sqla", "time_grain_sqla"),
    ] {
        if let Some(value) = extra.get(source).filter(|v| !v.is_null()) {
            form_data.insert(target.into(), value.clone());
        }
    }
    let mut extras = form_data.get("extras").and_then(Value::as_object).cloned().unwrap_or_default();
    for key in ["relative_start", "relative_end"] {
        if let Some(value) = extra.get(key).filter(|v| !v.is_null()) {
            extras.insert(key.into(), value.clone());
        }
    }
    if !extras.is_empty() {
        form_data.insert("extras".into(), Value::Object(extras));
    }
    let mut adhoc = adhoc_filters(form_data);
    for filter in extra.get("adhoc_filters").and_then(Value::as_array).into_iter().flatten() {
        adhoc.push(marked_extra(filter));
    }
    form_data.insert("adhoc_filters".into(), Value::Array(adhoc));
    if let Some(filters) = extra.get("filters").and_then(Value::as_array).filter(|f| !f.is_empty()) {
        let appended: Vec<Value> = filters
            .iter()
            .filter(|f| truthy(Some(f)))
            .filter_map(|f| simple_filter_to_adhoc(&marked_extra(f), "where"))
            .collect();
        // Charts with two queries have adhoc_filters_b.
        for (key, value) in form_data.iter_mut() {
            if key.starts_with("adhoc_filter")
                && let Value::Array(list) = value
            {
                list.extend(appended.iter().cloned());
            }
        }
    }
    let range = string_field(form_data, "time_range").map(str::to_owned);
    if let Some(range) = range.filter(|_| !truthy(form_data.get("granularity_sqla")))
        && let Some(Value::Array(list)) = form_data.get_mut("adhoc_filters")
    {
        for filter in
            list.iter_mut().filter(|f| f.get("operator").and_then(Value::as_str) == Some("TEMPORAL_RANGE"))
        {
            filter["comparator"] = range.clone().into();
        }
    }
}

/// `{"isExtra": True, **filter}`
fn marked_extra(filter: &Value) -> Value {
    let mut map = Map::new();
    map.insert("isExtra".into(), true.into());
    if let Value::Object(members) = filter {
        for (key, value) in members {
            map.insert(key.clone(), value.clone());
        }
    }
    Value::Object(map)
}

/// Adhoc filters become `filters`, `where` and `having` (`split_adhoc_filters_into_base_filters`); `sanitize` checks
/// SQL texts.
pub fn split_adhoc_filters<E>(
    form_data: &mut FormData,
    sanitize: impl Fn(&str) -> Result<String, E>,
) -> Result<(), E> {
    let Some(Value::Array(adhoc)) = form_data.get("adhoc_filters") else { return Ok(()) };
    let (mut simple, mut wheres, mut havings) = (Vec::new(), Vec::new(), Vec::new());
    let member = |filter: &Value, key: &str| filter.get(key).cloned().unwrap_or(Value::Null);
    for filter in adhoc {
        let clause = filter.get("clause").and_then(Value::as_str);
        match filter.get("expressionType").and_then(Value::as_str) {
            Some("SIMPLE") if clause == Some("WHERE") => {
                simple.push(json!({"col": member(filter, "subject"), "op": member(filter, "operator"),
                    "val": member(filter, "comparator")}));
            }
            Some("SQL") => {
                let sql = sanitize(filter.get("sqlExpression").and_then(Value::as_str).unwrap_or(""))?;
                match clause {
                    Some("WHERE") => wheres.push(format!("({sql})")),
                    Some("HAVING") => havings.push(format!("({sql})")),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    form_data.insert("where".into(), wheres.join(" AND ").into());
    form_data.insert("having".into(), havings.join(" AND ").into());
    form_data.insert("filters".into(), Value::Array(simple));
    Ok(())
}
