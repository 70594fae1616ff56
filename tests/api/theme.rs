//! Themes: those of people, and those of the system, which nobody changes through here.

use serde_json::{Value, json};

use crate::support::{Installation, REFUSED, fields, make, message, refused, statuses};

fn theme(name: &str) -> Value {
    json!({"theme_name": name, "json_data": "{\"token\": {\"colorPrimary\": \"#a00\"}}"})
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let made = admin.post("/api/v1/theme/", &theme("rye"));
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(made.told(), (201, json!({"id": id, "result": theme("rye")})));
    let put = admin.put(&format!("/api/v1/theme/{id}"), &theme("Rye ☃"));
    assert_eq!(put.told(), (200, json!({"id": id, "result": theme("Rye ☃")})));
    let read = admin.result(&format!("theme/{id}"));
    assert_eq!((&read["theme_name"], &read["is_system"]), (&json!("Rye ☃"), &json!(false)));
    assert_eq!(read["json_data"], theme("")["json_data"]);
    let other = make(&mut admin, "theme", &theme("rye 2"));
    let ids = admin
        .ids("theme", "(filters:!((col:theme_name,opr:theme_all_text,value:RYE)),order_column:theme_name)");
    assert_eq!(ids.len(), 2);
    let ids = admin.ids("theme", "(filters:!((col:is_system,opr:eq,value:!f)),order_column:theme_name)");
    assert!(ids.contains(&id) && ids.contains(&other), "{ids:?}");
    // a dashboard that had it has none
    let board = format!("/api/v1/dashboard/{}", on.dashboard);
    assert_eq!(admin.put(&board, &json!({"theme_id": id})).status, 200);
    assert_eq!(admin.result(&format!("dashboard/{}", on.dashboard))["theme"]["id"], id);
    assert_eq!(admin.delete(&format!("/api/v1/theme/{id}")).told(), (200, message("Deleted 1 theme")));
    assert_eq!(admin.result(&format!("dashboard/{}", on.dashboard))["theme"], Value::Null);
    let bulk = admin.delete(&format!("/api/v1/theme/?q=!({other},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/theme/?q=!({other})"));
    assert_eq!(bulk.told(), (200, message("Deleted 1 theme")));
}

#[test]
fn themes_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("theme"));
}

#[test]
fn themes_that_are_refused_and_people() {
    let on = Installation::on_sqlite("theme-refused");
    let mut admin = on.server.admin();
    let system = admin.ids("theme", "(filters:!((col:is_system,opr:eq,value:!t)))")[0];
    let id = make(&mut admin, "theme", &theme("mine"));
    let with = |key: &str, value: Value| {
        let mut body = theme("t");
        body[key] = value;
        body
    };
    let both = [
        (json!({}), 400, message("Request body is required")),
        (with("theme_name", json!(" ")), 400, fields("theme_name", "Theme name cannot be empty.")),
        (with("theme_name", json!(1)), 400, fields("theme_name", "Not a valid string.")),
        (with("json_data", json!({})), 400, fields("json_data", "Not a valid string.")),
        (with("json_data", json!("{")), 400, fields("json_data", "Invalid JSON configuration")),
        (json!({"theme_name": "t"}), 400, fields("json_data", "Missing data for required field.")),
    ];
    refused(&mut admin, "POST", "theme/", &both);
    refused(&mut admin, "PUT", &format!("theme/{id}"), &both);
    refused(
        &mut admin,
        "POST",
        "theme/",
        &[(with("bogus", json!(1)), 400, fields("bogus", "Unknown field."))],
    );
    let put = admin.put(&format!("/api/v1/theme/{id}"), &with("bogus", json!(1)));
    assert_eq!(put.status, 200, "where it is changed, more is no fault");
    refused(&mut admin, "PUT", "theme/99999", &[(theme("t"), 404, message("Not found"))]);
    refused(&mut admin, "PUT", &format!("theme/{system}"), &[(theme("t"), 403, message("Forbidden"))]);
    let answer = admin.delete(&format!("/api/v1/theme/{system}"));
    assert_eq!(answer.told(), (403, message("Forbidden")));
    let answer = admin.delete(&format!("/api/v1/theme/?q=!({id},{system})"));
    assert_eq!(answer.told(), (403, message("Forbidden")));
    assert!(admin.ids("theme", "()").contains(&id));
    assert_eq!(statuses(&mut on.server.anonymous(), "theme", id, &theme("t")), REFUSED);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(statuses(&mut alpha, "theme", id, &theme("t")), [200, 200, 200, 400, 200, 200]);
    let id = make(&mut admin, "theme", &theme("mine"));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(statuses(&mut gamma, "theme", id, &theme("t")), [200, 200, 200, 400, 200, 200]);
}
