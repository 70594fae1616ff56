//! What the chart builder is given of a chart, a dataset or a link.

use serde_json::json;

use crate::support::Installation;

#[test]
fn the_chart_builder_is_given_what_may_be_read() {
    let on = Installation::on_sqlite("explore");
    let mut admin = on.server.admin();
    let of_chart = admin.result(&format!("explore/?slice_id={}", on.chart));
    assert_eq!(of_chart["slice"]["slice_name"], "own");
    assert_eq!(of_chart["form_data"]["datasource"], format!("{}__table", on.dataset));
    assert_eq!((&of_chart["dataset"]["table_name"], &of_chart["message"]), (&json!("t"), &json!(null)));
    let names = |dataset: &serde_json::Value| dataset["columns"][0]["column_name"].clone();
    assert_eq!(names(&of_chart["dataset"]), "a");
    assert_eq!(of_chart["metadata"]["dashboards"], json!([{"dashboard_title": "own", "id": on.dashboard}]));
    let of_dataset = admin.result(&format!("explore/?datasource_id={}&datasource_type=table", on.dataset));
    assert_eq!((&of_dataset["slice"], names(&of_dataset["dataset"])), (&json!(null), json!("a")));
    for missing in ["", "?slice_id=99999", "?slice_id=x", "?datasource_id=99999&datasource_type=table"] {
        let result = admin.result(&format!("explore/{missing}"));
        assert_eq!(result["dataset"]["name"], "[Missing Dataset]", "{missing}");
    }
    // what is kept of the builder's form wins
    let form = json!({"datasource": format!("{}__table", on.dataset), "viz_type": "pie"}).to_string();
    let body = json!({"datasource_id": on.dataset, "datasource_type": "table", "chart_id": on.chart,
                      "form_data": form});
    let key = admin.post("/api/v1/explore/form_data", &body).json()["key"].as_str().unwrap().to_owned();
    let kept = admin.result(&format!("explore/?form_data_key={key}"));
    assert_eq!(kept["form_data"]["viz_type"], "pie");
    let lost = admin.result(&format!("explore/?form_data_key=nope&slice_id={}", on.chart));
    assert_eq!(lost["message"], "Form data not found in cache, reverting to chart metadata.");
    let link = admin.get("/api/v1/explore/?permalink_key=nope");
    assert_eq!(link.told(), (404, json!({"message": "Invalid permalink key"})));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    let refused = gamma.get(&format!("/api/v1/explore/?slice_id={}", on.chart));
    assert_eq!(
        (refused.status, &refused.json()["error_type"]),
        (403, &json!("DATASOURCE_SECURITY_ACCESS_ERROR"))
    );
    assert_eq!(refused.json()["extra"]["datasource"], on.dataset);
    assert_eq!(on.server.anonymous().get("/api/v1/explore/").status, 401);
}
