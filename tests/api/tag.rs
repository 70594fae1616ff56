//! Tags: their rows, only on objects that one sees (T21, T23 of the security list), and gone with their stars.

use serde_json::json;

use crate::support::{Installation, NO_RIGHT, REFUSED, fields, make, message, refused, statuses};

fn tags_of(on: &Installation, kind: &str, id: i64) -> Vec<String> {
    on.metadata.texts(&format!(
        "SELECT g.name FROM tag g JOIN tagged_object o ON o.tag_id = g.id \
         WHERE g.type = 'custom' AND o.object_type = '{kind}' AND o.object_id = {id} ORDER BY g.name"
    ))
}

fn only_what_is_seen(on: &Installation) {
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    let mut admin = on.server.admin();
    let query =
        make(&mut admin, "saved_query", &json!({"label": "own", "db_id": on.database, "sql": "SELECT 1"}));
    let body = json!({"properties": {"tags": ["mark"]}});
    let missing = 999_999;
    let objects = [
        (1, "query", query),
        (2, "chart", on.chart),
        (3, "dashboard", on.dashboard),
        (4, "dataset", on.dataset),
    ];
    for (number, kind, id) in objects {
        let [hidden, absent] =
            [id, missing].map(|id| gamma.post(&format!("/api/v1/tag/{number}/{id}/"), &body));
        assert_eq!((hidden.status, hidden.text()), (absent.status, absent.text()), "{kind}");
        assert!(matches!(hidden.status, 403 | 404), "{kind}: {}", hidden.status);
        assert!(tags_of(on, kind, id).is_empty(), "{kind}");
    }
    // who sees all data sees charts and datasets, but nobody else's queries
    for (number, kind, id, status) in
        [(1, "query", query, 404), (2, "chart", on.chart, 201), (4, "dataset", on.dataset, 201)]
    {
        let answer = alpha.post(&format!("/api/v1/tag/{number}/{id}/"), &body);
        assert_eq!(
            (answer.status, tags_of(on, kind, id).len()),
            (status, usize::from(status == 201)),
            "{kind}"
        );
    }
    // the other ways to a tag
    let made = json!({"name": "whole", "objects_to_tag": [["query", query], ["dataset", on.dataset],
        ["chart", missing]]});
    assert_eq!(alpha.post("/api/v1/tag/", &made).status, 201);
    assert!(tags_of(on, "query", query).is_empty() && tags_of(on, "chart", missing).is_empty());
    let bulk = json!({"tags": [made]});
    let answer = alpha.post("/api/v1/tag/bulk_create", &bulk);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["result"]["objects_tagged"], json!([]));
    // a tag that an administrator put on a query stays on it when somebody changes what they see of it
    let whole = json!({"name": "kept", "objects_to_tag": [["query", query], ["chart", on.chart]]});
    assert_eq!(admin.post("/api/v1/tag/", &whole).status, 201);
    let id = on.metadata.texts("SELECT CAST(id AS VARCHAR(9)) FROM tag WHERE name = 'kept'").remove(0);
    let change = json!({"name": "kept", "description": "", "objects_to_tag": [["dashboard", missing]]});
    let answer = alpha.put(&format!("/api/v1/tag/{id}"), &change);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(tags_of(on, "query", query), ["kept"]);
    assert_eq!(tags_of(on, "chart", on.chart), ["mark"], "what is seen is detached");
    assert_eq!(alpha.delete(&format!("/api/v1/tag/1/{query}/kept/")).status, 422);
    assert_eq!(tags_of(on, "query", query), ["kept"]);
    assert_eq!(admin.delete(&format!("/api/v1/tag/1/{query}/kept/")).status, 200);
}

#[test]
fn tags_go_only_on_what_one_sees() {
    only_what_is_seen(&Installation::on_sqlite("tags"));
}

#[test]
fn tags_go_only_on_what_one_sees_on_postgresql() {
    if let Some(on) = Installation::on_postgres("tags") {
        only_what_is_seen(&on);
    }
}

#[test]
fn tags_go_only_on_what_one_sees_on_mysql() {
    if let Some(on) = Installation::on_mysql("tags") {
        only_what_is_seen(&on);
    }
}

fn starred(on: &Installation) {
    let mut admin = on.server.admin();
    for (name, bulk) in [("one", false), ("many", true)] {
        make_tag(&mut admin, name, on.chart);
        let id = on
            .metadata
            .texts(&format!("SELECT CAST(id AS VARCHAR(9)) FROM tag WHERE name = '{name}'"))
            .remove(0);
        let star = admin.post(&format!("/api/v1/tag/{id}/favorites/"), &json!({}));
        assert_eq!(star.status, 200, "{}", star.text());
        let path = if bulk { format!("/api/v1/tag/?q=!({name})") } else { format!("/api/v1/tag/{id}") };
        let gone = admin.delete(&path);
        assert_eq!(gone.status, 200, "{}", gone.text());
        assert!(on.metadata.texts("SELECT CAST(tag_id AS VARCHAR(9)) FROM user_favorite_tag").is_empty());
    }
}

fn make_tag(admin: &mut crate::support::Client, name: &str, chart: i64) {
    let body = json!({"name": name, "objects_to_tag": [["chart", chart]]});
    assert_eq!(admin.post("/api/v1/tag/", &body).status, 201);
}

#[test]
fn a_tag_with_stars_can_be_deleted() {
    starred(&Installation::on_sqlite("starred"));
}

#[test]
fn a_tag_with_stars_can_be_deleted_on_postgresql() {
    if let Some(on) = Installation::on_postgres("starred") {
        starred(&on);
    }
}

#[test]
fn a_tag_with_stars_can_be_deleted_on_mysql() {
    if let Some(on) = Installation::on_mysql("starred") {
        starred(&on);
    }
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let body = json!({"name": "bread ☃", "description": null, "objects_to_tag": [["chart", on.chart]]});
    assert_eq!(admin.post("/api/v1/tag/", &body).told(), (201, json!({})));
    assert_eq!(admin.post("/api/v1/tag/", &json!({"name": "butter", "objects_to_tag": []})).status, 201);
    let custom = "(filters:!((col:type,opr:custom_tag,value:!t)),order_column:name,order_direction:asc)";
    let ids = admin.ids("tag", custom);
    let read = admin.result(&format!("tag/{}", ids[0]));
    assert_eq!((&read["name"], &read["description"]), (&json!("bread ☃"), &json!(null)));
    assert_eq!(read["created_by"], json!({"first_name": "Superset", "last_name": "Admin"}));
    assert_eq!(admin.result(&format!("tag/{}", ids[1]))["description"], "");
    assert_eq!(admin.ids("tag", "(filters:!((col:name,opr:ct,value:BUTT)))"), [ids[1]]);
    let objects = admin.result(&format!("tag/get_objects/?tagIds={}", ids[0]));
    assert_eq!(
        (&objects[0]["type"], &objects[0]["id"], &objects[0]["name"]),
        (&json!("chart"), &json!(on.chart), &json!("own"))
    );
    assert_eq!(admin.result("tag/get_objects/?tags=butter"), json!([]));
    assert_eq!(admin.result(&format!("tag/get_objects/?tagIds={}&types=dashboard", ids[0])), json!([]));
    let properties = json!({"properties": {"tags": ["butter", "new"]}});
    assert_eq!(admin.post(&format!("/api/v1/tag/3/{}/", on.dashboard), &properties).told(), (201, json!({})));
    assert_eq!(tags_of(on, "dashboard", on.dashboard), ["butter", "new"]);
    let taken = admin.delete(&format!("/api/v1/tag/3/{}/new/", on.dashboard));
    assert_eq!(taken.told(), (200, message("OK")));
    assert_eq!(tags_of(on, "dashboard", on.dashboard), ["butter"]);
    let q = format!("(filters:!((col:tags,opr:dashboard_tag_id,value:{})))", ids[1]);
    assert_eq!(admin.ids("dashboard", &q), [on.dashboard]);
    assert_eq!(admin.delete("/api/v1/tag/?q=!(butter)").told(), (200, message("Deleted 1 tags")));
    assert!(tags_of(on, "dashboard", on.dashboard).is_empty());
    assert_eq!(admin.delete(&format!("/api/v1/tag/{}", ids[0])).told(), (200, message("OK")));
    assert_eq!(admin.get(&format!("/api/v1/tag/{}", ids[0])).told(), (404, message("Not found")));
    assert!(tags_of(on, "chart", on.chart).is_empty());
}

#[test]
fn tags_are_written_and_read() {
    Installation::on_all("tag", written_and_read);
}

#[test]
fn tags_that_are_refused_and_people() {
    let on = Installation::on_sqlite("tag-refused");
    let mut admin = on.server.admin();
    assert_eq!(admin.post("/api/v1/tag/", &json!({"name": "t", "objects_to_tag": []})).status, 201);
    let id = admin.ids("tag", "(filters:!((col:name,opr:eq,value:t)))")[0];
    let pair = |of| json!({"message": {"objects_to_tag": {"0": of}}});
    refused(
        &mut admin,
        "POST",
        "tag/",
        &[
            (json!({"name": ""}), 400, fields("name", "Shorter than minimum length 1.")),
            (json!({"name": 1}), 400, fields("name", "Not a valid string.")),
            (json!({"name": "n", "objects_to_tag": "x"}), 400, fields("objects_to_tag", "Not a valid list.")),
            (json!({"name": "n", "objects_to_tag": [["chart"]]}), 400, pair(json!(["Length must be 2."]))),
            (
                json!({"name": "n", "objects_to_tag": [["chart", "x"]]}),
                400,
                pair(json!({"1": ["Not a valid integer."]})),
            ),
            (json!({"name": "n", "objects_to_tag": [["nope", 1]]}), 422, message("Could not process entity")),
            (json!({"name": "n", "bogus": 1}), 400, fields("bogus", "Unknown field.")),
        ],
    );
    let without = message("Missing required field 'tags' in 'properties'");
    let nowhere = message("Could not process entity");
    refused(
        &mut admin,
        "POST",
        &format!("tag/2/{}/", on.chart),
        &[(json!({"properties": {}}), 400, without)],
    );
    refused(&mut admin, "DELETE", &format!("tag/2/{}/nope/", on.chart), &[(json!({}), 422, nowhere)]);
    assert_eq!(statuses(&mut on.server.anonymous(), "tag", id, &json!({})), REFUSED);
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    let statuses = statuses(&mut gamma, "tag", id, &json!({"name": "mine", "objects_to_tag": []}));
    assert_ne!(statuses, NO_RIGHT);
    assert_eq!(statuses, [200, 200, 200, 400, 200, 200]);
}
