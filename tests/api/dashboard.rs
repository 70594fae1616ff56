//! Dashboards: their rows, what belongs to one, copies, and who sees which.

use serde_json::{Value, json};

use crate::support::{Installation, REFUSED, fields, make, message, refused, statuses};

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let body =
        json!({"dashboard_title": "Bread ☃", "slug": "Bread and butter", "published": true, "css": "a{}"});
    let made = admin.post("/api/v1/dashboard/", &body);
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["result"]["slug"], "Bread-and-butter");
    let read = admin.result("dashboard/Bread-and-butter");
    assert_eq!((&read["id"], &read["dashboard_title"]), (&json!(id), &body["dashboard_title"]));
    assert_eq!(read["owners"], json!([{"first_name": "Superset", "id": 1, "last_name": "Admin"}]));
    assert_eq!(
        (&read["url"], &read["published"]),
        (&json!("/superset/dashboard/Bread-and-butter/"), &json!(true))
    );
    let path = format!("/api/v1/dashboard/{id}");
    let change = json!({"slug": null, "json_metadata": "{\"color_scheme\": \"x\"}", "published": false});
    let put = admin.put(&path, &change);
    assert_eq!((put.status, &put.json()["id"]), (200, &json!(id)), "{}", put.text());
    assert!(put.json()["last_modified_time"].is_number());
    assert_eq!(admin.get("/api/v1/dashboard/Bread-and-butter").told(), (404, message("Not found")));
    let read = admin.result(&format!("dashboard/{id}"));
    assert_eq!(read["slug"], Value::Null);
    assert!(read["json_metadata"].as_str().unwrap().contains("\"color_scheme\": \"x\""), "{read}");
    // what a chart's dashboard shows of it
    let mine = on.dashboard;
    assert_eq!(admin.result(&format!("dashboard/{mine}/charts"))[0]["id"], on.chart);
    assert_eq!(admin.result(&format!("dashboard/{mine}/datasets"))[0]["id"], on.dataset);
    assert_eq!(admin.result(&format!("dashboard/{mine}/tabs")), json!({}));
    let lost = json!({"error": "Dashboard not found."});
    for (below, said) in [("", message("Not found")), ("/charts", message("Not found")), ("/datasets", lost)]
    {
        let answer = admin.get(&format!("/api/v1/dashboard/99999{below}"));
        assert_eq!(answer.told(), (404, said), "{below}");
    }
    let mut ids = |q: &str| admin.ids("dashboard", q);
    assert_eq!(ids("(filters:!((col:dashboard_title,opr:title_or_slug,value:bREAD)))"), [id]);
    assert_eq!(
        ids("(filters:!((col:published,opr:eq,value:!f)),order_column:dashboard_title,order_direction:asc)")
            .len(),
        2
    );
    assert_eq!(ids("(filters:!((col:slug,opr:eq,value:'')),page_size:5)"), [0; 0]);
    assert_eq!(ids("(order_column:changed_by.first_name,page_size:1,page:1)").len(), 1);
    let copied = json!({"dashboard_title": "copy", "json_metadata": "{\"positions\": {}}"});
    let copy = admin.post(&format!("/api/v1/dashboard/{mine}/copy/"), &copied);
    assert_eq!(copy.status, 200, "{}", copy.text());
    let copy = copy.json()["result"]["id"].as_i64().unwrap();
    assert!(copy > id);
    let bulk = admin.delete(&format!("/api/v1/dashboard/?q=!({copy},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/dashboard/?q=!({copy},{mine})"));
    assert_eq!(bulk.told(), (200, message("Deleted 2 dashboards")));
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.delete(&path).told(), (404, message("Not found")));
    let left = "SELECT id || '' FROM dashboard_user UNION SELECT id || '' FROM dashboard_slices";
    assert!(on.metadata.texts(left).is_empty());
    assert_eq!(admin.result(&format!("chart/{}", on.chart))["dashboards"], json!([]), "the charts stay");
}

#[test]
fn dashboards_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("dashboard"));
}

#[test]
fn dashboards_that_are_refused_and_people() {
    let on = Installation::on_sqlite("dashboard-refused");
    let mut admin = on.server.admin();
    let taken = make(&mut admin, "dashboard", &json!({"dashboard_title": "t", "slug": "taken"}));
    let both = [
        (json!({"dashboard_title": 1}), 400, fields("dashboard_title", "Not a valid string.")),
        (json!({"slug": "taken"}), 422, fields("slug", "Must be unique")),
        (json!({"position_json": "{"}), 400, fields("position_json", "JSON not valid")),
        (
            json!({"json_metadata": "{\"nope\": 1}"}),
            400,
            json!({"message": {"json_metadata": [{"nope": ["Unknown field."]}]}}),
        ),
        (json!({"owners": [99999]}), 422, fields("owners", "Owners are invalid")),
        (json!({"roles": [99999]}), 422, fields("roles", "Some roles do not exist")),
        (json!({"published": "perhaps"}), 400, fields("published", "Not a valid boolean.")),
        (json!({"theme_id": "x"}), 400, fields("theme_id", "Not a valid integer.")),
        (json!({"changed_by": 1}), 400, fields("changed_by", "Unknown field.")),
    ];
    refused(&mut admin, "POST", "dashboard/", &both);
    let mine = format!("dashboard/{}", on.dashboard);
    refused(&mut admin, "PUT", &mine, &both);
    refused(
        &mut admin,
        "POST",
        "dashboard/",
        &[
            (json!({"slug": ""}), 400, fields("slug", "Length must be between 1 and 255.")),
            (json!({"theme_id": 99999}), 422, message("Dashboards could not be created.")),
        ],
    );
    refused(
        &mut admin,
        "PUT",
        &mine,
        &[(json!({"theme_id": 99999}), 422, message("Dashboard could not be updated."))],
    );
    refused(&mut admin, "PUT", "dashboard/99999", &[(json!({}), 404, message("Not found"))]);
    refused(
        &mut admin,
        "POST",
        &format!("{mine}/copy/"),
        &[(
            json!({"dashboard_title": "c"}),
            400,
            fields("json_metadata", "Missing data for required field."),
        )],
    );
    let change = json!({"dashboard_title": "mine now"});
    assert_eq!(statuses(&mut on.server.anonymous(), "dashboard", taken, &change), REFUSED);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(
        statuses(&mut alpha, "dashboard", taken, &change),
        [200, 404, 200, 400, 404, 404],
        "a draft is hidden"
    );
    let published = json!({"published": true});
    for id in [taken, on.dashboard] {
        assert_eq!(admin.put(&format!("/api/v1/dashboard/{id}"), &published).status, 200);
    }
    assert_eq!(statuses(&mut alpha, "dashboard", on.dashboard, &change), [200, 200, 200, 400, 403, 403]);
    let bulk = alpha.delete(&format!("/api/v1/dashboard/?q=!({})", on.dashboard));
    assert_eq!(bulk.told(), (403, message("Forbidden")));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    let statuses = statuses(&mut gamma, "dashboard", on.dashboard, &change);
    assert_eq!(statuses, [200, 404, 200, 400, 404, 404], "nothing in it may be read");
}
