//! Merging of filters, with values made by the original.

use serde_json::{Value, json};

use super::*;

fn map(value: Value) -> FormData {
    value.as_object().cloned().unwrap()
}

#[test]
fn old_filters_become_adhoc_filters() {
    let mut form =
        map(json!({"where": "a > 1", "having": "", "filters": [{"col": "g", "op": "IN", "val": ["x"]}]}));
    convert_legacy_filters_into_adhoc(&mut form);
    let adhoc = form["adhoc_filters"].as_array().unwrap();
    assert_eq!(adhoc.len(), 2);
    assert_eq!(adhoc[0]["sqlExpression"], "a > 1");
    assert_eq!(adhoc[1]["subject"], "g");
    assert!(!form.contains_key("filters"));
}

#[test]
fn extra_filters_and_extra_form_data_are_merged() {
    let mut form = map(json!({
        "adhoc_filters": [{"expressionType": "SIMPLE", "clause": "WHERE", "subject": "a", "operator": "IN",
            "comparator": ["1", "2"]}],
        "extra_filters": [
            {"col": "a", "op": "IN", "val": ["2", "1"]},
            {"col": "b", "op": "==", "val": "x"},
            {"col": "__time_range", "op": "==", "val": "Last week"}
        ],
        "extra_form_data": {"filters": [{"col": "c", "op": "IN", "val": [3]}], "time_grain_sqla": "P1D"}
    }));
    merge_extra_filters(&mut form);
    let subjects: Vec<_> =
        form["adhoc_filters"].as_array().unwrap().iter().map(|f| f["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["a", "c", "b"]);
    assert_eq!(form["time_range"], "Last week");
    assert_eq!(form["time_grain_sqla"], "P1D");
    assert_eq!(form["applied_time_extras"], json!({"__time_range": "Last week"}));
}

#[test]
fn adhoc_filters_split_into_base_filters() {
    let mut form = map(json!({"adhoc_filters": [
        {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "x = 1"},
        {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "y = 2"},
        {"expressionType": "SQL", "clause": "HAVING", "sqlExpression": "count(*) > 1"}
    ]}));
    split_adhoc_filters(&mut form, |sql| Ok::<_, ()>(sql.to_owned())).unwrap();
    assert_eq!(form["where"], "(x = 1) AND (y = 2)");
    assert_eq!(form["having"], "(count(*) > 1)");
}

#[test]
fn since_and_until_of_old() {
    let mut form = map(json!({"since": "2 days ago", "until": null}));
    update_time_range(&mut form);
    assert_eq!(form, map(json!({"time_range": "2 days ago : "})));
}
