//! Permanent links of dashboards, of the chart builder and of SQL Lab.

use serde_json::{Value, json};

use crate::support::{Installation, fields, message, refused};

fn made_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let mask = json!({"NATIVE_FILTER-1": {"ownState": {}}});
    let state = json!({"dataMask": mask, "urlParams": [["a", "ü"]], "anchor": "TAB-1"});
    let path = format!("/api/v1/dashboard/{}/permalink", on.dashboard);
    let made = admin.post(&path, &state);
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(made.json()["url"].as_str().unwrap().ends_with(&format!("/superset/dashboard/p/{key}/")));
    assert_eq!(admin.post(&path, &state).json()["key"], key, "the same state is the same link");
    let read = admin.get(&format!("/api/v1/dashboard/permalink/{key}")).json();
    assert_eq!(read["state"]["urlParams"], json!([["a", "ü"]]));
    let uuid = format!("/api/v1/dashboard/{}", read["dashboardId"].as_str().unwrap());
    assert_eq!(admin.get(&uuid).json()["result"]["id"], on.dashboard, "{read}");

    let form = json!({"formData": {"datasource": format!("{}__table", on.dataset), "viz_type": "table"}});
    let made = admin.post("/api/v1/explore/permalink", &form);
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let read = admin.get(&format!("/api/v1/explore/permalink/{key}")).json();
    assert_eq!((&read["datasourceId"], &read["state"]["formData"]), (&json!(on.dataset), &form["formData"]));

    let tab = json!({"dbId": on.database, "name": "tab", "schema": null, "catalog": null, "sql": "SELECT '☃'",
                     "autorun": false, "templateParams": null});
    let made = admin.post("/api/v1/sqllab/permalink", &tab);
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&format!("/api/v1/sqllab/permalink/{key}")).told(), (200, tab));
}

#[test]
fn links_are_made_and_read() {
    made_and_read(&Installation::on_sqlite("permalink"));
}

#[test]
fn links_that_are_refused_and_people() {
    let on = Installation::on_sqlite("permalink-refused");
    let mut admin = on.server.admin();
    let path = format!("dashboard/{}/permalink", on.dashboard);
    refused(
        &mut admin,
        "POST",
        &path,
        &[
            (json!({"dataMask": "x"}), 400, message("{'dataMask': ['Not a valid mapping type.']}")),
            (json!({"urlParams": [["a"]]}), 400, message("{'urlParams': {0: ['Length must be 2.']}}")),
            (json!({"x": 1}), 400, message("{'x': ['Unknown field.']}")),
        ],
    );
    refused(
        &mut admin,
        "POST",
        "dashboard/99999/permalink",
        &[(json!({}), 404, message("Dashboard not found."))],
    );
    let data = json!({"formData": {"datasource": "99999__table"}});
    refused(
        &mut admin,
        "POST",
        "explore/permalink",
        &[
            (json!({}), 400, fields("formData", "Missing data for required field.")),
            (json!({"formData": "x"}), 400, fields("formData", "Not a valid mapping type.")),
            (data, 404, message("Dataset does not exist")),
        ],
    );
    let made = admin.post(&format!("/api/v1/{path}"), &json!({}));
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    let hidden = gamma.get(&format!("/api/v1/dashboard/permalink/{key}"));
    assert!(matches!(hidden.status, 403 | 404), "{}", hidden.text());
    let own = json!({"formData": {"datasource": format!("{}__table", on.dataset)}});
    assert_eq!(gamma.post("/api/v1/explore/permalink", &own).status, 403);
    let mut nobody = on.server.anonymous();
    assert_eq!(nobody.get(&format!("/api/v1/dashboard/permalink/{key}")).status, 401);
    assert_eq!(nobody.get("/api/v1/explore/permalink/x").status, 401);
    assert_ne!(made.json()["key"], Value::Null);
}
