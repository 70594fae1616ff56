//! Annotation layers and the annotations below them.

use serde_json::{Value, json};

use crate::support::{Installation, NO_RIGHT, REFUSED, fields, make, message, refused, statuses};

fn annotation(name: &str, from: &str, until: &str) -> Value {
    json!({"short_descr": name, "long_descr": "closed", "start_dttm": from, "end_dttm": until, "json_metadata": "{}"})
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let layer = make(&mut admin, "annotation_layer", &json!({"name": "feasts", "descr": null}));
    let other = make(&mut admin, "annotation_layer", &json!({"name": "Fasts", "descr": "no bread"}));
    let path = format!("/api/v1/annotation_layer/{layer}");
    let put = admin.put(&path, &json!({"descr": "☃"}));
    assert_eq!(put.told(), (200, json!({"id": layer, "result": {"descr": "☃", "layer": layer}})));
    let read = admin.result(&format!("annotation_layer/{layer}"));
    assert_eq!(read, json!({"id": layer, "name": "feasts", "descr": "☃"}));
    let mut ids = |q: &str| admin.ids("annotation_layer", q);
    assert_eq!(ids("(filters:!((col:name,opr:annotation_layer_all_text,value:BREAD)))"), [other]);
    assert_eq!(ids("(filters:!((col:name,opr:ew,value:asts)),order_column:name)").len(), 2);
    assert_eq!(ids("(order_column:created_by.first_name,page_size:1)").len(), 1);
    assert_eq!(ids("(filters:!((col:changed_by,opr:rel_o_m,value:99999)))"), [0; 0], "nobody changed them");

    let below = format!("annotation_layer/{layer}/annotation");
    let eve = annotation("Eve", "2024-12-24T00:00:00", "2024-12-24T23:59:00");
    let made = admin.post(&format!("/api/v1/{below}/"), &eve);
    assert_eq!(made.status, 201, "{}", made.text());
    let (eve_id, echo) = (made.json()["id"].as_i64().unwrap(), made.json()["result"].clone());
    assert_eq!(echo["start_dttm"], "Tue, 24 Dec 2024 00:00:00 GMT", "as `jsonify` writes it");
    let day = make(&mut admin, &below, &annotation("Day", "2024-12-25T00:00:00", "2024-12-25T00:00:00"));
    let read = admin.result(&format!("{below}/{eve_id}"));
    assert_eq!(read["start_dttm"], "2024-12-24T00:00:00");
    assert_eq!(read["layer"], json!({"id": layer, "name": "feasts"}));
    assert_eq!(admin.ids(&below, "(order_column:start_dttm,order_direction:desc)"), [day, eve_id]);
    assert_eq!(
        admin.ids(&below, "(filters:!((col:short_descr,opr:annotation_all_text,value:ev)))"),
        [eve_id]
    );
    assert_eq!(admin.ids(&format!("annotation_layer/{other}/annotation"), "()"), [0; 0]);
    let stays = admin.delete(&path);
    assert_eq!(stays.told(), (422, message("Annotation layer has associated annotations.")));
    for bulk in [format!("!({layer},{other})"), format!("!({other},99999)")] {
        let answer = admin.delete(&format!("/api/v1/annotation_layer/?q={bulk}"));
        assert!(matches!(answer.status, 404 | 422), "{bulk}: {}", answer.text());
    }
    assert_eq!(admin.ids("annotation_layer", "()").len(), 2, "all or none");
    let bulk = admin.delete(&format!("/api/v1/{below}/?q=!({eve_id},{day})"));
    assert_eq!(bulk.told(), (200, message("Deleted 2 annotations")));
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    let bulk = admin.delete(&format!("/api/v1/annotation_layer/?q=!({other})"));
    assert_eq!(bulk.told(), (200, message("Deleted 1 annotation layer")));
}

#[test]
fn layers_and_annotations_are_written_and_read() {
    written_and_read(&Installation::on_sqlite("layers"));
}

#[test]
fn layers_and_annotations_that_are_refused() {
    let on = Installation::on_sqlite("layers-refused");
    let mut admin = on.server.admin();
    let layer = make(&mut admin, "annotation_layer", &json!({"name": "l"}));
    let below = format!("annotation_layer/{layer}/annotation/");
    let both = [
        (json!({"name": null}), 400, fields("name", "Field may not be null.")),
        (json!({"name": 1}), 400, fields("name", "Not a valid string.")),
        (json!({"name": ""}), 400, fields("name", "Length must be between 1 and 250.")),
    ];
    refused(&mut admin, "POST", "annotation_layer/", &both);
    let one = format!("annotation_layer/{layer}");
    refused(&mut admin, "PUT", &one, &both);
    refused(
        &mut admin,
        "POST",
        "annotation_layer/",
        &[
            (json!({"name": "l"}), 422, fields("name", "Name must be unique")),
            (json!({}), 400, fields("name", "Missing data for required field.")),
            (json!([]), 400, fields("_schema", "Invalid input type.")),
        ],
    );
    // a layer may be made without a description, but not be left without one
    refused(
        &mut admin,
        "PUT",
        &one,
        &[
            (json!({"descr": null}), 400, fields("descr", "Field may not be null.")),
            (json!({"changed_by": 1}), 400, fields("changed_by", "Unknown field.")),
        ],
    );
    make(
        &mut admin,
        &below[..below.len() - 1],
        &annotation("a", "2024-01-01T00:00:00", "2024-01-02T00:00:00"),
    );
    let with = |key: &str, value: Value| {
        let mut body = annotation("b", "2024-01-01T00:00:00", "2024-01-02T00:00:00");
        body[key] = value;
        body
    };
    let unique = "Short description must be unique for this layer";
    refused(
        &mut admin,
        "POST",
        &below,
        &[
            (with("short_descr", json!("a")), 422, fields("short_descr", unique)),
            (with("start_dttm", json!(1)), 400, fields("start_dttm", "Not a valid datetime.")),
            (
                with("start_dttm", json!("2025-01-01T00:00:00")),
                422,
                fields("start_dttm", "End date must be after start date"),
            ),
            (with("json_metadata", json!("x")), 400, fields("json_metadata", "JSON not valid")),
            (with("layer", json!(1)), 400, fields("layer", "Unknown field.")),
        ],
    );
    let nowhere = admin.post("/api/v1/annotation_layer/99999/annotation/", &with("short_descr", json!("c")));
    assert_eq!(nowhere.told(), (400, message("Annotation layer not found.")));
    for list in ["annotation_layer/", &below] {
        for (q, status) in [("!()", 404), ("!(99999)", 404), ("!(1.5)", 400)] {
            assert_eq!(admin.delete(&format!("/api/v1/{list}?q={q}")).status, status, "{list} {q}");
        }
    }
    assert_eq!(statuses(&mut on.server.anonymous(), "annotation_layer", layer, &json!({})), REFUSED);
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(statuses(&mut gamma, "annotation_layer", layer, &json!({})), NO_RIGHT);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    let statuses = statuses(&mut alpha, "annotation_layer", layer, &json!({}));
    assert_eq!(statuses, [200, 200, 200, 400, 200, 422]);
}
