//! `/api/v1/security/groups/`: people together, and the roles that they have for it.

use serde_json::json;

use crate::support::{Installation, NO_RIGHT, fields, make, message, refused, statuses};

const GROUPS: &str = "security/groups";

fn written_and_read(on: &Installation) {
    let (mut ann, ann_id) = on.server.person("ann", "Gamma");
    let mut admin = on.server.admin();
    let alpha = admin.ids("security/roles", "(filters:!((col:name,opr:eq,value:Alpha)))")[0];
    assert_eq!(ann.ids("chart", "()"), [0; 0]);
    let body =
        json!({"name": "night ☃", "label": "Night", "description": "d", "roles": [alpha], "users": [ann_id]});
    let id = make(&mut admin, GROUPS, &body);
    let read = admin.result(&format!("{GROUPS}/{id}"));
    assert_eq!((&read["name"], &read["label"]), (&json!("night ☃"), &json!("Night")));
    assert_eq!(read["roles"], json!([{"id": alpha, "name": "Alpha"}]));
    assert_eq!(read["users"][0]["username"], "ann");
    assert_eq!(ann.ids("chart", "()"), [on.chart], "what the group may, its people may");
    let other = make(&mut admin, GROUPS, &json!({"name": "day", "label": "", "description": ""}));
    let mut ids = |q: &str| admin.ids(GROUPS, q);
    assert_eq!(ids("(order_column:name,order_direction:asc)"), [other, id]);
    assert_eq!(ids("(filters:!((col:name,opr:ct,value:IGH)))"), [id]);
    let path = format!("/api/v1/{GROUPS}/{id}");
    let put = admin.put(&path, &json!({"users": []}));
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(ann.ids("chart", "()"), [0; 0]);
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.get(&path).told(), (404, message("Not found")));
    assert!(on.metadata.texts("SELECT group_id || '' FROM ab_group_role").is_empty());
}

#[test]
fn groups_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("group"));
}

#[test]
fn groups_that_are_refused_and_people() {
    let on = Installation::on_sqlite("group-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, GROUPS, &json!({"name": "mine", "label": "", "description": ""}));
    let both = [
        (json!({"name": 1}), 400, fields("name", "Not a valid string.")),
        (json!({"name": null}), 400, fields("name", "Field may not be null.")),
        (json!({"name": "y", "bogus": 1}), 400, fields("bogus", "Unknown field.")),
    ];
    refused(&mut admin, "POST", &format!("{GROUPS}/"), &both);
    refused(&mut admin, "PUT", &format!("{GROUPS}/{id}"), &both);
    let taken = admin.post(&format!("/api/v1/{GROUPS}/"), &json!({"name": "mine"}));
    assert_eq!(taken.status, 422, "{}", taken.text());
    let change = json!({"label": "taken"});
    assert_eq!(statuses(&mut on.server.anonymous(), GROUPS, id, &change), [401; 6]);
    for name in ["Gamma", "Alpha"] {
        let (mut person, _) = on.server.person(name, name);
        assert_eq!(statuses(&mut person, GROUPS, id, &change), NO_RIGHT, "{name}");
    }
}
