//! `/api/v1/security/roles/`: roles, and what they grant to whom.

use serde_json::json;

use crate::support::{Installation, NO_RIGHT, fields, make, message, refused, statuses};

const ROLES: &str = "security/roles";

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let made = admin.post(&format!("/api/v1/{ROLES}/"), &json!({"name": "Bäcker"}));
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(made.told(), (201, json!({"id": id, "result": {"name": "Bäcker"}})));
    let path = format!("/api/v1/{ROLES}/{id}");
    assert_eq!(admin.result(&format!("{ROLES}/{id}")), json!({"id": id, "name": "Bäcker"}));
    let put = admin.put(&path, &json!({"name": "Bakers"}));
    assert_eq!(put.told(), (200, json!({"result": {"name": "Bakers"}})));
    let grants = admin.ids("security/permissions-resources", "(page_size:2)");
    let granted = admin.post(&format!("{path}/permissions"), &json!({"permission_view_menu_ids": grants}));
    assert_eq!(granted.told(), (200, json!({"result": {"permission_view_menu_ids": grants}})));
    let listed = admin.result(&format!("{ROLES}/{id}/permissions/"));
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let given = admin.put(&format!("{path}/users"), &json!({"user_ids": [1]}));
    assert_eq!(given.told(), (200, json!({"result": {"user_ids": [1]}})));
    let mut ids = |q: &str| admin.ids(ROLES, q);
    assert_eq!(ids("(filters:!((col:name,opr:ct,value:AKER)))"), [id]);
    assert!(ids("(order_column:name,order_direction:asc,page_size:2)").len() == 2);
    let found =
        admin.get(&format!("/api/v1/{ROLES}/search/?q=(filters:!((col:name,opr:eq,value:Bakers)))")).json();
    assert_eq!(found["count"], 1, "{found}");
    assert_eq!(found["result"][0]["user_ids"], json!([1]), "{found}");
    let none = admin.post(&format!("{path}/permissions"), &json!({"permission_view_menu_ids": []}));
    assert_eq!(none.status, 200, "{}", none.text());
    assert_eq!(admin.result(&format!("{ROLES}/{id}/permissions/")), json!([]));
    assert_eq!(admin.put(&format!("{path}/users"), &json!({"user_ids": []})).status, 200);
    let rule = json!({"name": "r", "filter_type": "Regular", "tables": [on.dataset], "roles": [id], "clause": "1 = 1"});
    let rule = make(&mut admin, "rowlevelsecurity", &rule);
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.get(&path).told(), (404, message("Not found")));
    let left = format!("SELECT role_id || '' FROM ab_permission_view_role WHERE role_id = {id}");
    assert!(on.metadata.texts(&left).is_empty());
    assert_eq!(admin.result(&format!("rowlevelsecurity/{rule}"))["roles"], json!([]), "the rule stays");
}

#[test]
fn roles_are_written_and_read() {
    Installation::on_all("role", written_and_read);
}

#[test]
fn roles_that_are_refused_and_people() {
    let on = Installation::on_sqlite("role-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, ROLES, &json!({"name": "mine"}));
    let both = [
        (json!({"name": 1}), 422, fields("name", "Not a valid string.")),
        (json!({"name": "x".repeat(65)}), 422, fields("name", "Longer than maximum length 64.")),
        (json!({"name": "y", "bogus": 1}), 422, fields("bogus", "Unknown field.")),
    ];
    refused(&mut admin, "POST", &format!("{ROLES}/"), &both);
    refused(&mut admin, "PUT", &format!("{ROLES}/{id}"), &both);
    let taken = admin.post(&format!("/api/v1/{ROLES}/"), &json!({"name": "Gamma"}));
    assert_eq!(taken.told(), (500, message("Fatal error")), "no words for it");
    assert_eq!(admin.ids(ROLES, "(filters:!((col:name,opr:eq,value:Gamma)))").len(), 1);
    let path = format!("{ROLES}/{id}/permissions");
    let missing = json!({"message": {"permission_view_menu_ids": ["Missing data for required field."]}});
    refused(&mut admin, "POST", &path, &[(json!({}), 400, missing)]);
    let change = json!({"name": "taken"});
    assert_eq!(statuses(&mut on.server.anonymous(), ROLES, id, &change), [401; 6]);
    for name in ["Gamma", "Alpha"] {
        let (mut person, _) = on.server.person(name, name);
        assert_eq!(statuses(&mut person, ROLES, id, &change), NO_RIGHT, "{name}");
    }
}
