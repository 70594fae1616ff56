//! What makes a dashboard one that others embed.

use serde_json::json;

use crate::support::{Server, fields, message, refused};

#[test]
fn dashboards_are_embedded_and_no_longer() {
    let server = Server::start_with_settings("embedded", &[("SUPERSET_FEATURE_EMBEDDED_SUPERSET", "true")]);
    let mut admin = server.admin();
    let path = "/api/v1/dashboard/1/embedded";
    assert_eq!(admin.get(path).told(), (404, json!({})));
    let made =
        admin.post(path, &json!({"allowed_domains": ["https://a.example", "b"]})).json()["result"].clone();
    let uuid = made["uuid"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["dashboard_id"], &made["allowed_domains"]),
        (&json!("1"), &json!(["https://a.example", "b"]))
    );
    assert_eq!(
        made["changed_by"],
        json!({"first_name": "Superset", "id": 1, "last_name": "Admin", "username": "admin"})
    );
    assert_eq!(admin.result("dashboard/1/embedded"), made);
    assert_eq!(admin.result(&format!("embedded_dashboard/{uuid}"))["uuid"], json!(uuid));
    let again = admin.put(path, &json!({"allowed_domains": []})).json()["result"].clone();
    assert_eq!(
        (&again["uuid"], &again["allowed_domains"]),
        (&json!(uuid), &json!([])),
        "who embeds it goes on"
    );
    refused(
        &mut admin,
        "POST",
        "dashboard/1/embedded",
        &[
            (json!({}), 400, fields("allowed_domains", "Missing data for required field.")),
            (json!({"allowed_domains": "x"}), 400, fields("allowed_domains", "Not a valid list.")),
            (json!({"allowed_domains": [], "x": 1}), 400, fields("x", "Unknown field.")),
        ],
    );
    let nowhere = admin.post("/api/v1/dashboard/99999/embedded", &json!({"allowed_domains": []}));
    assert_eq!(nowhere.status, 404);
    assert_eq!(admin.get("/api/v1/embedded_dashboard/nope").status, 404);
    for role in ["Alpha", "Gamma"] {
        let (mut person, _) = server.person(role, role);
        let answer = person.post(path, &json!({"allowed_domains": []}));
        assert_eq!(answer.told(), (403, message("Forbidden")), "{role}");
        assert_eq!(person.delete(path).told(), (403, message("Forbidden")), "{role}");
    }
    assert_eq!(server.anonymous().get(path).status, 401);
    assert_eq!(admin.delete(path).told(), (200, message("OK")));
    assert_eq!(admin.get(&format!("/api/v1/embedded_dashboard/{uuid}")).status, 404);
}

#[test]
fn without_the_flag_nothing_is_embedded() {
    let server = Server::start("not-embedded");
    let mut admin = server.admin();
    for path in ["/api/v1/dashboard/1/embedded", "/api/v1/embedded_dashboard/x"] {
        assert_eq!(admin.get(path).status, 404, "{path}");
    }
}
