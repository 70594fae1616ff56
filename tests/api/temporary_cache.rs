//! States that last a while: filters of dashboards, and the form data of the chart builder.

use serde_json::json;

use crate::support::{Installation, fields, message, refused};

#[test]
fn filter_states_are_written_and_read() {
    let on = Installation::on_sqlite("filter-state");
    let mut admin = on.server.admin();
    let path = format!("/api/v1/dashboard/{}/filter_state", on.dashboard);
    let made = admin.post(&format!("{path}?tab_id=1"), &json!({"value": "{\"a\": 1}"}));
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&format!("{path}/{key}")).told(), (200, json!({"value": "{\"a\": 1}"})));
    let again = admin.post(&format!("{path}?tab_id=1"), &json!({"value": "{}"}));
    assert_eq!(again.json()["key"], key, "one for each tab");
    let other = admin.post(&format!("{path}?tab_id=2"), &json!({"value": "{}"}));
    assert_ne!(other.json()["key"], key);
    let put = admin.put(&format!("{path}/{key}?tab_id=1"), &json!({"value": "[]"}));
    assert_eq!(put.told(), (200, json!({"key": key})));
    assert_eq!(admin.get(&format!("{path}/{key}")).json()["value"], "[]");
    let short = path.strip_prefix("/api/v1/").unwrap();
    refused(
        &mut admin,
        "POST",
        short,
        &[
            (json!({}), 400, fields("value", "Missing data for required field.")),
            (json!({"value": 1}), 400, fields("value", "Not a valid string.")),
            (json!({"value": "x"}), 400, json!({"message": {"value": ["JSON not valid"]}})),
            (json!({"value": "{}", "y": 1}), 400, fields("y", "Unknown field.")),
        ],
    );
    assert_eq!(admin.get(&format!("{path}/nope")).told(), (404, message("Not found")));
    assert_eq!(admin.delete(&format!("{path}/nope")).told(), (404, message("Not found")));
    let nowhere = admin.post("/api/v1/dashboard/99999/filter_state", &json!({"value": "{}"}));
    assert_eq!(nowhere.status, 404, "{}", nowhere.text());
    let publish = json!({"published": true});
    assert_eq!(admin.put(&format!("/api/v1/dashboard/{}", on.dashboard), &publish).status, 200);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(alpha.get(&format!("{path}/{key}")).json()["value"], "[]", "a key is what one shares");
    assert_eq!(
        alpha.delete(&format!("{path}/{key}")).told(),
        (403, message("You don't have permission to modify the value."))
    );
    assert_eq!(admin.delete(&format!("{path}/{key}")).told(), (200, message("Deleted successfully")));
    assert_eq!(admin.get(&format!("{path}/{key}")).told(), (404, message("Not found")));
    assert_eq!(on.server.anonymous().get(&format!("{path}/{key}")).status, 401);
}

#[test]
fn form_data_are_written_and_read() {
    let on = Installation::on_sqlite("form-data");
    let mut admin = on.server.admin();
    let path = "/api/v1/explore/form_data";
    let body =
        json!({"datasource_id": on.dataset, "datasource_type": "table", "form_data": "{\"a\": \"ü\"}"});
    let made = admin.post(&format!("{path}?tab_id=1"), &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&format!("{path}/{key}")).told(), (200, json!({"form_data": "{\"a\": \"ü\"}"})));
    let with = |key: &str, value: serde_json::Value| {
        let mut body = body.clone();
        body[key] = value;
        body
    };
    let kinds = "Must be one of: table, dataset, query, saved_query, view.";
    let cases = [
        (with("datasource_id", json!("x")), 400, fields("datasource_id", "Not a valid integer.")),
        (with("datasource_type", json!("nope")), 400, fields("datasource_type", kinds)),
        (with("datasource_id", json!(99999)), 404, message("Resource was not found.")),
        (with("chart_id", json!(99999)), 404, message("Resource was not found.")),
        (with("form_data", json!("x")), 400, json!({"message": ["JSON not valid"]})),
        (with("x", json!(1)), 400, fields("x", "Unknown field.")),
    ];
    refused(&mut admin, "POST", "explore/form_data", &cases);
    refused(&mut admin, "PUT", &format!("explore/form_data/{key}"), &cases);
    let put = admin.put(&format!("{path}/{key}?tab_id=1"), &with("form_data", json!("{}")));
    assert_eq!(put.told(), (200, json!({"key": key})));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(gamma.get(&format!("{path}/{key}")).status, 403);
    assert_eq!(gamma.post(path, &body).status, 403);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(alpha.get(&format!("{path}/{key}")).status, 200);
    assert_eq!(
        alpha.delete(&format!("{path}/{key}")).told(),
        (403, message("You don't have permission to modify the value."))
    );
    assert_eq!(admin.delete(&format!("{path}/{key}")).told(), (200, message("Deleted successfully")));
    assert_eq!(admin.delete(&format!("{path}/{key}")).told(), (404, message("Not found")));
    assert_eq!(on.server.anonymous().get(&format!("{path}/{key}")).status, 401);
}
